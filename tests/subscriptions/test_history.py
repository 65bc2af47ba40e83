"""A customer's own recurring payments: which are theirs, and how they stop one."""

from datetime import timedelta

import pytest

from tests.builders import make_cycle, make_payment_in, make_subscription, make_user
from tillgate.common import clock
from tillgate.events.models import Event
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.cycles import open_due, open_next
from tillgate.subscriptions.services.history import attach_subscriptions, stop_for_customer
from tillgate.subscriptions.states import LIVE, SubscriptionStatus

MONTH_S = 32 * 86_400


@pytest.fixture
def john(db):
    return make_user("john", email="john@example.com")


@pytest.mark.parametrize("mode", ["test", "live"])
@pytest.mark.parametrize("made_by", ["guest", "key", "staff"])
def test_what_the_confirmed_email_pays_again_and_again_is_theirs(merchant, john, made_by, mode):
    make_subscription(merchant, created_by=made_by, mode=mode, customer_email="John@example.com")

    assert attach_subscriptions(john) == 1
    assert Subscription.objects.get().account == john


def test_i12_neither_an_unconfirmed_email_nor_another_account_gets_it(merchant, john):
    bob = make_user("bob")
    make_subscription(merchant, account=bob)
    eve = make_user("eve", email="john@example.com", confirmed=False)

    assert (attach_subscriptions(john), attach_subscriptions(eve)) == (0, 0)
    assert Subscription.objects.get().account == bob


def test_its_renewals_are_theirs_from_the_start(merchant, john):
    subscription = make_subscription(merchant, account=john)

    clock.advance(MONTH_S)
    open_due()
    subscription.refresh_from_db()
    open_next(subscription)

    assert list(Payment.objects.values_list("account__username", flat=True)) == ["john", "john"]


def test_a_renewal_that_is_opened_before_the_visit_is_found_by_its_email(merchant, john):
    make_subscription(merchant)
    clock.advance(MONTH_S)
    open_due()
    attach_subscriptions(john)

    clock.advance(MONTH_S)
    open_due()

    assert list(Payment.objects.order_by("pk").values_list("account__username", flat=True)) == [None, "john"]


@pytest.mark.parametrize("status", LIVE)
def test_whoever_it_belongs_to_stops_it_for_good(merchant, status):
    subscription = make_subscription(merchant, status=status)
    make_cycle(subscription)

    stopped = stop_for_customer(subscription.pk)

    assert (stopped.status, stopped.end_reason) == ("canceled", "customer")
    assert Payment.objects.get().status == "canceled"


def test_a_repeat_changes_nothing(merchant):
    subscription = make_subscription(merchant)
    first = stop_for_customer(subscription.pk)
    events = Event.objects.count()

    again = stop_for_customer(subscription.pk)

    assert (again.ended_at, again.sequence) == (first.ended_at, first.sequence)
    assert Event.objects.count() == events


@pytest.mark.parametrize("status", sorted(set(SubscriptionStatus) - LIVE))
def test_one_that_has_ended_is_answered_as_it_is(merchant, status):
    ended_at = clock.now() - timedelta(days=1)
    subscription = make_subscription(merchant, status=status, ended_at=ended_at, end_reason="merchant")

    stopped = stop_for_customer(subscription.pk)

    assert (stopped.status, stopped.ended_at, stopped.end_reason) == (status, ended_at, "merchant")


def test_i09_what_is_with_the_gateway_at_the_stop_is_marked(merchant):
    subscription = make_subscription(merchant)
    flying = make_payment_in("processing", merchant, subscription_reference=subscription.reference)
    cycle = make_cycle(subscription, payment=flying)

    stop_for_customer(subscription.pk)

    cycle.refresh_from_db()
    assert cycle.in_flight_at_stop
