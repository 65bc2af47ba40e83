"""Webhook events: what is sent, held back, sent twice, forged, and when it is tried again."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from sandbox.clock import Clock, iso, iso_or_none
from sandbox.errors import NotThere
from sandbox.faults import DEFAULT_SHUFFLE_SIZE, FaultPlan
from sandbox.store import Store
from sandbox.web import Hits, Json

TABLE = "event"
KEPT_EVENTS = 5_000  # Older ones that are done are forgotten, so that long runs stay small.
DEFAULT_REPLAY_S = 60
DONE = frozenset({"delivered", "given_up", "dropped"})
ACKNOWLEDGED = 200
ANY_2XX = range(200, 300)


@dataclass(kw_only=True, slots=True)
class Event:
    """`status` is waiting, held, dropped, delivered or given_up; `retry_s` are the gaps between tries.

    HTTP 200 acknowledges it, and with `any_2xx` every other success too.
    """

    gateway: str
    mode: str
    type: str
    reference: str
    url: str
    body: str
    headers: dict[str, str]
    forged_headers: dict[str, str]
    retry_s: list[int]
    any_2xx: bool = False
    id: int = 0
    status: str = "waiting"
    forged: bool = False
    created_at: float = 0
    attempts: int = 0
    next_at: float | None = None
    last_answer: str | None = None


class EventLog:
    """All calls are made under the world's lock."""

    def __init__(self, *, store: Store, clock: Clock, faults: FaultPlan) -> None:
        self._store, self._clock, self._faults = store, clock, faults
        rows = store.take(TABLE).values()
        self._events = {row["id"]: Event(**row) for row in rows}
        self._last_id = max(self._events, default=0)
        self._fresh: deque[int] = deque()
        self._retries: list[tuple[float, int]] = []
        self._shuffled: list[int] = []
        self._replays: list[tuple[float, int]] = []
        self.early: list[int] = []
        for event in self._events.values():
            self._queue(event)

    def emit(self, event: Event) -> None:
        """Send an event, unless the fault plan has other ideas about it."""
        hits = self._faults.take_event(event.gateway, event.type)
        if "event_forge" in hits:
            self._add(replace(event, headers=event.forged_headers, forged=True, retry_s=[]))
        sent = self._add(replace(event, status=_first_status(hits)))
        copies = hits["event_dup"].get("copies", 1) if "event_dup" in hits else 0
        for _ in range(copies):
            self._add(replace(event))
        if "event_shuffle" in hits:
            self._hold_for_shuffle(sent, size=hits["event_shuffle"].get("size", DEFAULT_SHUFFLE_SIZE))
        if "event_replay" in hits:
            after_s = hits["event_replay"].get("after_s", DEFAULT_REPLAY_S)
            heapq.heappush(self._replays, (self._clock.now() + after_s, sent.id))
        if "event_early" in hits:
            self.early.append(sent.id)

    def take_early(self) -> list[int]:
        taken, self.early = self.early, []
        return taken

    def release_shuffled(self) -> None:
        """Let the events held for shuffling go, last one first."""
        for event_id in reversed(self._shuffled):
            event = self._events.get(event_id)
            if event and event.status == "held" and event.url:
                event.status = "waiting"
                self._save(event)
                self._queue(event)
        self._shuffled = []

    def take_due(self) -> Event | None:
        """The next event to send now: fresh ones in their order first, then retries whose time has come."""
        now = self._clock.now()
        while self._replays and self._replays[0][0] <= now:
            original = self._events.get(heapq.heappop(self._replays)[1])
            if original:
                self._add(replace(original, status="waiting", attempts=0, next_at=None, last_answer=None))
        while self._fresh:
            if event := self._still_waiting(self._fresh.popleft()):
                return event
        while self._retries and self._retries[0][0] <= now:
            at, event_id = heapq.heappop(self._retries)
            if (event := self._still_waiting(event_id)) and event.next_at == at:
                return event
        return None

    def has_due(self) -> bool:
        due_at = self.next_due_at()
        return bool(self._fresh) or (due_at is not None and due_at <= self._clock.now())

    def next_due_at(self) -> float | None:
        return min((queue[0][0] for queue in (self._retries, self._replays) if queue), default=None)

    def note_answer(self, event_id: int, *, status: int | None, answer: str) -> None:
        """Record the outcome of one try; what does not acknowledge is tried again on the gateway's ladder."""
        event = self._events.get(event_id)
        if event is None:
            return
        event.attempts += 1
        event.last_answer = answer
        if status == ACKNOWLEDGED or (event.any_2xx and status in ANY_2XX):
            event.status, event.next_at = "delivered", None
        else:
            self._plan_retry(event)
        self._save(event)

    def get(self, event_id: int) -> Event:
        if event := self._events.get(event_id):
            return event
        raise NotThere(f"there is no event {event_id}; GET /control/events lists them")

    def tried(self, event_id: int) -> bool:
        event = self._events.get(event_id)
        return event is None or event.attempts > 0 or event.status != "waiting"

    def rows(self) -> Iterator[Json]:
        return (event_row(event) for event in self._events.values())

    def _add(self, event: Event) -> Event:
        self._last_id += 1
        event.id, event.created_at = self._last_id, self._clock.now()
        if not event.url and event.status == "waiting":
            event.status = "held"
        self._events[event.id] = event
        self._save(event)
        self._queue(event)
        self._forget_old()
        return event

    def _queue(self, event: Event) -> None:
        if event.status != "waiting":
            return
        if event.next_at is None:
            self._fresh.append(event.id)
        else:
            heapq.heappush(self._retries, (event.next_at, event.id))

    def _hold_for_shuffle(self, event: Event, *, size: int) -> None:
        self._shuffled.append(event.id)
        if len(self._shuffled) >= size:
            self.release_shuffled()

    def _plan_retry(self, event: Event) -> None:
        if event.status != "waiting":
            return  # Sent by hand though done or held; what comes of that changes nothing.
        if event.attempts > len(event.retry_s):
            event.status, event.next_at = "given_up", None
            return
        event.status, event.next_at = "waiting", self._clock.now() + event.retry_s[event.attempts - 1]
        heapq.heappush(self._retries, (event.next_at, event.id))

    def _still_waiting(self, event_id: int) -> Event | None:
        event = self._events.get(event_id)
        return event if event and event.status == "waiting" else None

    def _save(self, event: Event) -> None:
        self._store.put(TABLE, str(event.id), asdict(event))

    def _forget_old(self) -> None:
        while len(self._events) > KEPT_EVENTS:
            oldest = next(iter(self._events.values()))
            if oldest.status not in DONE:
                return
            del self._events[oldest.id]
            self._store.put(TABLE, str(oldest.id), None)


def event_row(event: Event) -> Json:
    """An event as the control API shows it."""
    hidden = ("forged_headers", "retry_s", "any_2xx")
    row = {name: value for name, value in asdict(event).items() if name not in hidden}
    return {**row, "created_at": iso(event.created_at), "next_at": iso_or_none(event.next_at)}


def _first_status(hits: Hits) -> str:
    if "event_drop" in hits:
        return "dropped"
    return "held" if "event_shuffle" in hits else "waiting"
