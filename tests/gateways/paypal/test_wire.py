"""PayPal's JSON, as its documents and its traps have it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.gateways import declines
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.paypal import wire, words
from tillgate.gateways.protocol import (
    GatewayState,
    PaymentRequest,
    RefundState,
    SavedMethod,
)
from tillgate.money import MAX_MINOR, Money

MISSING = object()
API = "https://api-m.paypal.com"
REQUEST = PaymentRequest(
    gateway_reference="ATT-1",
    amount=Money(10_050, "USD"),
    customer_email="ada@example.com",
    description="Two tickets",
    return_url="https://shop.example/return",
    cancel_url="https://shop.example/cancel",
)


def usd(value="100.50"):
    return {"currency_code": "USD", "value": value}


def kept(data, changes):
    return {name: value for name, value in {**data, **changes}.items() if value is not MISSING}


def capture(**changes):
    data = {
        "id": "3C679366HH908993F",
        "status": "COMPLETED",
        "custom_id": "ATT-1",
        "invoice_id": "ATT-1",
        "amount": usd(),
        "seller_receivable_breakdown": {"paypal_fee": usd("4.00")},
        "create_time": "2026-01-31T12:00:00Z",
        "supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}},
    }
    return kept(data, changes)


def order(*captures, **changes):
    unit = {"custom_id": "ATT-1", "amount": usd()}
    if captures:
        unit["payments"] = {"captures": list(captures)}
    data = {
        "id": "5O190127TN364715T",
        "intent": "CAPTURE",
        "status": "COMPLETED",
        "purchase_units": [unit],
    }
    return kept(data, changes)


def refund(**changes):
    up = {"rel": "up", "href": f"{API}/v2/payments/captures/3C679366HH908993F"}
    data = {"id": "1JU08902", "status": "COMPLETED", "amount": usd("1.00"), "invoice_id": "REF-1"}
    return kept({**data, "links": [up]}, changes)


def dispute(**changes):
    data = {"dispute_id": "PP-D-1", "status": "OPEN", "dispute_amount": usd(), "reason": "UNAUTHORISED"}
    return kept({**data, "seller_response_due_date": "2026-02-10T00:00:00Z"}, changes)


ORDER_WORDS = {
    "CREATED": GatewayState.PENDING,
    "SAVED": GatewayState.PENDING,
    "PAYER_ACTION_REQUIRED": GatewayState.PENDING,
    "APPROVED": GatewayState.APPROVED,
    "VOIDED": GatewayState.FAILED,
}
CAPTURE_WORDS = {
    "COMPLETED": GatewayState.SUCCEEDED,
    "PENDING": GatewayState.PROCESSING,
    "DECLINED": GatewayState.FAILED,
    "FAILED": GatewayState.FAILED,
    "PARTIALLY_REFUNDED": GatewayState.REVERSING,
    "REFUNDED": GatewayState.REVERSED,
}
NO_WORDS = ["QUANTUM", "", "completed", "COMPLETED ", "PAID", None, True, 1, [], ["COMPLETED"], {}, MISSING]


@pytest.mark.parametrize(("word", "state"), ORDER_WORDS.items())
def test_an_order_without_captures_says_how_far_the_customer_has_come(word, state):
    snapshot = wire.read_order(order(status=word))

    assert (snapshot.state, snapshot.gateway_id, snapshot.amount) == (state, None, None)
    assert (snapshot.gateway_reference, snapshot.requested) == ("ATT-1", Money(10_050, "USD"))
    assert snapshot.session_id == "5O190127TN364715T"


@pytest.mark.parametrize(("word", "state"), CAPTURE_WORDS.items())
def test_a_completed_order_is_what_its_capture_is(word, state):
    snapshot = wire.read_order(order(capture(status=word)))

    assert (snapshot.state, snapshot.gateway_id) == (state, "3C679366HH908993F")
    assert (snapshot.failure is not None) == (state == GatewayState.FAILED)
    assert wire.read_capture(capture(status=word)).state == state


def test_the_tables_are_the_ones_above():
    assert wire.ORDER_STATES == ORDER_WORDS
    assert wire.PAYMENT_STATES == CAPTURE_WORDS
    assert set(wire.TELLING) == {*CAPTURE_WORDS.values(), *ORDER_WORDS.values()}


@pytest.mark.parametrize("word", NO_WORDS)
def test_an_unknown_status_is_never_guessed(word):
    for read, data in (
        (wire.read_order, order(status=word)),
        (wire.read_order, order(capture(), status=word)),
        (wire.read_order, order(capture(status=word))),
        (wire.read_capture, capture(status=word)),
        (wire.read_refund, refund(status=word)),
        (wire.read_dispute, dispute(status=word)),
        (wire.read_dispute, dispute(status="RESOLVED", dispute_outcome={"outcome_code": word})),
    ):
        with pytest.raises(GatewayUnknown):
            read(data)


def test_a_completed_order_without_a_capture_is_not_paid():
    with pytest.raises(GatewayUnknown, match="contradicts"):
        wire.read_order(order())


def test_a_whole_answer_is_read():
    snapshot = wire.read_order(order(capture()))

    assert (snapshot.gateway_reference, snapshot.session_id) == ("ATT-1", "5O190127TN364715T")
    assert snapshot.amount == snapshot.requested == Money(10_050, "USD")
    assert (snapshot.fee, snapshot.channel, snapshot.mode) == (Money(400, "USD"), "paypal", None)
    assert snapshot.paid_at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert wire.read_capture(capture()) == snapshot


@pytest.mark.parametrize(
    "others", [["DECLINED"], ["DECLINED", "FAILED"], ["PENDING"], ["DECLINED", "PENDING"]]
)
def test_of_several_captures_the_one_that_moved_money_tells(others):
    failed = [capture(id=f"OTHER{n}", status=word) for n, word in enumerate(others)]

    for rows in ([*failed, capture()], [capture(), *failed]):
        snapshot = wire.read_order(order(*rows))
        assert (snapshot.state, snapshot.gateway_id) == (GatewayState.SUCCEEDED, "3C679366HH908993F")


def test_another_sum_than_the_orders_is_told_as_it_is():
    snapshot = wire.read_order(order(capture(amount=usd("1.00"))))

    assert (snapshot.amount, snapshot.requested) == (Money(100, "USD"), Money(10_050, "USD"))


@pytest.mark.parametrize(
    "changes",
    [
        {"intent": "AUTHORIZE"},
        {"intent": None},
        {"id": MISSING},
        {"id": "../v1"},
        {"id": 7},
        {"purchase_units": MISSING},
        {"purchase_units": []},
        {"purchase_units": [{}, {}]},
        {"purchase_units": ["text"]},
        {"purchase_units": {"custom_id": "ATT-1"}},
        {"purchase_units": [{"custom_id": "ATT-1", "payments": {"captures": None}}]},
        {"purchase_units": [{"custom_id": "ATT-1", "payments": {"captures": ["text"]}}]},
        {"purchase_units": [{"custom_id": "ATT-1", "payments": {"captures": {"id": "1"}}}]},
        {"purchase_units": [{"custom_id": "ATT-2", "payments": {"captures": [capture()]}}]},
    ],
)
def test_an_order_that_is_not_one_of_ours_is_unknown(changes):
    with pytest.raises(GatewayUnknown):
        wire.read_order(order(**changes))


BAD_VALUES = [
    *(
        "",
        " ",
        "-1.00",
        "0.00",
        "0",
        "1e3",
        "1_000.00",
        "1,000.00",
        "+1.00",
        "1.005",
        ".50",
        "NaN",
        "Infinity",
    ),
    *("٣.00", "1.00 ", "0x10", "9" * 40, 100, 100.5, 1, True, None, [], {}, MISSING),
]


@pytest.mark.parametrize("value", BAD_VALUES)
def test_an_amount_that_is_none_is_never_money(value):
    amount = kept({"currency_code": "USD"}, {"value": value})

    for read, data in (
        (wire.read_capture, capture(amount=amount)),
        (wire.read_refund, refund(amount=amount)),
        (wire.read_dispute, dispute(dispute_amount=amount)),
    ):
        with pytest.raises(GatewayUnknown, match="amount"):
            read(data)


@pytest.mark.parametrize("currency", ["NGN", "usd", "", "XXX", None, 840, ["USD"], MISSING])
def test_a_currency_that_paypal_does_not_have_is_no_money(currency):
    with pytest.raises(GatewayUnknown):
        wire.read_money(kept({"value": "1.00"}, {"currency_code": currency}))


@pytest.mark.parametrize("data", [None, "1.00", 1, [], [usd()], MISSING])
def test_what_is_no_object_is_no_money(data):
    with pytest.raises(GatewayUnknown):
        wire.read_money(data)


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        (Money(1_000, "USD"), "10.00"),
        (Money(5, "EUR"), "0.05"),
        (Money(1_000, "JPY"), "1000"),
        (Money(100_000, "HUF"), "1000"),
        (Money(100_000, "TWD"), "1000"),
        (Money(MAX_MINOR, "USD"), "9999999999.99"),
    ],
)
def test_money_is_a_string_with_the_decimals_that_paypal_has(amount, value):
    assert wire.to_money(amount) == {"currency_code": amount.currency, "value": value}
    assert wire.read_money(wire.to_money(amount)) == amount


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(wire.CURRENCIES)), st.integers(1, MAX_MINOR))
def test_G30_whatever_is_sent_is_read_as_the_same_money(currency, minor):
    amount = Money(minor, currency)

    if wire.takes(amount):
        assert wire.read_money(wire.to_money(amount)) == amount
    else:
        assert currency in {"HUF", "TWD"}
        assert minor % 100


@pytest.mark.parametrize(
    "amount",
    [
        *(Money(1_000, currency) for currency in ("NGN", "GHS", "KES", "ZAR", "XOF", "KWD", "INR")),
        *(Money(1_050, "HUF"), Money(1, "TWD"), Money(0, "USD"), Money(-5, "USD")),
        Money(MAX_MINOR + 1, "USD"),
    ],
)
def test_G30_what_paypal_does_not_take_is_refused_before_any_call(amount):
    assert not wire.takes(amount)
    with pytest.raises(Rejected, match="takes no"):
        wire.payment_request(replace(REQUEST, amount=amount))


@pytest.mark.parametrize(("value", "whole"), [("1000", 100_000), ("1000.00", 100_000)])
def test_forints_are_read_with_and_without_their_nothings(value, whole):
    assert wire.read_money({"currency_code": "HUF", "value": value}) == Money(whole, "HUF")
    with pytest.raises(GatewayUnknown):
        wire.read_money({"currency_code": "HUF", "value": "1000.50"})


@pytest.mark.parametrize("fee", [MISSING, None, {}, usd("-1.00"), {"currency_code": "EUR", "value": "1.00"}])
def test_a_fee_that_is_not_told_in_the_currency_is_unknown(fee):
    breakdown = kept({}, {"paypal_fee": fee})

    snapshot = wire.read_capture(capture(seller_receivable_breakdown=breakdown))

    assert (snapshot.state, snapshot.fee) == (GatewayState.SUCCEEDED, None)


@pytest.mark.parametrize(
    "time", ["", "yesterday", "2026-01-31T12:00:00", None, 5, "9999-12-31T23:59:59-23:59"]
)
def test_a_time_that_is_none_costs_nothing_but_itself(time):
    assert wire.read_capture(capture(create_time=time)).paid_at is None


@pytest.mark.parametrize(
    ("changes", "code", "unmapped"),
    [
        ({}, "declined", ""),
        ({"processor_response": {"response_code": "5120"}}, "insufficient_funds", ""),
        ({"processor_response": {"response_code": "9520"}}, "lost_or_stolen", ""),
        ({"processor_response": {"response_code": "PPXX"}}, "unknown", "PPXX"),
        ({"processor_response": {"response_code": None}}, "declined", ""),
        ({"status_details": {"reason": "ECHECK"}}, "do_not_honor", ""),
        ({"status_details": {"reason": "MARTIAN"}}, "unknown", "MARTIAN"),
        ({"status_details": {"reason": ["A"]}}, "unknown", "['A']"),
    ],
)
def test_a_declined_capture_says_why_as_far_as_it_is_told(changes, code, unmapped):
    failure = wire.read_capture(capture(status="DECLINED", **changes)).failure

    assert (failure.code, failure.unmapped) == (code, unmapped)


def test_every_reason_is_one_that_payers_can_be_told():
    assert set(words.DECLINES.values()) | set(words.REASONS.values()) <= set(declines.DECLINES) - {"unknown"}


@pytest.mark.parametrize(("issue", "code"), words.DECLINES.items())
def test_an_issue_about_the_payer_is_a_decline(issue, code):
    assert wire.read_refusal(issue) == code


@pytest.mark.parametrize("issue", sorted(words.REFUSALS))
def test_an_issue_about_the_request_is_none(issue):
    assert issue not in words.DECLINES
    assert wire.read_refusal(issue) == ""


@pytest.mark.parametrize("issue", ["", "QUANTUM", "instrument_declined", "ORDER_NOT_APPROVED"])
def test_G07_an_issue_in_no_table_is_unknown(issue):
    with pytest.raises(GatewayUnknown, match="no table"):
        wire.read_refusal(issue)


@pytest.mark.parametrize(
    ("vault", "method"),
    [
        ({"id": "8kk8451t", "status": "VAULTED"}, SavedMethod(token="8kk8451t", kind="paypal")),
        ({"id": "8kk8451t", "status": "CREATED"}, None),
        ({"status": "APPROVED"}, None),
        ({"id": "a/b", "status": "VAULTED"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_saved_wallet_is_told_once_it_is_saved(vault, method):
    source = {"paypal": {"attributes": {"vault": vault}}}

    assert wire.read_order(order(capture(), payment_source=source)).saved_method == method


def test_a_refund_is_read_with_our_name_on_it():
    snapshot = wire.read_refund(refund())

    assert (snapshot.state, snapshot.amount) == (RefundState.SUCCEEDED, Money(100, "USD"))
    assert (snapshot.gateway_id, snapshot.note) == ("1JU08902", "REF-1")
    assert wire.captured_of(refund()) == "3C679366HH908993F"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("COMPLETED", RefundState.SUCCEEDED),
        ("PENDING", RefundState.PENDING),
        ("FAILED", RefundState.FAILED),
        ("CANCELLED", RefundState.FAILED),
    ],
)
def test_every_refund_status_has_one_meaning(word, state):
    assert wire.read_refund(refund(status=word)).state == state


@pytest.mark.parametrize(
    "links",
    [
        MISSING,
        None,
        [],
        ["text"],
        [{"rel": "self", "href": f"{API}/v2/payments/captures/1"}],
        [{"rel": "up", "href": f"{API}/v2/checkout/orders/1"}],
        [{"rel": "up", "href": f"{API}/v2/payments/captures/1/refund"}],
        [{"rel": "up", "href": None}],
    ],
)
def test_a_refund_of_nothing_that_can_be_read_is_of_no_capture(links):
    assert wire.captured_of(refund(links=links)) is None
