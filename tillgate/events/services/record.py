"""Record what happened, in the transaction in which it happens, and wake who follows it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from tillgate.common import clock
from tillgate.common.jobs import JobTask
from tillgate.events.models import Event
from tillgate.events.services.outbox import Subject, tell


@dataclass(frozen=True, kw_only=True)
class Follower:
    """A job that is called with the subject of each event of these types whose data has this member."""

    job: JobTask[Any, Any]
    types: Collection[str]
    having: str


_followers: list[Follower] = []


def follow(job: JobTask[Any, Any], *, types: Collection[str], having: str) -> None:
    """Let `job` follow events, told by a package in its `apps.ready()`: lower packages name no higher one.

    The job gets the subject alone, may run late and twice, and reads what is true by then.
    """
    follower = Follower(job=job, types=frozenset(types), having=having)
    if follower not in _followers:
        _followers.append(follower)


def record_event(
    about: Subject, type: str, *, sequence: int, data: Mapping[str, object] | None = None
) -> Event:
    """Write one line of an object's timeline, and tell the endpoints that subscribe to it.

    Both commit or vanish with the change they tell of: `about` is its row as the change leaves it.
    """
    assert connection.in_atomic_block, "an event is written in the transaction of the change it tells of"
    told = dict(data or {})
    event = Event.objects.create(
        merchant_id=about.merchant_id,
        type=type,
        subject=about.reference,
        sequence=sequence,
        data=told,
        created_at=clock.now(),
    )
    tell(about, type, sequence=sequence, at=event.created_at)
    for follower in _followers:
        if type in follower.types and follower.having in told:
            key = f"{follower.job.name}-{about.reference}"
            follower.job.using(unique_key=key).enqueue(about.reference)
    return event
