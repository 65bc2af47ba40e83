"""Charging a card that was saved by an earlier payment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client

WRONG_EMAIL = (
    "Email does not match Authorization code. Authorization may be inactive or belong to a different email. "
    "Please confirm."
)


def set_next(client: Client, *outcomes: str) -> None:
    client.control("methods", gateway="paystack", reference="first", next=list(outcomes))


def test_a_saved_card_is_charged_on_the_merchants_initiative(client: Client) -> None:
    reply = client.charge(client.saved_card()).json()

    assert (reply["status"], reply["message"], reply["data"]["status"]) == (
        True,
        "Charge attempted",
        "success",
    )
    assert client.journal()[-1]["initiated_by"] == "merchant"
    assert client.verify("c-1")["status"] == "success"
    assert client.events()[-1]["type"] == "charge.success"


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("insufficient_funds", "Insufficient Funds"),
        ("expired_card", "Expired Card"),
        ("declined", "Declined"),
        ("do_not_honor", "Do Not Honor"),
    ],
)
def test_a_decline_is_an_accepted_call(client: Client, outcome: str, reason: str) -> None:
    code = client.saved_card()
    set_next(client, outcome)

    declined = client.charge(code)
    again = client.charge(code, "c-2").json()["data"]["status"]

    assert declined.status_code == 200
    assert declined.json()["status"] is True
    assert (declined.json()["data"]["status"], declined.json()["data"]["gateway_response"]) == (
        "failed",
        reason,
    )
    assert again == "success"
    assert [entry["ok"] for entry in client.journal()] == [True, False, True]


@pytest.mark.parametrize("outcome", ["processing", "pending"])
def test_a_charge_may_take_its_time(client: Client, outcome: str) -> None:
    code = client.saved_card()
    set_next(client, outcome)

    assert client.charge(code).json()["data"]["status"] == outcome
    assert len(client.journal()) == 1
    client.advance(61)

    assert client.verify("c-1")["status"] == "success"
    assert client.journal()[-1]["initiated_by"] == "merchant"


def test_a_paused_charge_sends_the_customer_to_a_page(client: Client) -> None:
    code = client.saved_card()
    set_next(client, "paused")

    data = client.charge(code).json()["data"]

    assert data["paused"] is True
    assert client.http.get(data["authorization_url"]).status_code == 200
    assert len(client.journal()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"authorization_code": "AUTH_unknown"}, "Authorization code is invalid"),
        ({"authorization_code": None}, "Authorization code is invalid"),
        ({"email": "bob@example.com"}, WRONG_EMAIL),
        ({"reference": "first"}, "Duplicate Transaction Reference"),
    ],
)
def test_a_refused_charge_creates_no_transaction(
    client: Client, change: dict[str, Any], message: str
) -> None:
    reply = client.charge(client.saved_card(), **{"reference": "c-1", **change})

    assert (reply.status_code, reply.json()["message"]) == (400, message)
    assert client.get("/transaction").json()["meta"]["total"] == 1


def test_a_deactivated_card_is_refused_but_still_looks_reusable(client: Client) -> None:
    code = client.saved_card()
    reply = client.post("/customer/authorization/deactivate", {"authorization_code": code})

    assert reply.json() == {"status": True, "message": "Authorization has been deactivated"}
    assert client.charge(code).json()["message"] == WRONG_EMAIL
    assert client.verify("first")["authorization"]["reusable"] is True


def test_the_outcome_deactivated_ends_the_card(client: Client) -> None:
    code = client.saved_card()
    set_next(client, "deactivated")

    assert client.charge(code).json()["message"] == WRONG_EMAIL
    assert client.charge(code, "c-2").json()["message"] == WRONG_EMAIL


def test_what_a_transfer_saved_cannot_be_charged(client: Client) -> None:
    client.initialize()
    client.pay(outcome="other_amount", amount_minor=500_000)
    code = client.verify()["authorization"]["authorization_code"]

    assert client.charge(code).json()["message"] == WRONG_EMAIL


def test_codes_of_the_other_mode_are_unknown(client: Client) -> None:
    code = client.saved_card()
    body = {"email": "ada@example.com", "amount": 9, "authorization_code": code}

    reply = client.post("/transaction/charge_authorization", body, key="sk_live_sandbox")

    assert reply.json()["message"] == "Authorization code is invalid"


def test_one_card_has_one_signature_and_another_card_another(client: Client) -> None:
    for reference, card in (("a", {}), ("b", {}), ("c", {"card": "1234"})):
        client.initialize(reference)
        client.pay(reference, **card)

    used = [client.verify(reference)["authorization"] for reference in "abc"]

    assert used[0]["signature"] == used[1]["signature"] != used[2]["signature"]
    assert [one["last4"] for one in used] == ["4081", "4081", "1234"]


@pytest.mark.parametrize("card", [1234, "123", "12345", "\u0661\u0662\u0663\u0664", None])
def test_a_card_is_named_by_four_digits(client: Client, card: Any) -> None:
    client.initialize()
    body = {"gateway": "paystack", "reference": "r-1", "outcome": "success", "card": card}

    reply = client.http.post("/control/pay", json=body)

    assert (reply.status_code, "last four digits" in reply.text) == (400, True)
    assert client.journal() == []


def test_a_page_takes_the_channels_that_the_merchant_wants(client: Client) -> None:
    page = client.initialize("cards", channels=["card"])["authorization_url"]
    client.initialize("both", channels=["card", "bank_transfer"])
    body = {"gateway": "paystack", "reference": "cards", "outcome": "pending"}

    text, refused = client.http.get(page).text, client.http.post("/control/pay", json=body)
    client.pay("both", "pending")

    assert ("Pay by card" in text, "bank transfer" in text, "Transfer another" in text) == (
        True,
        False,
        False,
    )
    assert (refused.status_code, "channels" in refused.text) == (400, True)
    assert client.verify("both")["status"] == "pending"
