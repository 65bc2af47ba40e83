"""Record what happened, in the transaction in which it happens."""

from collections.abc import Mapping

from django.db import connection

from tillgate.common import clock
from tillgate.events.models import Event


def record_event(
    merchant_id: int, type: str, subject: str, *, sequence: int, data: Mapping[str, object] | None = None
) -> Event:
    """Write one line of an object's timeline; it commits or vanishes with the change it tells of."""
    assert connection.in_atomic_block, "an event is written in the transaction of the change it tells of"
    return Event.objects.create(
        merchant_id=merchant_id,
        type=type,
        subject=subject,
        sequence=sequence,
        data=dict(data or {}),
        created_at=clock.now(),
    )
