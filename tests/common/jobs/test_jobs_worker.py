"""The worker: threads, several workers at once, periodic tasks, an orderly end, trouble with the database."""

import logging
from collections import Counter

import pytest
from django.db import OperationalError

from tests.common.jobs import job_samples
from tests.common.jobs.job_samples import crash, fail, note, note_slowly, ran, tick, wait_for_gate
from tillgate.common import clock
from tillgate.common.jobs import periodic, run_due_jobs, worker
from tillgate.common.jobs.execution import write
from tillgate.common.jobs.models import Job, JobStatus
from tillgate.common.jobs.periodic import Timetable

TICK = "tests.common.jobs.job_samples.tick"
on_real_transactions = pytest.mark.django_db(transaction=True)


@on_real_transactions
def test_a_worker_runs_jobs_on_several_threads(start_worker, eventually):
    for value in range(40):
        note_slowly.enqueue(value)

    start_worker(threads=4)

    eventually(lambda: not Job.objects.exists())
    assert Counter(ran) == Counter(range(40))
    assert len(job_samples.threads) == 4


@on_real_transactions
def test_two_workers_run_each_job_once(start_worker, eventually):
    for value in range(80):
        note_slowly.enqueue(value)

    start_worker(threads=3)
    start_worker(threads=3)

    eventually(lambda: not Job.objects.exists())
    assert Counter(ran) == Counter(range(80))


@on_real_transactions
def test_poison_does_not_stop_a_worker(start_worker, eventually):
    for value in range(10):
        fail.enqueue("poison")
        note.enqueue(value)

    start_worker(threads=2)

    eventually(lambda: Job.objects.filter(attempts=1, status=JobStatus.QUEUED).count() == 10)
    assert set(range(10)) < set(ran)


@on_real_transactions
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_torn_down_is_replaced_and_its_job_keeps_its_lease(start_worker, eventually):
    for _ in range(3):
        crash.enqueue()
    note.enqueue("later")

    start_worker(threads=1)

    eventually(lambda: ran == ["later"])
    assert Job.objects.filter(status=JobStatus.RUNNING).count() >= 3


@on_real_transactions
def test_busy_threads_do_not_keep_jobs_from_another_worker(start_worker, eventually):
    start_worker(threads=1)
    wait_for_gate.enqueue("long")
    eventually(lambda: ran == ["long"])
    note.enqueue("short")

    start_worker(threads=1)

    eventually(lambda: ran == ["long", "short"])


@on_real_transactions
def test_jobs_claimed_ahead_are_given_back_when_a_slow_one_holds_them_up(
    start_worker, eventually, monkeypatch
):
    monkeypatch.setattr(worker, "STUCK_S", 0.1)
    for value in range(30):
        note.enqueue(value)
    wait_for_gate.enqueue("slow")
    for value in range(31, 41):
        note.enqueue(value)

    start_worker(threads=1)
    eventually(lambda: "slow" in ran)
    start_worker(threads=1)

    eventually(lambda: len(ran) == 41)
    eventually(lambda: Job.objects.count() == 1)


@on_real_transactions
def test_a_stopped_worker_finishes_what_runs_and_leaves_the_rest(start_worker, eventually):
    for value in range(3):
        wait_for_gate.enqueue(value)
    stopping = start_worker(threads=1)
    eventually(lambda: ran)

    stopping.stop()
    job_samples.gate.set()

    eventually(lambda: Job.objects.count() == 2)
    eventually(lambda: set(Job.objects.values_list("status", "attempts")) == {(JobStatus.QUEUED, 0)})
    assert ran == [0]


@on_real_transactions
def test_a_worker_that_may_wait_no_longer_gives_the_lease_back(start_worker, eventually):
    wait_for_gate.enqueue("long")
    stopping = start_worker(threads=1, grace_s=0.1)
    eventually(lambda: ran)

    stopping.stop()

    eventually(lambda: Job.objects.get().status == JobStatus.QUEUED)
    assert Job.objects.get().attempts == 1


@on_real_transactions
def test_a_worker_outlives_a_database_that_is_away(start_worker, eventually, monkeypatch):
    failures = [OperationalError("gone away"), OperationalError("still away")]

    def write_at_last(outcomes):
        if failures:
            raise failures.pop()
        write(outcomes)

    monkeypatch.setattr("tillgate.common.jobs.worker.write", write_at_last)
    monkeypatch.setattr(worker, "TROUBLE_S", 0.01)
    note.enqueue(1)

    start_worker()

    eventually(lambda: not Job.objects.exists())
    assert ran == [1]


@on_real_transactions
def test_a_running_job_keeps_its_lease(start_worker, eventually, monkeypatch):
    monkeypatch.setattr(worker, "RENEWAL_S", 0.05)
    wait_for_gate.enqueue(1)
    start_worker(threads=1)
    eventually(lambda: ran)
    before = Job.objects.get().lease_until

    eventually(lambda: Job.objects.filter(lease_until__gt=before).exists())


@on_real_transactions
def test_a_job_enqueued_to_an_idle_worker_starts_within_a_quarter_of_a_second(start_worker, eventually):
    start_worker(poll_s=0.2)
    note.enqueue("warm")
    eventually(lambda: ran)
    started = clock.now()

    note.enqueue("now")

    eventually(lambda: len(ran) == 2)
    assert (clock.now() - started).total_seconds() < 1  # 0.25 s on a machine with nothing else to do.


@pytest.mark.django_db
def test_a_periodic_task_is_queued_once_a_slot_by_two_workers():
    periodic(every_s=600)(tick)
    first, second = Timetable(), Timetable()

    first.enqueue()
    assert run_due_jobs() == 1
    second.enqueue()
    first.enqueue()

    assert run_due_jobs() == 0
    clock.advance(600)
    second.enqueue()
    first.enqueue()
    assert run_due_jobs() == 1


@pytest.mark.django_db
def test_missed_slots_are_not_made_up_for():
    periodic(every_s=60)(tick)
    table = Timetable()
    table.enqueue()
    run_due_jobs()

    clock.advance(3600)
    table.enqueue()

    assert run_due_jobs() == 1


@pytest.mark.django_db
def test_a_slot_is_not_queued_behind_one_that_still_waits():
    periodic(every_s=60)(tick)
    table = Timetable()
    table.enqueue()
    clock.advance(120)

    table.enqueue()

    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_old_slots_leave_no_rows():
    periodic(every_s=60)(tick)
    table = Timetable()
    for _ in range(5):
        table.enqueue()
        run_due_jobs()
        clock.advance(60)

    assert Job.objects.filter(task=TICK).count() == 2


@pytest.mark.django_db
def test_a_look_at_a_known_slot_asks_the_database_nothing(django_assert_num_queries):
    periodic(every_s=86_400)(tick)
    table = Timetable()
    table.enqueue()

    with django_assert_num_queries(0):
        table.enqueue()


@on_real_transactions
def test_two_running_workers_run_a_periodic_task_once_a_slot(start_worker, eventually):
    periodic(every_s=86_400)(tick)

    start_worker()
    start_worker()

    eventually(lambda: Job.objects.filter(status=JobStatus.DONE).exists())
    assert ran == ["tick"]


@pytest.mark.django_db
def test_a_failure_is_logged_with_its_traceback(caplog):
    caplog.set_level(logging.ERROR)
    fail.enqueue("no")

    run_due_jobs()

    assert "ValueError" in caplog.text
