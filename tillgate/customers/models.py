"""Who pays again and again, by which saved method, and what they agreed to."""

from __future__ import annotations

from typing import Self

from django.db import models

from tillgate.merchants.models import Merchant

MODES = [("test", "test"), ("live", "live")]


class Customer(models.Model):
    """A person at one merchant, known by e-mail; `reference` is `CUS-…`.

    Where nobody has shown whose the e-mail is, it is whoever pays one subscription, known by its id.
    """

    reference = models.CharField(max_length=30)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="customers")
    mode = models.CharField(max_length=4, choices=MODES)
    email = models.CharField(max_length=254)  # In small letters; or the `SUB-…` of that one subscription.
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="customer_reference"),
            models.UniqueConstraint(fields=["merchant", "mode", "email"], name="customer_email"),
        ]

    def __str__(self) -> str:
        return self.reference


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    """The ways in which saved methods are read."""

    def for_merchant(self, merchant: Merchant, mode: str) -> Self:
        """The methods of one merchant's customers in one mode."""
        return self.filter(customer__merchant=merchant, customer__mode=mode)

    def usable(self) -> Self:
        """Methods that nobody has removed."""
        return self.filter(removed_at__isnull=True)


class PaymentMethod(models.Model):
    """A saved way to pay, `PM-…`. `token` is the gateway's, encrypted: see `common/crypto`."""

    reference = models.CharField(max_length=30)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payment_methods")
    gateway = models.CharField(max_length=20)
    kind = models.CharField(max_length=30)
    brand = models.CharField(max_length=30, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    expires_month = models.CharField(max_length=7, blank=True)  # As 2028-09.
    token = models.TextField()
    signature = models.CharField(max_length=100, blank=True)  # The gateway's own; equal for the same card.
    # The e-mail that it was saved under: the gateway takes it with no other.
    charged_as = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    expiry_told_days = models.PositiveSmallIntegerField(null=True)  # The last notice: 30 or 7 days before.

    objects = PaymentMethodQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reference"], name="payment_method_reference")]

    def __str__(self) -> str:
        return self.reference

    @property
    def customer_email(self) -> str:
        """The e-mail of its customer; of one that is kept for a single subscription, what that one names."""
        return self.customer.email if "@" in self.customer.email else self.charged_as.lower()


class Consent(models.Model):
    """That a payer let their method be charged again: what they agreed to, when, from where.

    `subject` is the public id of the payment whose checkout page has the tick, or of the subscription that
    somebody set up while signed in (`account`), or that was taken over from a gateway (`import`).
    """

    subject = models.CharField(max_length=30)
    text = models.TextField()
    text_version = models.CharField(max_length=20)
    given_by = models.CharField(
        max_length=8, choices=[("checkout", "checkout"), ("account", "account"), ("import", "import")]
    )
    address = models.GenericIPAddressField(null=True)
    given_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject"], name="consent_subject")]

    def __str__(self) -> str:
        return f"consent to {self.subject}"
