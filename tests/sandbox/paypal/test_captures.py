"""Taking the money of an approved order, and all that this may come to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.paypal.conftest import PayPalClient, issue, taken


def approved(client: PayPalClient, reference: str = "a-1", **more: Any) -> str:
    order = client.create(reference, **more)
    client.pay(reference)
    return str(order["id"])


def test_capturing_moves_the_money_once(client: PayPalClient) -> None:
    order_id = approved(client)

    reply = client.capture(order_id)
    again = client.capture(order_id)

    order = reply.json()
    assert (reply.status_code, order["status"], taken(order)["status"]) == (201, "COMPLETED", "COMPLETED")
    assert issue(again) == (422, "ORDER_ALREADY_CAPTURED")
    (entry,) = client.journal()
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "seq": 1,
        "gateway": "paypal",
        "mode": "test",
        "reference": "a-1",
        "kind": "charge",
        "amount_minor": 10_000,
        "currency": "USD",
        "ok": True,
        "initiated_by": "customer",
    }


def test_the_default_answer_has_no_capture_in_it(client: PayPalClient) -> None:
    reply = client.capture(approved(client), whole=False)

    assert set(reply.json()) == {"id", "status", "links"}
    assert reply.json()["status"] == "COMPLETED"


def test_the_merchant_gets_the_amount_without_the_fee(client: PayPalClient) -> None:
    breakdown = taken(client.paid())["seller_receivable_breakdown"]

    written = [breakdown[name]["value"] for name in ("gross_amount", "paypal_fee", "net_amount")]
    assert written == ["100.00", "3.98", "96.02"]


@pytest.mark.parametrize(
    ("value", "currency", "fee"),
    [("100.00", "EUR", "3.88"), ("100.00", "CHF", "3.49"), ("0.10", "USD", "0.10"), ("1000", "JPY", "35")],
)
def test_the_fee_follows_amount_and_currency(
    client: PayPalClient, value: str, currency: str, fee: str
) -> None:
    capture = taken(client.paid(value=value, currency=currency))

    assert capture["seller_receivable_breakdown"]["paypal_fee"]["value"] == fee


@pytest.mark.parametrize(("currency", "amount_minor"), [("HUF", 70_000), ("TWD", 70_000), ("JPY", 700)])
def test_the_journal_counts_in_iso_minor_units(
    client: PayPalClient, currency: str, amount_minor: int
) -> None:
    client.paid(value="700", currency=currency)

    assert client.moves() == [("charge", amount_minor, True)]


def test_a_capture_by_itself_names_its_order(client: PayPalClient) -> None:
    order = client.paid(invoice_id="inv-1")
    capture_id = taken(order)["id"]

    capture = client.get(f"/v2/payments/captures/{capture_id}").json()

    assert capture["supplementary_data"] == {"related_ids": {"order_id": order["id"]}}
    assert (capture["custom_id"], capture["invoice_id"], capture["final_capture"]) == ("a-1", "inv-1", True)
    assert [link["rel"] for link in capture["links"]] == ["self", "refund", "up"]
    assert issue(client.get("/v2/payments/captures/NOBODY")) == (404, "INVALID_RESOURCE_ID")


@pytest.mark.parametrize("source", [None, {"paypal": {}}])
def test_without_the_payers_consent_nothing_is_taken(client: PayPalClient, source: Any) -> None:
    order = client.create(payment_source=source)

    reply = client.capture(order["id"])

    assert issue(reply) == (422, "ORDER_NOT_APPROVED")
    assert reply.json()["links"][0]["href"].endswith(f"checkoutnow?token={order['id']}")
    assert client.journal() == []


def test_a_declined_instrument_sends_the_payer_back(client: PayPalClient) -> None:
    order = client.create()
    client.pay(outcome="decline")

    declined = client.capture(order["id"])
    seen = client.order(order["id"])
    client.pay()

    assert issue(declined) == (422, "INSTRUMENT_DECLINED")
    assert declined.json()["links"][0]["rel"] == "redirect"
    assert (seen["status"], "payer" in seen) == ("PAYER_ACTION_REQUIRED", False)
    assert client.capture(order["id"]).status_code == 201
    assert client.moves() == [("charge", 10_000, False), ("charge", 10_000, True)]


@pytest.mark.parametrize("name", ["PAYER_CANNOT_PAY", "TRANSACTION_REFUSED", "COMPLIANCE_VIOLATION"])
def test_paypal_refuses_for_other_reasons_too(client: PayPalClient, name: str) -> None:
    order = client.create()
    client.pay(outcome="decline", leaves=name)

    assert issue(client.capture(order["id"])) == (422, name)


@pytest.mark.parametrize(("status", "told"), [("DECLINED", ["PAYMENT.CAPTURE.DENIED"]), ("FAILED", [])])
def test_an_order_may_be_completed_and_yet_unpaid(client: PayPalClient, status: str, told: list[str]) -> None:
    created = client.create()
    client.pay(outcome="decline", leaves=status)

    order = client.capture(created["id"]).json()

    assert (order["status"], taken(order)["status"]) == ("COMPLETED", status)
    assert "seller_receivable_breakdown" not in taken(order)
    assert client.moves() == [("charge", 10_000, False)]
    assert client.told()[1:] == told


def test_a_pending_capture_says_why(client: PayPalClient) -> None:
    created = client.create()
    client.pay(outcome="pending", reason="ECHECK")

    order = client.capture(created["id"]).json()

    capture = taken(order)
    assert (order["status"], capture["status"]) == ("COMPLETED", "PENDING")
    assert capture["status_details"] == {"reason": "ECHECK"}
    assert (client.journal(), client.told()[-1]) == ([], "PAYMENT.CAPTURE.PENDING")


@pytest.mark.parametrize(
    ("outcome", "status", "ok", "event"),
    [
        ("settle", "COMPLETED", True, "PAYMENT.CAPTURE.COMPLETED"),
        ("decline", "DECLINED", False, "PAYMENT.CAPTURE.DENIED"),
    ],
)
def test_a_review_ends_one_way_or_the_other(
    client: PayPalClient, outcome: str, status: str, ok: bool, event: str
) -> None:
    order = client.paid(outcome="pending")
    advice = client.refusal("pay", reference="a-1", outcome="success")
    client.pay(outcome=outcome)
    client.advance(2 * 86_400)

    capture = taken(client.order(order["id"]))

    assert "under review" in advice
    assert (capture["status"], "status_details" in capture) == (status, False)
    assert (client.moves(), client.told()[-1]) == ([("charge", 10_000, ok)], event)


def test_a_review_ends_by_itself_after_a_day(client: PayPalClient) -> None:
    order = client.paid(outcome="pending")
    client.advance(86_401)

    assert taken(client.order(order["id"]))["status"] == "COMPLETED"


def test_one_request_id_captures_once(client: PayPalClient) -> None:
    order_id = approved(client)

    first = client.capture(order_id, "key-1")
    again = client.capture(order_id, "key-1")
    other = client.capture(order_id, "key-2")

    assert (first.status_code, again.status_code, again.json() == first.json()) == (201, 200, True)
    assert issue(other) == (422, "ORDER_ALREADY_CAPTURED")
    assert len(client.journal()) == 1


def test_after_six_hours_the_request_id_is_forgotten(client: PayPalClient) -> None:
    order_id = approved(client)
    client.capture(order_id, "key-1")
    client.advance(6 * 3_600 + 1)

    assert issue(client.capture(order_id, "key-1")) == (422, "ORDER_ALREADY_CAPTURED")


def test_the_same_id_for_another_kind_of_call_is_another_id(client: PayPalClient) -> None:
    order = client.create(key="key-1")
    client.pay()

    assert client.capture(order["id"], "key-1").status_code == 201


def test_an_invoice_is_paid_once(client: PayPalClient) -> None:
    client.paid(invoice_id="inv-1")
    second = approved(client, "a-2", invoice_id="inv-1")

    assert issue(client.capture(second)) == (422, "DUPLICATE_INVOICE_ID")
    assert len(client.journal()) == 1


def test_a_declined_capture_leaves_its_invoice_free(client: PayPalClient) -> None:
    first = client.create("a-1", invoice_id="inv-1")
    client.pay("a-1", "decline", leaves="DECLINED")
    client.capture(first["id"])

    assert client.capture(approved(client, "a-2", invoice_id="inv-1")).status_code == 201


def test_an_invoice_whose_review_ends_badly_is_free_again(client: PayPalClient) -> None:
    client.paid(outcome="pending", invoice_id="inv-1")
    second = approved(client, "a-2", invoice_id="inv-1")
    while_pending = issue(client.capture(second))
    client.pay("a-1", "decline")

    assert while_pending == (422, "DUPLICATE_INVOICE_ID")
    assert client.capture(second).status_code == 201
