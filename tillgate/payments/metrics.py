"""Figures of payments and their money: of the newest rows alone, since no index leads to a status."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import Count, F, Max, Model, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from tillgate.common import clock
from tillgate.common.metrics import Figure, figures, one
from tillgate.payments.models import Attempt, Dispute, Payment, Refund, Surplus
from tillgate.payments.states import (
    COUNTED_REFUNDS,
    OPEN_DISPUTES,
    OPEN_REFUNDS,
    AttemptStatus,
    PaymentStatus,
)

NEWEST = 10_000
AMONG = f"among the newest {NEWEST}"
HOUR = timedelta(hours=1)
PLACE = ("mode", "gateway")
Row = TypeVar("Row", bound=Model)


@figures
def payments() -> Iterator[Figure]:
    """How payments do, by gateway."""
    since = clock.now() - HOUR
    counted = newest(Payment.objects.all()).values_list(*PLACE, "status")
    rows = counted.annotate(
        count=Count("pk"),
        created=Count("pk", filter=Q(created_at__gte=since)),
        completed=Count("pk", filter=Q(completed_at__gte=since)),
    )
    by_status: dict[tuple[str, ...], float] = {}
    created: dict[tuple[str, ...], float] = defaultdict(int)
    completed: dict[tuple[str, ...], float] = defaultdict(int)
    for mode, gateway, status, count, new, done in rows:
        place = (mode, gateway or "none")
        by_status[*place, status] = count
        created[place] += new
        completed[place] += done
    says = f"Payments by where they stand now, {AMONG}"
    yield Figure(name="payments", says=says, labels=(*PLACE, "status"), samples=by_status)
    for what, samples in (("created", created), ("completed", completed)):
        says = f"Payments {what} in the last hour, {AMONG}; gateway is none until one is chosen"
        yield Figure(name=f"payments_{what}_last_hour", says=says, labels=PLACE, samples=samples)
    yield one(
        "payments_created_total",
        "Payments ever made, by the highest row number: a little more than there are",
        Payment.objects.aggregate(pk=Max("pk"))["pk"] or 0,
    )


@figures
def attempts() -> Iterator[Figure]:
    """Tries whose answer is not known."""
    unknown = newest(Attempt.objects.all()).filter(status=AttemptStatus.UNKNOWN)
    # Counted here: to group them, a database walks an index over all attempts there ever were.
    samples = Counter(unknown.values_list(*PLACE))
    says = f"Attempts whose answer was lost and that are asked about, {AMONG}"
    yield Figure(name="attempts_unknown", says=says, labels=PLACE, samples=samples)


@figures
def money() -> Iterator[Figure]:
    """What waits for a person."""
    back = Coalesce(Sum("refunds__amount_minor", filter=Q(refunds__status__in=COUNTED_REFUNDS)), 0)
    waiting: dict[str, QuerySet[Any]] = {
        "review": newest(Payment.objects.all()).filter(status=PaymentStatus.REVIEW),
        "surplus": newest(Surplus.objects.all()).annotate(back=back).filter(back__lt=F("amount_minor")),
        "dispute": newest(Dispute.objects.all()).filter(status__in=OPEN_DISPUTES),
        "refund": newest(Refund.objects.all()).filter(status__in=OPEN_REFUNDS).exclude(explanation=""),
    }
    yield Figure(
        name="money_waiting",
        says=f"Money about which a person decides, {AMONG} of each; ./run verify-ledger lists all of it",
        labels=("what",),
        samples={(what,): rows.count() for what, rows in waiting.items()},
    )


def newest(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Return the newest rows of a table, by its key: whatever it has grown to, no more are read."""
    last = rows.aggregate(pk=Max("pk"))["pk"] or 0
    return rows.filter(pk__gt=last - NEWEST).order_by()
