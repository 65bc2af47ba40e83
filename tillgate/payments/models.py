"""A payment, the attempts to collect it, the money that came on top, what went back and what is contested."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q, Sum

from tillgate.gateways.protocol import AttemptRef
from tillgate.merchants.models import Merchant
from tillgate.money import MAX_MINOR, Money
from tillgate.payments.states import (
    COUNTED_REFUNDS,
    OPEN_ATTEMPTS,
    OPEN_REFUNDS,
    PAYABLE,
    AttemptStatus,
    DisputeStatus,
    PaymentStatus,
    RefundOrigin,
    RefundStatus,
    choices,
    values,
)

MODES = [("test", "test"), ("live", "live")]


class PaymentQuerySet(models.QuerySet["Payment"]):
    """The ways in which payments are read; every door with a key starts from `for_merchant`."""

    def for_merchant(self, merchant: Merchant, mode: str) -> Self:
        """The payments of one merchant in one mode: test and live are separate worlds."""
        return self.filter(merchant=merchant, mode=mode)

    def due_to_expire(self, now: datetime) -> Self:
        """Payments that nobody paid in time."""
        return self.filter(status__in=PAYABLE, expires_at__lte=now)

    def newest_first(self) -> Self:
        """The order of lists: by creation, then by id, so that a page never shifts."""
        return self.order_by("-created_at", "-pk")


class Payment(models.Model):
    """The intent to collect one amount. `reference` (`PAY-…`) is its public id."""

    reference = models.CharField(max_length=30)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="payments")
    mode = models.CharField(max_length=4, choices=MODES)
    status = models.CharField(
        max_length=20, choices=choices(PaymentStatus), default=PaymentStatus.PENDING.value
    )
    customer_name = models.CharField(max_length=200)
    customer_email = models.CharField(max_length=254)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=500, blank=True)
    gateway = models.CharField(max_length=20, null=True)  # noqa: DJ001  # NULL until chosen.
    gateway_pinned = models.BooleanField(default=False)  # Chosen by the caller, and not to be changed.
    checkout_token = models.CharField(max_length=26)
    return_url = models.CharField(max_length=2000, blank=True)
    created_by = models.CharField(max_length=8, choices=[("guest", "guest"), ("key", "key")])
    merchant_reference = models.CharField(max_length=100, null=True)  # noqa: DJ001  # NULL is not unique.
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    late = models.BooleanField(default=False)

    # What is known of the money, in the payment's currency. Rows stand behind each: see `verify-ledger`.
    received_minor = models.BigIntegerField(default=0)
    surplus_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    charged_back_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(null=True)
    has_incidents = models.BooleanField(default=False)  # Surpluses or disputes hang below it.

    failure = models.JSONField(null=True)  # {"code", "message", "retryable"} of the last failed attempt.
    review_reason = models.CharField(max_length=40, blank=True)
    sequence = models.PositiveIntegerField(default=1)  # Of its newest event; creation is the first.
    asked_at = models.DateTimeField(null=True)  # When a gateway was last asked; NULL: there is nothing to.

    # The row is its own idempotency record: SHA-256 of scope and key, and of what was asked for.
    idempotency_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    request_hash = models.CharField(max_length=64, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="payment_reference"),
            models.UniqueConstraint(fields=["checkout_token"], name="payment_checkout_token"),
            models.UniqueConstraint(fields=["idempotency_hash"], name="payment_idempotency"),
            models.UniqueConstraint(
                fields=["merchant", "mode", "merchant_reference"], name="payment_merchant_ref"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=MAX_MINOR), name="payment_amount"
            ),
            models.CheckConstraint(
                condition=Q(received_minor__gte=0, surplus_minor__gte=0, refunded_minor__gte=0)
                & Q(charged_back_minor__gte=0),
                name="payment_sums",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__lte=F("received_minor")), name="payment_refunded"
            ),
            models.CheckConstraint(
                condition=~Q(status=PaymentStatus.COMPLETED.value)
                | Q(completed_at__isnull=False, received_minor__gt=0),
                name="payment_completed_with_money",
            ),
            models.CheckConstraint(condition=Q(status__in=values(PaymentStatus)), name="payment_status"),
        ]
        indexes = [
            models.Index(fields=["merchant", "mode", "-created_at", "-id"], name="payment_newest"),
            models.Index(
                fields=["expires_at"], name="payment_expiry", condition=Q(status__in=values(PAYABLE))
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def amount(self) -> Money:
        """What is to be paid."""
        return Money(self.amount_minor, self.currency)

    @property
    def net_minor(self) -> int | None:
        """What remains of what was received, after the gateway's fee; None until the fee is known."""
        return None if self.fee_minor is None else self.received_minor - self.fee_minor


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """The ways in which attempts are read."""

    def open(self) -> Self:
        """Attempts that have not ended."""
        return self.filter(status__in=OPEN_ATTEMPTS)


class Attempt(models.Model):
    """One try to collect a payment at one gateway. Its success row is the stored proof of verification."""

    reference = models.CharField(max_length=30)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="attempts")
    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=4, choices=MODES)
    status = models.CharField(
        max_length=12, choices=choices(AttemptStatus), default=AttemptStatus.CREATED.value
    )
    initiated_by = models.CharField(
        max_length=8, choices=[("customer", "customer"), ("merchant", "merchant")]
    )
    gateway_reference = models.CharField(max_length=60)
    gateway_id = models.CharField(max_length=60, null=True)  # noqa: DJ001  # NULL until the gateway named it.
    # What the gateway opened for the customer, where it can only be asked by that.
    session_id = models.CharField(max_length=60, null=True)  # noqa: DJ001
    redirect_url = models.CharField(max_length=2000, blank=True)
    access_code = models.CharField(max_length=100, blank=True)
    failure = models.JSONField(null=True)
    settles = models.BooleanField(default=False)
    received_minor = models.BigIntegerField(null=True)
    received_currency = models.CharField(max_length=3, blank=True)
    fee_minor = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=30, blank=True)
    paid_at = models.DateTimeField(null=True)  # The gateway's time.
    verified_at = models.DateTimeField(null=True)  # Ours, when the gateway confirmed it to our own question.
    reversed_at = models.DateTimeField(null=True)
    capture_sent_at = models.DateTimeField(null=True)  # Committed before the call that takes approved money.
    looked_back_at = models.DateTimeField(null=True)  # When refunds and disputes were last asked for.
    look_back_at = models.DateTimeField(null=True)  # When they are to be asked for next.
    questions = models.PositiveIntegerField(default=0)  # Answers or silences so far: the rung of the ladder.
    silences = models.PositiveIntegerField(default=0)  # Questions in a row without an answer of use.
    processing = models.BooleanField(default=False)  # The gateway says that money is on its way by it.
    absences = models.PositiveIntegerField(default=0)  # How often the gateway did not know it.
    created_at = models.DateTimeField()
    idempotency_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    request_hash = models.CharField(max_length=64, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="attempt_reference"),
            models.UniqueConstraint(
                fields=["gateway", "gateway_reference"], name="attempt_gateway_reference"
            ),
            models.UniqueConstraint(fields=["idempotency_hash"], name="attempt_idempotency"),
            models.UniqueConstraint(fields=["gateway", "mode", "gateway_id"], name="attempt_gateway_id"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(settles=True), name="attempt_one_settles_a_payment"
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(initiated_by="merchant", status__in=values(OPEN_ATTEMPTS)),
                name="attempt_one_merchant_started",
            ),
            models.CheckConstraint(
                condition=~Q(status=AttemptStatus.SUCCEEDED.value)
                | Q(verified_at__isnull=False, received_minor__gt=0, gateway_id__isnull=False),
                name="attempt_succeeded_verified",
            ),
            models.CheckConstraint(
                condition=Q(settles=False) | Q(status=AttemptStatus.SUCCEEDED.value),
                name="attempt_settles_succeeded",
            ),
            models.CheckConstraint(condition=Q(status__in=values(AttemptStatus)), name="attempt_status"),
        ]
        indexes = [
            models.Index(
                fields=["look_back_at"], name="attempt_look_back", condition=Q(look_back_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def ref(self) -> AttemptRef:
        """Both names, for the gateway."""
        return AttemptRef(
            gateway_reference=self.gateway_reference, gateway_id=self.gateway_id, session_id=self.session_id
        )

    @property
    def received(self) -> Money:
        """What the gateway confirmed of an attempt that succeeded."""
        return Money(self.received_minor or 0, self.received_currency)

    @property
    def question_key(self) -> str:
        """The name of the job that asks next; one per rung, so that two chains cannot grow."""
        return f"ask-{self.pk}-{self.questions}"


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
    def amount(self) -> Money:
        """What is contested."""
        return Money(self.amount_minor, self.currency)
