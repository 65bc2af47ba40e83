"""Charging a card by the token that an earlier payment left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Json
from tests.sandbox.flutterwave.conftest import KEY, LIVE_KEY, Shop

YEAR_S = 365 * 86_400


def test_a_token_is_charged_on_the_merchants_initiative(shop: Shop) -> None:
    code = shop.token()

    reply = shop.charge(code, first_name="Ada", last_name="Obi", narration="October").json()

    data = reply["data"]
    assert (reply["status"], reply["message"], data["status"]) == (
        "success",
        "Charge successful",
        "successful",
    )
    assert (data["auth_model"], data["card"]["token"], data["narration"]) == ("noauth", code, "October")
    assert data["customer"]["name"] == "Ada Obi"
    assert shop.journal()[-1]["initiated_by"] == "merchant"
    assert shop.verify("c-1")["id"] == data["id"]
    assert shop.events()[-1]["type"] == "charge.completed"


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("insufficient_funds", "Insufficient Funds"),
        ("expired_card", "Expired Card"),
        ("declined", "Transaction declined"),
        ("do_not_honor", "Do Not Honor"),
    ],
)
def test_a_decline_is_a_handled_call(shop: Shop, outcome: str, reason: str) -> None:
    code = shop.token()
    shop.set_next(outcome)

    declined = shop.charge(code)
    again = shop.charge(code, "c-2").json()["data"]["status"]

    assert (declined.status_code, declined.json()["status"]) == (200, "success")
    assert declined.json()["data"]["status"] == "failed"
    assert declined.json()["data"]["processor_response"] == reason
    assert again == "successful"
    assert [entry["ok"] for entry in shop.journal()] == [True, False, True]


def test_a_charge_may_take_its_time(shop: Shop) -> None:
    code = shop.token()
    shop.set_next("pending", "pending")
    shop.charge(code)
    shop.charge(code, "c-2")

    before = shop.verify("c-1")["status"]
    shop.pay("c-2", "settle")
    shop.advance(61)

    assert (before, shop.verify("c-1")["status"], shop.verify("c-2")["status"]) == (
        "pending",
        "successful",
        "successful",
    )
    assert len(shop.journal()) == 3


def paused(shop: Shop, **more: Any) -> Json:
    """The answer to a charge that the customer has to confirm."""
    code = shop.token()
    shop.set_next("paused")
    return dict(shop.charge(code, **more).json())


def test_a_charge_may_need_the_customer_who_confirms_it_on_a_page(shop: Shop) -> None:
    reply = paused(shop, redirect_url="https://shop.example/back")
    page = reply["meta"]["authorization"]["redirect"]
    shop.advance(3_600)
    waiting, money_before = shop.verify("c-1")["status"], len(shop.journal())

    back = shop.http.post(page, data={"outcome": "success"})

    assert (reply["message"], reply["data"]["status"]) == ("Charge initiated", "pending")
    assert (waiting, money_before) == ("pending", 1)
    assert (shop.verify("c-1")["id"], shop.verify("c-1")["status"]) == (reply["data"]["id"], "successful")
    assert f"transaction_id={reply['data']['id']}" in back.headers["Location"]
    assert shop.http.post(page, data={"outcome": "success"}).status_code == 409
    assert len(shop.journal()) == 2


def test_a_page_that_confirms_a_charge_takes_no_other_money(shop: Shop) -> None:
    page = paused(shop)["meta"]["authorization"]["redirect"]

    text = shop.http.get(page).text
    replies = [shop.http.post(page, data={"outcome": word}) for word in ("twice", "pending")]

    assert ("Pay by card" in text, "Pay twice" in text, "Transfer another" in text) == (True, False, False)
    assert [reply.status_code for reply in replies] == [400, 400]
    assert len(shop.journal()) == 1


def test_a_charge_that_the_customer_refuses_has_failed_for_good(shop: Shop) -> None:
    page = paused(shop)["meta"]["authorization"]["redirect"]

    refused = shop.http.post(page, data={"outcome": "decline"})
    after = shop.http.post(page, data={"outcome": "success"})

    assert (refused.status_code, "The payment was declined" in refused.text) == (200, True)
    assert (after.status_code, shop.verify("c-1")["status"]) == (409, "failed")
    assert [entry["ok"] for entry in shop.journal()] == [True, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"token": "flw-t1nf-unknown"}, "Invalid token"),
        ({"token": None}, "Invalid token"),
        ({"email": "bob@example.com"}, "Wrong token or email passed"),
        ({"tx_ref": "first"}, "Duplicate transaction reference"),
        ({"amount": "5,000"}, "amount is required and must be a number greater than 0"),
        ({"narration": 7}, "narration must be a string"),
        ({"redirect_url": "nowhere"}, "redirect_url is required and must be a valid url"),
    ],
)
def test_a_refused_charge_makes_no_transaction(shop: Shop, change: dict[str, Any], message: str) -> None:
    reply = shop.charge(shop.token(), **{"reference": "c-1", **change})

    assert (reply.status_code, reply.json()) == (400, {"status": "error", "message": message, "data": None})
    assert shop.get("/transactions").json()["meta"]["page_info"]["total"] == 1
    assert len(shop.journal()) == 1


def test_the_outcome_deactivated_ends_the_token(shop: Shop) -> None:
    code = shop.token()
    shop.set_next("deactivated")

    assert shop.charge(code).json()["message"] == "Invalid token"
    assert shop.charge(code, "c-2").json()["message"] == "Invalid token"


def test_a_token_lives_one_year(shop: Shop) -> None:
    code = shop.token()
    shop.advance(YEAR_S - 60)
    before = shop.charge(code).status_code
    shop.advance(120)

    assert (before, shop.charge(code, "c-2").json()["message"]) == (200, "Token has expired")


def test_a_transfer_leaves_no_token(shop: Shop) -> None:
    shop.open("first")
    shop.pay("first", "other_amount", amount_minor=5)
    body = {"gateway": "flutterwave", "reference": "first", "next": ["success"]}

    assert "card" not in shop.verify("first")
    assert shop.http.post("/control/methods", json=body).status_code == 400


def test_tokens_of_the_other_mode_are_unknown(shop: Shop) -> None:
    code = shop.token()
    body = {"token": code, "email": "ada@example.com", "amount": 9, "tx_ref": "c-1"}

    replies = [shop.post("/tokenized-charges", body, key=key) for key in (LIVE_KEY, KEY)]

    assert [reply.status_code for reply in replies] == [400, 200]


def test_a_page_takes_the_ways_to_pay_that_the_merchant_wants(shop: Shop) -> None:
    page = shop.open("cards", payment_options="card")
    shop.open("both", payment_options="card, banktransfer")
    body = {"gateway": "flutterwave", "reference": "cards", "outcome": "pending"}

    text, refused = shop.http.get(page).text, shop.http.post("/control/pay", json=body)
    shop.pay("both", "pending")

    assert ("Pay by card" in text, "Transfer another" in text) == (True, False)
    assert (refused.status_code, "success, decline, abandon" in refused.text) == (400, True)
    assert shop.verify("both")["status"] == "pending"
