"""Paystack's authorizations, charges without the customer, and disputes, in JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from tests.gateways.contracts import example, specification
from tests.gateways.paystack.test_wire import MISSING, json_values, transaction
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.paystack import wire
from tillgate.gateways.protocol import ChargeRequest, DisputeState, GatewayState
from tillgate.money import Money

REQUEST = ChargeRequest(
    gateway_reference="ATT_1",
    amount=Money(500_000, "NGN"),
    customer_email="ada@example.com",
    description="May",
    token="AUTH_1",
)


def authorization(**changes):
    data = {
        "authorization_code": "AUTH_1",
        "reusable": True,
        "channel": "card",
        "brand": "visa",
        "card_type": "visa ",
        "last4": "4081",
        "exp_month": "9",
        "exp_year": "2032",
        "signature": "SIG_1",
    }
    return {name: value for name, value in {**data, **changes}.items() if value is not MISSING}


def dispute(**changes):
    data = {
        "id": 4_624_000_001,
        "status": "awaiting-merchant-feedback",
        "resolution": None,
        "refund_amount": 500_000,
        "currency": "NGN",
        "category": "chargeback",
        "dueAt": "2026-02-02T12:00:00.000Z",
        "transaction": {"id": 7},
    }
    return {name: value for name, value in {**data, **changes}.items() if value is not MISSING}


def saved(data, status="success"):
    return wire.read_payment(transaction(status=status, authorization=data)).saved_method


def test_a_reusable_authorization_is_a_saved_method():
    method = saved(authorization())

    assert (method.token, method.kind, method.brand) == ("AUTH_1", "card", "visa")
    assert (method.last4, method.expires_month, method.signature) == ("4081", "2032-09", "SIG_1")


@pytest.mark.parametrize("signature", [MISSING, None, 7, {}, "x" * 101, "a\x00b"])
def test_a_signature_that_is_none_names_no_card(signature):
    assert saved(authorization(signature=signature)).signature == ""


@pytest.mark.parametrize(
    "data",
    [
        {},
        None,
        [],
        "AUTH_1",
        authorization(reusable=False),
        authorization(reusable=None),
        authorization(reusable="true"),
        authorization(reusable=1),
        authorization(reusable=MISSING),
        authorization(authorization_code=None),
        authorization(authorization_code=""),
        authorization(authorization_code="a\nb"),
        authorization(authorization_code=["AUTH_1"]),
    ],
)
def test_what_is_not_surely_reusable_is_not_saved(data):
    assert saved(data) is None


@pytest.mark.parametrize("status", sorted(set(wire.PAYMENT_STATES) - {"success"}))
def test_what_did_not_pay_is_not_saved(status):
    assert saved(authorization(), status) is None


@pytest.mark.parametrize(
    ("year", "month", "expires"),
    [
        ("2032", "12", "2032-12"),
        ("2032", "1", "2032-01"),
        ("2032", "00", ""),
        ("2032", "13", ""),
        ("32", "12", ""),
        (2032, 12, ""),
        (None, None, ""),
        ("٢٠٣٢", "12", ""),
    ],
)
def test_an_expiry_is_a_month_or_nothing(year, month, expires):
    assert saved(authorization(exp_year=year, exp_month=month)).expires_month == expires


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(authorization())), json_values)
def test_no_value_in_an_authorization_hides_the_money(name, value):
    snapshot = wire.read_payment(transaction(authorization=authorization(**{name: value})))

    assert snapshot.state == GatewayState.SUCCEEDED
    assert snapshot.saved_method is None or snapshot.saved_method.token


def test_we_charge_an_authorization_with_the_address_it_was_made_with():
    body = wire.charge_request(REQUEST)
    metadata = json.loads(body.pop("metadata"))

    assert body == {
        "email": "ada@example.com",
        "amount": 500_000,
        "currency": "NGN",
        "reference": "ATT_1",
        "authorization_code": "AUTH_1",
    }
    assert metadata["custom_fields"][0]["value"] == "May"


def test_our_charge_is_valid_by_their_specification():
    document = specification("paystack/paystack-openapi.yaml")
    content = document["paths"]["/transaction/charge_authorization"]["post"]["requestBody"]["content"]
    schema = {**content["application/json"]["schema"], "components": document["components"]}

    assert [error.message for error in OAS30Validator(schema).iter_errors(wire.charge_request(REQUEST))] == []
    assert list(OAS30Validator(schema).iter_errors({"amount": "x"}))


def test_a_currency_that_paystack_does_not_have_is_not_charged():
    with pytest.raises(Rejected, match="KWD"):
        wire.charge_request(replace(REQUEST, amount=Money(5_000, "KWD")))


def test_their_example_of_a_charge_is_read_with_its_method():
    snapshot = wire.read_charge(example("paystack/charge_authorization_success.json")["data"], "test")

    assert (snapshot.state, snapshot.amount) == (GatewayState.SUCCEEDED, Money(35_247, "NGN"))
    assert (snapshot.gateway_reference, snapshot.fee) == ("0m7frfnr47ezyxl", Money(10_247, "NGN"))
    assert (snapshot.saved_method.token, snapshot.saved_method.expires_month) == (
        "AUTH_pmx3mgawyd",
        "2030-12",
    )


@pytest.mark.parametrize(
    ("status", "resolution", "state"),
    [
        ("awaiting-merchant-feedback", None, DisputeState.OPEN),
        ("awaiting-merchant-feedback", "declined", DisputeState.OPEN),
        ("awaiting-bank-feedback", None, DisputeState.UNDER_REVIEW),
        ("awaiting-bank-feedback", "merchant-accepted", DisputeState.UNDER_REVIEW),
        ("pending", None, DisputeState.UNDER_REVIEW),
        ("resolved", "merchant-accepted", DisputeState.LOST),
        ("resolved", "declined", DisputeState.WON),
    ],
)
def test_where_a_dispute_stands_has_one_meaning(status, resolution, state):
    assert wire.read_dispute(dispute(status=status, resolution=resolution)).state == state


@pytest.mark.parametrize(
    "change",
    [
        {"status": "archived"},
        {"status": "merchant-accepted"},
        {"status": None},
        {"status": ["resolved"]},
        {"status": "resolved"},
        {"status": "resolved", "resolution": "auto-something"},
        {"status": "resolved", "resolution": "pending"},
        {"status": "resolved", "resolution": {}},
        {"id": None},
        {"id": "x"},
        {"refund_amount": -1},
        {"refund_amount": ""},
        {"refund_amount": False},
        {"refund_amount": {}},
        {"currency": "EUR"},
        {"currency": ""},
        {"currency": None},
        {"currency": None, "transaction": {"currency": "EUR"}},
    ],
)
def test_a_dispute_that_cannot_be_read_is_never_guessed(change):
    with pytest.raises(GatewayUnknown):
        wire.read_dispute(dispute(**change))


def test_a_dispute_says_how_much_why_and_until_when():
    told = wire.read_dispute(dispute())

    assert (told.gateway_id, told.amount) == ("4624000001", Money(500_000, "NGN"))
    assert (told.reason, told.respond_by) == ("chargeback", datetime(2026, 2, 2, 12, tzinfo=UTC))


@pytest.mark.parametrize("amount", [0, "0", None, MISSING])
@pytest.mark.parametrize(
    "currency", [{}, {"currency": None, "transaction": {"id": 7, "currency": "NGN"}}], ids=["own", "its own"]
)
@pytest.mark.parametrize(
    "status",
    [
        {"status": "pending"},
        {"status": "resolved", "resolution": "declined"},
        {"status": "resolved", "resolution": "merchant-accepted"},
    ],
    ids=lambda status: status.get("resolution", "open"),
)
def test_a_dispute_may_name_no_amount(amount, currency, status):
    told = wire.read_dispute(dispute(refund_amount=amount, **currency, **status))

    assert told.amount == Money(0, "NGN")


@pytest.mark.parametrize("due", [None, "", "soon", 5, MISSING])
def test_a_dispute_may_set_no_date(due):
    assert wire.read_dispute(dispute(dueAt=due)).respond_by is None


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(dispute())), json_values)
def test_no_value_in_a_dispute_is_more_than_unknown(name, value):
    try:
        wire.read_dispute(dispute(**{name: value}))
    except GatewayUnknown:
        return
