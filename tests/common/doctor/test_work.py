"""What the doctor says of settings, worker and queue."""

from datetime import timedelta

import pytest

from tillgate.common import clock
from tillgate.common.doctor import work
from tillgate.common.jobs.models import Job, JobStatus
from tillgate.common.jobs.times import real_now

pytestmark = pytest.mark.django_db


def job(status=JobStatus.QUEUED, **fields):
    defaults = {
        "task": "x",
        "status": status,
        "run_at": clock.now(),
        "max_attempts": 1,
        "created_at": clock.now(),
    }
    return Job.objects.create(**{**defaults, **fields})


def seen_at_work(seconds_ago):
    job(
        JobStatus.DONE, keeps_key=True, unique_key="x@1", ended_at=real_now() - timedelta(seconds=seconds_ago)
    )


def verdicts():
    return [finding.verdict.value for finding in work.worker()]


def test_a_worker_that_works_is_well():
    seen_at_work(4)

    assert verdicts() == ["ok", "ok"]


@pytest.mark.parametrize(
    ("seconds", "verdict", "told"),
    [
        (50, "ok", "50 s"),
        (90, "look at it", "90 s"),
        (400, "broken", "6 minutes"),
        (200_000, "broken", "2 days"),
    ],
)
def test_one_that_is_silent_is_not(seconds, verdict, told):
    seen_at_work(seconds)
    sign, _ = work.worker()

    assert sign.verdict == verdict
    assert told in sign.seen
    assert ("./run worker" in sign.fix) == (verdict != "ok")


def test_where_none_ever_was_it_is_broken():
    sign, _ = work.worker()

    assert (sign.verdict, sign.seen) == ("broken", "None was ever seen at work here.")


@pytest.mark.parametrize(("seconds", "verdict"), [(5, "ok"), (120, "look at it"), (4_000, "broken")])
def test_work_that_waits_is_seen(seconds, verdict):
    seen_at_work(1)
    job(run_at=clock.now() - timedelta(seconds=seconds))

    assert verdicts() == ["ok", verdict]


def test_jobs_that_were_given_up_are_to_be_looked_at():
    seen_at_work(1)
    job(JobStatus.DEAD)

    *_, dead = work.worker()
    assert (dead.verdict, dead.seen) == ("look at it", "1 job was given up after many tries.")
    assert "./run revive-jobs" in dead.fix


def test_what_production_refuses_is_broken_and_what_it_warns_of_is_to_be_looked_at(settings):
    assert {finding.verdict for finding in work.system_checks()} == {"ok"}

    settings.IS_LOCAL, settings.TILLGATE_THROTTLES = False, "off"
    settings.PAYSTACK_SECRET_KEY = ""
    found = {finding.seen: finding for finding in work.system_checks()}

    assert found["Throttles are off."].verdict == "broken"
    assert found["No gateway key is set."].verdict == "look at it"
    assert all(finding.fix for finding in found.values())
