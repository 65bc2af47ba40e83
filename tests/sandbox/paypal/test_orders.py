"""Opening orders: what is asked, what is answered, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.paypal.conftest import RETURN, PayPalClient, draft, issue, wallet

ORDERS = "/v2/checkout/orders"


def rels(order: dict[str, Any]) -> list[str]:
    return [link["rel"] for link in order["links"]]


def test_with_a_payment_source_the_payer_must_act(client: PayPalClient) -> None:
    order = client.create()

    assert (order["status"], rels(order)) == ("PAYER_ACTION_REQUIRED", ["self", "payer-action"])
    assert order["links"][1]["href"] == f"{client.sandbox.url}/paypal/checkoutnow?token={order['id']}"
    assert order["payment_source"] == {"paypal": {}}


def test_without_one_it_is_created_and_to_be_approved(client: PayPalClient) -> None:
    order = client.create(payment_source=None)

    assert (order["status"], rels(order)) == ("CREATED", ["self", "approve", "capture"])
    assert "payment_source" not in order


def test_the_default_answer_is_minimal(client: PayPalClient) -> None:
    reply = client.post(ORDERS, draft(), whole=False)

    assert (reply.status_code, set(reply.json())) == (201, {"id", "status", "links"})


def test_an_order_is_as_it_was_asked_for(client: PayPalClient) -> None:
    asked = {"reference_id": "unit", "invoice_id": "inv-1", "description": "A chair"}
    order = client.order(client.create(**asked)["id"])

    unit = order["purchase_units"][0]
    assert {name: unit[name] for name in asked} == asked
    assert (unit["custom_id"], unit["amount"]) == ("a-1", {"currency_code": "USD", "value": "100.00"})
    assert (order["intent"], "payer" in order, "payments" in unit) == ("CAPTURE", False, False)
    assert client.journal() == []


@pytest.mark.parametrize(
    ("currency", "value", "written"),
    [
        ("USD", "7", "7.00"),
        ("USD", "7.5", "7.50"),
        ("EUR", ".5", "0.50"),
        ("JPY", "700", "700"),
        ("HUF", "700", "700"),
        ("TWD", "700", "700"),
    ],
)
def test_amounts_are_text_in_major_units(
    client: PayPalClient, currency: str, value: str, written: str
) -> None:
    order = client.create(value=value, currency=currency)

    amount = order["purchase_units"][0]["amount"]

    assert amount == {"currency_code": currency, "value": written}


@pytest.mark.parametrize(
    ("currency", "value", "status", "name"),
    [
        ("USD", "1.005", 422, "DECIMAL_PRECISION"),
        ("JPY", "700.00", 422, "DECIMAL_PRECISION"),
        ("HUF", "700.5", 422, "DECIMAL_PRECISION"),
        ("TWD", "7.0", 422, "DECIMAL_PRECISION"),
        ("NGN", "100.00", 422, "CURRENCY_NOT_SUPPORTED"),
        ("ZAR", "100.00", 422, "CURRENCY_NOT_SUPPORTED"),
        ("DOLLAR", "1", 400, "INVALID_STRING_LENGTH"),
        ("USD", 10, 400, "INVALID_PARAMETER_SYNTAX"),
        ("USD", 10.5, 400, "INVALID_PARAMETER_SYNTAX"),
        ("USD", "1e3", 400, "INVALID_PARAMETER_SYNTAX"),
        ("USD", "", 400, "INVALID_PARAMETER_SYNTAX"),
        ("USD", "١", 400, "INVALID_PARAMETER_SYNTAX"),
        ("USD", "1" * 33, 400, "INVALID_PARAMETER_SYNTAX"),
        ("USD", None, 400, "MISSING_REQUIRED_PARAMETER"),
        ("USD", "0.00", 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("USD", "-5", 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("USD", "1" * 20, 422, "MAX_VALUE_EXCEEDED"),
    ],
)
def test_a_wrong_amount_is_refused(
    client: PayPalClient, currency: str, value: Any, status: int, name: str
) -> None:
    reply = client.post(ORDERS, draft(currency=currency, value=value))

    assert issue(reply) == (status, name)
    assert reply.json()["details"][0]["field"].startswith("/purchase_units")


UNIT = draft()["purchase_units"][0]


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({"intent": None}, 400, "MISSING_REQUIRED_PARAMETER"),
        ({"intent": "SAVE"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"intent": "AUTHORIZE"}, 422, "AUTH_CAPTURE_NOT_ENABLED"),
        ({"purchase_units": None}, 400, "MISSING_REQUIRED_PARAMETER"),
        ({"purchase_units": "x"}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"purchase_units": []}, 400, "INVALID_ARRAY_MIN_ITEMS"),
        ({"purchase_units": [UNIT, UNIT]}, 400, "INVALID_ARRAY_MAX_ITEMS"),
        ({"purchase_units": [{}]}, 400, "MISSING_REQUIRED_PARAMETER"),
        ({"purchase_units": [{**UNIT, "custom_id": "x" * 128}]}, 400, "INVALID_STRING_LENGTH"),
        ({"purchase_units": [{**UNIT, "custom_id": ""}]}, 400, "INVALID_STRING_LENGTH"),
        ({"purchase_units": [{**UNIT, "invoice_id": 7}]}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"payment_source": "paypal"}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"payment_source": {"card": {}}}, 422, "NOT_ENABLED_FOR_CARD_PROCESSING"),
        ({"payment_source": {"venmo": {}}}, 400, "INVALID_PARAMETER_VALUE"),
        ({"payment_source": {"paypal": []}}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"payment_source": {"paypal": {"email_address": "x"}}}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"payment_source": {"paypal": {"vault_id": "x"}}}, 400, "PAYPAL_REQUEST_ID_REQUIRED"),
        (
            {"payment_source": {"paypal": {"attributes": {"vault": {"store_in_vault": "ON_SUCCESS"}}}}},
            400,
            "MISSING_REQUIRED_PARAMETER",
        ),
        (
            {"payment_source": {"paypal": {"experience_context": {"return_url": "javascript:x"}}}},
            400,
            "INVALID_PARAMETER_SYNTAX",
        ),
        (
            {"payment_source": {"paypal": {"attributes": {"customer": {"id": "a b"}}}}},
            400,
            "INVALID_PARAMETER_SYNTAX",
        ),
    ],
)
def test_bad_input_is_refused_and_opens_nothing(
    client: PayPalClient, change: dict[str, Any], status: int, name: str
) -> None:
    reply = client.post(ORDERS, {**draft(), **change})

    assert issue(reply) == (status, name)
    assert "no order" in client.refusal("pay", reference="a-1", outcome="success")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"intent": NaN}', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_object_is_refused(client: PayPalClient, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}

    reply = client.http.post(f"/paypal{ORDERS}", content=body, headers=headers)

    assert issue(reply) == (400, "MALFORMED_REQUEST_JSON")


@pytest.mark.parametrize("path", [ORDERS, f"{ORDERS}/X/capture", "/v2/payments/captures/X/refund"])
def test_the_content_type_must_be_json(client: PayPalClient, path: str) -> None:
    headers = {"Authorization": f"Bearer {client.token}"}

    reply = client.http.post(f"/paypal{path}", content=b"{}", headers=headers)

    assert (reply.status_code, reply.json()["name"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_one_request_id_opens_one_order(client: PayPalClient) -> None:
    first = client.post(ORDERS, draft(), "key-1")
    client.pay()

    again = client.post(ORDERS, draft(), "key-1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert client.order(first.json()["id"])["status"] == "APPROVED"


def test_a_request_id_is_kept_six_hours(client: PayPalClient) -> None:
    first = client.create(key="key-1")
    client.advance(6 * 3_600 - 5)
    within = client.create(key="key-1")
    client.advance(10)

    after = client.create(key="key-1")

    assert (within["id"] == first["id"], after["id"] == first["id"]) == (True, False)


def test_a_refused_call_does_not_use_up_its_request_id(client: PayPalClient) -> None:
    client.post(ORDERS, draft(currency="NGN"), "key-1")

    assert client.post(ORDERS, draft(), "key-1").status_code == 201


def test_a_request_id_has_at_most_108_characters(client: PayPalClient) -> None:
    assert client.post(ORDERS, draft(), "k" * 108).status_code == 201
    assert issue(client.post(ORDERS, draft(), "k" * 109)) == (400, "INVALID_STRING_LENGTH")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "/back",
        "http://",
        "http://x.test/\r\nSet-Cookie: a",
        "http://[::1",
        "http://x:0/",
    ],
)
def test_only_web_addresses_lead_back(client: PayPalClient, url: str) -> None:
    source = {"paypal": {"experience_context": {"return_url": url}}}

    assert issue(client.post(ORDERS, draft(payment_source=source))) == (400, "INVALID_PARAMETER_SYNTAX")


def test_an_unknown_order_is_not_found(client: PayPalClient) -> None:
    assert issue(client.get(f"{ORDERS}/NOBODY")) == (404, "INVALID_RESOURCE_ID")
    assert issue(client.capture("NOBODY")) == (404, "INVALID_RESOURCE_ID")


def test_the_old_application_context_is_understood(client: PayPalClient) -> None:
    body = {**draft(payment_source=None), "application_context": RETURN}
    client.post(ORDERS, body)

    assert client.pay(outcome="abandon")["redirect_url"].startswith("https://shop.example/cancel?token=")


def test_the_payer_may_be_named(client: PayPalClient) -> None:
    source = {"paypal": {**wallet()["paypal"], "email_address": "bob@example.com"}}
    order = client.paid(payment_source=source)

    assert order["payer"]["email_address"] == "bob@example.com"
