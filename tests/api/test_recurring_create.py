"""POST /payments with `recurring`: the first of several payments, by a guest or with a key."""

from datetime import timedelta
from typing import get_args

import pytest

from tests.api.client import MINIMAL, PAYMENTS
from tests.builders import make_payment
from tillgate.api.recurring import MOST_BETWEEN
from tillgate.api.shapes.common import instant
from tillgate.api.shapes.subscriptions import CollectionWord, IntervalWord
from tillgate.common import clock
from tillgate.payments.models import Attempt, Payment
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.states import Collection, Interval

MONTHLY = {"interval": "monthly"}
REFUSED = [
    ({}, "recurring.interval", "required"),
    ({"interval": "fortnightly"}, "recurring.interval", "invalid_field"),
    ({"interval": "MONTHLY"}, "recurring.interval", "invalid_field"),
    ({"interval": None}, "recurring.interval", "invalid_field"),
    ({"interval": ["monthly"]}, "recurring.interval", "invalid_field"),
    ({**MONTHLY, "interval_count": 0}, "recurring.interval_count", "invalid_field"),
    ({**MONTHLY, "interval_count": -1}, "recurring.interval_count", "invalid_field"),
    ({**MONTHLY, "interval_count": "1"}, "recurring.interval_count", "invalid_field"),
    ({**MONTHLY, "interval_count": 1.5}, "recurring.interval_count", "invalid_field"),
    ({**MONTHLY, "interval_count": True}, "recurring.interval_count", "invalid_field"),
    ({**MONTHLY, "interval_count": None}, "recurring.interval_count", "invalid_field"),
    ({**MONTHLY, "interval_count": 2**63}, "recurring.interval_count", "invalid_field"),
    ({**MONTHLY, "cycles": 0}, "recurring.cycles", "invalid_field"),
    ({**MONTHLY, "cycles": 1}, "recurring.cycles", "invalid_field"),
    ({**MONTHLY, "cycles": 1_201}, "recurring.cycles", "invalid_field"),
    ({**MONTHLY, "cycles": "12"}, "recurring.cycles", "invalid_field"),
    ({**MONTHLY, "starts_at": "tomorrow"}, "recurring.starts_at", "invalid_field"),
    ({**MONTHLY, "starts_at": "2026-12-31"}, "recurring.starts_at", "invalid_field"),
    ({**MONTHLY, "starts_at": "2098-12-31T10:00:00"}, "recurring.starts_at", "invalid_field"),
    ({**MONTHLY, "starts_at": "2098-12-31T10:00:00Z"}, "recurring.starts_at", "invalid_field"),
    ({**MONTHLY, "starts_at": "2026-02-30T10:00:00Z"}, "recurring.starts_at", "invalid_field"),
    ({**MONTHLY, "starts_at": "9999-12-31T23:59:59-14:00"}, "recurring.starts_at", "invalid_field"),
    ({**MONTHLY, "starts_at": 1_900_000_000}, "recurring.starts_at", "invalid_field"),
    ({**MONTHLY, "collection": "cash"}, "recurring.collection", "invalid_field"),
    ({**MONTHLY, "collection": None}, "recurring.collection", "invalid_field"),
    ({**MONTHLY, "trial_days": 3}, "recurring.trial_days", "unknown_member"),
    ({**MONTHLY, "x" * 500: 1}, f"recurring.{'x' * 80}", "unknown_member"),
    ("monthly", "recurring", "invalid_field"),
    ([MONTHLY], "recurring", "invalid_field"),
    (True, "recurring", "invalid_field"),
]


def _repeat(caller, key="k-1", **recurring):
    return caller.post(
        PAYMENTS, {**MINIMAL, "recurring": {**MONTHLY, **recurring}}, headers={"Idempotency-Key": key}
    )


@pytest.mark.parametrize("who", ["guest", "owner"])
def test_a_guest_or_a_key_makes_the_first_of_several(request, who):
    caller = request.getfixturevalue(who)

    answer = caller.create(recurring={"interval": "weekly", "interval_count": 2, "cycles": 12})

    subscription = Subscription.objects.get()
    payment = answer.json()["payment"]
    assert (answer.status_code, payment["status"]) == (201, "pending")
    assert payment["subscription"] == subscription.reference
    assert (subscription.status, subscription.amount_minor, subscription.currency) == (
        "incomplete",
        5_000,
        "NGN",
    )
    assert (subscription.interval, subscription.interval_count, subscription.cycles) == ("weekly", 2, 12)
    assert subscription.collection == "charge"
    assert subscription.created_by == {"guest": "guest", "owner": "key"}[who]
    assert Payment.objects.get().method_saving == "required"


def test_a_plain_payment_belongs_to_no_subscription(guest):
    for members in ({}, {"recurring": None}):
        assert guest.create(**members).json()["payment"]["subscription"] is None

    assert not Subscription.objects.exists()


def test_the_id_alone_shows_the_subscription_too(guest):
    payment = guest.create(recurring=MONTHLY).json()["payment"]

    read = guest.get(f"{PAYMENTS}/{payment['id']}").json()["payment"]

    assert read["subscription"] == payment["subscription"] is not None


def test_by_link_no_method_is_saved(guest):
    guest.create(recurring={**MONTHLY, "collection": "send_link"})

    assert Payment.objects.get().method_saving == "no"


def test_a_start_that_lies_ahead_is_the_anchor(owner):
    starts_at = clock.now() + timedelta(days=700)

    owner.create(recurring={**MONTHLY, "starts_at": starts_at.isoformat()})

    assert Subscription.objects.get().anchor_at == starts_at


def test_a_start_that_is_past_is_refused(owner):
    past = instant(clock.now() - timedelta(minutes=1))

    answer = owner.create(recurring={**MONTHLY, "starts_at": past})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_schedule")
    assert not Payment.objects.exists()


@pytest.mark.parametrize(("recurring", "member", "code"), REFUSED, ids=lambda value: ascii(value)[:50])
def test_what_makes_no_plan_is_refused_by_name(guest, recurring, member, code):
    answer = guest.create(recurring=recurring)

    body = answer.json()
    assert (answer.status_code, list(body["errors"]), body["code"]) == (400, [member], code)
    assert not Payment.objects.exists()


@pytest.mark.parametrize("interval", list(Interval))
def test_three_years_are_the_most_between_two_payments(guest, interval):
    most = MOST_BETWEEN[interval]

    refused = guest.create(recurring={"interval": interval, "interval_count": most + 1})
    taken = guest.create(recurring={"interval": interval, "interval_count": most})

    assert (refused.status_code, taken.status_code) == (400, 201)
    assert list(refused.json()["errors"]) == ["recurring.interval_count"]


def test_everything_that_is_wrong_is_told_at_once(guest):
    answer = guest.create(
        amount=-1, recurring={"interval": "weekly", "interval_count": 157, "starts_at": "2098-01-01T00:00:00"}
    )

    assert set(answer.json()["errors"]) == {"amount", "recurring.interval_count", "recurring.starts_at"}


def test_the_words_of_the_wire_are_those_of_the_product():
    assert get_args(IntervalWord) == tuple(Interval)
    assert get_args(CollectionWord) == tuple(Collection)
    assert set(MOST_BETWEEN) == set(Interval)


def test_a_repeat_finds_the_first_and_makes_no_second_subscription(guest):
    first, again = _repeat(guest, cycles=3), _repeat(guest, cycles=3)

    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["payment"] == first.json()["payment"]
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    "recurring",
    [
        {"interval": "weekly"},
        {"interval_count": 2},
        {"cycles": 3},
        {"collection": "send_link"},
    ],
)
def test_another_plan_under_the_same_key_is_refused(guest, recurring):
    _repeat(guest)

    refused = _repeat(guest, **recurring)
    plain = guest.post(PAYMENTS, MINIMAL, headers={"Idempotency-Key": "k-1"})

    assert {refused.status_code, plain.status_code} == {422}
    assert Subscription.objects.count() == Payment.objects.count() == 1


def test_another_start_under_the_same_key_is_refused(guest):
    _repeat(guest)

    refused = _repeat(guest, starts_at=instant(clock.now() + timedelta(days=1)))

    assert refused.status_code == 422


def test_the_defaults_said_aloud_are_the_same_request(guest):
    _repeat(guest)

    again = _repeat(guest, interval_count=1, cycles=None, starts_at=None, collection="charge")

    assert again["Idempotency-Replayed"] == "true"


def test_a_plain_payment_still_costs_one_statement(guest, statements):
    guest.create()

    with statements() as told:
        guest.create()

    assert [line.split()[0] for line in told] == ["INSERT"]


@pytest.mark.parametrize("who", ["guest", "owner"])
def test_without_consent_no_session_is_opened(request, who):
    caller = request.getfixturevalue(who)
    payment = caller.create(recurring=MONTHLY).json()["payment"]

    answer = caller.post(f"{PAYMENTS}/{payment['id']}/attempts", {"gateway": "paystack"})

    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "consent_required")
    assert body["checkout_url"] == payment["checkout_url"]
    assert payment["checkout_url"] in body["message"]
    assert not Attempt.objects.exists()


def test_the_problem_form_carries_the_page_of_consent_too(guest):
    payment = guest.create(recurring=MONTHLY).json()["payment"]

    answer = guest.post(
        f"{PAYMENTS}/{payment['id']}/attempts", {}, headers={"Accept": "application/problem+json"}
    )

    assert answer.json()["checkout_url"] == payment["checkout_url"]


def test_no_other_refusal_has_that_member(guest, merchant):
    expired = make_payment(merchant, status="canceled")

    answer = guest.post(f"{PAYMENTS}/{expired.reference}/attempts", {})

    assert answer.status_code == 409
    assert "checkout_url" not in answer.json()
