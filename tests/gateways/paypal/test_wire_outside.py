"""What goes to PayPal and what comes as disputes and refusals, held against its own specifications."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from openapi_schema_validator import OAS30Validator

from tests.gateways.contracts import example, specification
from tests.gateways.paypal.test_wire import REQUEST, dispute, order, usd
from tillgate.gateways.errors import GatewayUnknown
from tillgate.gateways.paypal import wire, words
from tillgate.gateways.protocol import ChargeRequest, DisputeState, GatewayState
from tillgate.money import Money

LINK = "https://www.paypal.com/checkoutnow?token=5O190127TN364715T"
CHARGE = ChargeRequest(
    gateway_reference="ATT-2",
    amount=Money(1_000, "JPY"),
    customer_email="ada@example.com",
    description="",
    token="8kk8451t",
)


def test_a_request_says_who_is_paid_for_what():
    assert wire.payment_request(REQUEST) == {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "custom_id": "ATT-1",
                "invoice_id": "ATT-1",
                "amount": {"currency_code": "USD", "value": "100.50"},
                "description": "Two tickets",
            }
        ],
        "payment_source": {
            "paypal": {
                "experience_context": {
                    "return_url": "https://shop.example/return",
                    "cancel_url": "https://shop.example/cancel",
                    "user_action": "PAY_NOW",
                    "shipping_preference": "NO_SHIPPING",
                }
            }
        },
    }


def test_a_wallet_is_saved_only_where_the_customer_agreed():
    wallet = wire.payment_request(replace(REQUEST, save_method=True))["payment_source"]["paypal"]

    assert wallet["attributes"] == {"vault": {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}}
    assert "attributes" not in wire.payment_request(REQUEST)["payment_source"]["paypal"]


def test_a_charge_names_the_wallet_and_no_page():
    body = wire.charge_request(CHARGE)

    assert body["payment_source"] == {"paypal": {"vault_id": "8kk8451t"}}
    assert "description" not in body["purchase_units"][0]


@pytest.mark.parametrize("text", ["é" * 200, "x" * 200, "🎟" * 40, "a" + "é" * 63, "\ud7ff" * 60])
def test_a_long_description_is_cut_between_letters(text):
    (unit,) = wire.payment_request(replace(REQUEST, description=text))["purchase_units"]

    assert text.startswith(unit["description"])
    assert 120 < len(unit["description"].encode()) <= 127


@pytest.mark.parametrize("rel", ["payer-action", "approve"])
def test_the_customer_goes_where_either_link_leads(rel):
    started = wire.read_started(order(links=[{"rel": rel, "href": LINK}]), "ATT-1")

    assert (started.redirect_url, started.session_id) == (LINK, "5O190127TN364715T")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "a/b"},
        {"links": None},
        {"links": []},
        {"links": [{"rel": "self", "href": LINK}]},
        {"links": [{"rel": "approve", "href": "javascript:alert(1)"}]},
        {"links": [{"rel": "approve", "href": LINK + "x" * 2_000}]},
        {"purchase_units": [{"custom_id": "ATT-9"}]},
        {"purchase_units": [{}]},
        {"purchase_units": []},
    ],
)
def test_an_answer_that_opened_no_order_of_ours_is_unknown(changes):
    with pytest.raises(GatewayUnknown):
        wire.read_started(order(**{"links": [{"rel": "approve", "href": LINK}], **changes}), "ATT-1")


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, DisputeState.OPEN),
        ({"status": "WAITING_FOR_SELLER_RESPONSE"}, DisputeState.OPEN),
        ({"status": "WAITING_FOR_BUYER_RESPONSE"}, DisputeState.UNDER_REVIEW),
        ({"status": "UNDER_REVIEW"}, DisputeState.UNDER_REVIEW),
        ({"status": "OTHER"}, DisputeState.UNDER_REVIEW),
    ],
)
def test_a_dispute_waits_for_the_merchant_or_for_somebody_else(changes, state):
    snapshot = wire.read_dispute(dispute(**changes))

    assert (snapshot.state, snapshot.amount) == (state, Money(10_050, "USD"))
    assert (snapshot.gateway_id, snapshot.reason) == ("PP-D-1", "UNAUTHORISED")
    due = datetime(2026, 2, 10, tzinfo=UTC) if state == DisputeState.OPEN else None
    assert snapshot.respond_by == due


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("RESOLVED_BUYER_FAVOUR", DisputeState.LOST),
        ("ACCEPTED", DisputeState.LOST),
        ("RESOLVED_SELLER_FAVOUR", DisputeState.WON),
        ("RESOLVED_WITH_PAYOUT", DisputeState.WON),
        ("CANCELED_BY_BUYER", DisputeState.WON),
        ("DENIED", DisputeState.WON),
    ],
)
def test_a_resolved_dispute_is_won_or_lost(outcome, state):
    told = dispute(status="RESOLVED", dispute_outcome={"outcome_code": outcome})

    assert wire.read_dispute(told).state == state


@pytest.mark.parametrize("outcome", ["NONE", None, "", "WON"])
def test_an_outcome_that_says_nothing_is_unknown(outcome):
    with pytest.raises(GatewayUnknown, match="outcome"):
        wire.read_dispute(dispute(status="RESOLVED", dispute_outcome={"outcome_code": outcome}))
    with pytest.raises(GatewayUnknown, match="outcome"):
        wire.read_dispute(dispute(status="RESOLVED", dispute_outcome=None))


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        (
            {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "INSTRUMENT_DECLINED"}]},
            "INSTRUMENT_DECLINED",
        ),
        ({"name": "RESOURCE_NOT_FOUND", "details": []}, "RESOURCE_NOT_FOUND"),
        ({"name": "RESOURCE_NOT_FOUND", "details": ["text"]}, "RESOURCE_NOT_FOUND"),
        ({"name": "A\nB", "details": {"issue": "C"}}, ""),
        ({"name": None}, ""),
        ({}, ""),
    ],
)
def test_the_issue_is_the_first_details_or_the_errors_name(body, issue):
    assert wire.issue_of(body) == issue


def test_a_refusal_is_told_with_the_id_that_paypals_support_asks_for():
    message = wire.message_of(example("paypal/error_order_not_approved_422.json"))

    assert message.startswith("ORDER_NOT_APPROVED: Payer has not yet approved")
    assert message.endswith("(debug id e3c3b1f7a4d9)")
    assert len(wire.message_of({"message": "x" * 5_000, "debug_id": "\n\x00"})) <= 300


def test_their_examples_are_understood():
    captured = wire.read_order(example("paypal/capture_completed.json"))
    started = wire.read_started(example("paypal/order_created.json"), "ATT-1")

    assert (captured.state, captured.gateway_id) == (GatewayState.SUCCEEDED, "3C679366HH908993F")
    assert (captured.amount, captured.fee) == (Money(10_000, "USD"), Money(300, "USD"))
    assert captured.gateway_reference == ""
    assert started.session_id == "9XG87361JT539825A"
    assert wire.captured_of(example("paypal/refund_minimal.json")) == "2GG279541U471931P"
    with pytest.raises(GatewayUnknown):
        wire.read_refund(example("paypal/refund_minimal.json"))


def test_every_issue_of_theirs_is_in_exactly_one_table():
    told = issues_of(specification("paypal/checkout_orders_v2.json"))
    tables = [set(words.DECLINES), set(words.REFUSALS), set(words.CAPTURED_BEFORE), {words.DUPLICATE}]
    tables.append({"ORDER_NOT_APPROVED"})

    assert told <= set.union(*tables)
    assert sum(map(len, tables)) == len(set.union(*tables))
    assert len(told) > 100


def issues_of(node, of="post"):
    """Every `issue` of creating and capturing an order, wherever it stands in their document."""
    if isinstance(node, dict):
        if "paths" in node:
            schemas = node["components"]["schemas"]
            shared = [schemas[name] for name in ("400", "401", "403", "404", "422")]
            capture = [part for name, part in schemas.items() if name.startswith("orders.capture")]
            return issues_of([node["paths"]["/v2/checkout/orders"][of], shared, capture])
        if "issue" in node.get("properties", {}):
            return set(node["properties"]["issue"].get("enum", ()))
        return issues_of(list(node.values()))
    return set().union(*map(issues_of, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize(
    "changes", [{}, {"save_method": True}, {"description": ""}, {"amount": Money(5, "EUR")}]
)
def test_our_orders_are_valid_by_their_specification(changes):
    body = wire.payment_request(replace(REQUEST, **changes))

    assert faults("checkout_orders_v2", "order_request", body) == []
    assert faults("checkout_orders_v2", "order_request", wire.charge_request(CHARGE)) == []
    assert faults("checkout_orders_v2", "order_request", {**body, "purchase_units": []}) != []


def test_our_refunds_are_valid_by_their_specification():
    body = {"amount": usd(), "custom_id": "ATT-1", "invoice_id": "REF-1"}

    assert faults("payments_payment_v2", "refund_request", body) == []
    assert faults("payments_payment_v2", "refund_request", {**body, "invoice_id": ""}) != []


def faults(document, schema, body):
    whole = specification(f"paypal/{document}.json")
    validator = OAS30Validator({"$ref": f"#/components/schemas/{schema}", "components": whole["components"]})
    return [error.message for error in validator.iter_errors(body)]
