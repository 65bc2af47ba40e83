"""Double entry, append-only: where the money is and whose it is."""

from django.db import models


class Account(models.TextChoices):
    """A positive balance is money that someone owes the merchant or that the merchant has taken out."""

    GATEWAY = "gateway", "held for us by a gateway"
    SALES = "sales", "earned by settled payments"
    HELD = "held", "received, but not (yet) the merchant's: review and surplus"


class Entry(models.Model):
    """One side of a movement. The entries of one `journal` sum to zero in each currency."""

    merchant_id = models.BigIntegerField()
    journal = models.CharField(max_length=80)
    account = models.CharField(max_length=10, choices=Account.choices)
    gateway = models.CharField(max_length=20)
    subject = models.CharField(max_length=40)  # The payment's public id.
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journal", "account", "currency"], name="entry_journal_account"),
            models.CheckConstraint(condition=~models.Q(amount_minor=0), name="entry_amount_not_zero"),
        ]
        indexes = [models.Index(fields=["subject"], name="entry_subject")]

    def __str__(self) -> str:
        return f"{self.journal} {self.account} {self.amount_minor} {self.currency}"
