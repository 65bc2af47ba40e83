"""What product code does to the queue: add a job, make one due at once, revive a dead one."""

from collections.abc import Iterator, Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Least

from tillgate.common.jobs.models import Job, JobStatus
from tillgate.common.jobs.times import product_now

INSERT_TRIES = 10


def add(job: Job) -> None:
    """Insert `job` in the caller's transaction; change nothing while its key is queued already."""
    if job.unique_key is None:
        job.save(force_insert=True)
        return
    for _ in range(INSERT_TRIES):
        Job.objects.bulk_create([job], ignore_conflicts=True)
        if _held_back(job.unique_key):
            return
    raise RuntimeError(f"jobs with the key {job.unique_key} start faster than they can be queued")


def add_all(jobs: Sequence[Job]) -> None:
    """Insert jobs by one statement; those whose key is queued already change nothing.

    For jobs that read anew, under a lock, all that they act on: unlike in `add`, an equal job that is
    queued may start before the caller commits.
    """
    Job.objects.bulk_create(jobs, ignore_conflicts=True)


def make_due(unique_key: str) -> bool:
    """Let the queued job of this key run at once.

    False when none is queued: it runs just now, or has run. Who has news for it then enqueues anew:
    `make_due(key) or sync.using(unique_key=key).enqueue(payment.pk)`.
    """
    now = Value(product_now(), output_field=DateTimeField())
    queued = Job.objects.filter(unique_key=unique_key, status=JobStatus.QUEUED)
    return queued.update(run_at=Least(F("run_at"), now)) > 0


def revive(job_id: int) -> bool:
    """Queue a dead job again, due now and with all its attempts before it.

    False when it is not dead, or when an equal job is queued already.
    """
    try:
        with transaction.atomic():
            dead = Job.objects.filter(pk=job_id, status=JobStatus.DEAD)
            revived = dead.update(status=JobStatus.QUEUED, attempts=0, run_at=product_now(), ended_at=None)
    except IntegrityError:
        return False
    return revived == 1


def dead_jobs() -> Iterator[str]:
    """Yield one sentence for each job that was given up, for the operator to read."""
    for job in Job.objects.filter(status=JobStatus.DEAD).order_by("pk").iterator():
        yield f"job {job.pk} ({job.task}) was given up after {job.attempts} tries: `./run revive-jobs`."


def _held_back(unique_key: str) -> bool:
    """Say whether the queued job of this key will start only after the caller's transaction.

    Without the lock it could run before the caller commits, miss what the caller changed, and be gone.
    SQLite needs none: while the caller writes, nobody claims. False when it was claimed just now.
    """
    if not (connection.in_atomic_block and connection.features.has_select_for_update):
        return True
    queued = Job.objects.filter(unique_key=unique_key, status=JobStatus.QUEUED)
    return bool(queued.select_for_update().values_list("pk"))
