"""How the work stands, as the doctor and whoever watches are told."""

from datetime import timedelta

import pytest

from tests.common.jobs.job_samples import fail, note, tick
from tillgate.common import clock
from tillgate.common.jobs import periodic, run_due_jobs
from tillgate.common.jobs.leases import claim
from tillgate.common.jobs.models import Job
from tillgate.common.jobs.periodic import Timetable
from tillgate.common.jobs.standing import standing
from tillgate.common.jobs.times import real_now

pytestmark = pytest.mark.django_db


def test_where_no_worker_ever_was_none_was_seen():
    now = standing()

    assert (now.due, now.later, now.running, now.dead, now.oldest_due_s) == (0, 0, 0, 0, 0)
    assert now.last_sign_s is None


def test_jobs_are_counted_by_where_they_stand():
    note.using(run_after=clock.now() - timedelta(minutes=3)).enqueue("late")
    note.enqueue("due")
    note.using(run_after=clock.now() + timedelta(hours=1)).enqueue("later")
    claim(1)
    Job.objects.create(task="x", status="dead", run_at=clock.now(), max_attempts=1, created_at=clock.now())

    now = standing()

    assert (now.due, now.later, now.running, now.dead) == (1, 1, 1, 1)


def test_the_oldest_that_is_due_says_how_long_it_waits():
    note.using(run_after=clock.now() - timedelta(minutes=3)).enqueue("late")
    note.using(run_after=clock.now() + timedelta(hours=1)).enqueue("later")

    assert 180 <= standing().oldest_due_s < 190


def test_a_periodic_job_that_is_done_is_a_sign_of_life():
    periodic(every_s=60)(tick)
    Timetable().enqueue()
    run_due_jobs()

    assert standing().last_sign_s == 0

    Job.objects.update(ended_at=real_now() - timedelta(seconds=90))
    assert standing().last_sign_s == pytest.approx(92, abs=5)


def test_a_lease_says_when_it_was_taken():
    note.enqueue("held")
    claim(1)
    assert standing().last_sign_s == 0

    Job.objects.update(lease_until=real_now() - timedelta(seconds=30))  # Its worker died a while ago.
    assert standing().last_sign_s == pytest.approx(92, abs=5)


def test_a_job_that_failed_for_good_is_no_sign_of_life():
    fail.using(run_after=clock.now() - timedelta(days=1)).enqueue("no")
    Job.objects.update(max_attempts=1)
    run_due_jobs()

    assert (standing().dead, standing().last_sign_s) == (1, None)


def test_it_is_read_by_indexes_in_seven_statements(django_assert_max_num_queries):
    clock.now()

    with django_assert_max_num_queries(7):
        standing()
