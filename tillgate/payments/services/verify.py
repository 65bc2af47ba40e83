"""Hold every payment against the rows behind it: what `./run verify-ledger` reports."""

import operator
from collections.abc import Iterator
from functools import reduce
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Concat

from tillgate.common import clock
from tillgate.events.models import Event
from tillgate.ledger.models import Account, Entry
from tillgate.money import Money
from tillgate.payments.models import Attempt, Dispute, Payment, Refund, Surplus
from tillgate.payments.services import disputes, money_back, settle
from tillgate.payments.services.look_back import LOOKS
from tillgate.payments.services.refund_calls import LISTED_AFTER
from tillgate.payments.services.review import came_back
from tillgate.payments.states import (
    ASKED_ATTEMPTS,
    COUNTED_REFUNDS,
    OPEN_DISPUTES,
    OPEN_REFUNDS,
    SETTLED,
    AttemptStatus,
    DisputeStatus,
    PaymentStatus,
    RefundStatus,
)

SILENCES = 5  # Questions in a row without an answer of use, after which somebody should look.


def violations() -> Iterator[str]:
    """Yield one sentence for each row that breaks a rule of money; nothing when all is well."""
    yield from _journals_that_do_not_balance()
    yield from _paid_without_proof()
    yield from _proof_without_entries()
    yield from _returns_without_entries()
    yield from _more_went_back_than_came_in()
    yield from _sums_that_disagree()


def waiting_for_a_person() -> Iterator[str]:
    """Yield what no machine will finish, or has not finished in time."""
    yield from _payments_to_decide()
    yield from _surpluses_to_send_back()
    yield from _refunds_to_look_at()
    yield from _disputes_to_answer()
    yield from _money_that_went_back_twice()
    yield from _attempts_to_look_at()
    yield from _reversals_to_explain()
    yield from _looks_without_an_answer()
    yield from _contradictions()


def _payments_to_decide() -> Iterator[str]:
    for payment in Payment.objects.filter(status=PaymentStatus.REVIEW).order_by("pk").iterator():
        yield f"{payment.reference} is in review ({payment.review_reason}): POST …/resolve decides."
    reviewed = Payment.objects.filter(status=PaymentStatus.REFUNDED).exclude(review_reason="")
    for payment in filter(came_back, reviewed.order_by("pk").iterator()):
        yield f"{payment.reference}: its refund failed after all. POST …/resolve decides again."


def _surpluses_to_send_back() -> Iterator[str]:
    counted = Q(refunds__status__in=COUNTED_REFUNDS)
    known = Surplus.objects.annotate(back=Coalesce(Sum("refunds__amount_minor", filter=counted), 0))
    charged_back = Exists(Dispute.objects.filter(surplus=OuterRef("pk"), status=DisputeStatus.LOST))
    left = known.filter(~charged_back, back__lt=F("amount_minor")).select_related("payment")
    for surplus in left.order_by("pk").iterator():
        yield (
            f"{surplus.payment.reference} received {surplus.amount} more than it asked for: "
            f"POST …/surplus/{surplus.reference}/refund sends it back."
        )


def _refunds_to_look_at() -> Iterator[str]:
    unfinished = Refund.objects.filter(status__in=OPEN_REFUNDS).order_by("pk")
    for refund in unfinished.exclude(explanation="").iterator():
        yield f"{refund.reference}: {refund.explanation} Then: ./run resolve-refund."
    since = clock.now() - LISTED_AFTER
    for refund in unfinished.filter(explanation="", created_at__lt=since).iterator():
        yield f"{refund.reference} has not come to an end for more than a day."


def _disputes_to_answer() -> Iterator[str]:
    for dispute in Dispute.objects.filter(status__in=OPEN_DISPUTES).select_related("payment").iterator():
        by = f" Answer by {dispute.respond_by:%Y-%m-%d %H:%M} UTC." if dispute.respond_by else ""
        yield f"{dispute.reference}: {dispute.amount} of {dispute.payment.reference} is contested.{by}"


def _money_that_went_back_twice() -> Iterator[str]:
    """It can be true: a merchant refunds, and the customer's bank does as well. Banks take objections."""
    lost = Dispute.objects.filter(status=DisputeStatus.LOST).select_related("payment", "attempt", "surplus")
    for dispute in lost.order_by("pk").iterator():
        came = money_back.came_in(dispute.attempt, dispute.surplus)
        back = Money(money_back.went_back_minor(dispute.attempt, dispute.surplus), came.currency)
        if came < back:
            yield f"{dispute.reference}: of {dispute.payment.reference} {came} came in, and {back} went back."


def _attempts_to_look_at() -> Iterator[str]:
    silent = Attempt.objects.filter(silences__gte=SILENCES, status__in=ASKED_ATTEMPTS)
    for attempt in silent.order_by("pk").iterator():
        yield f"{attempt.reference}: {attempt.gateway} gave no usable answer {attempt.silences} times."
    since = clock.now() - LISTED_AFTER
    slow = Q(payment__status=PaymentStatus.PROCESSING) | Q(status=AttemptStatus.UNKNOWN)
    for attempt in Attempt.objects.open().filter(slow, created_at__lt=since).order_by("pk").iterator():
        name = f"{attempt.reference} ({attempt.gateway_reference} at {attempt.gateway})"
        is_charge = attempt.initiated_by == "merchant"
        what = " If its dashboard does not have it: ./run resolve-charge." if is_charge else ""
        yield f"{name} has no final answer for more than a day.{what}"


def _reversals_to_explain() -> Iterator[str]:
    own = Q(refunds__status=RefundStatus.SUCCEEDED, refunds__surplus=None)
    reversed_ = Attempt.objects.filter(settles=True, reversed_at__isnull=False).annotate(
        back=Coalesce(Sum("refunds__amount_minor", filter=own), 0)
    )
    disputed = Dispute.objects.filter(attempt=OuterRef("pk"), surplus=None)
    contested = Exists(disputed.exclude(status=DisputeStatus.WON))  # What was won was not taken.
    unexplained = reversed_.filter(~contested, back__lt=F("received_minor"))
    for attempt in unexplained.order_by("pk").iterator():
        yield f"{attempt.reference}: {attempt.gateway} took the money back after it had settled."


def _looks_without_an_answer() -> Iterator[str]:
    """What was to be looked back at more than a day ago, and has not been since."""
    due = clock.now() - LISTED_AFTER
    missed = (
        Q(verified_at__lt=due - after)
        & (Q(looked_back_at=None) | Q(looked_back_at__lt=F("verified_at") + after))
        for after in LOOKS
    )
    behind = Attempt.objects.filter(reduce(operator.or_, missed), status=AttemptStatus.SUCCEEDED)
    for attempt in behind.order_by("pk").iterator():
        yield f"{attempt.reference}: {attempt.gateway} has long told nothing of its refunds and disputes."


def _contradictions() -> Iterator[str]:
    for event in Event.objects.filter(type=settle.CONTRADICTED).order_by("pk").iterator():
        yield f"{event.subject}: the gateway said another amount later ({event.data['received']})."
    ended = Event.objects.filter(type__in=[money_back.CONTRADICTED, disputes.CONTRADICTED])
    for event in ended.order_by("pk").iterator():
        what = event.data.get("refund") or event.data["dispute"]
        yield f"{event.subject}: the gateway said something else of {what} later ({event.data['says']})."


def _journals_that_do_not_balance() -> Iterator[str]:
    totals = Entry.objects.values("journal", "currency").annotate(total=Sum("amount_minor")).exclude(total=0)
    for row in totals.order_by("journal").iterator():
        yield f"journal {row['journal']} is off by {row['total']} {row['currency']}"


def _paid_without_proof() -> Iterator[str]:
    proof = Attempt.objects.filter(payment=OuterRef("pk"), settles=True, status=AttemptStatus.SUCCEEDED)
    # A payment refunded out of review was never settled, and rightly has no settling attempt.
    refunded_from_review = Q(status=PaymentStatus.REFUNDED) & ~Q(review_reason="")
    unproven = Payment.objects.filter(~Exists(proof), status__in=SETTLED).exclude(refunded_from_review)
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


def _returns_without_entries() -> Iterator[str]:
    """A refund that succeeded has one journal, one that failed after that a second one; a loss has one."""
    booked, reversed_ = _journal("refund:"), _journal("refund-failed:")
    standing = Q(status=RefundStatus.SUCCEEDED)
    off = Refund.objects.filter((standing & (~booked | reversed_)) | (~standing & booked & ~reversed_))
    for refund in off.order_by("pk").iterator():
        yield f"{refund.reference} is {refund.status}, and the ledger says otherwise"
    lost = Q(status=DisputeStatus.LOST)
    for dispute in Dispute.objects.filter(lost & ~_journal("dispute:")).order_by("pk").iterator():
        yield f"{dispute.reference} is lost, and no ledger entry says so"


def _journal(kind: str) -> Exists:
    name = Concat(Value(kind), OuterRef("reference"), output_field=CharField())
    return Exists(Entry.objects.filter(journal=name, account=Account.GATEWAY))


def _more_went_back_than_came_in() -> Iterator[str]:
    succeeded = Q(refunds__status=RefundStatus.SUCCEEDED)
    own = Sum("refunds__amount_minor", filter=succeeded & Q(refunds__surplus=None))
    attempts = Attempt.objects.annotate(back=own, came=F("received_minor"))
    surpluses = Surplus.objects.annotate(
        back=Sum("refunds__amount_minor", filter=succeeded), came=F("amount_minor")
    )
    for rows in (attempts, surpluses):
        more = rows.filter(back__gt=F("came")).order_by("pk").values_list("reference", "came", "back")
        for reference, came, back in more.iterator():
            yield f"{reference} brought {came} minor units, and {back} went back"


def _sums_that_disagree() -> Iterator[str]:
    refunds = Refund.objects.filter(status=RefundStatus.SUCCEEDED, surplus=None)
    yield from _sum_that_disagrees("refunded_minor", refunds)
    yield from _sum_that_disagrees("charged_back_minor", Dispute.objects.filter(status=DisputeStatus.LOST))
    yield from _payments_that_disagree_with_the_ledger()


def _sum_that_disagrees(name: str, rows: QuerySet[Any]) -> Iterator[str]:
    own = rows.filter(payment=OuterRef("pk"), currency=OuterRef("currency")).order_by()
    total = own.values("payment").annotate(total=Sum("amount_minor")).values("total")
    off = Payment.objects.annotate(of_rows=Coalesce(total, 0)).exclude(of_rows=F(name))
    for reference, says, of_rows in off.order_by("pk").values_list("reference", name, "of_rows").iterator():
        yield f"{reference} says {name.removesuffix('_minor')} {says}, its rows {of_rows}"


def _payments_that_disagree_with_the_ledger() -> Iterator[str]:
    entries = Entry.objects.filter(
        subject=OuterRef("reference"), account=Account.GATEWAY, currency=OuterRef("currency")
    )
    balance = entries.order_by().values("subject").annotate(total=Sum("amount_minor")).values("total")
    left = F("received_minor") + F("surplus_minor") - F("refunded_minor") - F("charged_back_minor")
    told = Payment.objects.annotate(in_ledger=Coalesce(balance, 0), told=left)
    off = told.exclude(in_ledger=F("told")).order_by("pk").values_list("reference", "told", "in_ledger")
    for reference, says, in_ledger in off.iterator():
        yield f"{reference} says {says} minor units, its ledger entries {in_ledger}"
