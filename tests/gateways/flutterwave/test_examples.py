"""Flutterwave's own examples, and our requests by the description that we have of its API."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from openapi_schema_validator import OAS31Validator

from tests.gateways.contracts import example, specification
from tests.gateways.flutterwave.test_wire import CHARGE, REQUEST
from tillgate.gateways.errors import GatewayUnknown
from tillgate.gateways.flutterwave import wire
from tillgate.gateways.protocol import GatewayState, RefundState
from tillgate.money import Money


def in_decimals(value):
    """As `http.call` reads it: no float."""
    if isinstance(value, dict):
        return {name: in_decimals(inner) for name, inner in value.items()}
    return Decimal(str(value)) if isinstance(value, float) else value


def problems(path, body, method="post"):
    document = specification("flutterwave/flutterwave-v3.openapi.yaml")
    content = document["paths"][path][method]["requestBody"]["content"]
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    return [error.message for error in OAS31Validator(schema).iter_errors(body)]


def test_our_start_is_as_described():
    for request in (REQUEST, replace(REQUEST, save_method=True, description="")):
        assert problems("/payments", wire.payment_request(request)) == []
    assert problems("/payments", {"tx_ref": ""})


def test_our_charge_is_as_described():
    assert problems("/tokenized-charges", wire.charge_request(CHARGE)) == []
    assert problems("/tokenized-charges", {**wire.charge_request(CHARGE), "amount": "7500"})


def test_our_refund_is_as_described():
    path = "/transactions/{id}/refund"

    assert problems(path, {"amount": wire.to_major(Money(1, "NGN")), "comments": "REF_1"}) == []
    assert problems(path, {"amount": "1"})


def test_their_verified_card_is_read():
    snapshot = wire.read_payment(in_decimals(example("flutterwave/verify_success_card.json")["data"]), "live")

    assert (snapshot.state, snapshot.gateway_id) == (GatewayState.SUCCEEDED, "288200108")
    assert snapshot.amount == snapshot.requested == Money(10_000, "NGN")
    assert (snapshot.fee, snapshot.channel) == (Money(140, "NGN"), "card")
    assert snapshot.paid_at == datetime(2020, 7, 15, 14, 31, 16, tzinfo=UTC)
    assert (snapshot.saved_method.brand, snapshot.saved_method.expires_month) == ("verve", "2023-02")


def test_their_charge_of_a_token_is_read():
    snapshot = wire.read_payment(
        in_decimals(example("flutterwave/tokenized_charge_success.json")["data"]), "live"
    )

    assert (snapshot.state, snapshot.gateway_reference) == (GatewayState.SUCCEEDED, "new-live-test")
    assert (snapshot.amount, snapshot.fee) == (Money(30_000, "NGN"), Money(420, "NGN"))
    assert snapshot.saved_method.token == "flw-t1nf-f9b3bf384cd30d6fca42b6df9d27bd2f-m03k"


def test_their_link_is_read():
    started = wire.read_started(example("flutterwave/payments_hosted_link_reply.json")["data"])

    assert started.redirect_url.endswith("/v3/hosted/pay/flwlnk-01j8hc58e5fyh6aqpc9gqx0k8g")
    assert (started.session_id, started.access_code) == (None, "")


@pytest.mark.parametrize(
    "link",
    [
        *(None, "", 5, "javascript:alert(1)", "//evil.example", "httpx://evil.example"),
        *("https://x.example/\r\nSet-Cookie: a=b", "https://x.example/" + "x" * 3_000),
    ],
)
def test_a_link_that_is_none_is_unknown(link):
    with pytest.raises(GatewayUnknown):
        wire.read_started({"link": link})


def test_their_refund_is_read():
    data = example("flutterwave/refund_reply.json")["data"]

    told = wire.read_refund(data, "NGN")

    assert (told.state, told.gateway_id, told.amount) == (
        RefundState.SUCCEEDED,
        "75923",
        Money(690_000, "NGN"),
    )
    assert wire.read_id(data["tx_id"]) == "908790"
