"""The sender: one loop that claims and writes, and threads that send in between, beside the worker's jobs.

A receiver that is slow or dead holds one thread of a few that are for its like: the others are never
behind it. One that was well, and does not answer now, is counted among them after a second: also when many
die at once, each keeps its place no longer. One that is well gets more threads from turn to turn; what is
about one object stays in one of them, and in its order.
"""

import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import structlog
from django.db import InterfaceError, OperationalError, connection, connections

from tillgate.events.services.sending import TURN_S, Lane, Outcome, Parcel, claim, send, write

THREADS = 16
SLOW_THREADS = 8
WIDEST = 8  # Threads of one endpoint.
MOST_THREADS = 64
PATIENCE_S = 1
TROUBLE_S = 0.5
log = structlog.get_logger(__name__)


@dataclass(kw_only=True, eq=False)
class Turn:
    """A lane on which so many streams are still sending, counted among the slow ones or the others."""

    lane: Lane
    slow: bool
    streams: int
    began: float


class Sender:
    """Sends events from `run()` until `stop()`.

    `poll_s` is the longest wait of an event that is written while the sender is idle.
    """

    def __init__(
        self,
        *,
        threads: int = THREADS,
        slow_threads: int = SLOW_THREADS,
        poll_s: float = 0.2,
        grace_s: float = 8,
    ) -> None:
        self.poll_s, self.grace_s = poll_s, grace_s
        self._room = {False: threads, True: slow_threads}
        self._stopping = threading.Event()
        self._ended: SimpleQueue[tuple[Turn, list[Outcome]]] = SimpleQueue()
        self._busy = 0
        self._turns: list[Turn] = []
        self._unwritten: list[Lane] = []
        self._widths: dict[int, int] = defaultdict(lambda: 1)

    def run(self) -> None:
        """Send until `stop()`; no trouble with the database ends it."""
        while not self._stopping.is_set():
            self._try(self._step)
        self._wind_down()

    def stop(self) -> None:
        """Claim no more, and write down what is being sent. Safe in a signal handler."""
        self._stopping.set()

    def _step(self) -> None:
        self._write()
        self._set_aside()
        for slow in (False, True):
            for lane in self._claim(slow=slow):
                self._begin(lane, slow=slow)
        self._collect(self.poll_s)

    def _set_aside(self) -> None:
        """Let those that have not answered for a while make room for others."""
        for turn in self._turns:
            if not turn.slow and time.monotonic() - turn.began > PATIENCE_S:
                turn.slow = True
                self._room[False] += turn.streams
                self._room[True] -= turn.streams

    def _claim(self, *, slow: bool) -> list[Lane]:
        room = min(self._room[slow], MOST_THREADS - self._busy)
        return claim(room, slow=slow) if room > 0 else []

    def _begin(self, lane: Lane, *, slow: bool) -> None:
        width = 1 if slow else max(1, min(self._widths[lane.endpoint.pk], self._room[slow]))
        streams = _streams(lane.parcels, width)
        began = time.monotonic()
        turn = Turn(lane=lane, slow=slow, streams=max(len(streams), 1), began=began)
        self._turns.append(turn)
        self._room[slow] -= turn.streams
        self._busy += turn.streams
        for parcels in streams or [[]]:
            # A thread for a batch costs little, and one that hangs keeps no other from ending.
            threading.Thread(
                target=self._send, args=(turn, parcels, began + TURN_S), name="events", daemon=True
            ).start()

    def _send(self, turn: Turn, parcels: list[Parcel], until: float) -> None:
        outcomes: list[Outcome] = []
        try:
            outcomes = send(turn.lane, parcels, until=until)
        except Exception:
            log.exception("sender_trouble", endpoint=turn.lane.endpoint.reference)
        finally:
            self._ended.put((turn, outcomes))

    def _collect(self, wait_s: float) -> None:
        """Wait until a turn has ended, or there may be something new to claim."""
        deadline = time.monotonic() + wait_s
        while not self._unwritten:
            try:
                turn, outcomes = self._ended.get(timeout=max(0, deadline - time.monotonic()))
            except Empty:
                return
            self._busy -= 1
            self._room[turn.slow] += 1
            turn.streams -= 1
            turn.lane.outcomes += outcomes
            if turn.streams == 0:
                self._turns.remove(turn)
                self._finish(turn.lane)

    def _finish(self, lane: Lane) -> None:
        is_well = all(outcome.answer.is_success for outcome in lane.outcomes)
        self._widths[lane.endpoint.pk] = min(WIDEST, self._widths[lane.endpoint.pk] * 2) if is_well else 1
        self._unwritten.append(lane)

    def _write(self) -> None:
        while self._unwritten:
            lane = self._unwritten[0]
            try:
                write(lane)
            except (OperationalError, InterfaceError):
                raise  # The database was away: it is written later.
            except Exception:
                # One that cannot be written must not stop the others: it is sent again when its lease ends.
                log.exception("turn_not_written", endpoint=lane.endpoint.reference)
            self._unwritten.pop(0)

    def _wind_down(self) -> None:
        """What has not ended by then is sent again, by whoever takes the lane when its lease has run out."""
        deadline = time.monotonic() + self.grace_s
        while (self._busy or self._unwritten) and time.monotonic() < deadline:
            self._try(self._write_some)
        connections.close_all()

    def _write_some(self) -> None:
        self._collect(self.poll_s)
        self._write()

    def _try(self, action: Callable[[], None]) -> None:
        """Do it; after any trouble, which is the database's as a rule, go on with a new connection."""
        try:
            action()
        except Exception:
            log.exception("sender_trouble")
            connection.close()
            time.sleep(TROUBLE_S)


def _streams(parcels: list[Parcel], width: int) -> list[list[Parcel]]:
    """Share parcels out; what is about one object goes by one stream."""
    streams: dict[int, list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        streams[zlib.crc32(parcel.subject.encode()) % width].append(parcel)
    return list(streams.values())
