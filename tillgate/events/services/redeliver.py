"""Send again what was sent, or could not be: one event, or all of a time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from tillgate.common import clock
from tillgate.events.errors import EndpointDisabled, NotSubscribed
from tillgate.events.models import Delivery, DeliveryState, Endpoint, OutboxEvent
from tillgate.events.types import chosen_types

AT_ONCE = 50
KEPT = timedelta(days=90)


@transaction.atomic
def redeliver(event: OutboxEvent, endpoint: Endpoint | None = None) -> list[Delivery]:
    """Send an event again, from the first rung: to one endpoint, or to all that are enabled and subscribe to
    it. Id and body are as they were.

    Raises EndpointDisabled for one that is, and NotSubscribed where there is none.
    """
    if endpoint is not None and not endpoint.enabled:
        raise EndpointDisabled(f"{endpoint.reference} is disabled. Enable it first.")
    endpoints = [endpoint] if endpoint else _subscribed(event)
    if not endpoints:
        raise NotSubscribed("No endpoint that is enabled subscribes to this event. Name one.")
    _send_again([event], endpoints)
    return list(event.deliveries.select_related("endpoint").filter(endpoint__in=endpoints).order_by("pk"))


def redeliver_range(endpoint: Endpoint, since: datetime, until: datetime) -> int:
    """Send an endpoint again all that it subscribes to of a time, the oldest first; return how many."""
    found = OutboxEvent.objects.for_merchant(endpoint.merchant, endpoint.mode).filter(
        created_at__gte=since, created_at__lt=until, type__in=chosen_types(endpoint.events)
    )
    pks = list(found.order_by("created_at", "pk").values_list("pk", flat=True))
    for start in range(0, len(pks), AT_ONCE):
        with transaction.atomic():
            batch = OutboxEvent.objects.filter(pk__in=pks[start : start + AT_ONCE]).order_by(
                "created_at", "pk"
            )
            _send_again(list(batch), [endpoint])
    return len(pks)


def forget_old() -> int:
    """Delete what is older than 90 days, in batches; return how many events."""
    until = clock.now() - KEPT
    forgotten = 0
    while True:
        oldest = OutboxEvent.objects.order_by("pk").values_list("pk", "created_at")[:AT_ONCE]
        pks = [pk for pk, created_at in oldest if created_at < until]
        with transaction.atomic():
            Delivery.objects.filter(event__in=pks).delete()
            OutboxEvent.objects.filter(pk__in=pks).delete()
        forgotten += len(pks)
        if len(pks) < AT_ONCE:
            return forgotten


def _subscribed(event: OutboxEvent) -> list[Endpoint]:
    enabled = Endpoint.objects.for_merchant(event.merchant, event.mode).filter(enabled=True)
    # A test event is about its endpoint, and no other's.
    return [
        one for one in enabled if event.type in chosen_types(one.events) or one.reference == event.subject
    ]


def _send_again(events: Sequence[OutboxEvent], endpoints: Iterable[Endpoint]) -> None:
    now = clock.now()
    for endpoint in endpoints:
        there = Delivery.objects.filter(event__in=events, endpoint=endpoint)
        there.update(state=DeliveryState.PENDING, tries=0, next_try_at=now)
        missing = [Delivery(event=event, endpoint=endpoint, next_try_at=now) for event in events]
        Delivery.objects.bulk_create(missing, ignore_conflicts=True)
