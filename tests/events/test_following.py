"""News travels upward by event: a job follows types of events, in the transaction that records them."""

from types import SimpleNamespace

import pytest
from django.db import transaction

from tillgate.common.jobs import task
from tillgate.common.jobs.models import Job
from tillgate.events.services import follow, record, record_event

PAYMENT = SimpleNamespace(reference="PAY-1", merchant_id=1, mode="test")


@task
def heard(subject: str) -> None:
    """What follows."""


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch):
    monkeypatch.setattr(record, "_followers", [])


def write(type="payment.completed", data=None, sequence=1):
    with transaction.atomic():
        record_event(PAYMENT, type, sequence=sequence, data=data)


def test_a_followed_event_queues_the_job_with_its_subject(db):
    follow(heard, types=["payment.completed"], having="subscription")

    write(data={"subscription": "SUB-1"})

    [job] = Job.objects.all()
    assert (job.args, job.task.endswith("heard")) == (["PAY-1"], True)


@pytest.mark.parametrize(
    ("type", "data"),
    [("payment.failed", {"subscription": "SUB-1"}), ("payment.completed", {}), ("payment.completed", None)],
)
def test_other_types_and_events_without_the_member_queue_nothing(db, type, data):
    follow(heard, types=["payment.completed"], having="subscription")

    write(type, data)

    assert not Job.objects.exists()


def test_a_follower_told_twice_follows_once_and_two_events_are_one_job(db):
    for _ in range(2):
        follow(heard, types=["payment.completed"], having="subscription")

    write(data={"subscription": "SUB-1"})
    write(data={"subscription": "SUB-1"}, sequence=2)

    assert Job.objects.count() == 1


def test_the_job_vanishes_with_the_change(db):
    follow(heard, types=["payment.completed"], having="subscription")

    with transaction.atomic():
        record_event(PAYMENT, "payment.completed", sequence=1, data={"subscription": "SUB-1"})
        transaction.set_rollback(True)

    assert not Job.objects.exists()
