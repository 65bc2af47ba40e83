"""Who is at a job: claims in batches, leases that are renewed, given back or run out.

Each claim has a fresh token, and every later write about the job asks for it: whoever lost the
lease, because the process stood still for a minute, can no longer say how the job ended.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet

from tillgate.common.jobs.models import Job, JobStatus
from tillgate.common.jobs.times import product_now, real_now
from tillgate.common.references import new_token

LEASE_S = 60
EXPIRED_AT_ONCE = 50
RAN_OUT = "The worker vanished while it ran this job."
log = structlog.get_logger(__name__)


def claim(limit: int) -> list[Job]:
    """Take up to `limit` due jobs, oldest first, for `LEASE_S` seconds; nobody else gets them."""
    due = Job.objects.filter(status=JobStatus.QUEUED, run_at__lte=product_now())
    if not due.exists():
        return []  # An idle worker reads and takes no write lock, of which SQLite has one.
    with transaction.atomic():
        jobs = list(_lock(due.order_by("run_at", "pk"))[:limit])
        token, now = new_token(), real_now()
        Job.objects.filter(pk__in=[job.pk for job in jobs], token="").update(
            status=JobStatus.RUNNING,
            token=token,
            lease_until=_lease(now),
            attempts=F("attempts") + 1,
            started_at=now,
        )
    for job in jobs:
        job.token = token
        job.attempts += 1
    return jobs


def renew(jobs: Iterable[Job]) -> None:
    """Lengthen the leases of jobs that still run."""
    with transaction.atomic():
        for token, pks in by_token(jobs).items():
            renewed = held(token, pks).update(lease_until=_lease(real_now()))
            if renewed < len(pks):
                log.warning("job_lease_lost", jobs=pks)


def give_back(jobs: Iterable[Job], *, started: bool) -> None:
    """Queue claimed jobs again at once; what never started keeps its number of attempts."""
    with transaction.atomic():
        for job in jobs:
            put_back(job, attempts=job.attempts - (0 if started else 1))


def requeue_expired() -> int:
    """Queue jobs whose lease ran out; return how many. A job that always takes its worker down ends dead."""
    expired = Job.objects.filter(lease_until__lte=real_now())
    if not expired.exists():
        return 0
    with transaction.atomic():
        jobs = list(_lock(expired.order_by("lease_until"))[:EXPIRED_AT_ONCE])
        for job in jobs:
            log.warning("job_lease_ran_out", job_id=job.pk, task=job.task, attempts=job.attempts)
            if job.attempts >= job.max_attempts:
                bury(job, RAN_OUT)
            else:
                put_back(job, last_error=RAN_OUT)
    return len(jobs)


def put_back(job: Job, **changes: Any) -> bool:
    """Queue a claimed job again; False when its token no longer holds."""
    mine = held(job.token, [job.pk])
    changes |= {"status": JobStatus.QUEUED, "token": "", "lease_until": None}
    if job.unique_key is None:
        return mine.update(**changes) == 1
    try:
        with transaction.atomic():
            return mine.update(**changes) == 1
    except IntegrityError:
        return mine.delete()[0] == 1  # An equal job was queued meanwhile and does the same work.


def bury(job: Job, error: str) -> bool:
    """Give a claimed job up, for a person to look at and revive; False when its token no longer holds."""
    log.error("job_dead", job_id=job.pk, task=job.task, attempts=job.attempts)
    changes = {"token": "", "lease_until": None, "last_error": error, "ended_at": real_now()}
    return held(job.token, [job.pk]).update(status=JobStatus.DEAD, **changes) == 1


def held(token: str, pks: list[int]) -> QuerySet[Job]:
    """Return those of the jobs that the claim `token` still holds; only a running job has a token."""
    return Job.objects.filter(pk__in=pks, token=token)


def by_token(jobs: Iterable[Job]) -> dict[str, list[int]]:
    """Group job ids by the claim that holds them, for one statement a claim."""
    groups: dict[str, list[int]] = defaultdict(list)
    for job in jobs:
        groups[job.token].append(job.pk)
    return groups


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_S)


def _lock(jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
