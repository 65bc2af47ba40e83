"""Faults of PayPal's own; those of form and connection are tried with one call of each kind."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.paypal.conftest import PayPalClient, draft, issue, taken

ORDERS = "/v2/checkout/orders"


@pytest.fixture
def order(client: PayPalClient) -> dict[str, Any]:
    return client.paid()


def unit(order: dict[str, Any]) -> dict[str, Any]:
    return dict(order["purchase_units"][0])


def usd(value: str, currency: str = "USD") -> dict[str, Any]:
    return {"amount": {"currency_code": currency, "value": value}}


@pytest.mark.parametrize(
    ("fault", "args", "told"),
    [
        ("wrong_amount", {}, usd("10000.00")),
        ("wrong_amount", {"amount_minor": 1}, usd("0.01")),
        ("wrong_currency", {}, usd("100.00", "EUR")),
        ("wrong_currency", {"currency": "GBP"}, usd("100.00", "GBP")),
        ("wrong_ref", {}, {"custom_id": "other-a-1"}),
        ("decline", {}, {"status": "DECLINED"}),
        ("pending", {}, {"status": "PENDING", "status_details": {"reason": "PENDING_REVIEW"}}),
        ("pending", {"word": "ECHECK"}, {"status_details": {"reason": "ECHECK"}}),
        ("unknown_status", {}, {"status": "QUANTUM"}),
        ("unknown_status", {"word": "PAID?"}, {"status": "PAID?"}),
    ],
)
def test_one_answer_lies_and_the_next_is_true(
    client: PayPalClient, order: dict[str, Any], fault: str, args: dict[str, Any], told: dict[str, Any]
) -> None:
    client.fault("get", fault, **args)

    lie, truth = taken(client.order(order["id"])), client.order(order["id"])

    assert {name: lie[name] for name in told} == told
    assert truth == order


def test_a_unit_lies_with_its_capture(client: PayPalClient, order: dict[str, Any]) -> None:
    client.fault("get", "wrong_amount", amount_minor=5)
    client.fault("get", "wrong_account")

    lie = unit(client.order(order["id"]))

    assert (lie["amount"]["value"], lie["payee"] != unit(order)["payee"]) == ("0.05", True)


def test_an_open_order_can_have_an_unknown_status(client: PayPalClient) -> None:
    order = client.create()
    client.fault("get", "unknown_status")
    client.fault("get", "decline", nth=2)

    assert client.order(order["id"])["status"] == "QUANTUM"
    assert client.order(order["id"]) == client.order(order["id"])


def test_lies_about_what_an_answer_does_not_tell_change_nothing(client: PayPalClient) -> None:
    asked = draft()
    del asked["purchase_units"][0]["custom_id"]
    order = client.post(ORDERS, asked).json()
    for fault in ("wrong_amount", "wrong_currency", "wrong_ref"):
        client.fault("get", fault)

    lie = client.order(order["id"])

    assert ("amount" in lie, "custom_id" in unit(lie), lie["id"] != order["id"]) == (False, False, True)


def test_a_capture_and_a_refund_by_themselves_lie_too(client: PayPalClient, order: dict[str, Any]) -> None:
    capture = taken(order)
    refund = client.refund(capture["id"]).json()
    for number in (1, 2):
        client.fault("get", "wrong_amount", nth=number, amount_minor=7)
        client.fault("get", "wrong_account", nth=number)

    seen = client.get(f"/v2/payments/captures/{capture['id']}").json()
    back = client.get(f"/v2/payments/refunds/{refund['id']}").json()

    assert [one["amount"]["value"] for one in (seen, back)] == ["0.07", "0.07"]
    assert seen["payee"]["email_address"] == "somebody-else@sandbox.example"


@pytest.mark.parametrize("raw", ['"1999.0"', "1999.0", "1e400", "NaN", "null", "[]"])
def test_the_amount_may_be_any_text(client: PayPalClient, order: dict[str, Any], raw: str) -> None:
    client.fault("get", "wrong_amount", raw=raw)

    text = client.get(f"{ORDERS}/{order['id']}").text

    assert text.count(f'"value":{raw}') == 2


def test_a_hundredfold_of_a_currency_without_decimals(client: PayPalClient) -> None:
    order = client.paid(value="700", currency="JPY")
    client.fault("get", "wrong_amount")

    assert taken(client.order(order["id"]))["amount"]["value"] == "70000"


@pytest.mark.parametrize("operation", ["order", "capture", "get"])
def test_lookup_lag_hides_an_order_for_a_while(client: PayPalClient, operation: str) -> None:
    client.fault(operation, "lookup_lag", seconds=120)
    order = client.paid()
    client.get(f"{ORDERS}/{order['id']}")
    capture_path = f"/v2/payments/captures/{taken(order)['id']}"
    hidden = [client.get(path).status_code for path in (f"{ORDERS}/{order['id']}", capture_path)]
    client.advance(121)

    assert hidden == [404, 404]
    assert client.order(order["id"])["status"] == "COMPLETED"


@pytest.mark.parametrize("operation", ["refund", "get"])
def test_lookup_lag_hides_a_refund_for_a_while(
    client: PayPalClient, order: dict[str, Any], operation: str
) -> None:
    client.fault(operation, "lookup_lag", seconds=120)
    path = f"/v2/payments/refunds/{client.refund(taken(order)['id']).json()['id']}"
    hidden = client.get(path).status_code
    client.advance(121)

    assert (hidden, client.get(path).status_code) == (404, 200)


def test_lookup_5xx_lets_only_lookups_fail(client: PayPalClient, order: dict[str, Any]) -> None:
    client.fault("*", "lookup_5xx")
    client.create("other")

    assert client.get(f"{ORDERS}/{order['id']}").status_code == 502
    assert client.order(order["id"])["status"] == "COMPLETED"


@pytest.mark.parametrize("operation", ["order", "capture", "get"])
def test_then_reverse_takes_the_money_back_later(client: PayPalClient, operation: str) -> None:
    client.fault(operation, "then_reverse", after_s=3_600)
    order = client.paid()
    client.order(order["id"])
    client.advance(3_601)

    seen = client.order(order["id"])

    (refund,) = unit(seen)["payments"]["refunds"]
    assert (taken(seen)["status"], refund["note_to_payer"]) == ("REFUNDED", "Payment reversed")
    assert client.get(f"/v2/payments/refunds/{refund['id']}").json() == refund
    assert client.moves()[1:] == [("reversal", 10_000, True)]
    assert client.told()[-1] == "PAYMENT.CAPTURE.REVERSED"


def test_a_reversal_takes_what_refunds_have_left(client: PayPalClient) -> None:
    client.fault("capture", "then_reverse", after_s=60)
    capture_id = taken(client.paid())["id"]
    client.refund(capture_id, {"amount": {"currency_code": "USD", "value": "30.00"}})
    client.advance(61)

    assert client.moves()[1:] == [("refund", 3_000, True), ("reversal", 7_000, True)]


def test_a_pending_capture_is_reversed_after_it_has_arrived(client: PayPalClient) -> None:
    client.fault("capture", "then_reverse", after_s=60)
    client.paid(outcome="pending")
    client.advance(61)
    client.pay(outcome="settle")
    client.advance(61)

    assert [kind for kind, _, _ in client.moves()] == ["charge", "reversal"]


def test_what_is_refunded_whole_is_not_reversed(client: PayPalClient) -> None:
    client.fault("capture", "then_reverse", after_s=60)
    client.refund(taken(client.paid())["id"])
    client.advance(61)

    assert [kind for kind, _, _ in client.moves()] == ["charge", "refund"]


def test_ignore_key_opens_and_charges_twice(client: PayPalClient) -> None:
    vault_id = client.saved()
    client.fault("order", "ignore_key", nth=2)

    first, second = client.charge(vault_id).json(), client.charge(vault_id).json()

    assert first["id"] != second["id"]
    assert [entry["reference"] for entry in client.journal()] == ["first", "c-1", "c-1"]


def test_ignore_key_refunds_twice(client: PayPalClient, order: dict[str, Any]) -> None:
    client.fault("refund", "ignore_key", nth=2)
    part = {"amount": {"currency_code": "USD", "value": "10.00"}}
    for _ in range(2):
        client.refund(taken(order)["id"], part, "key-1")

    assert client.moves()[1:] == [("refund", 1_000, True)] * 2


def test_dup_ref_error_refuses_what_it_has_done(client: PayPalClient) -> None:
    created = client.create()
    client.pay()
    client.fault("capture", "dup_ref_error")
    client.fault("refund", "dup_ref_error")

    captured = client.capture(created["id"])
    refunded = client.refund(taken(client.order(created["id"]))["id"])

    assert issue(captured) == (422, "ORDER_ALREADY_CAPTURED")
    assert issue(refunded) == (422, "DUPLICATE_INVOICE_ID")
    assert [kind for kind, _, _ in client.moves()] == ["charge", "refund"]


def test_dup_ref_error_of_a_charge(client: PayPalClient) -> None:
    vault_id = client.saved()
    client.fault("order", "dup_ref_error")

    assert issue(client.charge(vault_id)) == (422, "DUPLICATE_INVOICE_ID")
    assert len(client.journal()) == 2
    assert client.charge(vault_id).status_code == 200  # Under the same id comes what was done.


@pytest.mark.parametrize(
    ("fault", "args", "status", "moved"),
    [
        ("wrong_amount", {}, "COMPLETED", (1_000_000, "USD", True)),
        ("wrong_amount", {"amount_minor": 3}, "COMPLETED", (3, "USD", True)),
        ("wrong_currency", {}, "COMPLETED", (10_000, "EUR", True)),
        ("decline", {"word": "DECLINED"}, "DECLINED", (10_000, "USD", False)),
        ("unknown_status", {}, "QUANTUM", (10_000, "USD", True)),
    ],
)
def test_on_a_capture_the_fault_is_what_happens(
    client: PayPalClient, fault: str, args: dict[str, Any], status: str, moved: tuple[int, str, bool]
) -> None:
    order = client.create()
    client.pay()
    client.fault("capture", fault, **args)

    reply = client.capture(order["id"])

    entry = client.journal()[-1]
    assert taken(reply.json())["status"] == status
    assert (entry["amount_minor"], entry["currency"], entry["ok"]) == moved


@pytest.mark.parametrize(
    ("args", "name"),
    [
        ({}, "INSTRUMENT_DECLINED"),
        ({"word": "PAYER_CANNOT_PAY"}, "PAYER_CANNOT_PAY"),
        ({"word": "BAD_MOOD"}, "INSTRUMENT_DECLINED"),
    ],
)
def test_a_capture_can_be_refused_by_a_fault(client: PayPalClient, args: dict[str, Any], name: str) -> None:
    order = client.create()
    client.pay()
    client.fault("capture", "decline", **args)

    assert issue(client.capture(order["id"])) == (422, name)


@pytest.mark.parametrize(("word", "reason"), [("ECHECK", "ECHECK"), ("MOOD", "OTHER")])
def test_a_capture_can_be_pending_by_a_fault(client: PayPalClient, word: str, reason: str) -> None:
    order = client.create()
    client.pay()
    client.fault("capture", "pending", word=word)

    capture = taken(client.capture(order["id"]).json())

    assert (capture["status"], capture["status_details"]["reason"]) == ("PENDING", reason)


def test_a_capture_whose_answer_is_lost_has_happened(client: PayPalClient) -> None:
    order = client.create()
    client.pay()
    client.fault("capture", "500_after")

    lost, again = client.capture(order["id"], "key-1"), client.capture(order["id"], "key-1")

    assert (lost.status_code, lost.json()["name"]) == (500, "INTERNAL_SERVER_ERROR")
    assert (again.status_code, taken(again.json())["status"]) == (200, "COMPLETED")
    assert len(client.journal()) == 1


def test_too_many_calls_are_told_when_to_come_back(client: PayPalClient) -> None:
    client.fault("order", "429", retry_after=11)

    reply = client.post(ORDERS, draft())

    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "11")
    assert reply.json()["name"] == "RATE_LIMIT_REACHED"


@pytest.mark.parametrize("operation", ["token", "certificate", "disputes", "verify_signature", "vault"])
def test_every_kind_of_call_can_be_struck(client: PayPalClient, operation: str) -> None:
    paths = {
        "token": ("POST", "/v1/oauth2/token"),
        "certificate": ("GET", "/v1/notifications/certs/CERT-1"),
        "disputes": ("GET", "/v1/customer/disputes"),
        "verify_signature": ("POST", "/v1/notifications/verify-webhook-signature"),
        "vault": ("GET", "/v3/vault/payment-tokens/x"),
    }
    client.fault(operation, "reset_before")

    with pytest.raises(httpx.TransportError):
        client.call(*paths[operation])
