"""Everything the emulators share: one lock, one clock, one journal, one plan of faults."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.clock import LONGEST_OFFSET_S, Clock, iso
from sandbox.errors import Hangup, Refused
from sandbox.events import Event, EventLog
from sandbox.faults import FaultPlan, Reach
from sandbox.journal import Journal, Move
from sandbox.store import Store

CLOCK_TABLE = "clock"
TASK_TABLE = "task"
RunDue = Callable[[str, str], None]


class World:
    """State is read and changed only inside `change()`."""

    def __init__(self, data_dir: Path, *, reaches: Mapping[str, Reach]) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir = data_dir
        self.lock = threading.RLock()
        self.news = threading.Condition(self.lock)
        self.stopping = threading.Event()
        self.base_url = ""
        self.journal = Journal(data_dir / "journal.jsonl")
        self.store = Store(data_dir / "state.jsonl", self.journal)
        self.clock = Clock(self.store.take(CLOCK_TABLE).get("offset", {}).get("offset_s", 0))
        self.faults = FaultPlan(reaches)
        self.events = EventLog(store=self.store, clock=self.clock, faults=self.faults)
        self._runners: dict[str, RunDue] = {}
        tasks = self.store.take(TASK_TABLE)
        # The tasks of a gateway that is not served now stay in the file until it is served again.
        self._tasks = [(row["at"], int(key), row) for key, row in tasks.items() if row["gateway"] in reaches]
        heapq.heapify(self._tasks)
        self._last_task = max(map(int, tasks), default=0)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock, first carry out what is due, at the end make everything durable."""
        with self.lock:
            if self.stopping.is_set():
                raise Hangup(
                    reset=False
                )  # Whoever still asks is too late, as if the process had been killed.
            try:
                self._run_due()
                yield
            finally:
                self.store.commit()

    def on_due(self, gateway: str, run: RunDue) -> None:
        self._runners[gateway] = run

    def schedule(self, gateway: str, kind: str, subject: str, *, after_s: float) -> None:
        """Call the gateway's `run_due(kind, subject)` once that much sandbox time has passed."""
        self._last_task += 1
        row = {"at": self.clock.now() + after_s, "gateway": gateway, "kind": kind, "subject": subject}
        heapq.heappush(self._tasks, (row["at"], self._last_task, row))
        self.store.put(TASK_TABLE, str(self._last_task), row)
        self.news.notify_all()

    def emit(self, event: Event) -> None:
        """Send a webhook once this change is durable."""
        self.events.emit(event)
        self.news.notify_all()

    def next_task_at(self) -> float | None:
        return self._tasks[0][0] if self._tasks else None

    def record(self, move: Move) -> None:
        """Write a movement of money into the journal."""
        self.store.record(move, at=iso(self.clock.now()))

    def advance(self, seconds: float) -> None:
        """Move the clock forward and carry out what has become due."""
        if self.clock.offset_s + seconds > LONGEST_OFFSET_S:
            raise Refused("the clock is a hundred years ahead already; start with a fresh --data-dir")
        self.clock.offset_s += seconds
        self.store.put(CLOCK_TABLE, "offset", {"offset_s": self.clock.offset_s})
        self._run_due()
        self.news.notify_all()

    def close(self) -> None:
        with self.lock:
            self.store.close()
            self.journal.close()

    def _run_due(self) -> None:
        while self._tasks and self._tasks[0][0] <= self.clock.now():
            _, key, row = heapq.heappop(self._tasks)
            self.store.put(TASK_TABLE, str(key), None)
            self._runners[row["gateway"]](row["kind"], row["subject"])
