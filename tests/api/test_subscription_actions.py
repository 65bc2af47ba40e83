"""Pause, resume, cancel and change: what the merchant may do with a subscription, and what is answered."""

from datetime import timedelta

import pytest
from django.db import transaction

from tests.builders import make_cycle, make_method, make_subscription
from tillgate.api.shapes.common import instant
from tillgate.common import clock
from tillgate.payments.services.charges import reserve_charge
from tillgate.payments.services.moves import lock_payment
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.words import day

URL = "/api/v1/subscriptions"
ACTIONS = ["pause", "resume", "cancel"]
REFUSED_CHANGES = [
    ({}, "amount"),
    ({"amount": 0}, "amount"),
    ({"amount": "1.001"}, "amount"),
    ({"amount": None}, "amount"),
    ({"interval": "hourly"}, "interval"),
    ({"interval": None}, "interval"),
    ({"interval_count": 37}, "interval_count"),
    ({"interval_count": 0}, "interval_count"),
    ({"interval": "yearly", "interval_count": 4}, "interval_count"),
    ({"payment_method": None}, "payment_method"),
    ({"payment_method": "PM-" + "0" * 26}, "payment_method"),
    ({"collection": "cash"}, "collection"),
    ({"currency": "USD"}, "currency"),
    ({"status": "active"}, "status"),
    ({"cycles": 5}, "cycles"),
    ({"customer_email": "jane@example.com"}, "customer_email"),
]


@pytest.fixture
def subscription(merchant) -> Subscription:
    return make_subscription(merchant)


def _act(caller, subscription, action, body=None):
    return caller.post(f"{URL}/{subscription.reference}/{action}", {} if body is None else body)


def _change(caller, subscription, **members):
    return caller.patch(f"{URL}/{subscription.reference}", members, content_type="application/json")


def _charge(subscription: Subscription) -> str:
    """A charge is with the gateway just now; return its payment's id."""
    cycle = make_cycle(subscription, index=1)
    assert cycle.payment_id
    assert subscription.payment_method
    with transaction.atomic():
        payment = lock_payment(cycle.payment_id)
        reserve_charge(payment, subscription.payment_method, f"{subscription.reference}-1-1")
    return payment.reference


def test_it_is_paused_resumed_and_canceled(owner, subscription):
    answers = [_act(owner, subscription, action) for action in ACTIONS]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    statuses = [answer.json()["subscription"]["status"] for answer in answers]
    assert statuses == ["paused", "active", "canceled"]


def test_nothing_comes_while_it_is_paused_and_resuming_names_the_next_date(owner, subscription):
    paused = _act(owner, subscription, "pause").json()["subscription"]
    resumed = _act(owner, subscription, "resume")

    due_at = subscription.rhythm.due_at(1)
    assert paused["next_payment_at"] is None
    assert resumed.json()["subscription"]["next_payment_at"] == instant(due_at)
    assert f"{day(due_at, 'Africa/Lagos')} on: NGN 50.00 every month" in resumed.json()["message"]


def test_a_canceled_one_says_when_and_why(owner, subscription):
    shown = _act(owner, subscription, "cancel").json()["subscription"]

    assert shown["end_reason"] == "merchant"
    assert shown["ended_at"] is not None
    assert shown["next_payment_at"] is None


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_a_charge_that_is_with_the_gateway_is_told(owner, subscription, action):
    flying = _charge(subscription)

    answer = _act(owner, subscription, action)

    assert answer.json()["subscription"]["in_flight"] == flying
    assert flying in answer.json()["message"]
    assert "refunded" in answer.json()["message"]


@pytest.mark.parametrize(
    ("status", "action"), [("paused", "pause"), ("active", "resume"), ("canceled", "cancel")]
)
def test_a_repeat_changes_nothing(owner, merchant, status, action):
    subscription = make_subscription(merchant, status=status)

    answer = _act(owner, subscription, action)

    assert (answer.status_code, answer.json()["subscription"]["status"]) == (200, status)
    subscription.refresh_from_db()
    assert subscription.sequence == 0


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("canceled", "pause"),
        ("canceled", "resume"),
        ("completed", "cancel"),
        ("expired", "resume"),
        ("incomplete", "pause"),
        ("incomplete", "resume"),
    ],
)
def test_what_its_status_does_not_allow_is_a_conflict(owner, merchant, status, action):
    subscription = make_subscription(merchant, status=status)

    answer = _act(owner, subscription, action)

    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")
    assert status in answer.json()["message"]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_takes_no_member(owner, subscription, action):
    answer = _act(owner, subscription, action, {"reason": "x"})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["reason"])
    subscription.refresh_from_db()
    assert subscription.status == "active"


def test_a_change_holds_from_the_next_payment_on_and_says_so(owner, subscription):
    answer = _change(owner, subscription, amount="60.50", interval="weekly", interval_count=2)

    shown, due_at = answer.json()["subscription"], subscription.rhythm.due_at(1)
    assert answer.status_code == 200
    assert (shown["amount"], shown["interval"], shown["interval_count"]) == (60.5, "weekly", 2)
    assert shown["next_payment_at"] == instant(due_at)
    assert f"From {day(due_at, 'Africa/Lagos')} on: NGN 60.50 every 2 weeks." in answer.json()["message"]


def test_a_change_is_what_the_preview_showed(owner, subscription):
    path = f"{URL}/{subscription.reference}/preview"
    shown = owner.get(path, {"amount": "70", "interval": "quarterly"}).json()["preview"]

    _change(owner, subscription, amount=70, interval="quarterly")

    assert owner.get(path).json()["preview"] == shown


def test_what_is_open_stays_as_agreed(owner, subscription):
    cycle = make_cycle(subscription, index=1)

    _change(owner, subscription, amount=60)

    cycle.payment.refresh_from_db()
    assert cycle.payment.amount_minor == 5_000


def test_another_method_is_charged_from_then_on(owner, subscription, merchant):
    other = make_method(merchant, last4="1234")

    shown = _change(owner, subscription, payment_method=other.reference).json()["subscription"]

    assert (shown["payment_method"]["id"], shown["payment_method"]["last4"]) == (other.reference, "1234")


def test_it_can_be_collected_by_link_and_charged_again(owner, subscription):
    by_link = _change(owner, subscription, collection="send_link").json()["subscription"]
    charged = _change(owner, subscription, collection="charge").json()["subscription"]

    assert (by_link["collection"], charged["collection"]) == ("send_link", "charge")


def test_nothing_can_be_charged_without_a_method(owner, merchant):
    subscription = make_subscription(merchant, collection="send_link")

    answer = _change(owner, subscription, collection="charge")

    assert (answer.status_code, answer.json()["code"]) == (409, "payment_method_not_usable")


def test_a_method_and_a_link_exclude_each_other(owner, subscription, merchant):
    other = make_method(merchant)

    answer = _change(owner, subscription, payment_method=other.reference, collection="send_link")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["collection"])


@pytest.mark.parametrize(("members", "member"), REFUSED_CHANGES, ids=lambda value: ascii(value)[:40])
def test_a_change_that_cannot_be_is_refused_by_name(owner, subscription, members, member):
    answer = _change(owner, subscription, **members)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])
    subscription.refresh_from_db()
    assert subscription.sequence == 0


def test_the_merchants_limits_hold_for_a_change_too(owner, subscription, merchant):
    merchant.limits = {"NGN": {"maximum_minor": 10_000}}
    merchant.save(update_fields=["limits"])

    assert _change(owner, subscription, amount=101).json()["code"] == "amount_too_large"


@pytest.mark.parametrize("status", ["canceled", "completed", "expired", "incomplete"])
def test_only_what_runs_can_be_changed(owner, merchant, status):
    subscription = make_subscription(merchant, status=status)

    answer = _change(owner, subscription, amount=60)

    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")


def test_another_merchants_method_is_unknown(owner, subscription, other_merchant):
    answer = _change(owner, subscription, payment_method=make_method(other_merchant).reference)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["payment_method"])


def test_due_dates_that_passed_in_a_pause_are_not_named(owner, subscription):
    _act(owner, subscription, "pause")
    clock.advance(70 * 86_400)

    resumed = _act(owner, subscription, "resume").json()["subscription"]

    assert resumed["next_payment_at"] > instant(clock.now())
    assert resumed["next_payment_at"] < instant(clock.now() + timedelta(days=32))
