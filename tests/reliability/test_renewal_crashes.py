"""A worker that dies at any step of a renewal: the next one finishes it, and the money is taken once."""

from itertools import count

import pytest

from tests.reliability.matrix import renewals
from tests.reliability.subscriber import Subscriber
from tests.reliability.truth import assert_in_order
from tillgate.common.jobs import revive
from tillgate.common.jobs.models import Job, JobStatus

pytestmark = pytest.mark.django_db(transaction=True)  # What is rolled back is really rolled back.
MINOR = 5_000
STAGES = {"due", "opened", "reserved", "charged", "applied", "followed"}
RECOVERY_S = (0, 20, 130, 600, 900, 3_600, 7_200)
AGAIN = 5


@renewals("C-02")
def test_a_worker_killed_at_any_step_of_a_renewal_leaves_it_charged_once(world, killer):
    subscriber = Subscriber(world, interval="weekly")
    stages = set()

    for step in count(1):
        subscriber.skip_to_due()
        if not killer.kills(step):
            break
        stages.add(stage_of(subscriber, step))
        recover(subscriber, step)

    assert stages == STAGES
    assert_each_charged_once(subscriber)


@renewals("C-03")
def test_a_worker_killed_again_and_again_while_it_recovers_charges_once_in_the_end(world, killer):
    subscriber = Subscriber(world, interval="weekly")

    for day, step in enumerate((3, 9, 10, 15), start=1):
        subscriber.skip_to_due()
        assert killer.kills(step)
        for again in range(AGAIN):
            world.advance(RECOVERY_S[again])
            killer.kills(step)
        recover(subscriber, day)
    revive_dead()

    assert_each_charged_once(subscriber)


def revive_dead():
    """What `./run revive-jobs` does: a job whose worker died three times waits for a person, and the
    periodic ones run again by themselves in the meantime."""
    dead = Job.objects.filter(status=JobStatus.DEAD)
    assert set(dead.values_list("task", flat=True)) <= {"tillgate.subscriptions.jobs.open_cycles"}
    for job in dead:
        assert revive(job.pk)


def stage_of(subscriber, day):
    """How far the renewal of this day had come when the worker died."""
    cycle = subscriber.cycles()[-1]
    if cycle.index < day:
        return "due"
    attempt = cycle.payment.attempts.first()
    if attempt is None:
        return "opened"
    if attempt.status == "succeeded":
        return "followed" if cycle.status == "paid" else "applied"
    assert attempt.status == "sent"
    return "charged" if len(subscriber.taken()) == day else "reserved"


def recover(subscriber, day):
    """Let the next worker find out; nobody rings, so that it has to ask by itself."""
    for seconds in RECOVERY_S:
        subscriber.world.wait(seconds)
        cycle = subscriber.cycles()[-1]
        if (cycle.index, cycle.status) == (day, "paid"):
            return
    subscriber.answer_questions()
    cycle = subscriber.cycles()[-1]
    if (cycle.index, cycle.status) == (day, "paid"):
        return
    raise AssertionError(f"day {day}: {cycle} is {cycle.status}, its payment {cycle.payment.status}")


def assert_each_charged_once(subscriber):
    assert_in_order(subscriber.world)
    assert set(subscriber.outcomes()) == {"paid"}
    assert subscriber.taken() == [MINOR] * (len(subscriber.cycles()) - 1)
