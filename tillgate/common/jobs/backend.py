"""The backend of django-tasks that writes jobs into our table."""

from typing import Any, ParamSpec, TypeVar

from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks.exceptions import InvalidTaskError

from tillgate.common.jobs.models import Job
from tillgate.common.jobs.queue import add
from tillgate.common.jobs.tasks import JobTask
from tillgate.common.jobs.times import product_now, real_now

P = ParamSpec("P")
T = TypeVar("T")


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
        job = Job(
            task=task.module_path,
            args=list(args),
            kwargs=kwargs,
            run_at=task.run_after or product_now(),
            max_attempts=task.max_attempts,
            unique_key=task.unique_key,
            created_at=real_now(),
        )
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
