"""Refunds by the API and from the dashboard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.flutterwave.conftest import LIVE_KEY, NO_TRANSACTION, Shop


@pytest.fixture
def number(shop: Shop) -> int:
    """The id of a payment of 5,000 naira."""
    return int(shop.paid()["id"])


def test_a_refund_is_pending_then_completed(shop: Shop, number: int) -> None:
    reply = shop.refund(number, comments="REF-1").json()
    created, money_before = reply["data"], len(shop.journal())
    shop.advance(31)

    fetched = shop.get(f"/refunds/{created['id']}").json()["data"]

    assert (reply["message"], created["status"]) == ("Transaction refund initiated", "pending")
    assert (created["tx_id"], created["amount_refunded"], money_before) == (number, 5_000, 1)
    assert (fetched["status"], fetched["comments"]) == ("completed", "REF-1")
    assert shop.verify()["status"] == "successful"  # No status tells of money that went back.
    entry = shop.journal()[-1]
    assert (entry["kind"], entry["ok"], entry["amount_minor"], entry["initiated_by"]) == (
        "refund",
        True,
        500_000,
        "merchant",
    )


def test_a_refund_of_a_transfer_names_its_way(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="other_amount", amount_minor=500_000)
    shop.refund(shop.verify()["id"])
    shop.advance(31)

    assert shop.get("/refunds").json()["data"][0]["status"] == "completed-bank-transfer"


def test_there_is_no_key_against_repeats(shop: Shop, number: int) -> None:
    for _ in range(2):
        shop.refund(number, amount="1000.50", comments="same")

    listed = shop.get("/refunds").json()

    assert [row["amount_refunded"] for row in listed["data"]] == [1000.5, 1000.5]
    assert [row["tx_id"] for row in listed["data"]] == [str(number)] * 2
    assert int(listed["data"][0]["id"]) > int(listed["data"][1]["id"])
    assert {row["comment"] for row in listed["data"]} == {"same"}
    assert listed["meta"] == {"page_info": {"total": 2, "current_page": 1, "total_pages": 1}}


def test_the_list_pages_and_has_a_period(shop: Shop, number: int) -> None:
    for _ in range(11):
        shop.refund(number, amount=1)
    day = shop.verify()["created_at"][:10]

    assert len(shop.get("/refunds", page=2).json()["data"]) == 1
    assert shop.get("/refunds", **{"from": day, "to": day}).json()["meta"]["page_info"]["total"] == 11
    assert shop.get("/refunds", **{"from": "2100-01-01"}).json()["data"] == []
    assert shop.get("/refunds", page="x").status_code == 400


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"amount": 5_000.01}, "left"),
        ({"amount": 0}, "amount"),
        ({"amount": "five"}, "amount"),
        ({"amount": 1.005}, "decimals"),
        ({"comments": 7}, "comments"),
    ],
)
def test_an_impossible_refund_is_refused(shop: Shop, number: int, body: dict[str, Any], word: str) -> None:
    reply = shop.refund(number, **body)

    assert (reply.status_code, reply.json()["status"], word in reply.json()["message"]) == (
        400,
        "error",
        True,
    )
    assert shop.get("/refunds").json()["data"] == []


def test_without_an_amount_it_is_all_that_was_charged_again(shop: Shop, number: int) -> None:
    shop.refund(number, amount=1_000)

    assert shop.refund(number).status_code == 400


def test_an_unpaid_or_unknown_transaction_cannot_be_refunded(shop: Shop, number: int) -> None:
    shop.open("bad")
    shop.pay("bad", "decline")

    assert "successful" in shop.refund(shop.verify("bad")["id"]).json()["message"]
    assert shop.refund(1).json() == NO_TRANSACTION
    assert shop.post("/transactions/r-1/refund", {}).json() == NO_TRANSACTION
    assert shop.post(f"/transactions/{number}/refund", {}, key=LIVE_KEY).json() == NO_TRANSACTION


def test_an_unknown_refund_is_not_found(shop: Shop, number: int) -> None:
    refund_id = shop.refund(number).json()["data"]["id"]

    assert [shop.get(f"/refunds/{name}").status_code for name in ("1", "x")] == [400, 400]
    assert shop.get(f"/refunds/{refund_id}", key=LIVE_KEY).status_code == 400
    assert shop.get("/refunds", key=LIVE_KEY).json()["data"] == []


@pytest.mark.parametrize(
    ("outcome", "status", "moved"),
    [("success", "completed", [True]), ("failed", "failed", [False]), ("pending", "pending", [])],
)
def test_a_refund_from_the_dashboard(
    shop: Shop, number: int, outcome: str, status: str, moved: list[bool]
) -> None:
    told = shop.control("refund", gateway="flutterwave", reference="r-1", amount_minor=100, outcome=outcome)

    (row,) = shop.get("/refunds").json()["data"]
    assert (told["refund"]["status"], row["status"], row["amount_refunded"]) == (status, status, 1)
    assert [entry["ok"] for entry in shop.journal()[1:]] == moved


def test_what_failed_can_be_refunded_again(shop: Shop, number: int) -> None:
    refund_id = shop.refund(number).json()["data"]["id"]
    shop.control("refund", gateway="flutterwave", reference="r-1", refund_id=refund_id, outcome="failed")
    shop.advance(60)

    assert shop.get(f"/refunds/{refund_id}").json()["data"]["status"] == "failed"
    assert shop.refund(number).status_code == 200
    assert [entry["ok"] for entry in shop.journal()] == [True, False]


def test_an_ended_refund_stays_as_it_is(shop: Shop, number: int) -> None:
    refund_id = shop.refund(number).json()["data"]["id"]
    shop.advance(31)
    shop.control("refund", gateway="flutterwave", reference="r-1", refund_id=refund_id, outcome="failed")

    assert shop.get(f"/refunds/{refund_id}").json()["data"]["status"] == "completed"
    assert len(shop.journal()) == 2


@pytest.mark.parametrize("action", ["open", "won", "lost"])
def test_disputes_are_not_told_of_by_the_api(shop: Shop, number: int, action: str) -> None:
    body = {"gateway": "flutterwave", "reference": "r-1", "action": action}

    reply = shop.http.post("/control/dispute", json=body)

    assert (reply.status_code, "outside the API" in reply.json()["error"]) == (400, True)
    assert len(shop.journal()) == 1
