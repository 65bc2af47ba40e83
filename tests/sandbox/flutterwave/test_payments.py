"""Opening a hosted page: what is taken, what is refused, and that it makes no transaction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.flutterwave.conftest import LIVE_KEY, NO_TRANSACTION, Shop


def test_a_link_is_no_transaction_until_the_customer_tries(shop: Shop) -> None:
    reply = shop.post("/payments", shop.order())

    assert (reply.json()["status"], reply.json()["message"]) == ("success", "Hosted Link")
    assert list(reply.json()["data"]) == ["link"]
    assert reply.json()["data"]["link"].startswith(f"{shop.sandbox.url}/flutterwave/hosted/pay/flwlnk-")
    assert (shop.ask().status_code, shop.ask().json()) == (400, NO_TRANSACTION)


def test_a_used_reference_makes_another_link(shop: Shop) -> None:
    first, second = shop.open(), shop.open()

    assert first != second
    shop.http.post(first, data={"outcome": "success"})
    shop.http.post(second, data={"outcome": "success"})
    assert shop.get("/transactions", tx_ref="r-1").json()["meta"]["page_info"]["total"] == 2
    assert len(shop.journal()) == 2


WITH_DECIMALS = ("NGN", "GHS", "KES", "TZS", "ZMW", "ZAR", "EGP", "MWK", "SLL", "USD", "GBP", "EUR")
WITHOUT_DECIMALS = ("UGX", "RWF", "XAF", "XOF")


@pytest.mark.parametrize(
    ("amount", "minor", "told"),
    [
        (5_000, 500_000, "5000"),
        ("5000.50", 500_050, "5000.5"),
        (0.07, 7, "0.07"),
        (4.35, 435, "4.35"),
        ("9999999999999.99", 999_999_999_999_999, "9999999999999.99"),
    ],
)
def test_amounts_are_major_units_and_exact(shop: Shop, amount: Any, minor: int, told: str) -> None:
    data = shop.paid(amount=amount)

    assert (shop.journal()[0]["amount_minor"], str(data["amount"])) == (minor, told)
    assert f'"amount":{told},' in shop.ask().text


@pytest.mark.parametrize("currency", WITH_DECIMALS)
def test_most_currencies_have_two_decimals(shop: Shop, currency: str) -> None:
    data = shop.paid(currency=currency, amount=12.34)

    entry = shop.journal()[0]
    assert (entry["amount_minor"], entry["currency"], data["currency"]) == (1_234, currency, currency)


@pytest.mark.parametrize("currency", WITHOUT_DECIMALS)
def test_some_currencies_have_no_decimals(shop: Shop, currency: str) -> None:
    shop.paid(currency=currency, amount=700.0)

    assert shop.journal()[0]["amount_minor"] == 700


def test_no_currency_means_naira(shop: Shop) -> None:
    order = {name: value for name, value in shop.order().items() if name != "currency"}
    shop.post("/payments", order)
    shop.pay()

    assert shop.verify()["currency"] == "NGN"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tx_ref": None}, "tx_ref"),
        ({"tx_ref": ""}, "tx_ref"),
        ({"tx_ref": 7}, "tx_ref"),
        ({"tx_ref": "a b"}, "tx_ref"),
        ({"amount": None}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": "0.00"}, "amount"),
        ({"amount": -5}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": "٣"}, "amount"),
        ({"amount": [5]}, "amount"),
        ({"amount": 1.005}, "decimals"),
        ({"amount": 1.5, "currency": "UGX"}, "decimals"),
        ({"currency": "JPY"}, "currency"),
        ({"currency": 5}, "currency"),
        ({"redirect_url": None}, "redirect_url"),
        ({"redirect_url": "javascript:alert(1)"}, "redirect_url"),
        ({"redirect_url": "http://x.test/\r\nSet-Cookie: a=b"}, "redirect_url"),
        ({"redirect_url": "http://x.test:99999999/"}, "redirect_url"),
        ({"customer": None}, "customer"),
        ({"customer": {"name": "Ada"}}, "email"),
        ({"customer": {"email": "nobody"}}, "email"),
        ({"customer": {"email": "ada@example.com", "name": 7}}, "name"),
        ({"meta": [1]}, "meta"),
        ({"meta": {"deep": {}}}, "meta"),
        ({"payment_plan": 7}, "payment_plan"),
    ],
)
def test_bad_input_is_refused_and_opens_nothing(shop: Shop, change: dict[str, Any], word: str) -> None:
    reply = shop.post("/payments", shop.order(**change))

    assert (reply.status_code, reply.json()["status"], reply.json()["data"]) == (400, "error", None)
    assert word in reply.json()["message"]
    pay = {"gateway": "flutterwave", "reference": "r-1", "outcome": "success"}
    assert shop.http.post("/control/pay", json=pay).status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"amount": NaN}', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_object_is_refused(shop: Shop, body: bytes) -> None:
    headers = {**shop.auth, "Content-Type": "application/json"}

    reply = shop.http.post("/flutterwave/v3/payments", content=body, headers=headers)

    assert (reply.status_code, reply.json()["status"]) == (400, "error")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "merchant secret key required"),
        ({"Authorization": "Bearer FLWSECK_TEST-wrong-X"}, "Authorization required"),
        ({"Authorization": "Basic x"}, "Authorization required"),
    ],
)
def test_a_wrong_key_is_401(shop: Shop, header: dict[str, str], message: str) -> None:
    reply = shop.http.post("/flutterwave/v3/payments", json=shop.order(), headers=header)

    assert (reply.status_code, reply.json()) == (401, {"status": "error", "message": message, "data": None})


def test_unknown_paths_answer_in_the_envelope(shop: Shop) -> None:
    reply = shop.get("/virtual-cards")

    assert (reply.status_code, reply.json()["status"], reply.json()["data"]) == (404, "error", None)
    assert shop.get("/payments").status_code == 404


def test_test_and_live_data_never_mix(shop: Shop) -> None:
    shop.open("same", key=LIVE_KEY, amount=7)
    shop.pay("same")
    shop.paid("same")

    live = shop.get("/transactions/verify_by_reference", tx_ref="same", key=LIVE_KEY).json()["data"]
    assert (live["amount"], shop.verify("same")["amount"]) == (7, 5_000)
    assert [entry["mode"] for entry in shop.journal()] == ["live", "test"]
    assert shop.get(f"/transactions/{live['id']}/verify").json() == NO_TRANSACTION
    assert len(shop.get("/transactions").json()["data"]) == 1
