"""The list of disputes, as a merchant asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server import Sandbox, start
from tests.sandbox.conftest import Client, environ


def dispute(client: Client, reference: str = "r-1", action: str = "open") -> None:
    client.control("dispute", gateway="paystack", reference=reference, action=action)


def listed(client: Client, **query: Any) -> list[dict[str, Any]]:
    reply = client.get("/dispute", **query)
    assert reply.status_code == 200, reply.text
    return list(reply.json()["data"])


@pytest.fixture
def paid(client: Client) -> Client:
    for reference in ("r-1", "r-2"):
        client.initialize(reference)
        client.pay(reference)
    return client


def test_nobody_contests_anything_yet(paid: Client) -> None:
    assert listed(paid) == []


def test_a_dispute_says_what_is_contested_and_until_when_to_answer(paid: Client) -> None:
    dispute(paid)

    (row,) = listed(paid)

    assert (row["status"], row["resolution"]) == ("awaiting-merchant-feedback", None)
    assert (row["refund_amount"], row["currency"], row["category"]) == (500_000, "NGN", "chargeback")
    assert (row["transaction"]["reference"], row["transaction"]["id"]) == ("r-1", paid.verify()["id"])
    assert row["dueAt"] > row["createdAt"]


@pytest.mark.parametrize(("action", "resolution"), [("won", "declined"), ("lost", "merchant-accepted")])
def test_a_decided_dispute_stays_in_the_list(paid: Client, action: str, resolution: str) -> None:
    dispute(paid)
    dispute(paid, action=action)

    (row,) = listed(paid)

    assert (row["status"], row["resolution"]) == ("resolved", resolution)
    assert row["resolvedAt"]


def test_disputes_are_listed_newest_first_and_narrowed_by_transaction_and_status(paid: Client) -> None:
    dispute(paid, "r-1")
    dispute(paid, "r-1", "won")
    dispute(paid, "r-2")
    first, second = (paid.verify(reference)["id"] for reference in ("r-1", "r-2"))

    assert [row["transaction"]["id"] for row in listed(paid)] == [second, first]
    assert [row["transaction"]["id"] for row in listed(paid, transaction=first)] == [first]
    assert [row["transaction"]["id"] for row in listed(paid, status="resolved")] == [first]
    assert [row["transaction"]["id"] for row in listed(paid, perPage=1, page=2)] == [first]
    assert paid.get("/dispute", transaction="r-1").status_code == 400


def test_the_other_mode_and_a_wrong_key_see_nothing(paid: Client) -> None:
    dispute(paid)

    assert paid.get("/dispute", key="sk_live_sandbox").json()["data"] == []
    assert paid.get("/dispute", key="sk_test_wrong").status_code == 401


def test_disputes_outlive_the_sandbox(paid: Client, sandbox: Sandbox, tmp_path: Any) -> None:
    dispute(paid)
    before = listed(paid)
    sandbox.stop()
    again = start(data_dir=tmp_path / "data", environ=environ())

    try:
        assert listed(Client(again)) == before
    finally:
        again.stop()
