"""Renewals whose answer is late, lost, odd or no: each month is charged once, or its customer is asked."""

from datetime import datetime, timedelta
from itertools import pairwise

from tests.reliability.matrix import renewals
from tests.reliability.truth import assert_in_order, is_listed
from tests.reliability.world import DAY_S, status_of
from tillgate.payments.models import Attempt

MINOR = 5_000


def assert_renewed_once(subscriber, times=1):
    assert_in_order(subscriber.world)
    assert subscriber.taken() == [MINOR] * times
    assert (subscriber.status, set(subscriber.outcomes())) == ("active", {"paid"})


@renewals("G-01")
def test_a_charge_whose_answer_came_too_late_is_found(world, subscriber):
    world.fault(world.way.charge, "timeout_after")

    subscriber.renew()

    assert (status_of(subscriber.payment()), subscriber.taken()) == ("processing", [MINOR])
    assert_renewed_once(subscriber)
    assert Attempt.objects.filter(initiated_by="merchant").count() == 1


@renewals("G-02")
def test_a_charge_that_never_reached_the_gateway_is_sent_again_under_its_name(world, subscriber):
    world.fault(world.way.charge, "reset_before")

    subscriber.renew()

    assert (status_of(subscriber.payment()), subscriber.taken()) == ("processing", [])
    subscriber.answer_questions()
    assert_renewed_once(subscriber)
    names = Attempt.objects.filter(initiated_by="merchant").values("gateway_reference")
    assert names.count() == (1 if world.way.resends else 2)


@renewals("G-04")
def test_an_error_after_the_charge_is_no_reason_to_charge_again(world, subscriber):
    world.fault(world.way.charge, "500_after")
    world.fault(world.way.look, "500_before", times=2)

    subscriber.renew()

    assert (status_of(subscriber.payment()), subscriber.taken()) == ("processing", [MINOR])
    assert_renewed_once(subscriber)


@renewals("G-05")
def test_a_charge_that_fails_again_and_again_is_sent_a_few_times(world, subscriber):
    world.fault(world.way.charge, "500_before", times=3)

    subscriber.renew()
    waits = subscriber.answer_questions()
    while "failed" in status_of(subscriber.payment()):  # A person has seen that nothing was charged.
        subscriber.try_again()
        waits += subscriber.answer_questions()

    assert len(waits) < 20
    assert world.calls(world.way.charge) == 4
    assert_renewed_once(subscriber)


@renewals("G-07")
def test_a_charge_with_a_word_that_nobody_knows_is_asked_about(world, subscriber):
    world.fault(world.way.charge, "unknown_status", word="quantum")

    subscriber.renew()

    assert status_of(subscriber.payment()) == "processing"
    assert_renewed_once(subscriber)


@renewals("G-07")
def test_a_charge_that_is_pending_is_not_paid_until_it_is(world, subscriber):
    world.fault(world.way.charge, "pending")

    cycle = subscriber.renew()

    assert (status_of(subscriber.payment()), cycle.status, subscriber.taken()) == ("processing", "open", [])
    world.wait(DAY_S)
    assert_renewed_once(subscriber)


@renewals("G-14")
def test_a_charge_that_the_gateway_is_slow_to_know_is_not_made_again(world, subscriber):
    world.fault(world.way.charge, "lookup_lag", seconds=120)
    world.fault(world.way.charge, "500_after")

    subscriber.renew()
    for _ in range(3):
        world.wait(20)
        world.ring_all()
        world.work()

    assert (status_of(subscriber.payment()), subscriber.taken()) == ("processing", [MINOR])
    assert_renewed_once(subscriber)


@renewals("G-16")
def test_a_charge_refused_as_a_repeat_may_have_been_made(world, subscriber):
    world.fault(world.way.charge, "dup_ref_error")

    subscriber.renew()

    assert (status_of(subscriber.payment()), subscriber.taken()) == ("processing", [MINOR])
    assert_renewed_once(subscriber)


@renewals("G-23")
def test_a_method_that_was_revoked_is_charged_no_more_and_its_customer_is_asked(world, subscriber):
    subscriber.bank_says("deactivated")

    subscriber.renew()
    world.wait(DAY_S)
    world.wait(3 * DAY_S)

    assert (subscriber.status, subscriber.cycles()[-1].needs_customer) == ("past_due", True)
    assert Attempt.objects.filter(initiated_by="merchant").count() == 1
    world.pay(world.agree(subscriber.payment()))
    world.wait(20)
    assert subscriber.status == "active"
    subscriber.renew()
    assert_in_order(world)
    assert subscriber.outcomes() == ["paid", "paid", "paid"]


@renewals("G-23")
def test_a_bank_that_declines_is_never_asked_twice_on_one_day(world, subscriber):
    subscriber.bank_says(*["insufficient_funds"] * 10)

    subscriber.renew()
    while subscriber.status == "past_due":
        subscriber.try_again()

    times = [datetime.fromisoformat(move["at"]) for move in subscriber.charges(ok=False)]
    assert len(times) == 5
    assert all(later - earlier > timedelta(hours=20) for earlier, later in pairwise(times))
    assert len({at.date() for at in times}) == len(times)
    assert (subscriber.status, is_listed(subscriber.payment())) == ("canceled", False)
    assert_in_order(world)
