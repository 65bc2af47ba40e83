"""Running one job, and writing down how a batch of them ended."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils.module_loading import import_string
from structlog.contextvars import bound_contextvars

from tillgate.common.jobs.leases import bury, by_token, held, put_back
from tillgate.common.jobs.models import Job, JobStatus
from tillgate.common.jobs.tasks import BACKOFF_S, JobTask, backoff
from tillgate.common.jobs.times import product_now, real_now
from tillgate.common.logs import redact

ERROR_LENGTH = 2000
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one run of a job ended; `error` is empty when it succeeded.

    `abandoned`: its thread was torn down, nothing is written and the lease runs out.
    """

    job: Job
    error: str = ""
    backoff_s: tuple[int, ...] = BACKOFF_S
    abandoned: bool = False


def execute(job: Job) -> Outcome:
    """Call the job's task, in no transaction of ours; any exception is an outcome, never a crash."""
    ladder_s: tuple[int, ...] = BACKOFF_S
    with bound_contextvars(job_id=job.pk, task=job.task):
        try:
            task = _find(job.task)
            ladder_s = task.backoff_s
            task.call(*job.args, **job.kwargs)
        except Exception as error:
            log.exception("job_failed", attempts=job.attempts, max_attempts=job.max_attempts)
            return Outcome(job=job, error=_describe(error), backoff_s=ladder_s)
    return Outcome(job=job)


@transaction.atomic
def write(outcomes: Sequence[Outcome]) -> None:
    """Write a batch of outcomes; one whose job was taken over meanwhile is refused and logged."""
    _succeed([outcome.job for outcome in outcomes if not outcome.error])
    for outcome in outcomes:
        if outcome.error and not _fail(outcome):
            log.warning("job_outcome_refused", jobs=[outcome.job.pk])


def _succeed(jobs: list[Job]) -> None:
    periodic = {job.pk for job in jobs if job.keeps_key}
    for token, pks in by_token(jobs).items():
        mine = held(token, pks)
        written = 0
        if periodic.intersection(pks):
            done = mine.filter(keeps_key=True)
            written = done.update(status=JobStatus.DONE, token="", lease_until=None, ended_at=real_now())
        if not periodic.issuperset(pks):
            written += mine.delete()[0]
        if written < len(pks):
            log.warning("job_outcome_refused", jobs=pks)


def _fail(outcome: Outcome) -> bool:
    job = outcome.job
    if job.attempts >= job.max_attempts:
        return bury(job, outcome.error)
    wait = backoff(outcome.backoff_s, attempts=job.attempts, job_id=job.pk)
    return put_back(job, run_at=product_now() + wait, last_error=outcome.error)


def _find(path: str) -> JobTask[..., object]:
    task = import_string(path)
    assert isinstance(task, JobTask), f"{path} is no task"
    return task


def _describe(error: Exception) -> str:
    """Return the end of the traceback, redacted before it is cut so that no half of a key remains."""
    text = redact("".join(traceback.format_exception(error)))
    storable = text.replace("\0", "").encode(errors="replace").decode()  # PostgreSQL refuses the rest.
    return storable[-ERROR_LENGTH:]
