"""Stop means stop: after the answer no new charge starts; a pause and its end."""

import pytest

from tests.builders import make_cycle
from tillgate.common import clock
from tillgate.gateways.errors import GatewayUnknown
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.payments.models import Payment
from tillgate.subscriptions.errors import NotPossible
from tillgate.subscriptions.models import Cycle
from tillgate.subscriptions.services.change import payment_to_make
from tillgate.subscriptions.services.charge import charge_cycle
from tillgate.subscriptions.services.cycles import open_due
from tillgate.subscriptions.services.stop import (
    cancel_subscription,
    in_flight,
    pause_subscription,
    resume_subscription,
)

ABSENT = PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference="")


def cancel(diary):
    return cancel_subscription(diary.subscription.pk, reason="customer")


def test_nothing_is_charged_after_a_stop(diary):
    cancel(diary)

    diary.pass_days(70)

    assert diary.requests == []
    assert diary.told() == ["canceled"]


def test_a_stop_says_who_and_when(diary):
    subscription = cancel(diary)

    assert subscription.end_reason == "customer"
    assert subscription.ended_at is not None
    assert subscription.next_opens_at is None


def test_a_second_stop_changes_nothing(diary):
    first = cancel(diary)

    again = cancel(diary)

    assert (again.ended_at, again.sequence) == (first.ended_at, first.sequence)


def test_a_charge_that_is_queued_but_not_written_down_is_not_made_after_a_stop(diary):
    clock.advance(31 * 86_400)
    open_due()
    cancel(diary)

    charge_cycle(diary.cycles()[0].pk, 1)

    assert diary.requests == []
    assert diary.attempts() == []


def test_what_waits_for_the_customer_is_withdrawn_with_the_stop(diary):
    diary.script.says("charge_saved", diary.declined())
    diary.pass_days(31)

    cancel(diary)

    [cycle] = diary.cycles()
    assert (cycle.status, cycle.payment.status) == ("unpaid", "canceled")


def test_a_charge_in_flight_at_the_stop_is_shown_and_its_money_is_refundable(diary):
    clock.advance(31 * 86_400)
    diary.script.says("charge_saved", diary.lost(GatewayUnknown("no answer")))
    diary.script.says("fetch_payment", ABSENT)
    diary.look()

    subscription = cancel(diary)

    payment = in_flight(subscription)
    assert payment == Payment.objects.get(cycle__index=1)
    assert Cycle.objects.get(index=1).in_flight_at_stop
    diary.pay_in_flight()
    payment.refresh_from_db()
    assert payment.status == "completed"
    assert diary.told() == ["canceled", "paid_after_end"]
    assert diary.status() == "canceled"
    assert in_flight(subscription) is None


def test_a_charge_in_flight_that_fails_after_the_stop_is_not_left_to_be_paid(diary):
    clock.advance(31 * 86_400)
    diary.script.says("charge_saved", diary.lost(GatewayUnknown("no answer")))
    diary.script.says("fetch_payment", ABSENT)
    diary.look()
    cancel(diary)

    diary.fail_in_flight()
    diary.pass_days(10)

    assert len(diary.requests) == 1
    assert Payment.objects.get(cycle__index=1).status == "canceled"


def test_the_first_payment_of_an_incomplete_one_is_withdrawn_with_it(monthly):
    diary = monthly(status="incomplete", next_opens_at=None, anchor_at=None, payment_method=None)
    cycle = make_cycle(diary.subscription, index=0)

    cancel(diary)

    cycle.payment.refresh_from_db()
    assert cycle.payment.status == "canceled"


def test_a_late_activation_of_a_stopped_one_is_dropped(monthly):
    diary = monthly(status="incomplete", next_opens_at=None, anchor_at=None, payment_method=None)
    cycle = make_cycle(diary.subscription, index=0)
    cancel(diary)

    diary.pay_by_hand(cycle.payment)
    diary.pass_days(60)

    assert diary.status() == "canceled"
    assert diary.requests == []


@pytest.mark.parametrize("status", ["completed", "expired"])
def test_what_has_ended_another_way_cannot_be_stopped(monthly, status):
    diary = monthly(status=status, next_opens_at=None)

    with pytest.raises(NotPossible):
        cancel(diary)


def test_a_pause_charges_nothing_and_its_cycles_do_not_count(monthly):
    diary = monthly(cycles=4, cycles_left=3)
    pause_subscription(diary.subscription.pk)
    diary.pass_days(70)
    assert diary.requests == []

    resume_subscription(diary.subscription.pk)
    diary.pass_days(32)

    assert len(diary.requests) == 1
    assert [cycle.status for cycle in diary.cycles()] == ["skipped", "skipped", "paid"]
    diary.subscription.refresh_from_db()
    assert diary.subscription.cycles_left == 2
    assert diary.told() == ["paused", "resumed", "renewed"]


def test_what_is_owed_waits_for_the_end_of_a_pause(diary):
    diary.script.says("charge_saved", diary.declined(), diary.success)
    diary.pass_days(31)
    pause_subscription(diary.subscription.pk)
    diary.pass_days(5)
    assert len(diary.requests) == 1

    resume_subscription(diary.subscription.pk)
    diary.look()

    assert len(diary.taken()) == 1
    assert diary.status() == "active"


def test_a_failure_that_comes_in_a_pause_is_tried_again_after_it(diary):
    clock.advance(31 * 86_400)
    diary.script.says("charge_saved", diary.lost(GatewayUnknown("no answer")), diary.success)
    diary.script.says("fetch_payment", ABSENT)
    diary.look()
    pause_subscription(diary.subscription.pk)
    diary.fail_in_flight()
    assert diary.status() == "paused"

    resume_subscription(diary.subscription.pk)
    diary.pass_days(5)

    assert len(diary.taken()) == 1


def test_pause_and_resume_are_repeatable(diary):
    pause_subscription(diary.subscription.pk)
    pause_subscription(diary.subscription.pk)
    resume_subscription(diary.subscription.pk)
    resume_subscription(diary.subscription.pk)

    assert diary.told() == ["paused", "resumed"]


@pytest.mark.parametrize("status", ["incomplete", "canceled", "completed", "expired"])
def test_only_what_collects_can_be_paused_and_only_a_pause_be_ended(monthly, status):
    diary = monthly(status=status, next_opens_at=None)

    with pytest.raises(NotPossible):
        pause_subscription(diary.subscription.pk)
    with pytest.raises(NotPossible):
        resume_subscription(diary.subscription.pk)


def test_a_stop_in_a_pause_is_final(diary):
    pause_subscription(diary.subscription.pk)
    cancel(diary)

    with pytest.raises(NotPossible):
        resume_subscription(diary.subscription.pk)


def test_a_link_that_is_due_soon_is_sent_when_a_pause_ends_before_it(monthly):
    diary = monthly(collection="send_link")
    pause_subscription(diary.subscription.pk)
    diary.pass_days(29)

    resume_subscription(diary.subscription.pk)
    diary.look()

    assert [(cycle.index, cycle.status) for cycle in diary.cycles()] == [(1, "open")]


def test_what_was_opened_early_is_not_charged_early_after_a_pause(diary):
    payment_to_make(diary.subscription.pk)
    pause_subscription(diary.subscription.pk)

    resume_subscription(diary.subscription.pk)
    diary.pass_days(5)

    assert diary.requests == []
    assert diary.cycles()[0].next_try_at == diary.cycles()[0].due_at
