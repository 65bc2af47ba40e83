"""Nothing is missed while a process did not know of an endpoint yet: the timelines say what happened."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from tillgate.common import clock
from tillgate.events.models import Delivery, Endpoint, Event, OutboxEvent
from tillgate.events.services.outbox import KINDS, new_event
from tillgate.events.services.sending import drop_pending
from tillgate.events.types import CREATED, chosen_types

# A transaction that began before the endpoint may commit after it, with the time of its beginning.
SLACK = timedelta(seconds=30)
log = structlog.get_logger(__name__)
Happened = tuple[Any, str, int, datetime]  # A row, the type of its event, the sequence, the time.


@transaction.atomic
def look_after(endpoint_id: int) -> None:
    """Some seconds after an endpoint was changed, by when every process knows it: tell what was missed, and
    drop what was written for one to which nothing is sent any more. A repeat changes nothing."""
    endpoint = Endpoint.objects.get(pk=endpoint_id)
    if endpoint.deleted_at is not None or not endpoint.enabled:
        drop_pending(endpoint)
    if endpoint.deleted_at is not None:
        return
    told = sum(_tell(endpoint, happened) for happened in _happened_since(endpoint))
    if told:
        log.info("events_told_late", endpoint=endpoint.reference, events=told)


def _happened_since(endpoint: Endpoint) -> Iterator[Happened]:
    types = chosen_types(endpoint.events)
    # From the newest backwards: there is no index by time, and what is wanted is at the end.
    newest_first = Event.objects.order_by("-pk").iterator(chunk_size=500)
    for event in newest_first:
        if event.created_at < endpoint.listens_since - SLACK:
            break
        is_meant = event.created_at >= endpoint.listens_since and event.type in types
        kind = KINDS.get(event.subject.partition("-")[0])
        if event.merchant_id == endpoint.merchant_id and is_meant and kind is not None:
            row = kind.find(event.subject)
            if row.mode == endpoint.mode:
                yield row, event.type, event.sequence, event.created_at
    if CREATED in types:
        for kind in KINDS.values():
            if kind.made_since is not None:
                made = kind.made_since(endpoint.merchant_id, endpoint.mode, endpoint.listens_since)
                yield from ((row, CREATED, 1, row.created_at) for row in made)


def _tell(endpoint: Endpoint, happened: Happened) -> int:
    row, kind, sequence, at = happened
    event = OutboxEvent.objects.filter(subject=row.reference, sequence=sequence).first()
    if event is None:
        OutboxEvent.objects.bulk_create(
            [new_event(row, kind, sequence=sequence, at=at)], ignore_conflicts=True
        )
        event = OutboxEvent.objects.get(subject=row.reference, sequence=sequence)
    if not endpoint.enabled or event.deliveries.filter(endpoint=endpoint).exists():
        return 0
    delivery = Delivery(event=event, endpoint=endpoint, next_try_at=clock.now())
    Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    return 1
