"""What the tests of the engine share: a clean record of what ran, and workers in threads."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.common.jobs import job_samples
from tillgate.common import clock
from tillgate.common.jobs.periodic import PERIODS
from tillgate.common.jobs.worker import Worker


@pytest.fixture(autouse=True)
def clean_record(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    job_samples.ran.clear()
    job_samples.threads.clear()
    job_samples.gate.clear()
    for path in list(PERIODS):
        monkeypatch.delitem(PERIODS, path)
    clock.forget()
    yield
    job_samples.gate.set()
    clock.forget()


@pytest.fixture
def start_worker() -> Iterator[Callable[..., Worker]]:
    """Start workers in threads of this process; they are stopped after the test."""
    running: list[tuple[Worker, threading.Thread]] = []

    def start(**options: Any) -> Worker:
        worker = Worker(**{"poll_s": 0.02, "threads": 4, **options})
        thread = threading.Thread(target=worker.run)
        thread.start()
        running.append((worker, thread))
        return worker

    yield start
    job_samples.gate.set()
    for worker, _ in running:
        worker.stop()
    for _, thread in running:
        thread.join()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until something is so, 10 s at most."""

    def wait(is_so: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < deadline, "it did not come to be"
            time.sleep(0.01)

    return wait
