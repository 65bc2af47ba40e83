"""A change takes effect at the next cycle, and is said so before."""

from datetime import timedelta

import pytest

from tests.builders import make_cycle, make_method
from tillgate.common import clock
from tillgate.merchants.errors import NoGateway
from tillgate.money import Money
from tillgate.payments.models import Payment
from tillgate.subscriptions.errors import MethodNotUsable, NotPossible
from tillgate.subscriptions.services.change import Change, change_subscription, payment_to_make, preview
from tillgate.subscriptions.services.stop import pause_subscription
from tillgate.subscriptions.states import Collection, Interval

SIX_THOUSAND = Money(6_000, "NGN")


def change(diary, **fields):
    return change_subscription(diary.subscription.pk, Change(**fields))


def test_t_09_an_open_cycle_keeps_its_price_and_the_next_has_the_new_one(diary):
    diary.script.says("charge_saved", diary.declined(), diary.success)
    diary.pass_days(31)

    change(diary, amount=SIX_THOUSAND)
    diary.pass_days(31)

    assert [request.amount.minor for request in diary.requests] == [5_000, 5_000, 6_000]


def test_a_new_interval_counts_from_the_next_due_date(diary):
    next_due = diary.subscription.rhythm.due_at(1)

    subscription = change(diary, interval=Interval.WEEKLY)

    assert subscription.rhythm.due_at(1) == next_due
    assert subscription.rhythm.due_at(2) == next_due + timedelta(days=7)
    assert subscription.next_opens_at == next_due


def test_the_preview_shows_the_next_twelve(diary):
    upcoming = preview(diary.subscription)

    assert [up.index for up in upcoming] == list(range(1, 13))
    assert upcoming[0].due_at == diary.subscription.next_opens_at
    assert {up.amount for up in upcoming} == {Money(5_000, "NGN")}


def test_the_preview_of_a_change_shows_what_it_will_do_and_writes_nothing(diary):
    wanted = Change(amount=SIX_THOUSAND, interval=Interval.WEEKLY)

    before = preview(diary.subscription, wanted)

    diary.subscription.refresh_from_db()
    assert diary.subscription.amount.minor == 5_000
    assert before == preview(change(diary, amount=SIX_THOUSAND, interval=Interval.WEEKLY))


def test_the_preview_ends_with_the_agreed_number(monthly):
    assert len(preview(monthly(cycles=4, cycles_left=3).subscription)) == 3


def test_the_preview_of_a_paused_one_begins_ahead(diary):
    pause_subscription(diary.subscription.pk)
    clock.advance(40 * 86_400)
    diary.subscription.refresh_from_db()

    assert preview(diary.subscription)[0].index == 2


@pytest.mark.parametrize("status", ["canceled", "completed", "expired"])
def test_what_has_ended_has_no_preview_and_takes_no_change(monthly, status):
    diary = monthly(status=status, next_opens_at=None)

    assert preview(diary.subscription) == []
    with pytest.raises(NotPossible):
        change(diary, amount=SIX_THOUSAND)


def test_another_method_is_charged_from_the_next_cycle(diary, merchant):
    other = make_method(merchant)

    change(diary, payment_method=other)
    diary.pass_days(32)

    assert diary.attempts()[0].payment_method == other


def test_a_removed_method_and_an_untakeable_amount_are_refused(diary, merchant):
    with pytest.raises(MethodNotUsable):
        change(diary, payment_method=make_method(merchant, removed_at=clock.now()))
    with pytest.raises(NotPossible):
        change(diary, amount=Money(5_000, "USD"))


def test_charging_needs_a_method(monthly):
    with pytest.raises(MethodNotUsable):
        change(monthly(collection="send_link"), collection=Collection.CHARGE)


def test_links_instead_of_charges_are_sent_before_the_due_date(diary):
    due = diary.subscription.rhythm.due_at(1)

    subscription = change(diary, collection=Collection.SEND_LINK)

    assert subscription.next_opens_at == due - timedelta(days=3)


def test_a_change_that_changes_nothing_tells_nobody(diary):
    change(diary, amount=Money(5_000, "NGN"))

    assert diary.told() == []


def test_what_is_owed_is_what_the_customer_can_pay_now(diary):
    diary.script.says("charge_saved", diary.declined())
    diary.pass_days(31)

    assert payment_to_make(diary.subscription.pk) == Payment.objects.get(cycle__index=1)


def test_where_nothing_is_owed_the_next_cycle_can_be_paid_early_and_its_date_stays(diary):
    due = diary.subscription.next_opens_at
    payment = payment_to_make(diary.subscription.pk)
    assert payment is not None

    diary.pay_by_hand(payment)
    diary.pass_days(40)

    [cycle] = diary.cycles()
    assert (cycle.due_at, cycle.status, diary.requests) == (due, "paid", [])


def test_an_early_payment_that_is_not_made_is_charged_on_its_date_all_the_same(diary):
    payment_to_make(diary.subscription.pk)
    payment_to_make(diary.subscription.pk)

    diary.pass_days(32)

    assert len(diary.requests) == 1
    assert [cycle.status for cycle in diary.cycles()] == ["paid"]


def test_nothing_can_be_paid_by_hand_while_a_charge_is_on_its_way(diary):
    cycle = make_cycle(diary.subscription, index=1)
    Payment.objects.filter(cycle=cycle).update(status="processing")

    assert payment_to_make(diary.subscription.pk) is None


def test_an_amount_that_the_methods_gateway_does_not_take_is_refused(diary, monkeypatch):
    monkeypatch.setattr("tests.fakes.FakeGateway.currencies", frozenset())

    with pytest.raises(NoGateway):
        change(diary, amount=SIX_THOUSAND)
