"""Figures of the events that merchants' software is told."""

from collections.abc import Iterator

from tillgate.common.metrics import Figure, figures, one
from tillgate.events.models import Endpoint
from tillgate.events.services import health


@figures
def deliveries() -> Iterator[Figure]:
    """How the sending does."""
    now = health.figures()
    yield one(
        "deliveries_waiting", "Events on their way to endpoints, whenever each is tried next", now.waiting
    )
    yield one("deliveries_due", "Events that are to be sent now and have not been", now.overdue)
    yield one("deliveries_oldest_due_seconds", "How long the oldest of those has waited", now.overdue_s)
    yield one("delivery_tries_total", "Tries to send an event", now.sends)
    yield one("delivery_failures_total", "Tries to send an event that failed", now.failures)
    given_up = Endpoint.objects.filter(deleted_at__isnull=True, enabled=False)
    count = given_up.exclude(disabled_reason=Endpoint.Ended.SWITCHED_OFF).count()
    yield one("endpoints_given_up", "Endpoints that are told nothing any more since they failed", count)
