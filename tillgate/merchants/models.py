"""Who takes the money: merchants, the keys of their servers, and how well their gateways do."""

from django.db import models


class Merchant(models.Model):
    """A business. The first row is the default merchant, which callers without a key deal with."""

    name = models.CharField(max_length=120)
    is_default = models.BooleanField(default=False)
    # {"NGN": {"minimum_minor": 10000, "maximum_minor": 500000000}}; without an entry: no limits of its own.
    limits = models.JSONField(default=dict, blank=True)
    # ISO 3166 of the shop, for its gateways' fees; empty: the home of the currency.
    country = models.CharField(max_length=2, blank=True)
    # Whose calendar due dates follow, and whose working hours; of subscriptions that are made from now on.
    zone = models.CharField(max_length=60, default="Africa/Lagos")
    # Which gateway for which payment; see `services/rules.py`.
    gateway_rules = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="merchant_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A secret key of a merchant's server: only its hash is stored, its first characters are shown."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="api_keys")
    mode = models.CharField(max_length=4, choices=[("test", "test"), ("live", "live")])
    prefix = models.CharField(max_length=16)
    secret_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["secret_sha256"], name="api_key_secret")]

    def __str__(self) -> str:
        return f"{self.prefix}…"


class GatewayHealth(models.Model):
    """How a gateway does just now, for all processes: no row, or no failures, is well."""

    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=4, choices=[("test", "test"), ("live", "live")])
    failures = models.PositiveIntegerField(default=0)  # In a row.
    open_until = models.DateTimeField(null=True)  # Until then nobody is sent there.
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway", "mode"], name="gateway_health")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.mode}"
