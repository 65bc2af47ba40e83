"""/subscriptions: create, read, list, and what hangs below one."""

from datetime import timedelta

import pytest

from tests.api.client import ApiClient
from tests.builders import make_cycle, make_method, make_payment, make_settled, make_subscription
from tillgate.api.shapes.common import instant
from tillgate.common import clock
from tillgate.merchants.services.keys import create_api_key
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.stop import cancel_subscription

URL = "/api/v1/subscriptions"
NEW = {
    "customer_name": "John Doe",
    "customer_email": "john@example.com",
    "amount": 50.00,
    "interval": "monthly",
}
MEMBERS = [
    *("id", "status", "customer_name", "customer_email", "amount", "currency", "description"),
    *("interval", "interval_count", "cycles", "cycles_left", "collection", "gateway", "payment_method"),
    *(
        "anchor_at",
        "next_payment_at",
        "next_try_at",
        "first_payment",
        "checkout_url",
        "in_flight",
        "manage_url",
    ),
    *("return_url", "test", "created_by", "created_at", "activated_at", "ended_at", "end_reason"),
    "metadata",
]
REFUSED = [
    ({"amount": 0}, "amount"),
    ({"amount": "50.005"}, "amount"),
    ({"currency": "XXX"}, "currency"),
    ({"customer_name": ""}, "customer_name"),
    ({"customer_email": "john"}, "customer_email"),
    ({"description": "x" * 501}, "description"),
    ({"interval": "hourly"}, "interval"),
    ({"interval_count": 37}, "interval_count"),
    ({"cycles": 1}, "cycles"),
    ({"starts_at": "2098-01-01T00:00:00Z"}, "starts_at"),
    ({"trial_days": -1}, "trial_days"),
    ({"trial_days": 731}, "trial_days"),
    ({"collection": "cash"}, "collection"),
    ({"payment_method": "PM-" + "0" * 26}, "payment_method"),
    ({"payment_method": "' OR 1=1"}, "payment_method"),
    ({"payment_method": "x" * 41}, "payment_method"),
    ({"return_url": "https://evil.example"}, "return_url"),
    ({"metadata": {"a": 1}}, "metadata"),
    ({"metadata": {"card": "4084084084084081"}}, "metadata"),
    ({"merchant_reference": "r"}, "merchant_reference"),
    ({"expires_in": 600}, "expires_in"),
    ({"status": "active"}, "status"),
    ({"created_by": "key"}, "created_by"),
]


@pytest.fixture
def subscription(merchant) -> Subscription:
    """NGN 50.00 every month; its first cycle is paid."""
    made = make_subscription(merchant, cycles=12, cycles_left=11)
    first = make_cycle(made, index=0, status="paid").payment
    assert first
    make_settled(first)
    return made


def _create(caller: ApiClient, key: str | None = None, **members):
    return caller.post(URL, {**NEW, **members}, headers={"Idempotency-Key": key} if key else {})


def _get(caller: ApiClient, subscription: Subscription):
    return caller.get(f"{URL}/{subscription.reference}").json()["subscription"]


def _ids(answer, resource: str = "subscriptions"):
    return [row["id"] for row in answer.json()[resource]]


def test_without_a_method_the_customer_is_sent_to_make_the_first_payment(owner):
    answer = _create(owner, cycles=12, metadata={"flat": "4b"}, description="Rent")

    shown = answer.json()["subscription"]
    payment = Payment.objects.get()
    assert (answer.status_code, answer["Location"]) == (201, f"{URL}/{shown['id']}")
    assert list(shown) == MEMBERS
    assert (shown["status"], shown["cycles"], shown["created_by"]) == ("incomplete", 12, "key")
    assert (shown["first_payment"], shown["payment_method"]) == (payment.reference, None)
    assert shown["checkout_url"].endswith(f"/pay/{payment.checkout_token}")
    assert (shown["next_payment_at"], shown["anchor_at"], shown["in_flight"]) == (None, None, None)
    assert b'"amount":50.00' in answer.content
    assert "checkout_url" in answer.json()["message"]


def test_with_a_saved_method_it_is_active_at_once(owner, merchant):
    method = make_method(merchant)

    answer = _create(owner, payment_method=method.reference, trial_days=14)

    shown = answer.json()["subscription"]
    assert (shown["status"], shown["checkout_url"], shown["first_payment"]) == ("active", None, None)
    assert shown["payment_method"] == {
        "id": method.reference,
        "customer_email": "john@example.com",
        "gateway": "paystack",
        "kind": "card",
        "brand": "visa",
        "last4": "4081",
        "expires_month": "2099-12",
        "created_at": instant(method.created_at),
    }
    assert shown["next_payment_at"] == shown["anchor_at"]
    assert "NGN 50.00 every month" in answer.json()["message"]


def test_by_links_it_waits_for_its_start(owner):
    starts_at = instant(clock.now() + timedelta(days=30))

    shown = _create(owner, collection="send_link", starts_at=starts_at).json()["subscription"]

    assert (shown["status"], shown["next_payment_at"], shown["checkout_url"]) == ("active", starts_at, None)


def test_no_token_leaves_the_house(owner, merchant):
    method = make_method(merchant, token="AUTH_secret", signature="SIG_secret")

    answer = _create(owner, payment_method=method.reference)

    assert b"secret" not in answer.content


@pytest.mark.parametrize(("members", "member"), REFUSED, ids=lambda value: ascii(value)[:40])
def test_what_cannot_be_is_refused_by_name(owner, members, member):
    answer = _create(owner, **members)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("member", list(NEW))
def test_four_members_have_to_be_there(owner, member):
    answer = owner.post(URL, {name: value for name, value in NEW.items() if name != member})

    assert (answer.json()["code"], list(answer.json()["errors"])) == ("required", [member])


def test_a_start_and_a_trial_are_too_much(owner):
    answer = _create(owner, starts_at=instant(clock.now() + timedelta(days=2)), trial_days=3)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_schedule")


def test_a_method_is_charged_by_its_own_gateway_and_not_by_link(owner, merchant):
    method = make_method(merchant).reference

    other = _create(owner, payment_method=method, gateway="flutterwave")
    link = _create(owner, payment_method=method, collection="send_link")

    assert [list(answer.json()["errors"]) for answer in (other, link)] == [["gateway"], ["collection"]]


def test_another_merchants_method_is_unknown(owner, other_merchant):
    method = make_method(other_merchant)

    answer = _create(owner, payment_method=method.reference)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["payment_method"])


def test_a_removed_method_is_refused(owner, merchant):
    method = make_method(merchant, removed_at=clock.now())

    answer = _create(owner, payment_method=method.reference)

    assert (answer.status_code, answer.json()["code"]) == (409, "payment_method_not_usable")


def test_an_amount_that_nobody_takes_is_a_conflict(owner):
    assert _create(owner, currency="EUR").json()["code"] == "no_gateway"


def test_a_repeat_returns_the_first_as_it_is_now(owner):
    first = _create(owner, "k-1")
    cancel_subscription(Subscription.objects.get().pk, reason="merchant")
    again = _create(owner, "k-1")

    assert again["Idempotency-Replayed"] == "true"
    assert again["Location"] == first["Location"]
    assert again.json()["subscription"]["status"] == "canceled"
    assert (Subscription.objects.count(), Payment.objects.count()) == (1, 1)


def test_a_repeat_is_answered_after_the_start_has_come(owner):
    starts_at = instant(clock.now() + timedelta(hours=1))
    _create(owner, "k-1", starts_at=starts_at)
    clock.advance(7_200)

    assert _create(owner, "k-1", starts_at=starts_at)["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    "members",
    [{"amount": 51}, {"interval": "weekly"}, {"trial_days": 1}, {"gateway": "paystack"}, {"cycles": 2}],
)
def test_another_body_under_the_key_is_refused(owner, members):
    _create(owner, "k-1")

    answer = _create(owner, "k-1", **members)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Subscription.objects.count() == 1


def test_another_credential_has_its_own_keys(owner, merchant):
    second = ApiClient(create_api_key(merchant, "test"))

    ids = {_create(caller, "k-1").json()["subscription"]["id"] for caller in (owner, second)}

    assert len(ids) == 2


def test_one_that_runs_shows_what_comes(owner, subscription):
    shown = _get(owner, subscription)

    assert shown["next_payment_at"] == instant(subscription.rhythm.due_at(1))
    assert shown["first_payment"] == Cycle.objects.get().payment.reference
    assert (shown["cycles"], shown["cycles_left"]) == (12, 11)
    assert shown["manage_url"].endswith(f"/subscription/{subscription.manage_token}")
    assert (shown["checkout_url"], shown["in_flight"], shown["ended_at"]) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "payment", "shown"),
    [
        ({"status": "past_due"}, {"status": "failed"}, True),
        ({"status": "active"}, {"status": "pending"}, False),  # We are about to charge it.
        ({"collection": "send_link"}, {"status": "pending"}, True),
        ({"payment_method": None}, {"status": "pending"}, True),
        ({"status": "past_due"}, {"status": "canceled"}, False),
        ({"status": "past_due"}, {"status": "failed", "expires_at": "past"}, False),
        ({"status": "canceled"}, {"status": "failed"}, False),
    ],
)
def test_what_is_to_be_paid_by_hand_has_its_page(owner, merchant, fields, payment, shown):
    subscription = make_subscription(merchant, **fields)
    cycle = make_cycle(subscription, index=1)
    if "expires_at" in payment:
        payment = {**payment, "expires_at": clock.now() - timedelta(seconds=1)}
    Payment.objects.filter(cycle=cycle).update(**payment)

    page = _get(owner, subscription)["checkout_url"]

    assert (page is not None) == shown
    assert page is None or page.endswith(cycle.payment.checkout_token)


def test_a_charge_on_its_way_is_named(owner, subscription):
    cycle = make_cycle(subscription, index=1)
    Payment.objects.filter(cycle=cycle).update(status="processing")

    assert _get(owner, subscription)["in_flight"] == cycle.payment.reference


def test_polling_is_cheap_and_never_stale(owner, subscription):
    first = owner.get(f"{URL}/{subscription.reference}")
    unchanged = owner.get(f"{URL}/{subscription.reference}", headers={"If-None-Match": first["ETag"]})
    cycle = make_cycle(subscription, index=1)
    Payment.objects.filter(cycle=cycle).update(status="processing")
    changed = owner.get(f"{URL}/{subscription.reference}", headers={"If-None-Match": first["ETag"]})

    assert (first["Cache-Control"], unchanged.status_code) == ("private, no-cache", 304)
    assert unchanged.content == b""
    assert changed.json()["subscription"]["in_flight"] is not None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("status=active", 1),
        ("status=paused", 1),
        ("status=canceled", 0),
        ("customer_email=JANE@example.com", 1),
        ("customer_email=%25", 0),
        ("created_after=2999-01-01T00:00:00Z", 0),
        ("created_before=2999-01-01T00:00:00Z", 2),
        ("status=active&customer_email=jane@example.com", 0),
    ],
)
def test_filters(owner, merchant, query, found):
    make_subscription(merchant)
    make_subscription(merchant, customer_email="jane@example.com", status="paused")

    assert len(_ids(owner.get(f"{URL}?{query}"))) == found


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("status=stopped", "status"),
        ("colour=red", "colour"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("customer_email=%00", "customer_email"),
        ("status=active&status=paused", "status"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_name(owner, query, member):
    answer = owner.get(f"{URL}?{query}")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])


def test_pages_lead_to_each_subscription_once_and_back(owner, merchant):
    made = [make_subscription(merchant).reference for _ in range(5)][::-1]

    first = owner.get(f"{URL}?limit=2&status=active")
    second = owner.get(first.json()["next"])
    third = owner.get(second.json()["next"])

    assert _ids(first) + _ids(second) + _ids(third) == made
    assert third.json()["next"] is None
    assert _ids(owner.get(second.json()["previous"])) == _ids(first)
    assert 'rel="next"' in second["Link"]


def test_a_list_costs_the_same_however_long_it_is(owner, merchant, statements):
    costs = []
    for _ in range(2):
        for _ in range(3):
            made = make_subscription(merchant, status="past_due")
            make_cycle(made, index=0, status="paid")
            make_cycle(made, index=1)
        with statements() as told:
            owner.get(URL)
        costs.append(len(told))

    assert costs == [3, 3]  # The key, the rows with their methods, their cycles.


def test_its_payments_are_listed_newest_first(owner, subscription, merchant, statements):
    make_payment(merchant)
    cycles = [make_cycle(subscription, index=index) for index in (1, 2, 3)]
    with statements() as told:
        first = owner.get(f"{URL}/{subscription.reference}/payments?limit=3")

    rest = owner.get(first.json()["next"])

    newest_first = [cycle.payment.reference for cycle in cycles[::-1]]
    assert _ids(first, "payments") == newest_first
    assert _ids(rest, "payments") == [Cycle.objects.get(index=0).payment.reference]
    assert {row["subscription"] for row in first.json()["payments"]} == {subscription.reference}
    assert len(told) == 3


def test_its_payments_have_their_own_query(owner, subscription):
    answer = owner.get(f"{URL}/{subscription.reference}/payments?status=pending")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["status"])


def test_the_preview_names_twelve_dates_and_no_more_than_are_left(owner, subscription, merchant):
    few = owner.get(f"{URL}/{subscription.reference}/preview").json()["preview"]
    endless = make_subscription(merchant)
    many = owner.get(f"{URL}/{endless.reference}/preview").json()["preview"]

    assert (len(few), len(many)) == (11, 12)
    assert few[0] == {
        "number": 2,
        "due_at": instant(subscription.rhythm.due_at(1)),
        "amount": 50.0,
        "currency": "NGN",
    }
    assert [row["number"] for row in few] == list(range(2, 13))


def test_a_change_is_shown_before_it_is_made(owner, subscription):
    query = {"amount": "60.50", "interval": "weekly", "interval_count": "2"}

    shown = owner.get(f"{URL}/{subscription.reference}/preview", query).json()["preview"]

    first = subscription.rhythm.due_at(1)
    assert [row["due_at"] for row in shown[:2]] == [instant(first), instant(first + timedelta(days=14))]
    assert {row["amount"] for row in shown} == {60.5}
    subscription.refresh_from_db()
    assert (subscription.amount_minor, subscription.interval) == (5_000, "monthly")


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("amount=0", "amount"),
        ("amount=5.001", "amount"),
        ("amount=", "amount"),
        ("interval=hourly", "interval"),
        ("interval_count=37", "interval_count"),
        ("interval=yearly&interval_count=4", "interval_count"),
        ("collection=charge", "collection"),
    ],
)
def test_a_preview_refuses_what_the_change_would(owner, subscription, query, member):
    answer = owner.get(f"{URL}/{subscription.reference}/preview?{query}")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])


def test_nothing_comes_of_one_that_has_ended(owner, merchant):
    ended = make_subscription(merchant, status="canceled", ended_at=clock.now(), end_reason="customer")

    answer = owner.get(f"{URL}/{ended.reference}/preview")

    assert answer.json()["preview"] == []
    assert _get(owner, ended)["end_reason"] == "customer"


def test_the_timeline_tells_what_happened(owner):
    shown = _create(owner).json()["subscription"]
    owner.post(f"{URL}/{shown['id']}/cancel", {})

    events = owner.get(f"{URL}/{shown['id']}/timeline").json()["events"]

    assert [event["type"] for event in events] == ["subscription.created", "subscription.canceled"]
    assert [event["sequence"] for event in events] == [1, 2]
