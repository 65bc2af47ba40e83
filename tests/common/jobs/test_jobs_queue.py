"""Enqueueing, keys, due dates and dead jobs: what product code sees of the engine."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django_tasks.exceptions import InvalidTaskError

from tests.common.jobs.job_samples import enqueue_next, fail, fail_oddly, note, ran
from tillgate.common import clock
from tillgate.common.jobs import make_due, revive, run_due_jobs, task
from tillgate.common.jobs.leases import claim
from tillgate.common.jobs.models import Job, JobStatus
from tillgate.common.jobs.tasks import backoff

pytestmark = pytest.mark.django_db


def in_an_hour():
    return clock.now() + timedelta(hours=1)


def test_enqueueing_is_one_insert(django_assert_num_queries):
    clock.now()

    with django_assert_num_queries(1) as queries:
        note.enqueue(1)

    assert queries.captured_queries[0]["sql"].startswith("INSERT INTO")


@pytest.mark.django_db(transaction=True)
def test_a_job_vanishes_with_the_transaction_that_enqueued_it():
    with transaction.atomic():
        note.enqueue("gone")
        note.using(unique_key="k").enqueue("gone too")
        transaction.set_rollback(True)

    assert run_due_jobs() == 0


def test_a_job_runs_with_its_arguments_and_leaves_no_row():
    note.enqueue(value={"id": 7})

    assert run_due_jobs() == 1
    assert ran == [{"id": 7}]
    assert not Job.objects.exists()


def test_jobs_run_in_the_order_in_which_they_became_due():
    note.using(run_after=clock.now() - timedelta(minutes=1)).enqueue("second")
    note.using(run_after=clock.now() - timedelta(minutes=2)).enqueue("first")

    run_due_jobs()

    assert ran == ["first", "second"]


def test_a_drain_stops_at_its_limit():
    for value in range(3):
        note.enqueue(value)

    assert run_due_jobs(limit=2) == 2
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_arguments_that_are_no_json_are_refused_at_once():
    with pytest.raises(TypeError):
        note.enqueue(object())

    assert not Job.objects.exists()


def test_the_result_names_the_job():
    result = note.enqueue(1)

    assert result.id == str(Job.objects.get().pk)


def test_one_key_is_queued_once():
    for _ in range(3):
        note.using(unique_key="sync PAY-1").enqueue(1)
    note.using(unique_key="sync PAY-2").enqueue(2)

    assert run_due_jobs() == 2
    assert ran == [1, 2]


def test_a_key_is_free_again_when_its_job_is_done():
    for _ in range(2):
        note.using(unique_key="k").enqueue(1)
        run_due_jobs()

    assert ran == [1, 1]


def test_a_key_is_free_again_while_its_job_runs_so_that_later_news_is_not_lost():
    enqueue_next.using(unique_key="next").enqueue(2)

    assert run_due_jobs() == 3
    assert ran == [2, 1, 0]


def test_a_failed_job_gives_way_to_an_equal_one_that_was_queued_while_it_ran():
    fail.using(unique_key="k").enqueue("old")
    claim(1)
    fail.using(unique_key="k").enqueue("new")
    Job.objects.filter(status=JobStatus.RUNNING).update(lease_until=clock.now() - timedelta(hours=1))

    assert run_due_jobs() == 1
    assert ran == ["new"]
    assert Job.objects.get().status == JobStatus.QUEUED


def test_a_dead_job_does_not_hold_its_key():
    fail.using(unique_key="k").enqueue("x")
    Job.objects.update(max_attempts=1)
    run_due_jobs()

    note.using(unique_key="k").enqueue("y")

    assert run_due_jobs() == 1


def test_a_delayed_job_waits_for_its_time():
    note.using(run_after=in_an_hour()).enqueue(1)

    assert run_due_jobs() == 0

    clock.advance(3601)
    assert run_due_jobs() == 1


def test_make_due_lets_a_delayed_job_run_now():
    note.using(run_after=in_an_hour(), unique_key="k").enqueue(1)

    assert make_due("k")
    assert run_due_jobs() == 1


def test_make_due_does_not_delay_a_job_that_is_due():
    note.using(run_after=clock.now() - timedelta(hours=1), unique_key="k").enqueue(1)
    before = Job.objects.get().run_at

    assert make_due("k")
    assert Job.objects.get().run_at == before


def test_make_due_is_one_update(django_assert_num_queries):
    clock.now()

    with django_assert_num_queries(1):
        assert not make_due("nobody's")


def test_make_due_says_no_while_the_job_runs():
    note.using(unique_key="k").enqueue(1)
    claim(1)

    assert not make_due("k")


def test_a_failing_job_is_tried_with_growing_gaps_and_then_is_dead():
    fail.enqueue("no")
    gaps = []
    for _ in range(3):
        started = clock.now()
        assert run_due_jobs() == 1
        job = Job.objects.get()
        gaps.append((job.run_at - started).total_seconds())
        clock.advance(200)

    assert run_due_jobs() == 1
    job = Job.objects.get()
    assert [10 <= gaps[0] < 13, 100 <= gaps[1] < 126, 100 <= gaps[2] < 126] == [True] * 3
    assert gaps[1] != gaps[2]
    assert (job.status, job.attempts, len(ran)) == (JobStatus.DEAD, 4, 4)


def test_jobs_that_fail_together_are_spread_over_a_quarter_of_the_wait():
    waits = sorted(backoff((100,), attempts=1, job_id=pk).total_seconds() for pk in range(1000))

    assert 100 <= waits[0] < 101
    assert 124 < waits[-1] < 125
    assert 111 < waits[500] < 114


def test_a_dead_job_can_be_revived_and_counts_its_attempts_anew():
    fail.enqueue("no")
    Job.objects.update(max_attempts=1)
    run_due_jobs()
    job = Job.objects.get()

    assert revive(job.pk)
    assert not revive(job.pk)
    assert run_due_jobs() == 1
    assert Job.objects.get().attempts == 1


def test_a_dead_job_is_not_revived_beside_an_equal_one():
    fail.using(unique_key="k").enqueue("no")
    Job.objects.update(max_attempts=1)
    run_due_jobs()
    fail.using(unique_key="k").enqueue("again")

    assert not revive(Job.objects.get(status=JobStatus.DEAD).pk)


def test_the_error_is_kept_short_and_without_secrets():
    fail_oddly.enqueue()
    run_due_jobs()

    kept = Job.objects.get().last_error
    assert len(kept) == 2000
    assert not re.search("abc123|me@|\0", kept)


def test_a_task_that_is_gone_ends_as_a_failure_and_not_the_worker():
    note.enqueue(1)
    Job.objects.update(task="tests.common.jobs.job_samples.gone")

    assert run_due_jobs() == 1
    assert "gone" in Job.objects.get().last_error


def test_a_task_stands_at_module_level():
    with pytest.raises(InvalidTaskError):

        @task
        def inner() -> None: ...
