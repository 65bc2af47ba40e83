"""What is told of an event: written once, with the change, and only where somebody wants to know.

How an object looks to a merchant is the door's business, which is above this package: so the door
registers what it shows, for each kind of object, in its `apps.ready()`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from django.db import connection

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.events.models import Delivery, OutboxEvent
from tillgate.events.services.listeners import Listener, listeners_to
from tillgate.events.types import CREATED


class Subject(Protocol):
    """A row that events are about."""

    @property
    def reference(self) -> str: ...

    @property
    def merchant_id(self) -> int: ...

    @property
    def mode(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind of object is told of: `find` reads a row by its public id, `show` gives its JSON.

    `made_since` finds, for a merchant and a mode, those that were made since a time, where no event says
    so.
    """

    find: Callable[[str], Any]
    show: Callable[[Any], bytes]
    made_since: Callable[[int, str, datetime], Iterable[Any]] | None = None


class Letter(msgspec.Struct):
    """The body, in the order in which it is written; `data` is what the API shows to a key."""

    type: str
    timestamp: str
    data: msgspec.Raw
    sequence: int


KINDS: dict[str, Kind] = {}  # By the prefix of the public id.


def tell_of(prefix: str, kind: Kind) -> None:
    """Let objects with this prefix be told of, as a door in its `apps.ready()` shows them."""
    KINDS[prefix] = kind


def tell(about: Subject, type: str, *, sequence: int, at: datetime) -> None:
    """Write what is told of an event, and to whom; nothing, and no statement, where nobody subscribes."""
    heard_by = listeners_to(about.merchant_id, about.mode, type)
    if heard_by:
        event = new_event(about, type, sequence=sequence, at=at)
        event.save(force_insert=True)
        Delivery.objects.bulk_create(_deliveries(event, heard_by))


def tell_created(made: Sequence[Subject]) -> None:
    """Tell of payments that are made in this transaction; their rows begin their timelines."""
    assert connection.in_atomic_block, "an event is written in the transaction of the change it tells of"
    told = [(row, listeners_to(row.merchant_id, row.mode, CREATED)) for row in made]
    heard = [(new_event(row, CREATED, sequence=1, at=_made_at(row)), by) for row, by in told if by]
    OutboxEvent.objects.bulk_create([event for event, _ in heard])
    Delivery.objects.bulk_create([one for event, by in heard for one in _deliveries(event, by)])


def is_told_of_creation(merchant_id: int, mode: str) -> bool:
    """Say whether somebody subscribes to a merchant's new payments; asks nothing of the database."""
    return bool(listeners_to(merchant_id, mode, CREATED))


def new_event(about: Subject, type: str, *, sequence: int, at: datetime) -> OutboxEvent:
    """Return what is told of an event, not saved yet: the object as it is in this moment."""
    kind = KINDS[about.reference.partition("-")[0]]
    letter = Letter(type=type, timestamp=_instant(at), data=msgspec.Raw(kind.show(about)), sequence=sequence)
    return OutboxEvent(
        reference=new_reference("EVT"),
        merchant_id=about.merchant_id,
        mode=about.mode,
        type=type,
        subject=about.reference,
        sequence=sequence,
        body=msgspec.json.encode(letter).decode(),
        created_at=at,
    )


def read_letter(event: OutboxEvent) -> Letter:
    """Return what is told of an event, member by member."""
    return msgspec.json.decode(event.body.encode(), type=Letter)


def _deliveries(event: OutboxEvent, heard_by: Iterable[Listener]) -> list[Delivery]:
    now = clock.now()
    return [
        Delivery(event=event, endpoint_id=one.endpoint_id, next_try_at=now) for one in heard_by if one.enabled
    ]


def _made_at(row: Any) -> datetime:
    made_at: datetime = row.created_at
    return made_at


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
