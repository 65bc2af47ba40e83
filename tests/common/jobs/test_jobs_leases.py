"""Leases: nothing is lost, nothing is done by two at once, and who lost a lease has no say."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from tests.common.jobs.job_samples import SimulatedCrash, crash, fail, hang_first_time, note, ran
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.execution import execute, write
from tillgate.common.jobs.leases import claim, give_back, renew, requeue_expired
from tillgate.common.jobs.models import Job, JobStatus

needs_row_locks = pytest.mark.skipif(
    "not __import__('django').db.connection.features.has_select_for_update", reason="SQLite has no row locks"
)


def let_leases_run_out():
    Job.objects.filter(status=JobStatus.RUNNING).update(lease_until=datetime.now(UTC) - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_claimed_job_is_nobody_elses():
    note.enqueue(1)

    assert len(claim(10)) == 1
    assert claim(10) == []


@pytest.mark.django_db
def test_a_claim_takes_a_batch():
    for value in range(5):
        note.enqueue(value)

    assert [job.args for job in claim(3)] == [[0], [1], [2]]
    assert [job.args for job in claim(3)] == [[3], [4]]


@pytest.mark.django_db
def test_an_idle_look_is_one_read(django_assert_num_queries):
    clock.now()

    with django_assert_num_queries(1) as queries:
        claim(10)

    assert queries.captured_queries[0]["sql"].startswith("SELECT")


@pytest.mark.django_db
def test_a_job_whose_worker_vanished_is_run_again():
    note.enqueue(1)
    claim(1)
    assert run_due_jobs() == 0

    let_leases_run_out()

    assert run_due_jobs() == 1
    assert ran == [1]


@pytest.mark.django_db
def test_a_moved_clock_makes_jobs_due_but_ends_no_lease():
    note.enqueue("running")
    note.using(run_after=clock.now() + timedelta(days=30)).enqueue("delayed")
    claim(1)

    clock.advance(31 * 86_400)

    assert run_due_jobs() == 1
    assert ran == ["delayed"]


@pytest.mark.django_db
def test_a_job_that_always_takes_its_worker_down_ends_dead():
    note.enqueue(1)
    Job.objects.update(max_attempts=2)
    for _ in range(2):
        claim(1)
        let_leases_run_out()
        requeue_expired()

    assert Job.objects.get().status == JobStatus.DEAD
    assert ran == []


@pytest.mark.django_db
def test_a_crash_passes_through_and_leaves_the_lease():
    crash.enqueue()

    with pytest.raises(SimulatedCrash):
        run_due_jobs()

    assert Job.objects.get().status == JobStatus.RUNNING


@pytest.mark.django_db
@pytest.mark.parametrize("task", [note, fail])
def test_who_lost_the_lease_cannot_finish_the_job(task):
    task.enqueue("x")
    stale = claim(1)
    outcomes = [execute(job) for job in stale]
    let_leases_run_out()
    requeue_expired()
    (fresh,) = claim(1)

    write(outcomes)
    renew(stale)
    give_back(stale, started=True)

    job = Job.objects.get()
    assert (job.status, job.token, job.attempts) == (JobStatus.RUNNING, fresh.token, 2)


@pytest.mark.django_db
def test_a_renewed_lease_lasts_longer():
    note.enqueue(1)
    jobs = claim(1)
    let_leases_run_out()

    renew(jobs)

    assert run_due_jobs() == 0


@pytest.mark.django_db
def test_a_job_given_back_unstarted_keeps_its_attempts():
    note.enqueue(1)

    give_back(claim(1), started=False)

    assert Job.objects.get().attempts == 0
    assert run_due_jobs() == 1


@pytest.mark.django_db
def test_poison_does_not_stop_its_neighbours():
    fail.enqueue("poison")
    note.enqueue("healthy")

    assert run_due_jobs() == 2
    assert ran == ["poison", "healthy"]


@needs_row_locks
@pytest.mark.django_db(transaction=True)
def test_a_key_that_was_queued_already_does_not_start_before_the_second_caller_commits():
    note.using(unique_key="k").enqueue(1)
    with transaction.atomic():
        note.using(unique_key="k").enqueue(1)

        seen = in_a_thread(lambda: claim(1))

    assert seen == []
    assert len(claim(1)) == 1


@needs_row_locks
@pytest.mark.django_db(transaction=True)
def test_a_claim_does_not_wait_for_another():
    note.enqueue(1)
    note.enqueue(2)
    with transaction.atomic():
        claim(1)

        seen = in_a_thread(lambda: claim(2))

    assert [job.args for job in seen] == [[2]]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_process_loses_nothing(tmp_path, eventually):
    marker = tmp_path / "started"
    hang_first_time.enqueue(str(marker))
    worker = start_worker_process()
    try:
        eventually(marker.exists)
        worker.send_signal(signal.SIGKILL)
    finally:
        worker.kill()
        worker.communicate()
    # The process queued the product's periodic tasks too; only ours is looked at.
    assert Job.objects.get(task=hang_first_time.module_path).status == JobStatus.RUNNING

    let_leases_run_out()
    Job.objects.exclude(task=hang_first_time.module_path).delete()

    assert run_due_jobs() == 1
    assert ran == [str(marker)]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_terminated_worker_process_says_when_it_is_ready_and_ends_well():
    worker = start_worker_process()
    try:
        ready = worker.stdout.readline()
        worker.terminate()
        _, errors = worker.communicate(timeout=10)
    finally:
        worker.kill()

    assert (ready, worker.returncode) == ("Worker ready: 2 threads.\n", 0)
    assert "Traceback" not in errors


def in_a_thread(action):
    results = []

    def act():
        try:
            results.append(action())
        finally:
            connection.close()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(5)
    assert results, "it waits for a lock"
    return results[0]


def start_worker_process():
    command = [sys.executable, "manage.py", "worker", "--threads", "2"]
    environment = {**os.environ, "DATABASE_URL": database_url(), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def database_url():
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    place = database["HOST"] if database["HOST"].startswith("/") else ""
    host = "" if place else f"{database['HOST']}:{database['PORT'] or 5432}"
    return f"postgresql://{database['USER']}@{host}{place and '/' + place}/{database['NAME']}"
