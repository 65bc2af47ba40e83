"""The control API about Flutterwave: what it says to wrong input."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.flutterwave.conftest import Shop


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("pay", {"outcome": "win"}, 400),
        ("pay", {"outcome": ["success"]}, 400),
        ("pay", {"outcome": "settle"}, 400),
        ("pay", {"outcome": "other_amount"}, 400),
        ("pay", {"outcome": "other_amount", "amount_minor": 1.5}, 400),
        ("pay", {"outcome": "other_amount", "amount_minor": True}, 400),
        ("pay", {"outcome": "success", "leaves": "failed"}, 400),
        ("pay", {"outcome": "success", "reference": "nobody"}, 404),
        ("refund", {"outcome": "success"}, 404),
        ("refund", {"outcome": "success", "colour": "red"}, 400),
        ("methods", {"next": ["success"]}, 400),
        ("methods", {"next": ["fly"]}, 400),
        ("methods", {"next": "success"}, 400),
        ("methods", {"next": [], "colour": "red"}, 400),
    ],
)
def test_wrong_input_is_refused_with_advice_and_changes_nothing(
    shop: Shop, path: str, body: dict[str, Any], status: int
) -> None:
    shop.open()

    reply = shop.http.post(f"/control/{path}", json={"gateway": "flutterwave", "reference": "r-1", **body})

    assert (reply.status_code, len(reply.json()["error"]) > 10) == (status, True)
    assert (shop.journal(), shop.events()) == ([], [])


@pytest.mark.parametrize(
    ("body", "status"),
    [({"outcome": "maybe"}, 400), ({"amount_minor": 500_001}, 400), ({"refund_id": 1}, 404)],
)
def test_a_refund_that_cannot_be_is_refused(shop: Shop, body: dict[str, Any], status: int) -> None:
    shop.paid()

    reply = shop.http.post("/control/refund", json={"gateway": "flutterwave", "reference": "r-1", **body})

    assert (reply.status_code, len(reply.json()["error"]) > 10) == (status, True)
    assert len(shop.journal()) == 1


@pytest.mark.parametrize("fault", ["test_mode", "then_reverse"])
def test_what_its_wire_cannot_tell_is_no_fault_of_it(shop: Shop, fault: str) -> None:
    plan = {"match": "flutterwave.verify", "fault": fault}

    reply = shop.http.post("/control/faults", json={"faults": [plan]})

    assert (reply.status_code, "fault must be one of" in reply.json()["error"]) == (400, True)


def test_paying_tells_what_came_of_it(shop: Shop) -> None:
    shop.open()

    told = shop.pay(customer_pays_fee=True)

    assert told["transaction"] == {
        "id": shop.verify()["id"],
        "status": "successful",
        "currency": "NGN",
        "reference": "r-1",
        "amount_minor": 510_000,
    }
    assert told["redirect_url"].startswith("https://shop.example/back?status=successful&tx_ref=r-1&")
