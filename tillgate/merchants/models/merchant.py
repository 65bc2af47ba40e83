"""Who takes the money: merchants, the keys of their servers, their gateway accounts and how those do."""

from django.db import models

MODES = [("test", "test"), ("live", "live")]


class Merchant(models.Model):
    """A business, `MER-…`. One row is the default merchant, which callers without a key deal with.

    The default merchant needs nothing of this set: the settings speak where a field is empty.
    """

    reference = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    is_default = models.BooleanField(default=False)
    color = models.CharField(max_length=7, blank=True)  # Of its checkout pages: #0a7d4f; empty: ours.
    logo_sha256 = models.CharField(max_length=64, blank=True)  # Of the row in Logo; empty: it has none.
    # What it may be paid in, the default first; empty: whatever its gateways take.
    currencies = models.JSONField(default=list, blank=True)
    # Hosts that return_url may name, beside those of the settings for the default merchant.
    return_hosts = models.JSONField(default=list, blank=True)
    # {"NGN": {"minimum_minor": 10000, "maximum_minor": 500000000}}; without an entry: no limits of its own.
    limits = models.JSONField(default=dict, blank=True)
    # {"NGN": 5000000}: what one person may refund alone, in minor units; without an entry: anything.
    refund_limits = models.JSONField(default=dict, blank=True)
    # ISO 3166 of the shop, for its gateways' fees; empty: the home of the currency.
    country = models.CharField(max_length=2, blank=True)
    # Whose calendar due dates follow, and whose working hours; of subscriptions that are made from now on.
    zone = models.CharField(max_length=60, default="Africa/Lagos")
    # Which gateway for which payment; see `services/rules.py`.
    gateway_rules = models.JSONField(default=list, blank=True)
    # Until then guests may not try to pay: too many of their cards were declined.
    guests_paused_until = models.DateTimeField(null=True)
    test_guests_paused_until = models.DateTimeField(null=True)  # The same of test mode, which stops no sale.
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="merchant_reference"),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="merchant_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Logo(models.Model):
    """A merchant's picture, as its checkout pages show it."""

    merchant = models.OneToOneField(Merchant, on_delete=models.PROTECT, related_name="logo")
    content = models.BinaryField()
    content_type = models.CharField(max_length=20)

    def __str__(self) -> str:
        return f"logo of {self.merchant_id}"


class ApiKey(models.Model):
    """A key of a merchant, `KEY-…`: only its hash is stored, its first characters are shown.

    A publishable one (`pk_…`) only says for which merchant, and in which mode, a guest pays.
    """

    reference = models.CharField(max_length=30)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="api_keys")
    mode = models.CharField(max_length=4, choices=MODES)
    name = models.CharField(max_length=80, blank=True)  # What it is for, in the merchant's words.
    prefix = models.CharField(max_length=16)
    secret_sha256 = models.CharField(max_length=64)
    is_publishable = models.BooleanField(default=False)
    scopes = models.JSONField(default=list)  # Of `roles.KEY_SCOPES`; none of a publishable one.
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)  # To five minutes.
    lifetime_days = models.PositiveIntegerField(null=True)  # What it was made for; its successors too.
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="api_key_reference"),
            models.UniqueConstraint(fields=["secret_sha256"], name="api_key_secret"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"


class StoredAccount(models.Model):
    """A merchant's own account at a gateway, `GAC-…`. Its secrets are encrypted and never shown again.

    `secrets` is a JSON object by the names that the settings have for them, `{"PAYSTACK_SECRET_KEY":
    "sk_test_…"}`, `former_secrets` a list of such, the latest first: events signed with them are still heard.
    """

    reference = models.CharField(max_length=30)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="gateway_accounts")
    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=4, choices=MODES)
    secrets = models.TextField()
    former_secrets = models.TextField(blank=True)
    hint = models.CharField(max_length=12)  # The last characters of the first secret, to tell keys apart.
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="stored_account_reference"),
            models.UniqueConstraint(fields=["merchant", "gateway", "mode"], name="stored_account_one_each"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.mode} …{self.hint}"


class GatewayHealth(models.Model):
    """How a gateway does just now for one merchant, in all processes: no row, or no failures, is well.

    A merchant has an account of its own: that the gateway does not answer there says nothing of the others.
    """

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=4, choices=MODES)
    failures = models.PositiveIntegerField(default=0)  # In a row.
    open_until = models.DateTimeField(null=True)  # Until then nobody is sent there.
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "gateway", "mode"], name="gateway_health_of_each")
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.mode}"
