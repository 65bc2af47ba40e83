"""Refunds by the API and from the dashboard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.paypal.conftest import PayPalClient, issue, taken


@pytest.fixture
def capture_id(client: PayPalClient) -> str:
    return str(taken(client.paid())["id"])


def status_of(client: PayPalClient, capture_id: str) -> str:
    return str(client.get(f"/v2/payments/captures/{capture_id}").json()["status"])


def test_a_refund_without_an_amount_returns_everything(client: PayPalClient, capture_id: str) -> None:
    reply = client.refund(capture_id)
    refund = reply.json()

    fetched = client.get(f"/v2/payments/refunds/{refund['id']}").json()

    assert (reply.status_code, refund["status"], refund["amount"]["value"]) == (201, "COMPLETED", "100.00")
    assert fetched == refund
    assert status_of(client, capture_id) == "REFUNDED"
    entry = client.journal()[-1]
    assert (entry["kind"], entry["amount_minor"], entry["ok"]) == ("refund", 10_000, True)
    assert (entry["initiated_by"], entry["reference"]) == ("merchant", "a-1")


def test_refunds_add_up_and_the_order_stays_completed(client: PayPalClient) -> None:
    order = client.paid()
    capture_id = taken(order)["id"]
    first = client.refund(capture_id, {"amount": {"currency_code": "USD", "value": "30.00"}}).json()
    between = status_of(client, capture_id)
    rest = client.refund(capture_id).json()

    seen = client.order(order["id"])

    assert (between, rest["amount"]["value"]) == ("PARTIALLY_REFUNDED", "70.00")
    assert (seen["status"], taken(seen)["status"]) == ("COMPLETED", "REFUNDED")
    assert seen["purchase_units"][0]["payments"]["refunds"] == [first, rest]
    totals = [one["seller_payable_breakdown"]["total_refunded_amount"]["value"] for one in (first, rest)]
    assert totals == ["30.00", "100.00"]


def test_paypal_returns_the_share_of_its_fee_and_keeps_the_fixed_part(
    client: PayPalClient, capture_id: str
) -> None:
    breakdown = client.refund(capture_id).json()["seller_payable_breakdown"]

    assert (breakdown["paypal_fee"]["value"], breakdown["net_amount"]["value"]) == ("3.49", "96.51")


def test_the_default_answer_is_minimal(client: PayPalClient, capture_id: str) -> None:
    reply = client.post(f"/v2/payments/captures/{capture_id}/refund", whole=False)

    assert set(reply.json()) == {"id", "status", "links"}
    assert [link["rel"] for link in reply.json()["links"]] == ["self", "up"]
    assert reply.json()["links"][1]["href"].endswith(f"/v2/payments/captures/{capture_id}")


def test_what_the_merchant_says_of_a_refund_is_kept(client: PayPalClient, capture_id: str) -> None:
    said = {"custom_id": "REF-1", "invoice_id": "inv-r", "note_to_payer": "Sorry"}

    refund = client.refund(capture_id, said).json()

    assert {name: refund[name] for name in said} == said


def test_otherwise_it_carries_the_captures_custom_id(client: PayPalClient, capture_id: str) -> None:
    assert client.refund(capture_id).json()["custom_id"] == "a-1"


def test_one_request_id_refunds_once_for_45_days(client: PayPalClient, capture_id: str) -> None:
    part = {"amount": {"currency_code": "USD", "value": "10.00"}}
    first = client.refund(capture_id, part, "key-1")
    client.advance(45 * 86_400 - 5)
    again = client.refund(capture_id, part, "key-1")
    client.advance(10)

    late = client.refund(capture_id, part, "key-1")

    assert (first.status_code, again.status_code, again.json() == first.json()) == (201, 200, True)
    assert (late.status_code, late.json()["id"] == first.json()["id"]) == (201, False)
    assert [kind for kind, _, _ in client.moves()] == ["charge", "refund", "refund"]


def usd(value: str, currency: str = "USD") -> dict[str, Any]:
    return {"amount": {"currency_code": currency, "value": value}}


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        (usd("100.01"), 422, "REFUND_AMOUNT_EXCEEDED"),
        (usd("1.00", "EUR"), 422, "REFUND_CAPTURE_CURRENCY_MISMATCH"),
        (usd("1.005"), 422, "DECIMAL_PRECISION"),
        (usd("0"), 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ({"amount": "5.00"}, 400, "MISSING_REQUIRED_PARAMETER"),
        ({"note_to_payer": "x" * 256}, 400, "INVALID_STRING_LENGTH"),
    ],
)
def test_an_impossible_refund_is_refused(
    client: PayPalClient, capture_id: str, body: dict[str, Any], status: int, name: str
) -> None:
    assert issue(client.refund(capture_id, body)) == (status, name)
    assert status_of(client, capture_id) == "COMPLETED"


def test_nothing_is_refunded_twice(client: PayPalClient, capture_id: str) -> None:
    client.refund(capture_id)

    assert issue(client.refund(capture_id)) == (422, "CAPTURE_FULLY_REFUNDED")


def test_an_invoice_of_a_refund_is_used_once(client: PayPalClient, capture_id: str) -> None:
    client.refund(capture_id, {**usd("1.00"), "invoice_id": "inv-r"})

    assert issue(client.refund(capture_id, {**usd("1.00"), "invoice_id": "inv-r"})) == (
        422,
        "DUPLICATE_INVOICE_ID",
    )


def test_after_180_days_it_is_too_late(client: PayPalClient, capture_id: str) -> None:
    client.advance(180 * 86_400 + 1)

    assert issue(client.refund(capture_id)) == (422, "REFUND_TIME_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("leaves", "name"), [("DECLINED", "REFUND_NOT_ALLOWED"), ("FAILED", "REFUND_NOT_ALLOWED")]
)
def test_what_was_not_paid_is_not_refunded(client: PayPalClient, leaves: str, name: str) -> None:
    order = client.create()
    client.pay(outcome="decline", leaves=leaves)

    assert issue(client.refund(taken(client.capture(order["id"]).json())["id"])) == (422, name)


def test_a_pending_capture_is_not_refunded(client: PayPalClient) -> None:
    order = client.paid(outcome="pending")

    assert issue(client.refund(taken(order)["id"])) == (422, "PENDING_CAPTURE")


def test_unknown_things_are_not_found(client: PayPalClient) -> None:
    assert issue(client.refund("NOBODY")) == (404, "INVALID_RESOURCE_ID")
    assert issue(client.get("/v2/payments/refunds/NOBODY")) == (404, "INVALID_RESOURCE_ID")


def test_a_refund_may_wait_for_an_e_check(client: PayPalClient, capture_id: str) -> None:
    client.fault("refund", "pending", after_s=3 * 86_400)
    refund = client.refund(capture_id).json()
    before = (status_of(client, capture_id), len(client.journal()))
    client.advance(3 * 86_400 + 1)

    assert (refund["status"], refund["status_details"]) == ("PENDING", {"reason": "ECHECK"})
    assert before == ("COMPLETED", 1)
    assert (status_of(client, capture_id), len(client.journal())) == ("REFUNDED", 2)


def test_what_is_pending_cannot_be_refunded_again(client: PayPalClient, capture_id: str) -> None:
    client.fault("refund", "pending")
    client.refund(capture_id)

    assert issue(client.refund(capture_id)) == (422, "CAPTURE_FULLY_REFUNDED")


def test_a_refund_may_fail_days_later(client: PayPalClient, capture_id: str) -> None:
    client.fault("refund", "decline", after_s=86_400)
    refund_id = client.refund(capture_id).json()["id"]
    client.advance(86_401)

    assert client.get(f"/v2/payments/refunds/{refund_id}").json()["status"] == "FAILED"
    assert (status_of(client, capture_id), client.moves()[-1]) == ("COMPLETED", ("refund", 10_000, False))
    assert client.refund(capture_id).status_code == 201


@pytest.mark.parametrize(
    ("args", "name"),
    [({}, "REFUND_FAILED_INSUFFICIENT_FUNDS"), ({"word": "REFUND_NOT_ALLOWED"}, "REFUND_NOT_ALLOWED")],
)
def test_a_refund_may_be_refused_at_once(
    client: PayPalClient, capture_id: str, args: dict[str, Any], name: str
) -> None:
    client.fault("refund", "decline", **args)

    assert issue(client.refund(capture_id)) == (422, name)
    assert len(client.journal()) == 1


@pytest.mark.parametrize(
    ("outcome", "status", "moved"),
    [("success", "COMPLETED", [True]), ("failed", "FAILED", [False]), ("cancelled", "CANCELLED", [False])],
)
def test_a_refund_from_the_dashboard(
    client: PayPalClient, capture_id: str, outcome: str, status: str, moved: list[bool]
) -> None:
    told = client.control("refund", reference="a-1", amount_minor=2_500, outcome=outcome)["refund"]

    seen = client.get(f"/v2/payments/refunds/{told['id']}").json()
    assert (told["status"], seen["amount"]["value"]) == (status, "25.00")
    assert [ok for kind, _, ok in client.moves() if kind == "refund"] == moved


def test_a_refund_under_way_can_be_ended_from_the_dashboard(client: PayPalClient, capture_id: str) -> None:
    refund_id = client.control("refund", reference="a-1", outcome="pending")["refund"]["id"]
    client.control("refund", reference="a-1", refund_id=refund_id, outcome="failed")
    client.control("refund", reference="a-1", refund_id=refund_id, outcome="success")
    client.advance(4 * 86_400)

    assert client.moves()[1:] == [("refund", 10_000, False)]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"reference": "nobody"}, "no order"),
        ({"reference": "open"}, "has not been captured"),
        ({"amount_minor": 10_001}, "REFUND_AMOUNT_EXCEEDED"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"outcome": "maybe"}, "outcome"),
        ({"refund_id": "R-1"}, "no refund"),
    ],
)
def test_wrong_dashboard_refunds_are_advised(
    client: PayPalClient, capture_id: str, body: dict[str, Any], word: str
) -> None:
    client.create("open")

    assert word in client.refusal("refund", **{"reference": "a-1", **body})
