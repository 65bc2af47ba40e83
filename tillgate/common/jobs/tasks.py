"""What a task is: a function at module level, and how often and how soon it is tried again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ParamSpec, Self, TypeVar, overload

from django_tasks import task as library_task
from django_tasks.base import Task

P = ParamSpec("P")
T = TypeVar("T")

MAX_ATTEMPTS = 20
BACKOFF_S = (2, 10, 30, 120, 600, 3600)
JITTER = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask(Task[P, T]):
    """A task of this engine; `backoff_s` are the waits after each failure, of which the last repeats."""

    max_attempts: int = MAX_ATTEMPTS
    backoff_s: tuple[int, ...] = BACKOFF_S
    unique_key: str | None = None

    def using(
        self,
        *,
        priority: int | None = None,
        queue_name: str | None = None,
        run_after: datetime | None = None,
        backend: str | None = None,
        unique_key: str | None = None,
    ) -> Self:
        """Return this task with another time or key.

        `run_after` is product time. While a job with this `unique_key` is queued, enqueueing changes
        nothing; once that job has started, a new one is queued.
        """
        wanted: dict[str, Any] = {
            "priority": priority,
            "queue_name": queue_name,
            "run_after": run_after,
            "backend": backend,
            "unique_key": unique_key,
        }
        return replace(self, **{name: value for name, value in wanted.items() if value is not None})


@overload
def task(function: Callable[P, T], /) -> JobTask[P, T]: ...


@overload
def task(
    *, max_attempts: int = MAX_ATTEMPTS, backoff_s: tuple[int, ...] = BACKOFF_S
) -> Callable[[Callable[P, T]], JobTask[P, T]]: ...


def task(
    function: Callable[P, T] | None = None,
    /,
    *,
    max_attempts: int = MAX_ATTEMPTS,
    backoff_s: tuple[int, ...] = BACKOFF_S,
) -> JobTask[P, T] | Callable[[Callable[P, T]], JobTask[P, T]]:
    """Make a module-level function a task: `charge_cycle.enqueue(cycle.pk)`.

    Its arguments are ids (JSON). It may run late and more than once.
    """
    assert max_attempts > 0, "a task is tried at least once"
    assert backoff_s, "a task waits before it is tried again"
    decorate: Any = library_task(max_attempts=max_attempts, backoff_s=backoff_s)
    return decorate(function) if function else decorate  # type: ignore[no-any-return]


def backoff(ladder_s: tuple[int, ...], *, attempts: int, job_id: int) -> timedelta:
    """Return how long a job waits after its failure number `attempts`: the ladder and up to a quarter more.

    The jitter comes from the job's own numbers, so that a simulated history can be replayed.
    """
    step_s = ladder_s[min(attempts, len(ladder_s)) - 1]
    digest = hashlib.blake2b(f"{job_id}/{attempts}".encode(), digest_size=4).digest()
    share = int.from_bytes(digest) / 2**32
    return timedelta(seconds=step_s * (1 + JITTER * share))
