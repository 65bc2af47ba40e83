"""Hold every payment against the rows behind it: what `./run verify-ledger` reports."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import CharField, Exists, F, OuterRef, Q, Sum, Value
from django.db.models.functions import Coalesce, Concat

from tillgate.common import clock
from tillgate.events.models import Event
from tillgate.ledger.models import Account, Entry
from tillgate.payments.models import Attempt, Payment, Refund, Surplus
from tillgate.payments.services.settle import CONTRADICTED
from tillgate.payments.states import ASKED_ATTEMPTS, AttemptStatus, PaymentStatus, RefundStatus

PAID = [
    PaymentStatus.COMPLETED,
    PaymentStatus.PARTIALLY_REFUNDED,
    PaymentStatus.REFUNDED,
    PaymentStatus.DISPUTED,
    PaymentStatus.CHARGED_BACK,
]
LISTED_AFTER = timedelta(hours=24)
SILENCES = 5  # Questions in a row without an answer of use, after which somebody should look.


def violations() -> Iterator[str]:
    """Yield one sentence for each row that breaks a rule of money; nothing when all is well."""
    yield from _journals_that_do_not_balance()
    yield from _paid_without_proof()
    yield from _proof_without_entries()
    yield from _sums_that_disagree()


def waiting_for_a_person() -> Iterator[str]:
    """Yield what no machine will finish, or has not finished in time."""
    yield from _payments_to_decide()
    yield from _refunds_to_look_at()
    yield from _attempts_to_look_at()
    yield from _contradictions()


def _payments_to_decide() -> Iterator[str]:
    for payment in Payment.objects.filter(status=PaymentStatus.REVIEW).order_by("pk").iterator():
        yield f"{payment.reference} is in review ({payment.review_reason}): POST …/resolve decides."
    has_surplus = Exists(Surplus.objects.filter(payment=OuterRef("pk")))
    for payment in Payment.objects.filter(has_surplus).order_by("pk").iterator():
        yield f"{payment.reference} received more than it asked for: see its timeline."


def _refunds_to_look_at() -> Iterator[str]:
    for refund in Refund.objects.exclude(parked_reason="").filter(status=RefundStatus.UNKNOWN).iterator():
        yield f"{refund.reference}: {refund.parked_reason}"
    since = clock.now() - LISTED_AFTER
    for refund in Refund.objects.filter(status=RefundStatus.PENDING, created_at__lt=since).iterator():
        yield f"{refund.reference} has not come to an end for more than a day."


def _attempts_to_look_at() -> Iterator[str]:
    silent = Attempt.objects.filter(silences__gte=SILENCES, status__in=ASKED_ATTEMPTS)
    for attempt in silent.order_by("pk").iterator():
        yield f"{attempt.reference}: {attempt.gateway} gave no usable answer {attempt.silences} times."
    reversed_ = Attempt.objects.filter(settles=True, reversed_at__isnull=False)
    for attempt in reversed_.exclude(refunds__status=RefundStatus.SUCCEEDED).order_by("pk").iterator():
        yield f"{attempt.reference}: {attempt.gateway} took the money back after it had settled."
    since = clock.now() - LISTED_AFTER
    slow = Q(payment__status=PaymentStatus.PROCESSING) | Q(status=AttemptStatus.UNKNOWN)
    for attempt in Attempt.objects.open().filter(slow, created_at__lt=since).order_by("pk").iterator():
        yield f"{attempt.reference} at {attempt.gateway} has no final answer for more than a day."


def _contradictions() -> Iterator[str]:
    for event in Event.objects.filter(type=CONTRADICTED).order_by("pk").iterator():
        yield f"{event.subject}: the gateway said another amount later ({event.data['received']})."


def _journals_that_do_not_balance() -> Iterator[str]:
    totals = Entry.objects.values("journal", "currency").annotate(total=Sum("amount_minor")).exclude(total=0)
    for row in totals.order_by("journal").iterator():
        yield f"journal {row['journal']} is off by {row['total']} {row['currency']}"


def _paid_without_proof() -> Iterator[str]:
    proof = Attempt.objects.filter(payment=OuterRef("pk"), settles=True, status=AttemptStatus.SUCCEEDED)
    # A payment refunded out of review was never settled, and rightly has no settling attempt.
    refunded_from_review = Q(status=PaymentStatus.REFUNDED) & ~Q(review_reason="")
    unproven = Payment.objects.filter(~Exists(proof), status__in=PAID).exclude(refunded_from_review)
    for payment in unproven.order_by("pk").iterator():
        yield f"{payment.reference} is {payment.status} without an attempt that settles it"


def _proof_without_entries() -> Iterator[str]:
    succeeded = Attempt.objects.filter(~_entry_over("received_minor"), status=AttemptStatus.SUCCEEDED)
    for attempt in succeeded.order_by("pk").iterator():
        yield f"{attempt.reference} succeeded, and no ledger entry says so"
    for surplus in Surplus.objects.filter(~_entry_over("amount_minor")).order_by("pk").iterator():
        yield f"{surplus.reference} came on top, and no ledger entry says so"


def _entry_over(amount: str) -> Exists:
    parts = [OuterRef("gateway"), Value(":"), OuterRef("mode"), Value(":"), OuterRef("gateway_id")]
    journal = Concat(Value("receive:"), *parts, output_field=CharField())
    return Exists(
        Entry.objects.filter(journal=journal, account=Account.GATEWAY, amount_minor=OuterRef(amount))
    )


def _sums_that_disagree() -> Iterator[str]:
    entries = Entry.objects.filter(
        subject=OuterRef("reference"), account=Account.GATEWAY, currency=OuterRef("currency")
    )
    balance = entries.order_by().values("subject").annotate(total=Sum("amount_minor")).values("total")
    told = Payment.objects.annotate(
        in_ledger=Coalesce(balance, 0), told=F("received_minor") + F("surplus_minor") - F("refunded_minor")
    )
    off = told.exclude(in_ledger=F("told")).order_by("pk").values_list("reference", "told", "in_ledger")
    for reference, says, in_ledger in off.iterator():
        yield f"{reference} says {says} minor units, its ledger entries {in_ledger}"
