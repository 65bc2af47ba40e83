"""The worker: one loop that claims and writes, and threads that run jobs in between.

Only the loop touches the job table, in transactions of at most `batch` rows: one transaction a job
is five times slower on either database, and SQLite has one writer.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

import structlog
from django.db import close_old_connections, connection, connections

from tillgate.common.jobs.execution import Outcome, execute, write
from tillgate.common.jobs.leases import LEASE_S, claim, give_back, renew, requeue_expired
from tillgate.common.jobs.models import Job
from tillgate.common.jobs.periodic import Timetable

BATCH = 50
GATHER_S = 0.01
HOUSEKEEPING_S = 1
RENEWAL_S = LEASE_S / 3
STUCK_S = 1
TROUBLE_S = 0.5
log = structlog.get_logger(__name__)


def run_due_jobs(*, limit: int = 1_000) -> int:
    """Run what is due now, and what that makes due, in the caller's thread; return how many ran."""
    requeue_expired()
    count = 0
    while count < limit and (jobs := claim(1)):
        write([execute(jobs[0])])
        count += 1
    return count


class Worker:
    """Runs jobs on `threads` threads from `run()` until `stop()`.

    `poll_s` is the longest wait of a job that became due while the worker was idle.
    """

    def __init__(
        self, *, threads: int = 8, poll_s: float = 0.2, batch: int = BATCH, grace_s: float = 8
    ) -> None:
        self.threads, self.poll_s, self.batch, self.grace_s = threads, poll_s, batch, grace_s
        self._stopping = False
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._ended: SimpleQueue[Outcome] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._held: dict[tuple[int, str], Job] = {}
        self._unwritten: list[Outcome] = []
        self._ahead = 0
        self._moved_at = time.monotonic()
        self._renewal, self._housekeeping = Every(RENEWAL_S), Every(HOUSEKEEPING_S)
        self._timetable = Timetable()

    def run(self) -> None:
        """Run jobs until `stop()`; neither a job that fails nor a database that is away ends it."""
        for _ in range(self.threads):
            self._start_thread()
        while not self._stopping:
            self._try(self._step)
        self._wind_down()

    def stop(self) -> None:
        """Claim no more, finish what runs within `grace_s`, give the rest back. Safe in a signal handler."""
        self._stopping = True

    def _step(self) -> None:
        self._write()
        self._keep_house()
        room = min(self.batch, self.threads + self._ahead - len(self._held))
        claimed = claim(room) if room > 0 else []
        for job in claimed:
            self._held[job.pk, job.token] = job
            self._waiting.put(job)
            self._moved_at = time.monotonic()
        self._collect(0 if len(claimed) == self.batch else self.poll_s)

    def _keep_house(self) -> None:
        if self._held and self._renewal.is_due():
            renew(self._held.values())
        if self._housekeeping.is_due():
            requeue_expired()
            self._timetable.enqueue()
        if time.monotonic() - self._moved_at > STUCK_S:
            self._give_back_waiting()  # All threads are busy; another worker's may be free.

    def _collect(self, wait_s: float) -> None:
        """Wait for the next outcome, and a moment for its neighbours, so that one write serves many."""
        try:
            outcomes = [self._ended.get(block=wait_s > 0, timeout=wait_s)]
        except Empty:
            return
        if len(self._held) > self._ended.qsize() + 1:
            time.sleep(GATHER_S)
        while len(outcomes) < self.batch and not self._ended.empty():
            outcomes.append(self._ended.get())
        self._unwritten += [outcome for outcome in outcomes if not self._was_abandoned(outcome)]
        self._moved_at = time.monotonic()

    def _was_abandoned(self, outcome: Outcome) -> bool:
        if outcome.abandoned:
            self._forget(outcome.job)  # Nobody renews its lease from now on.
            if not self._stopping:
                self._start_thread()
        return outcome.abandoned

    def _write(self) -> None:
        """Write what ended. As much as that is claimed beyond the free threads, so that none stands idle."""
        self._ahead = min(self.batch, len(self._unwritten))
        if self._unwritten:
            write(self._unwritten)
            for outcome in self._unwritten:
                self._forget(outcome.job)
            self._unwritten = []

    def _wind_down(self) -> None:
        deadline = time.monotonic() + self.grace_s
        self._try(self._give_back_waiting)
        for _ in range(self.threads):
            self._waiting.put(None)
        while self._held and time.monotonic() < deadline:
            self._try(self._finish_some)
        if self._held:
            log.warning("worker_gave_up_on_jobs", jobs=[job.pk for job in self._held.values()])
            self._try(lambda: give_back(self._held.values(), started=True))
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        connections.close_all()

    def _finish_some(self) -> None:
        self._write()
        if self._held and self._renewal.is_due():
            renew(self._held.values())
        if self._held:
            self._collect(self.poll_s)

    def _give_back_waiting(self) -> None:
        jobs: list[Job] = []
        with suppress(Empty):
            while job := self._waiting.get_nowait():
                jobs.append(job)
                self._forget(job)  # Before the write: should that fail, the leases run out.
        if jobs:
            give_back(jobs, started=False)

    def _forget(self, job: Job) -> None:
        del self._held[job.pk, job.token]

    def _try(self, action: Callable[[], None]) -> None:
        """Do it; after any trouble, which is the database's as a rule, go on with a new connection."""
        try:
            action()
        except Exception:
            log.exception("worker_trouble")
            connection.close()
            self._renewal = Every(RENEWAL_S)  # First of all keep what we hold.
            time.sleep(TROUBLE_S)

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        try:
            while job := self._waiting.get():
                self._ended.put(self._execute(job))
                close_old_connections()
        finally:
            connections.close_all()

    def _execute(self, job: Job) -> Outcome:
        try:
            return execute(job)
        except BaseException:
            self._ended.put(Outcome(job=job, abandoned=True))
            raise


class Every:
    """Says once in `seconds` that it is time again; at once when asked first."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._next = time.monotonic()

    def is_due(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self.seconds
        return True
