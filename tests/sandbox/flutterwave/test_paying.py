"""What the customer does, by the control API and on the hosted page."""

from __future__ import annotations

import re
from decimal import Decimal

import httpx
import pytest

from tests.sandbox.flutterwave.conftest import Shop


def press(shop: Shop, link: str, outcome: str, **more: str) -> httpx.Response:
    return shop.http.post(link, data={"outcome": outcome, **more})


def test_a_payment_is_journaled(shop: Shop) -> None:
    shop.open()
    shop.pay()

    (entry,) = shop.journal()

    assert entry.pop("at").endswith("Z")
    assert entry == {
        "seq": 1,
        "gateway": "flutterwave",
        "mode": "test",
        "reference": "r-1",
        "kind": "charge",
        "amount_minor": 500_000,
        "currency": "NGN",
        "ok": True,
        "initiated_by": "customer",
    }


def test_a_decline_is_failed_and_moves_nothing(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="decline")

    data = shop.verify()

    assert (data["status"], data["processor_response"]) == ("failed", "Transaction declined")
    assert (data["app_fee"], data["amount_settled"], "token" in data["card"]) == (None, None, False)
    assert [entry["ok"] for entry in shop.journal()] == [False]


def test_the_try_after_a_decline_is_another_transaction(shop: Shop) -> None:
    shop.open()
    declined = shop.pay(outcome="decline")["transaction"]["id"]
    shop.pay()

    latest = shop.verify()

    assert (latest["status"], latest["id"] != declined) == ("successful", True)
    assert shop.get(f"/transactions/{declined}/verify").json()["data"]["status"] == "failed"
    rows = shop.get("/transactions", tx_ref="r-1").json()["data"]
    assert [row["status"] for row in rows] == ["successful", "failed"]


def test_abandoning_makes_no_transaction(shop: Shop) -> None:
    shop.open()

    told = shop.pay(outcome="abandon")

    assert told == {
        "transaction": None,
        "redirect_url": "https://shop.example/back?status=cancelled&tx_ref=r-1",
    }
    assert shop.ask().status_code == 400
    assert shop.journal() == []


def test_a_slow_transfer_settles_after_a_minute(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="pending")
    before, events = shop.verify(), shop.events()
    shop.advance(61)

    after = shop.verify()

    assert (before["status"], before["payment_type"], before["flw_ref"]) == (
        "pending",
        "bank_transfer",
        "N/A",
    )
    assert (events, "card" in before, before["app_fee"]) == ([], False, None)
    assert (after["status"], after["id"]) == ("successful", before["id"])
    assert after["flw_ref"].startswith("FLW-MOCK-")
    assert len(shop.journal()) == 1


def test_a_slow_transfer_can_be_settled_at_once_and_only_once(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="pending")
    shop.pay(outcome="settle")
    shop.advance(3_600)

    assert shop.verify()["status"] == "successful"
    assert len(shop.journal()) == 1


def test_paying_twice_makes_two_transactions_under_one_reference(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="twice")
    shop.pay(outcome="twice")

    rows = shop.get("/transactions", tx_ref="r-1").json()["data"]

    assert len({row["id"] for row in rows}) == 3
    assert [entry["reference"] for entry in shop.journal()] == ["r-1"] * 3


def test_another_amount_is_what_is_told(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="other_amount", amount_minor=123_456)

    data = shop.verify()

    assert (data["amount"], data["charged_amount"]) == (Decimal("1234.56"), Decimal("1234.56"))
    assert (data["payment_type"], shop.journal()[0]["amount_minor"]) == ("bank_transfer", 123_456)


def test_the_customer_may_bear_the_fee(shop: Shop) -> None:
    shop.open(amount=50_000)
    shop.pay(customer_pays_fee=True)

    data = shop.verify()

    assert (data["amount"], data["app_fee"], data["charged_amount"]) == (50_000, 1_000, 51_000)
    assert data["amount_settled"] == 50_000 - 75 - 50  # VAT on the fee, and stamp duty.
    assert shop.journal()[0]["amount_minor"] == 5_100_000


@pytest.mark.parametrize(
    ("currency", "amount", "fee", "settled"),
    [
        ("NGN", "2500", "50", "2446.25"),
        ("NGN", "10000", "200", "9735"),
        ("NGN", "0.25", "0.01", "0.24"),
        ("KES", "99.99", "3.2", "96.79"),
        ("ZAR", "100", "3.9", "96.1"),
        ("UGX", "1000", "32", "968"),
        ("USD", "10", "0.48", "9.52"),
    ],
)
def test_the_fee_is_exact_in_minor_units(
    shop: Shop, currency: str, amount: str, fee: str, settled: str
) -> None:
    data = shop.paid(currency=currency, amount=amount)

    assert (str(data["app_fee"]), str(data["amount_settled"])) == (fee, settled)


def test_a_paid_page_takes_no_more(shop: Shop) -> None:
    link = shop.open()
    shop.pay()

    reply = press(shop, link, "success")

    assert (reply.status_code, "Already paid" in reply.text) == (409, True)
    page = shop.http.get(link)
    assert (page.status_code, "Already paid" in page.text) == (200, True)
    assert f"?status=successful&amp;tx_ref=r-1&amp;transaction_id={shop.verify()['id']}" in page.text
    assert len(shop.journal()) == 1


def test_looking_at_the_page_changes_nothing(shop: Shop) -> None:
    page = shop.http.get(shop.open())

    assert page.status_code == 200
    assert "Sandbox: no real money moves" in page.text
    assert "NGN 5,000.00" in page.text
    assert not re.search(r"<script|src=|https://", page.text)
    assert (shop.ask().status_code, shop.journal()) == (400, [])


def test_the_page_offers_to_settle_what_is_on_its_way(shop: Shop) -> None:
    link = shop.open()
    before = shop.http.get(link).text
    press(shop, link, "pending")

    assert ("arrive now" in before, "arrive now" in shop.http.get(link).text) == (False, True)
    assert press(shop, link, "settle").status_code == 303
    assert shop.verify()["status"] == "successful"


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("success", "successful"), ("twice", "successful"), ("decline", "failed"), ("pending", "completed")],
)
def test_each_button_leads_back_with_their_words(shop: Shop, outcome: str, word: str) -> None:
    reply = press(shop, shop.open(), outcome)

    number = shop.verify()["id"]
    assert reply.status_code == 303
    expected = f"https://shop.example/back?status={word}&tx_ref=r-1&transaction_id={number}"
    assert reply.headers["Location"] == expected


def test_an_address_with_a_query_comes_back_broken_as_it_does_there(shop: Shop) -> None:
    link = shop.open(redirect_url="https://shop.example/back?cart=1")

    told = press(shop, link, "abandon").headers["Location"]

    assert told == "https://shop.example/back?cart=1?status=cancelled&tx_ref=r-1"


def test_the_page_takes_another_amount_in_major_units(shop: Shop) -> None:
    assert press(shop, shop.open(), "other_amount", amount="1,234.5").status_code == 303
    assert shop.verify()["amount"] == Decimal("1234.5")


@pytest.mark.parametrize("amount", ["", "abc", "-1", "0", "1.234", "1e9", "٣"])
def test_the_page_refuses_an_odd_amount(shop: Shop, amount: str) -> None:
    assert press(shop, shop.open(), "other_amount", amount=amount).status_code == 400
    assert shop.journal() == []


def test_what_the_merchant_sent_is_escaped(shop: Shop) -> None:
    link = shop.open("<i>", customer={"email": "a&b'c@example.com"})

    page = shop.http.get(link).text

    assert "a&amp;b&#x27;c@example.com" in page
    assert ("<i>" in page, "&lt;i&gt;" in page) == (False, True)


def test_an_unknown_page_is_404(shop: Shop) -> None:
    unknown = f"{shop.sandbox.url}/flutterwave/hosted/pay/nothing"

    assert shop.http.get(unknown).status_code == 404
    assert press(shop, unknown, "success").status_code == 404
    assert press(shop, shop.open(), "steal").status_code == 400
