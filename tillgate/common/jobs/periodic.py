"""Tasks that run again and again: once in each slot of time, however many workers there are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from tillgate.common.jobs.models import Job, JobStatus
from tillgate.common.jobs.tasks import JobTask
from tillgate.common.jobs.times import product_now, real_now

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Period:
    """A periodic task and the length of its slots."""

    task: JobTask[Any, Any]
    every_s: int


PERIODS: dict[str, Period] = {}


def periodic(*, every_s: int) -> Callable[[JobTask[P, T]], JobTask[P, T]]:
    """Let a task without arguments run once in every `every_s` seconds of product time.

    It stands above `@task`. Slots that passed while no worker ran are not made up for.
    """
    assert every_s > 0, "a slot has a length"

    def register(task: JobTask[P, T]) -> JobTask[P, T]:
        PERIODS[task.module_path] = Period(task=task, every_s=every_s)
        return task

    return register


class Timetable:
    """What one worker knows of the slots; it asks the database once a slot, not at every look."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def enqueue(self) -> None:
        """Queue every periodic task whose present slot nobody has queued yet."""
        now = product_now()
        for path, period in PERIODS.items():
            slot = int(now.timestamp()) // period.every_s
            if self._seen.get(path) != slot:
                _take(path, period, slot)
                self._seen[path] = slot


def _take(path: str, period: Period, slot: int) -> None:
    start = datetime.fromtimestamp(slot * period.every_s, tz=UTC)
    jobs = Job.objects.filter(task=path, keeps_key=True)
    if jobs.filter(status=JobStatus.QUEUED, run_at__lte=start).exists():
        return  # One still waits for its turn, and two would do no more than one.
    job = Job(
        task=path,
        run_at=start,
        max_attempts=period.task.max_attempts,
        unique_key=f"{path}@{slot}",
        keeps_key=True,
        created_at=real_now(),
    )
    Job.objects.bulk_create([job], ignore_conflicts=True)
    # The slot before stays: a worker whose clock is a little late must find it taken.
    past = start - timedelta(seconds=period.every_s)
    jobs.filter(status=JobStatus.DONE, run_at__lt=past).delete()
