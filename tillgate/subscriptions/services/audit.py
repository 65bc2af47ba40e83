"""What of recurring payments waits for a person, and what their rows must never say."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Q

from tillgate.common import clock, restoration
from tillgate.payments.states import PAYABLE, SETTLED
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.states import COLLECTING, CycleStatus

LATE = timedelta(hours=1)
STUCK = timedelta(days=1)


def waiting_for_a_person() -> Iterator[str]:
    """Yield one sentence for each thing that the scheduler should have done, and has not."""
    if restoration.is_holding():
        yield "A backup was restored: nothing is charged until `./run release-charges`."
        return  # What is due waits for that, and not for a worker.
    for subscription in Subscription.objects.due(clock.now() - LATE)[:100].iterator():
        yield f"{subscription.reference} is due since {subscription.next_opens_at}: does a worker run?"
    forgotten = Cycle.objects.filter(
        status=CycleStatus.OPEN,
        next_try_at__isnull=True,
        due_at__lt=clock.now() - STUCK,
        subscription__status__in=COLLECTING,
        payment__status__in=PAYABLE,
    )
    settled = Q(payment__status__in=SETTLED, payment__completed_at__lt=clock.now() - LATE)
    for cycle in Cycle.objects.filter(settled).exclude(status=CycleStatus.PAID).order_by("pk").iterator():
        yield f"{cycle.payment} is paid, and {cycle.subscription} has not heard of it: are jobs failing?"
    for cycle in forgotten.select_related("subscription", "payment").order_by("pk").iterator():
        yield f"{cycle.payment} of {cycle.subscription.reference} is open, and nobody will collect it."


def due_by(moment: datetime) -> int:
    """Return how many subscriptions were owed something by then, as far as this database knows."""
    unpaid = Cycle.objects.filter(due_at__lte=moment, status=CycleStatus.OPEN)
    opened = set(unpaid.values_list("subscription_id", flat=True))
    return len(opened | set(Subscription.objects.due(moment).values_list("pk", flat=True)))


def broken_rules() -> Iterator[str]:
    """Yield one sentence for each cycle that contradicts its payment, or was charged more than once."""
    off = Cycle.objects.filter(status=CycleStatus.PAID).exclude(payment__status__in=SETTLED)
    for cycle in off.select_related("subscription").order_by("pk").iterator():
        yield f"cycle {cycle.index} of {cycle.subscription.reference} is paid, and its payment is not"
    charged = Q(payment__attempts__initiated_by="merchant", payment__attempts__status="succeeded")
    twice = Cycle.objects.annotate(charges=Count("payment__attempts", filter=charged)).filter(charges__gt=1)
    for cycle in twice.select_related("subscription").order_by("pk").iterator():
        yield f"cycle {cycle.index} of {cycle.subscription.reference} was charged {cycle.charges} times"
