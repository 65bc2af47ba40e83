"""Money that came on top of a payment, what went back, and what is contested."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from django.db import models
from django.db.models import Q, Sum

from tillgate.gateways.protocol import AttemptRef
from tillgate.money import Money
from tillgate.payments.models.payment import MODES, Attempt, Payment
from tillgate.payments.states import (
    COUNTED_REFUNDS,
    OPEN_REFUNDS,
    DisputeStatus,
    RefundOrigin,
    RefundStatus,
    choices,
    values,
)


class Surplus(models.Model):
    """Money that arrived beyond what was to be paid, waiting to be sent back; it is never revenue."""

    reference = models.CharField(max_length=30)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="surpluses")
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="surpluses")
    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=4, choices=MODES)
    gateway_id = models.CharField(max_length=60)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="surplus_reference"),
            models.UniqueConstraint(fields=["gateway", "mode", "gateway_id"], name="surplus_gateway_id"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="surplus_amount"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def amount(self) -> Money:
        """What came on top."""
        return Money(self.amount_minor, self.currency)

    @property
    def transaction(self) -> AttemptRef:
        """The transaction that brought it, for the gateway: it may be the attempt's second one."""
        return replace(self.attempt.ref, gateway_id=self.gateway_id)


class RefundQuerySet(models.QuerySet["Refund"]):
    """The ways in which refunds are read."""

    def of(self, attempt: Attempt, surplus: Surplus | None) -> Self:
        """The refunds of one transaction: a surplus's own, or the one that the attempt stands for."""
        return self.filter(attempt=attempt, surplus=surplus)

    def counted(self) -> Self:
        """What can not be refunded again: it went back, or is going to."""
        return self.filter(status__in=COUNTED_REFUNDS)

    def uncalled(self) -> Self:
        """Reserved refunds that no gateway was called for, the oldest first."""
        waiting = self.filter(
            status=RefundStatus.PENDING, listed_before__isnull=True, gateway_id__isnull=True
        )
        return waiting.order_by("pk")

    def unanswered(self) -> Self:
        """Refunds whose call was made and whose answer is not known: at most one of each payment."""
        return self.filter(status__in=OPEN_REFUNDS, listed_before__isnull=False, gateway_id__isnull=True)

    def total_minor(self) -> int:
        """Their sum; the refunds of one transaction have one currency."""
        return self.aggregate(total=Sum("amount_minor"))["total"] or 0


class Refund(models.Model):
    """Money on its way back to the customer, by the transaction it came in by."""

    reference = models.CharField(max_length=30)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="refunds")
    # The surplus that it sends back; NULL where it sends back the payment's own money.
    surplus = models.ForeignKey(Surplus, on_delete=models.PROTECT, null=True, related_name="refunds")
    origin = models.CharField(max_length=8, choices=choices(RefundOrigin), default=RefundOrigin.KEY.value)
    reason = models.CharField(max_length=500, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(
        max_length=10, choices=choices(RefundStatus), default=RefundStatus.PENDING.value
    )
    gateway_id = models.CharField(max_length=60, null=True)  # noqa: DJ001
    # Ids that the gateway listed before we called; NULL until the call is about to be made.
    listed_before = models.JSONField(null=True)
    called_at = models.DateTimeField(null=True)  # When the call was first made.
    explanation = models.CharField(max_length=200, blank=True)  # Why it failed, or is for a person.
    questions = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    idempotency_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    request_hash = models.CharField(max_length=64, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="refund_reference"),
            models.UniqueConstraint(fields=["idempotency_hash"], name="refund_idempotency"),
            models.UniqueConstraint(fields=["attempt", "gateway_id"], name="refund_gateway_id"),
            # Of two calls with a lost answer, nobody could tell whose refund the gateway made.
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(
                    status__in=values(OPEN_REFUNDS), listed_before__isnull=False, gateway_id__isnull=True
                ),
                name="refund_one_in_flight",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount"),
            models.CheckConstraint(condition=Q(status__in=values(RefundStatus)), name="refund_status"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def merchant_id(self) -> int:
        """Whose it is: its payment's merchant's."""
        return self.payment.merchant_id

    @property
    def mode(self) -> str:
        """Its payment's."""
        return self.payment.mode

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_minor, self.currency)

    @property
    def transaction(self) -> AttemptRef:
        """The transaction that it sends back, for the gateway."""
        return self.attempt.ref if self.surplus is None else self.surplus.transaction

    @property
    def submit_key(self) -> str:
        """The name of the job that makes its call."""
        return f"submit-refund-{self.pk}"


class Dispute(models.Model):
    """The customer's bank contests a transaction."""

    reference = models.CharField(max_length=30)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="disputes")
    # The surplus whose transaction is contested; NULL where it is the payment's own money.
    surplus = models.ForeignKey(Surplus, on_delete=models.PROTECT, null=True, related_name="disputes")
    gateway_id = models.CharField(max_length=60)
    status = models.CharField(max_length=12, choices=choices(DisputeStatus), default=DisputeStatus.OPEN.value)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200, blank=True)  # The gateway's word.
    evidence = models.TextField(blank=True)  # What the merchant keeps about it; nothing sends it anywhere.
    respond_by = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="dispute_reference"),
            models.UniqueConstraint(fields=["attempt", "gateway_id"], name="dispute_gateway_id"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_amount"),
            models.CheckConstraint(condition=Q(status__in=values(DisputeStatus)), name="dispute_status"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def merchant_id(self) -> int:
        """Whose it is: its payment's merchant's."""
        return self.payment.merchant_id

    @property
    def mode(self) -> str:
        """Its payment's."""
        return self.payment.mode

    @property
    def amount(self) -> Money:
        """What is contested."""
        return Money(self.amount_minor, self.currency)
