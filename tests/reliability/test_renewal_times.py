"""Clocks, downtimes, pauses and prices: every due date is collected as it was agreed, once or not at all."""

import math
import time
from datetime import timedelta

import pytest

from tests.reliability.matrix import renewals
from tests.reliability.subscriber import Subscriber
from tests.reliability.truth import assert_in_order
from tests.reliability.world import DAY_S, status_of
from tillgate.common import clock
from tillgate.merchants.services.merchants import set_zone
from tillgate.subscriptions.models import Subscription

MINOR, DEARER, HOUR_S = 5_000, 7_000, 3_600


@renewals("W-03")
def test_the_gateways_news_may_come_in_any_order_and_before_ours(world):
    ends = set()

    for order in ((2, 1, 0), (1, 2, 0)):
        subscriber = Subscriber(world)
        for _ in range(2):
            world.fault(world.way.charge, "500_after")
            subscriber.renew()
        told = _all_told(world, subscriber)
        told = [told[0], *told[-2:]]
        for place in (*order, *order):
            assert world.ring(told[place]) == 200
            world.work()
        world.calm()
        ends.add((subscriber.status, tuple(subscriber.outcomes()), tuple(subscriber.taken())))
        subscriber.stop()

    assert ends == {("active", ("paid", "paid", "paid"), (MINOR, MINOR))}
    assert_in_order(world)


def _all_told(world, subscriber):
    """What the gateway has to tell, once that is all: it goes on with its events after it has answered."""
    told: list = []
    before = None
    while told != before or not told:
        before = told
        time.sleep(0.3)
        told = [event for event in world.events() if _is_of(event, subscriber)]
    return told


@renewals("W-03")
def test_news_of_a_renewal_that_come_when_it_was_stopped_activate_nothing(world, subscriber):
    world.fault(world.way.charge, "500_after")
    subscriber.renew()
    subscriber.stop()

    world.ring_all()
    world.work()

    assert (subscriber.status, subscriber.taken()) == ("canceled", [MINOR])
    assert subscriber.cycles()[-1].in_flight_at_stop
    assert_in_order(world)
    assert (subscriber.status, subscriber.outcomes()) == ("canceled", ["paid", "paid"])
    assert world.refund(subscriber.payment()).status_code == 201


@renewals("T-04")
def test_a_shop_that_moves_to_another_zone_charges_on_the_days_that_were_agreed(world, subscriber):
    due = [subscriber.subscription.rhythm.due_at(index) for index in (1, 2)]

    for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
        set_zone(subscriber.subscription.merchant, zone)
        subscriber.renew()

    assert [cycle.due_at for cycle in subscriber.cycles()[1:]] == due
    assert subscriber.taken() == [MINOR, MINOR]
    assert_in_order(world)


@renewals("T-05")
def test_a_clock_that_goes_back_charges_nothing_again(world, subscriber):
    subscriber.renew()

    clock.advance(-2 * HOUR_S)
    world.work()
    for _ in range(3):
        world.wait(HOUR_S)

    assert subscriber.taken() == [MINOR]
    subscriber.renew()
    assert subscriber.taken() == [MINOR, MINOR]
    assert_in_order(world)


@renewals("T-05")
def test_a_clock_that_jumps_ahead_and_back_again_charges_one_due_date_once(world, subscriber):
    subscriber.skip_to_due(late_s=-DAY_S)
    world.work()
    assert subscriber.taken() == []

    clock.advance(3 * DAY_S)
    world.work()
    clock.advance(-3 * DAY_S)
    world.work()
    world.wait(3 * DAY_S)

    assert subscriber.taken() == [MINOR]
    assert_in_order(world)


# How the two due dates of a downtime end, after one such date of an earlier one.
MISSED = {
    "latest": (["paid", "skipped", "paid"], [MINOR] * 2),
    "all": (["paid", "paid", "paid"], [MINOR] * 3),
    "none": (["skipped", "skipped", "skipped"], []),
}


@renewals("T-06")
@pytest.mark.parametrize("policy", list(MISSED))
def test_after_a_downtime_what_was_missed_is_collected_as_the_setting_says(
    world, subscriber, settings, policy
):
    settings.TILLGATE_MISSED_CYCLES = policy
    outcomes, taken = MISSED[policy]

    for last in (1, 3):
        due = subscriber.subscription.rhythm.due_at(last)
        world.advance(math.ceil((due - clock.now()).total_seconds()) + 3 * DAY_S)
        world.work()
        world.wait(10)  # Two charges of one moment are made one after the other.

    assert (subscriber.outcomes()[1:], subscriber.taken()) == (outcomes, taken)
    cycle = subscriber.renew()
    assert (cycle.index, cycle.status) == (4, "paid")
    assert_in_order(world)


@renewals("T-09")
def test_a_new_price_holds_from_the_next_due_date_and_not_for_what_is_under_way(world, subscriber):
    world.fault(world.way.charge, "reset_before")
    subscriber.renew()

    subscriber.change(amount="70.00")
    world.calm()
    subscriber.answer_questions()

    assert subscriber.taken() == [MINOR]
    subscriber.renew()
    assert subscriber.taken() == [MINOR, DEARER]
    assert_in_order(world)


@renewals("T-09")
def test_a_price_changed_just_before_the_due_date_holds_for_it(world, subscriber):
    subscriber.skip_to_due(late_s=-1)
    world.work()
    subscriber.change(amount="70.00")

    world.wait(10)

    assert subscriber.taken() == [DEARER]
    assert_in_order(world)


@renewals("T-09")
def test_what_falls_due_in_a_pause_is_never_charged(world, subscriber):
    subscriber.skip_to_due(late_s=-1)
    subscriber.ask("pause")
    world.wait(10)
    world.wait(3 * DAY_S)
    assert subscriber.taken() == []

    subscriber.ask("resume")
    world.wait(10)

    assert (subscriber.outcomes(), subscriber.taken()) == (["paid", "skipped"], [])
    assert subscriber.renew().index == 2
    assert subscriber.taken() == [MINOR]
    assert_in_order(world)


@renewals("T-09")
def test_what_was_owed_before_a_pause_waits_for_its_end_at_its_old_price(world, subscriber):
    subscriber.bank_says("insufficient_funds")
    subscriber.renew()
    subscriber.ask("pause")
    subscriber.change(amount="70.00")
    for _ in range(3):
        world.wait(3 * DAY_S)
    assert subscriber.taken() == []

    subscriber.ask("resume")
    world.wait(10)

    assert (subscriber.taken(), subscriber.status) == ([MINOR], "active")
    subscriber.renew()
    assert subscriber.taken() == [MINOR, DEARER]
    assert_in_order(world)


@renewals("T-09")
def test_a_charge_that_a_pause_came_too_late_for_is_shown_and_is_the_last(world, subscriber):
    world.fault(world.way.charge, "500_after")
    subscriber.renew()

    assert subscriber.ask("pause")["in_flight"] == subscriber.payment().reference
    world.calm()
    world.wait(DAY_S)
    world.ring_all()
    world.wait(40 * DAY_S)

    assert (subscriber.status, subscriber.taken()) == ("paused", [MINOR])
    assert_in_order(world)
    assert status_of(subscriber.payment()) == "completed"


@renewals("T-10")
def test_two_declines_and_then_a_success_end_well_and_shift_no_due_date(world, subscriber):
    subscriber.bank_says("insufficient_funds", "insufficient_funds")
    due = subscriber.subscription.rhythm.due_at(2)

    subscriber.renew()
    first = clock.now()
    assert subscriber.status == "past_due"
    subscriber.try_again()
    assert (subscriber.status, len(subscriber.charges(ok=False))) == ("past_due", 2)
    subscriber.try_again()

    assert (subscriber.status, subscriber.taken()) == ("active", [MINOR])
    assert timedelta(days=2) < clock.now() - first < timedelta(days=6)
    assert subscriber.renew().due_at == due
    assert subscriber.taken() == [MINOR, MINOR]
    assert_in_order(world)


@renewals("T-10")
def test_what_is_declined_to_the_end_is_stopped_and_cannot_succeed_any_more(world, subscriber):
    subscriber.bank_says(*["insufficient_funds"] * 5)
    subscriber.renew()
    while subscriber.status == "past_due":
        subscriber.try_again()

    payment = subscriber.payment()
    assert (subscriber.status, status_of(payment)) == ("canceled", "canceled")
    assert world.open(payment).status_code == 409
    for _ in range(3):
        world.wait(31 * DAY_S)

    assert (len(subscriber.charges(ok=False)), subscriber.taken()) == (5, [])
    assert subscriber.outcomes() == ["paid", "unpaid"]
    assert Subscription.objects.get().next_opens_at is None
    assert_in_order(world)


def _is_of(event, subscriber):
    names = (subscriber.first.gateway_reference, f"{subscriber.subscription.reference}-")
    return event["reference"].startswith(names)
