"""Asking about transactions, one by one and in lists."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.flutterwave.conftest import NO_TRANSACTION, Shop


def test_a_payment_shows_money_fees_card_and_customer(shop: Shop) -> None:
    data = shop.paid(amount=100, meta={"order": 7, "note": None})

    assert (data["status"], data["payment_type"], data["tx_ref"]) == ("successful", "card", "r-1")
    assert (data["amount"], data["charged_amount"], data["app_fee"]) == (100, 100, 2)
    assert (data["merchant_fee"], data["amount_settled"]) == (0, Decimal("97.85"))
    assert data["meta"] == {"order": "7", "note": None}
    assert data["card"]["expiry"] == "09/32"
    assert data["card"]["token"].startswith("flw-t1nf-")
    assert data["customer"]["email"] == "ada@example.com"
    assert (data["customer"]["name"], data["customer"]["phone_number"]) == ("Ada Obi", "08100000000")
    assert data["id"] > 2**32


def test_it_is_found_by_id_and_by_reference(shop: Shop) -> None:
    number = shop.paid()["id"]

    by_id = shop.get(f"/transactions/{number}/verify").json()

    assert by_id == shop.ask().json()
    assert by_id["message"] == "Transaction fetched successfully"


@pytest.mark.parametrize("number", ["1", "r-1", "9" * 40, "٣"])
def test_an_unknown_id_is_not_found(shop: Shop, number: str) -> None:
    shop.paid()

    reply = shop.get(f"/transactions/{number}/verify")

    assert (reply.status_code, reply.json()) == (400, NO_TRANSACTION)


def test_without_a_reference_nothing_is_found(shop: Shop) -> None:
    shop.paid()

    assert shop.get("/transactions/verify_by_reference").json() == NO_TRANSACTION


def test_the_list_is_newest_first_pages_and_has_ids_as_text(shop: Shop) -> None:
    for number in range(12):
        shop.paid(f"r-{number}")

    page = shop.get("/transactions", page=2).json()

    assert [row["tx_ref"] for row in page["data"]] == ["r-1", "r-0"]
    assert page["data"][0]["id"] == str(shop.verify("r-1")["id"])
    assert page["data"][0]["customer_email"] == "ada@example.com"
    assert "token" not in page["data"][0]["card"]
    assert page["meta"] == {"page_info": {"total": 12, "current_page": 2, "total_pages": 2}}


def test_the_list_filters(shop: Shop) -> None:
    shop.paid("paid", currency="GHS")
    shop.open("open")
    shop.pay("open", "decline")

    def references(**query: Any) -> list[str]:
        return [row["tx_ref"] for row in shop.get("/transactions", **query).json()["data"]]

    assert references() == ["open", "paid"]
    assert references(tx_ref="paid") == ["paid"]
    assert references(status="failed") == ["open"]
    assert references(currency="GHS") == ["paid"]
    assert references(**{"from": "2100-01-01"}) == []
    assert references(to="2000-01-01") == []
    assert references(status="reversed") == []


def test_a_day_named_as_the_end_belongs_to_the_list(shop: Shop) -> None:
    today = shop.paid()["created_at"][:10]

    assert len(shop.get("/transactions", **{"from": today, "to": today}).json()["data"]) == 1
    assert shop.get("/transactions", to=f"{today}T00:00:00").json()["data"] == []


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"from": "yesterday"}, {"to": "0"}])
def test_the_list_refuses_nonsense(shop: Shop, query: dict[str, str]) -> None:
    assert shop.get("/transactions", **query).status_code == 400


def test_the_fee_is_told_beforehand(shop: Shop) -> None:
    reply = shop.get("/transactions/fee", amount="10000", currency="NGN").json()

    assert reply["data"] == {
        "charge_amount": 10_000,
        "fee": 200,
        "merchant_fee": 0,
        "flutterwave_fee": 200,
        "stamp_duty_fee": 50,
        "currency": "NGN",
    }
    assert shop.get("/transactions/fee", amount="20", currency="GHS").json()["data"]["stamp_duty_fee"] == 0
    assert shop.get("/transactions/fee", currency="NGN").status_code == 400
    assert shop.get("/transactions/fee", amount="1", currency="JPY").status_code == 400
