"""The backend of django-tasks that writes jobs into our table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks.exceptions import InvalidTaskError

from tillgate.common.jobs.models import Job
from tillgate.common.jobs.queue import add, add_all
from tillgate.common.jobs.tasks import JobTask
from tillgate.common.jobs.times import product_now, real_now

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a task that is enqueued with others; `run_after` is product time."""

    args: tuple[Any, ...]
    run_after: datetime | None = None
    unique_key: str | None = None


def enqueue_all(task: JobTask[Any, Any], calls: Iterable[Call]) -> None:
    """Enqueue many calls of a task by one INSERT, in the caller's transaction; see `add_all`."""
    add_all([_row(task, list(call.args), {}, call.run_after, call.unique_key) for call in calls])


class JobBackend(BaseTaskBackend):
    """Enqueueing is one INSERT in the caller's transaction: it commits or vanishes with it."""

    task_class = JobTask
    supports_defer = True

    def validate_task(self, task: Task[Any, Any]) -> None:
        super().validate_task(task)
        if task.takes_context:
            raise InvalidTaskError("Tasks here take no context: they may run more than once and look it up.")

    def enqueue(self, task: Task[P, T], args: P.args, kwargs: P.kwargs) -> TaskResult[T]:  # type: ignore[valid-type]
        assert isinstance(task, JobTask)
        job = _row(task, list(args), kwargs, task.run_after, task.unique_key)
        add(job)
        return TaskResult(
            task=task,
            id=str(job.pk or job.unique_key),
            status=TaskResultStatus.READY,
            enqueued_at=job.created_at,
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=list(args),
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )


def _row(
    task: JobTask[Any, Any],
    args: list[Any],
    kwargs: dict[str, Any],
    run_after: datetime | None,
    unique_key: str | None,
) -> Job:
    return Job(
        task=task.module_path,
        args=args,
        kwargs=kwargs,
        run_at=run_after or product_now(),
        max_attempts=task.max_attempts,
        unique_key=unique_key,
        created_at=real_now(),
    )
