"""Plans that a gateway itself collects: their events, how they are listed, and stopped. Bodies are ours."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from tests.environment import (
    FLUTTERWAVE_TEST_HASH,
    FLUTTERWAVE_TEST_KEY,
    PAYSTACK_TEST_KEY,
)
from tests.loopback import NO_TLS
from tillgate.common.references import new_reference
from tillgate.gateways import registry
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.flutterwave import plans as flutterwave_plans
from tillgate.gateways.flutterwave import signature as flutterwave
from tillgate.gateways.http import Patience
from tillgate.gateways.paypal import signature as paypal
from tillgate.gateways.paystack import plans as paystack_plans
from tillgate.gateways.paystack import signature as paystack
from tillgate.gateways.plans import ListsPlans, every_row, read_news
from tillgate.gateways.protocol import EventSubject, GatewayAccount
from tillgate.money import Money

OF_A_PLAN = {"plan_code": "PLN_1", "interval": "monthly", "amount": 50_000, "currency": "NGN"}
PAYSTACK_ROW: dict[str, Any] = {
    "subscription_code": "SUB_1",
    "status": "active",
    "amount": 50_000,
    "next_payment_date": "2026-12-01T07:00:00.000Z",
    "plan": OF_A_PLAN,
    "customer": {"email": "ada@example.com", "first_name": "Ada", "last_name": None},
    "authorization": {
        "authorization_code": "AUTH_1",
        "reusable": 1,
        "last4": "4081",
        "brand": "visa",
        "channel": "card",
        "exp_month": "9",
        "exp_year": "2030",
    },
    "invoice_limit": 0,
    "payments_count": 3,
}
FLUTTERWAVE_ROW: dict[str, Any] = {
    "id": 4147,
    "amount": 2000,
    "customer": {"id": 1, "customer_email": "ada@example.com"},
    "plan": 3657,
    "status": "active",
    "created_at": "2026-01-31T17:00:55.000Z",
}
FLUTTERWAVE_PLAN = {"id": 3657, "interval": "monthly", "duration": 0, "currency": "NGN"}


OTHER_AMOUNT = {"paystack": "amount", "flutterwave": "amount_minor"}


def paystack_event(kind, **data):
    return paystack.read_event(json.dumps({"event": kind, "data": data}).encode())


@pytest.mark.parametrize(
    "kind",
    [
        *("subscription.create", "subscription.disable", "subscription.not_renew"),
        *("subscription.expiring_cards", "invoice.create", "invoice.update", "invoice.payment_failed"),
    ],
)
def test_paystacks_news_of_plans_names_no_payment(kind):
    told = paystack_event(kind, id=7, reference="T1", transaction={"reference": "T1"}, status="active")

    assert (told.about, told.claims_money) == (EventSubject.PLAN, False)
    assert (told.gateway_reference, told.gateway_id) == (None, None)


def test_stopped_started_and_stopped_again_are_three_pieces_of_news():
    first = paystack_event("subscription.disable", id=7, status="complete", at=1)
    second = paystack_event("subscription.disable", id=7, status="complete", at=2)

    assert first.dedupe_key != second.dedupe_key


def test_paystacks_renewal_is_known_by_its_plan_and_keeps_its_reference():
    told = paystack_event("charge.success", id=9, reference="made-by-paystack", plan=OF_A_PLAN)

    assert (told.about, told.claims_money) == (EventSubject.PLAN, True)
    assert (told.gateway_reference, told.gateway_id) == ("made-by-paystack", "9")


@pytest.mark.parametrize("plan", [None, {}, 0, "", {"plan_code": None}, []])
def test_a_charge_without_a_plan_is_of_none(plan):
    assert paystack_event("charge.success", id=9, reference="T1", plan=plan).about == EventSubject.PAYMENT


@pytest.mark.parametrize("name", ["payment_plan", "paymentPlan", "plan"])
@pytest.mark.parametrize("flat", [True, False])
def test_flutterwaves_charge_of_a_payment_plan_is_of_a_plan(name, flat):
    if flat:
        body = {"id": 5, "txRef": "made-there", "status": "successful", name: 3657}
    else:
        data = {"id": 5, "tx_ref": "made-there", "status": "successful", name: 3657}
        body = {"event": "charge.completed", "data": data}

    told = flutterwave.read_event(json.dumps(body).encode())

    assert (told.about, told.gateway_reference, told.gateway_id) == (EventSubject.PLAN, "made-there", "5")


def test_flutterwaves_end_of_a_plan_names_no_payment():
    body = {"event": "subscription.cancelled", "data": {"id": 1, "tx_ref": "T1", "status": "deactivated"}}

    told = flutterwave.read_event(json.dumps(body).encode())

    assert (told.about, told.gateway_reference, told.gateway_id) == (EventSubject.PLAN, None, None)


@pytest.mark.parametrize(
    "kind",
    [
        *("BILLING.SUBSCRIPTION.ACTIVATED", "BILLING.SUBSCRIPTION.PAYMENT.FAILED"),
        *("PAYMENT.SALE.COMPLETED", "PAYMENT.SALE.REFUNDED"),
    ],
)
def test_paypals_subscriptions_are_plans(kind):
    resource = {"id": "I-1", "custom_id": "ATT-1", "custom": "order 7", "billing_agreement_id": "I-1"}
    body = {"event_type": kind, "id": "WH-1", "resource": resource}

    told = paypal.read_event(json.dumps(body).encode())

    assert (told.about, told.claims_money) == (EventSubject.PLAN, False)
    assert (told.gateway_reference, told.gateway_id) == (None, None)


@pytest.mark.parametrize(
    ("gateway", "body", "amount"),
    [
        ("paystack", {"data": {"amount": 50_000, "plan": OF_A_PLAN}}, Money(50_000, "NGN")),
        ("paystack", {"data": {"amount": 500_000, "currency": "XOF"}}, Money(5_000, "XOF")),
        ("flutterwave", {"data": {"amount": 98.6, "currency": "NGN"}}, Money(9_860, "NGN")),
        ("flutterwave", {"amount": 100, "currency": "UGX"}, Money(100, "UGX")),
        ("paypal", {"resource": {"amount": {"total": "0.48", "currency": "USD"}}}, Money(48, "USD")),
        ("paypal", {"resource": {"amount": {"value": "5", "currency_code": "USD"}}}, Money(500, "USD")),
        ("paypal", {"resource": {"amount": {"total": "-0.48", "currency": "USD"}}}, None),
        ("paystack", {"data": {"amount": 50_000}}, None),
        ("paystack", {"data": {"amount": "x", "currency": "NGN"}}, None),
        ("paystack", {"data": [1]}, None),
        ("paystack", [1], None),
    ],
)
def test_what_an_event_tells_a_person_of_money(gateway, body, amount):
    assert read_news(gateway, json.dumps(body).encode()).amount == amount


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff", b"[" * 100_000),
        b'{"data": {"amount": 1e999999999, "currency": "NGN"}}',
        b'{"data": {"amount": NaN, "currency": "NGN"}}',
        b'{"data": {"amount": Infinity, "currency": "NGN"}}',
    ],
)
def test_a_body_that_tells_nothing_shows_nothing(body):
    told = read_news("paystack", body)

    assert (told.amount, told.customer_email) == (None, "")


@pytest.mark.parametrize(
    ("gateway", "body"),
    [
        ("paystack", {"data": {"customer": {"email": "ada@example.com"}}}),
        ("flutterwave", {"customer": {"email": "ada@example.com"}}),
        ("flutterwave", {"data": {"customer": {"customer_email": "ada@example.com"}}}),
        ("paypal", {"resource": {"subscriber": {"email_address": "ada@example.com"}}}),
    ],
)
def test_what_an_event_tells_a_person_of_the_customer(gateway, body):
    assert read_news(gateway, json.dumps(body).encode()).customer_email == "ada@example.com"


def test_a_subscription_of_paystacks_is_read():
    plan = paystack_plans.read_plan(PAYSTACK_ROW)

    assert (plan.gateway_id, plan.customer_email, plan.customer_name) == ("SUB_1", "ada@example.com", "Ada")
    assert (plan.amount, plan.interval, plan.interval_count) == (Money(50_000, "NGN"), "monthly", 1)
    assert plan.next_payment_at == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert (plan.is_stopped, plan.payments_left, plan.problem) == (False, None, "")
    assert plan.saved_method is not None
    assert (plan.saved_method.token, plan.saved_method.expires_month) == ("AUTH_1", "2030-09")


@pytest.mark.parametrize(
    ("words", "interval"),
    [
        ("daily", ("daily", 1)),
        ("biannually", ("monthly", 6)),
        ("annually", ("yearly", 1)),
        ("hourly", (None, 0)),
        (None, (None, 0)),
    ],
)
def test_paystacks_words_for_how_often(words, interval):
    plan = paystack_plans.read_plan({**PAYSTACK_ROW, "plan": {**OF_A_PLAN, "interval": words}})

    assert (plan.interval, plan.interval_count) == interval


@pytest.mark.parametrize(
    ("words", "interval"),
    [
        ("monthly", ("monthly", 1)),
        ("Bi-Annually", ("monthly", 6)),
        ("every 90 days", ("daily", 90)),
        ("every 1 year", ("yearly", 1)),
        ("every 5 months", ("monthly", 5)),
        ("every five months", (None, 0)),
        ("every 0 days", (None, 0)),
        ("hourly", (None, 0)),
        ("", (None, 0)),
    ],
)
def test_flutterwaves_words_for_how_often(words, interval):
    assert flutterwave_plans.read_interval(words) == interval


@pytest.mark.parametrize(
    ("status", "is_stopped"),
    [("active", False), ("attention", False), ("non-renewing", True), ("completed", True), ("new", False)],
)
def test_only_a_word_that_is_known_says_that_it_is_stopped(status, is_stopped):
    plan = paystack_plans.read_plan({**PAYSTACK_ROW, "status": status})

    assert plan.is_stopped is is_stopped
    assert bool(plan.problem) is (status == "new")


@pytest.mark.parametrize(("limit", "made", "left"), [(12, 3, 9), (3, 5, 0), (12, None, None), (0, 3, None)])
def test_how_many_payments_are_left_is_told_or_a_problem(limit, made, left):
    plan = paystack_plans.read_plan({**PAYSTACK_ROW, "invoice_limit": limit, "payments_count": made})

    assert plan.payments_left == left
    assert bool(plan.problem) is (limit == 12 and made is None)


@pytest.mark.parametrize("changes", [{"amount": None}, {"amount": "x"}, {"plan": {"currency": "EUR"}}])
def test_an_amount_that_cannot_be_read_hides_no_other_subscription(changes):
    assert paystack_plans.read_plan({**PAYSTACK_ROW, **changes}).amount is None


@pytest.mark.parametrize("code", [None, "", 5, "../disable", "a b"])
def test_a_subscription_without_a_code_is_not_read(code):
    with pytest.raises(GatewayUnknown):
        paystack_plans.read_plan({**PAYSTACK_ROW, "subscription_code": code})


@pytest.mark.parametrize("reusable", [0, False, None])
def test_a_card_that_cannot_be_charged_again_is_none(reusable):
    told = {**PAYSTACK_ROW["authorization"], "reusable": reusable}

    assert paystack_plans.read_plan({**PAYSTACK_ROW, "authorization": told}).saved_method is None


def test_a_subscription_of_flutterwaves_is_read_with_its_plan():
    plan = flutterwave_plans.read_plan(FLUTTERWAVE_ROW, FLUTTERWAVE_PLAN)

    assert (plan.gateway_id, plan.amount, plan.interval) == ("4147", Money(200_000, "NGN"), "monthly")
    assert (plan.next_payment_at, plan.saved_method, plan.problem) == (None, None, "")
    assert plan.started_at == datetime(2026, 1, 31, 17, 0, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "plan", "problem"),
    [
        ({"status": "odd"}, {}, "not known"),
        ({}, {"duration": 12}, "how many are left"),
    ],
)
def test_what_stands_against_one_of_flutterwaves(row, plan, problem):
    told = flutterwave_plans.read_plan({**FLUTTERWAVE_ROW, **row}, {**FLUTTERWAVE_PLAN, **plan})

    assert problem in told.problem


def test_one_whose_plan_is_gone_has_neither_amount_nor_rhythm():
    told = flutterwave_plans.read_plan(FLUTTERWAVE_ROW, {})

    assert (told.amount, told.interval) == (None, None)


class Side:
    """A gateway's emulator with some subscriptions, and the adapter."""

    def __init__(self, sandbox, gateway, credentials):
        self.url, self.gateway = sandbox.url, gateway
        account = GatewayAccount(
            gateway=gateway, mode="test", base_url=f"{sandbox.url}/{gateway}", credentials=credentials
        )
        adapter = registry.connect(account, Patience(total_s=10, slot_s=10))
        assert isinstance(adapter, ListsPlans)
        self.adapter: ListsPlans = adapter

    def seed(self, **body):
        url = f"{self.url}/control/plans/{self.gateway}"
        answer = httpx2.post(url, json=body, trust_env=False, verify=NO_TLS)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        return str(told.get("subscription_code") or told["id"])


@pytest.fixture
def paystack_side(sandbox):
    return Side(sandbox, "paystack", {"secret_key": PAYSTACK_TEST_KEY})


@pytest.fixture
def flutterwave_side(sandbox):
    credentials = {"secret_key": FLUTTERWAVE_TEST_KEY, "webhook_hash": FLUTTERWAVE_TEST_HASH}
    return Side(sandbox, "flutterwave", credentials)


def seed_paystack(side):
    return side.seed(email="ada@example.com", amount_minor=500_000, interval="monthly")


def seed_flutterwave(side):
    return side.seed(email="ada@example.com", amount=5_000, interval="monthly")


def test_every_subscription_of_paystacks_is_listed_page_by_page(paystack_side):
    made = {seed_paystack(paystack_side) for _ in range(101)}

    listed = paystack_side.adapter.list_plan_subscriptions()

    assert {plan.gateway_id for plan in listed} == made


def test_every_subscription_of_flutterwaves_is_listed_page_by_page(flutterwave_side):
    made = {seed_flutterwave(flutterwave_side) for _ in range(11)}

    listed = flutterwave_side.adapter.list_plan_subscriptions()

    assert {plan.gateway_id for plan in listed} == made
    assert {plan.amount for plan in listed} == {Money(500_000, "NGN")}
    assert {plan.interval for plan in listed} == {"monthly"}


@pytest.mark.parametrize("side", ["paystack_side", "flutterwave_side"])
def test_an_account_without_plans_lists_none(side, request):
    assert request.getfixturevalue(side).adapter.list_plan_subscriptions() == ()


def test_the_card_that_paystack_charges_is_told_in_the_list_and_by_itself(paystack_side):
    reference = new_reference("ATT")
    body = {"email": "ada@example.com", "amount": 500_000, "reference": reference}
    url, headers = f"{paystack_side.url}/paystack", {"Authorization": f"Bearer {PAYSTACK_TEST_KEY}"}
    httpx2.post(f"{url}/transaction/initialize", json=body, headers=headers, trust_env=False, verify=NO_TLS)
    paid = {"gateway": "paystack", "reference": reference, "outcome": "success"}
    httpx2.post(f"{paystack_side.url}/control/pay", json=paid, trust_env=False, verify=NO_TLS)
    code = paystack_side.seed(email="ada@example.com", amount_minor=500_000, reference=reference)

    (listed,) = paystack_side.adapter.list_plan_subscriptions()

    assert listed.saved_method is not None
    assert (listed.saved_method.last4, listed.saved_method.token[:5]) == ("4081", "AUTH_")
    assert paystack_side.adapter.fetch_plan_subscription(code) == listed


@pytest.mark.parametrize(
    ("rows", "pages"), [([], None), ([], "1"), (None, 1), ([1], 1), ([{}], 10**9)], ids=str
)
def test_a_list_that_cannot_be_read_to_its_end_is_none(rows, pages):
    with pytest.raises(GatewayUnknown):
        list(every_row(lambda page: (rows, pages)))


@pytest.mark.parametrize("gateway", ["paystack", "flutterwave"])
def test_the_sandbox_refuses_a_plan_that_could_not_be(sandbox, gateway):
    url = f"{sandbox.url}/control/plans/{gateway}"

    for body in ({"strange": 1}, {"email": "nobody", "amount": 0, "amount_minor": 0}):
        known = {name: value for name, value in body.items() if name != OTHER_AMOUNT[gateway]}
        assert httpx2.post(url, json=known, trust_env=False).status_code == 400


def test_paystack_stops_one_and_says_so(paystack_side):
    one, other = seed_paystack(paystack_side), seed_paystack(paystack_side)

    paystack_side.adapter.stop_plan_subscription(one)

    assert paystack_side.adapter.fetch_plan_subscription(one).is_stopped
    assert not paystack_side.adapter.fetch_plan_subscription(other).is_stopped


def test_flutterwave_stops_one_and_says_so(flutterwave_side):
    one, other = seed_flutterwave(flutterwave_side), seed_flutterwave(flutterwave_side)

    flutterwave_side.adapter.stop_plan_subscription(one)

    assert flutterwave_side.adapter.fetch_plan_subscription(one).is_stopped
    assert not flutterwave_side.adapter.fetch_plan_subscription(other).is_stopped


@pytest.mark.parametrize("side", ["paystack_side", "flutterwave_side"])
def test_one_that_nobody_knows_is_refused(side, request):
    adapter = request.getfixturevalue(side).adapter

    with pytest.raises(Rejected):
        adapter.fetch_plan_subscription("99")
    with pytest.raises(Rejected):
        adapter.stop_plan_subscription("99")
