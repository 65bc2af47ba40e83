"""Refunds by the API and from the dashboard, and disputes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Client, Receiver


@pytest.fixture
def paid(client: Client) -> Client:
    client.initialize()
    client.pay()
    return client


def refund(client: Client, **body: Any) -> httpx.Response:
    return client.post("/refund", {"transaction": "r-1", **body})


def test_a_refund_is_pending_then_processed(paid: Client) -> None:
    reply = refund(paid)
    created = reply.json()["data"]
    status_before, journal_before = paid.verify()["status"], len(paid.journal())
    paid.advance(31)

    fetched = paid.get(f"/refund/{created['id']}").json()["data"]

    assert (created["status"], created["amount"]) == ("pending", 500_000)
    assert (status_before, journal_before) == ("reversal-pending", 1)
    assert (fetched["status"], fetched["transaction_reference"]) == ("processed", "r-1")
    assert paid.verify()["status"] == "reversed"
    entry = paid.journal()[-1]
    assert (entry["kind"], entry["ok"], entry["amount_minor"], entry["initiated_by"]) == (
        "refund",
        True,
        500_000,
        "merchant",
    )


def test_a_partial_refund_leaves_reversal_pending(paid: Client) -> None:
    refund(paid, amount=100_000)
    paid.advance(31)

    assert paid.verify()["status"] == "reversal-pending"


def test_there_is_no_key_against_repeats(paid: Client) -> None:
    refund(paid, amount=100_000)
    refund(paid, amount=100_000)

    listed = paid.get("/refund", transaction=paid.verify()["id"]).json()

    assert [row["amount"] for row in listed["data"]] == [100_000, 100_000]
    assert listed["data"][0]["id"] > listed["data"][1]["id"] > 2**32
    assert (listed["meta"]["total"], listed["meta"]["perPage"]) == (2, "50")


def test_without_an_amount_it_is_the_original_amount_again(paid: Client) -> None:
    refund(paid, amount=100_000)

    reply = refund(paid)

    assert reply.status_code == 400
    assert reply.json()["message"] == "Total refund amount cannot exceed original transaction amount"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"amount": 500_001}, "Total refund amount cannot exceed original transaction amount"),
        ({"currency": "GHS"}, "Transaction currency must match refund currency"),
        ({"amount": "5"}, "Invalid Amount Sent"),
        ({"amount": 0}, "Invalid Amount Sent"),
        ({"transaction": "nobody"}, "Transaction reference not found."),
        ({"transaction": None}, "transaction is required"),
        ({"customer_note": 7}, "customer_note must be a string"),
    ],
)
def test_an_impossible_refund_is_refused(paid: Client, body: dict[str, Any], message: str) -> None:
    reply = refund(paid, **body)

    assert (reply.status_code, reply.json()["message"]) == (400, message)
    assert paid.verify()["status"] == "success"


def test_ghana_has_a_smallest_refund(client: Client) -> None:
    client.initialize(currency="GHS")
    client.pay()

    reply = refund(client, amount=99)

    expected = "The minimum amount you may send in a single refund at this time is: GHS1.00"
    assert reply.json()["message"] == expected


def test_an_unpaid_transaction_cannot_be_refunded(client: Client) -> None:
    client.initialize()

    assert refund(client).status_code == 400


def test_a_refund_by_numeric_id_hits_that_one_of_two_payments(client: Client) -> None:
    client.initialize()
    first_id = client.verify()["id"]
    client.pay(outcome="twice")

    refund(client, transaction=first_id)

    assert client.get(f"/transaction/{first_id}").json()["data"]["status"] == "reversal-pending"
    assert client.verify()["status"] == "success"


def test_unknown_refunds_and_bad_filters(paid: Client) -> None:
    assert paid.get("/refund/123").status_code == 404
    assert paid.get("/refund", transaction="r-1").status_code == 400


@pytest.mark.parametrize(
    ("outcome", "status", "transaction_status", "moved"),
    [
        ("success", "processed", "reversed", [True]),
        ("failed", "failed", "success", [False]),
        ("needs-attention", "needs-attention", "reversal-pending", []),
        ("pending", "pending", "reversal-pending", []),
    ],
)
def test_a_refund_from_the_dashboard(
    paid: Client, outcome: str, status: str, transaction_status: str, moved: list[bool]
) -> None:
    paid.control("refund", gateway="paystack", reference="r-1", amount_minor=500_000, outcome=outcome)

    assert paid.get("/refund").json()["data"][0]["status"] == status
    assert paid.verify()["status"] == transaction_status
    assert [entry["ok"] for entry in paid.journal()[1:]] == moved


def test_a_refund_under_way_can_be_made_to_fail(paid: Client) -> None:
    refund_id = refund(paid).json()["data"]["id"]
    paid.control("refund", gateway="paystack", reference="r-1", refund_id=refund_id, outcome="failed")
    paid.advance(60)

    assert paid.get(f"/refund/{refund_id}").json()["data"]["status"] == "failed"
    assert paid.verify()["status"] == "success"


def test_refund_webhooks_have_text_amounts_and_no_id(paid: Client, receiver: Receiver) -> None:
    refund(paid, amount=100_000)
    paid.advance(31)

    events = [json.loads(body) for _, body in receiver.wait(3)][1:]

    assert [event["event"] for event in events] == ["refund.pending", "refund.processed"]
    assert {event["data"]["amount"] for event in events} == {"100000"}
    assert all("id" not in event["data"] for event in events)
    assert events[0]["data"]["transaction_reference"] == "r-1"


@pytest.mark.parametrize(
    ("action", "moved", "status"), [("won", False, "success"), ("lost", True, "reversed")]
)
def test_a_dispute_is_decided(
    paid: Client, receiver: Receiver, action: str, moved: bool, status: str
) -> None:
    paid.control("dispute", gateway="paystack", reference="r-1", action="open")
    journal_before = len(paid.journal())
    paid.control("dispute", gateway="paystack", reference="r-1", action=action)

    names = [json.loads(body)["event"] for _, body in receiver.wait(3)]

    assert journal_before == 1
    assert (paid.journal()[-1]["kind"], paid.journal()[-1]["ok"]) == ("dispute", moved)
    assert names == ["charge.success", "charge.dispute.create", "charge.dispute.resolve"]
    assert paid.verify()["status"] == status
