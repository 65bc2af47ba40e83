"""How the work stands: what waits, what was given up, and when a worker last gave a sign of life.

Nobody writes a heartbeat down: a periodic job that is done, or a lease that was taken or renewed, is one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, QuerySet

from tillgate.common.jobs.leases import LEASE_S
from tillgate.common.jobs.models import Job, JobStatus
from tillgate.common.jobs.times import product_now, real_now

MOST = 100_000


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Jobs by where they stand, each counted to `MOST`. `oldest_due_s`: how long the oldest due one waits.

    `last_sign_s`: seconds since a worker was last seen at work; None where none ever was.
    """

    due: int
    later: int
    running: int
    dead: int
    oldest_due_s: int
    last_sign_s: int | None


def standing() -> Standing:
    """Read it, by indexes alone; any process may ask."""
    now = product_now()
    queued = Job.objects.filter(status=JobStatus.QUEUED)
    due = queued.filter(run_at__lte=now)
    oldest = due.order_by("run_at", "pk").values_list("run_at", flat=True).first()
    return Standing(
        due=_count(due),
        later=_count(queued.filter(run_at__gt=now)),
        running=_count(Job.objects.filter(status=JobStatus.RUNNING)),
        dead=_count(Job.objects.filter(status=JobStatus.DEAD)),
        oldest_due_s=0 if oldest is None else _age_s(oldest, now),
        last_sign_s=_last_sign_s(),
    )


def _count(jobs: QuerySet[Job]) -> int:
    return jobs[:MOST].count()


def _last_sign_s() -> int | None:
    now = real_now()
    done = Job.objects.filter(status=JobStatus.DONE).aggregate(at=Max("ended_at"))["at"]
    lease = Job.objects.filter(lease_until__isnull=False).aggregate(at=Max("lease_until"))["at"]
    taken = lease and lease - timedelta(seconds=LEASE_S)
    signs = [_age_s(moment, now) for moment in (done, taken) if moment]
    return max(0, min(signs)) if signs else None


def _age_s(moment: datetime, now: datetime) -> int:
    return int((now - moment).total_seconds())
