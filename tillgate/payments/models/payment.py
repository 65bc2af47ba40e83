"""A payment and the attempts to collect it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from tillgate.customers.models import PaymentMethod
from tillgate.gateways.protocol import AttemptRef
from tillgate.merchants.models import Merchant, User
from tillgate.money import MAX_MINOR, Money
from tillgate.payments.states import (
    OPEN_ATTEMPTS,
    PAYABLE,
    UNANSWERED,
    AttemptStatus,
    MethodSaving,
    PaymentStatus,
    choices,
    values,
)

MODES = [("test", "test"), ("live", "live")]
CREATORS = ("guest", "key", "staff", "schedule")


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
    created_by = models.CharField(max_length=8, choices=[(word, word) for word in CREATORS])
    # Whose history it is in: who was signed in, or has shown the e-mail to be theirs.
    account = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="payments", db_index=False
    )
    merchant_reference = models.CharField(max_length=100, null=True)  # noqa: DJ001  # NULL is not unique.
    metadata = models.JSONField(default=dict)
    # The recurring payment that it is one of; the guard, one payment a cycle, lives above.
    subscription_reference = models.CharField(max_length=30, blank=True)
    method_saving = models.CharField(
        max_length=8, choices=choices(MethodSaving), default=MethodSaving.NO.value
    )
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
                fields=["account", "-created_at", "-id"],
                name="payment_of_account",
                condition=Q(account__isnull=False),
            ),
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
    # The saved method that we charge by it, or that its success has left.
    payment_method = models.ForeignKey(
        PaymentMethod, on_delete=models.PROTECT, null=True, related_name="attempts"
    )
    saves_method = models.BooleanField(default=False)  # Its session was opened with the payer's consent.
    gateway_reference = models.CharField(max_length=60)
    gateway_id = models.CharField(max_length=60, null=True)  # noqa: DJ001  # NULL until the gateway named it.
    # What the gateway opened for the customer, where it can only be asked by that.
    session_id = models.CharField(max_length=60, null=True)  # noqa: DJ001
    redirect_url = models.CharField(max_length=2000, blank=True)
    handed_out_at = models.DateTimeField(null=True)  # When a customer was last sent to that page.
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
    sent_again_at = models.DateTimeField(null=True)  # When a charge with a lost answer was last repeated.
    capture_sent_at = models.DateTimeField(null=True)  # Committed before the call that takes approved money.
    looked_back_at = models.DateTimeField(null=True)  # When refunds and disputes were last asked for.
    look_back_at = models.DateTimeField(null=True)  # When they are to be asked for next.
    questions = models.PositiveIntegerField(default=0)  # Answers or silences so far: the rung of the ladder.
    silences = models.PositiveIntegerField(default=0)  # Questions in a row without an answer of use.
    processing = models.BooleanField(default=False)  # The gateway says that money is on its way by it.
    absences = models.PositiveIntegerField(default=0)  # How often the gateway did not know it.
    answered_at = models.DateTimeField(null=True)  # When we learned that it was paid, or declined by a bank.
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
            ),
            models.Index(
                fields=["answered_at"],
                name="attempt_answered",
                condition=Q(initiated_by="customer", answered_at__isnull=False),
            ),
            models.Index(
                fields=["created_at"],
                name="attempt_unanswered_charge",
                condition=Q(initiated_by="merchant", status__in=values(UNANSWERED)),
            ),
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
