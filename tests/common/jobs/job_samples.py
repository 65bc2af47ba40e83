"""Tasks for the tests of the engine. They have a module of their own, which a worker process can import."""

import time
from pathlib import Path
from threading import Event, current_thread

from tillgate.common.jobs import task

ran: list[object] = []
threads: set[str] = set()
gate = Event()


class SimulatedCrash(BaseException):
    """What no `except Exception` swallows: the process is gone."""


@task()
def note(value: object) -> None:
    ran.append(value)


@task()
def note_slowly(value: object) -> None:
    threads.add(str(current_thread().ident))
    time.sleep(0.03)
    ran.append(value)


@task(max_attempts=4, backoff_s=(10, 100))
def fail(message: str) -> None:
    ran.append(message)
    raise ValueError(message)


@task()
def fail_oddly() -> None:
    raise ValueError("\0 \ud800 " + "x" * 5000 + " sk_live_abc123 me@example.com")


@task()
def crash() -> None:
    raise SimulatedCrash


@task()
def enqueue_next(left: int) -> None:
    ran.append(left)
    if left:
        enqueue_next.using(unique_key="next").enqueue(left - 1)


@task()
def wait_for_gate(value: object) -> None:
    ran.append(value)
    assert gate.wait(20)


@task()
def hang_first_time(marker: str) -> None:
    if Path(marker).exists():
        ran.append(marker)
        return
    Path(marker).touch()
    time.sleep(60)


@task()
def tick() -> None:
    ran.append("tick")
