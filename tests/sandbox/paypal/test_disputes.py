"""Payments that the payer's bank contests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.paypal.conftest import PayPalClient, issue, taken

DISPUTES = "/v1/customer/disputes"


@pytest.fixture
def capture_id(client: PayPalClient) -> str:
    return str(taken(client.paid())["id"])


def act(client: PayPalClient, action: str) -> dict[str, Any]:
    return dict(client.control("dispute", reference="a-1", action=action)["dispute"])


def test_an_open_dispute_is_found_by_its_capture(client: PayPalClient, capture_id: str) -> None:
    opened = act(client, "open")

    (row,) = client.get(f"{DISPUTES}?disputed_transaction_id={capture_id}").json()["items"]
    whole = client.get(f"{DISPUTES}/{opened['id']}").json()

    assert (row["dispute_id"], row["status"]) == (opened["id"], "WAITING_FOR_SELLER_RESPONSE")
    assert whole["disputed_transactions"][0]["seller_transaction_id"] == capture_id
    assert whole["disputed_transactions"][0]["custom"] == "a-1"
    assert row["seller_response_due_date"] > row["create_time"]
    assert client.moves() == [("charge", 10_000, True)]


@pytest.mark.parametrize(
    ("action", "outcome", "ok", "status"),
    [
        ("won", ("RESOLVED_SELLER_FAVOUR", "0.00"), False, "COMPLETED"),
        ("lost", ("RESOLVED_BUYER_FAVOUR", "100.00"), True, "REFUNDED"),
    ],
)
def test_a_dispute_is_decided(
    client: PayPalClient, action: str, outcome: tuple[str, str], ok: bool, status: str
) -> None:
    capture_id = taken(client.paid())["id"]
    dispute_id = act(client, "open")["id"]
    act(client, "update")
    act(client, action)

    dispute = client.get(f"{DISPUTES}/{dispute_id}").json()

    told = dispute["dispute_outcome"]
    assert (told["outcome_code"], told["amount_refunded"]["value"]) == outcome
    assert dispute["status"] == "RESOLVED"
    assert client.moves()[-1] == ("dispute", 10_000, ok)
    assert client.get(f"/v2/payments/captures/{capture_id}").json()["status"] == status
    names = [f"CUSTOMER.DISPUTE.{what}" for what in ("CREATED", "UPDATED", "RESOLVED")]
    assert client.told()[-3:] == names
    assert json.loads(client.events()[-1]["body"])["resource"] == dispute


def test_a_dispute_stands_in_the_way_of_refunds(client: PayPalClient, capture_id: str) -> None:
    act(client, "open")
    part = client.refund(capture_id, {"amount": {"currency_code": "USD", "value": "1.00"}})
    act(client, "lost")

    assert issue(part) == (422, "TRANSACTION_DISPUTED")
    assert issue(client.refund(capture_id)) == (422, "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")


def test_a_whole_refund_is_possible_while_a_dispute_is_open(client: PayPalClient, capture_id: str) -> None:
    act(client, "open")

    assert client.refund(capture_id).status_code == 201


def test_a_won_dispute_may_be_followed_by_another(client: PayPalClient, capture_id: str) -> None:
    for action in ("open", "won", "open"):
        act(client, action)

    assert len(client.get(f"{DISPUTES}?disputed_transaction_id={capture_id}").json()["items"]) == 2
    assert len(client.get(f"{DISPUTES}?page_size=1").json()["items"]) == 1


@pytest.mark.parametrize(("action", "word"), [("won", "open"), ("update", "open"), ("burn", "action")])
def test_what_cannot_be_is_advised(client: PayPalClient, capture_id: str, action: str, word: str) -> None:
    assert word in client.refusal("dispute", reference="a-1", action=action)


def test_only_money_that_came_is_disputed_and_only_once_at_a_time(client: PayPalClient) -> None:
    client.paid("slow", "pending")
    client.paid("a-1")
    act(client, "open")

    assert "PENDING" in client.refusal("dispute", reference="slow", action="open")
    assert "open dispute" in client.refusal("dispute", reference="a-1", action="open")


def test_nothing_is_found_where_nothing_is(client: PayPalClient) -> None:
    assert client.get(f"{DISPUTES}?disputed_transaction_id=NOBODY").json()["items"] == []
    assert issue(client.get(f"{DISPUTES}/PP-D-1")) == (404, "INVALID_RESOURCE_ID")
    assert client.get(f"{DISPUTES}?page_size=0").status_code == 400
