"""How the sending does: figures for whoever watches, and what waits for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db.models import Count, Max, Min, Q, Sum

from tillgate.common import clock
from tillgate.common.jobs.times import real_now
from tillgate.events.models import Delivery, Endpoint

STUCK_AFTER = timedelta(minutes=5)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`overdue_s` is the age of the oldest delivery that is due and not tried; what waits for its next rung,
    or because its receiver asked for a rest, is not due. `sends` and `failures` count from the beginning.
    """

    waiting: int
    overdue: int
    overdue_s: int
    sends: int
    failures: int
    last_send_s: int | None


def figures() -> Figures:
    """Return the figures; any process may ask."""
    now = clock.now()
    pending = Delivery.objects.filter(next_try_at__isnull=False, endpoint__enabled=True)
    pending = pending.filter(endpoint__deleted_at__isnull=True)
    resting = Q(endpoint__rest_until__isnull=False, endpoint__rest_until__gt=now)
    due = pending.filter(next_try_at__lte=now).exclude(resting)
    oldest = due.aggregate(oldest=Min("next_try_at"), count=Count("pk"))
    totals = Endpoint.objects.aggregate(sends=Sum("sends"), failures=Sum("failures"), last=Max("lane_until"))
    last = totals["last"]
    return Figures(
        waiting=pending.count(),
        overdue=oldest["count"],
        overdue_s=int((now - oldest["oldest"]).total_seconds()) if oldest["oldest"] else 0,
        sends=totals["sends"] or 0,
        failures=totals["failures"] or 0,
        last_send_s=None if last is None else max(0, int((real_now() - last).total_seconds())),
    )


def look_for_stuck_events() -> bool:
    """Log an error while events are due and nobody sends them; say whether that is so."""
    found = figures()
    is_stuck = found.overdue_s > STUCK_AFTER.total_seconds()
    if is_stuck:
        log.error("events_stuck", overdue=found.overdue, oldest_s=found.overdue_s)
    return is_stuck


def waiting_for_a_person() -> Iterator[str]:
    """Yield one sentence for all that no program can mend: `./run verify-ledger` lists them."""
    found = figures()
    if found.overdue_s > STUCK_AFTER.total_seconds():
        yield (
            f"{found.overdue} events have been due for up to {found.overdue_s} s and are not sent. "
            "Is a worker running?"
        )
    for endpoint in Endpoint.objects.filter(deleted_at__isnull=True, enabled=False).order_by("pk"):
        if endpoint.disabled_reason != Endpoint.Ended.SWITCHED_OFF:
            yield (
                f"{endpoint.reference} is told nothing since {endpoint.disabled_at:%Y-%m-%d %H:%M}: it is "
                f"{endpoint.disabled_reason}. Enable it when it works, and `./run redeliver` what it missed."
            )
