"""What the customer does, by the control API and on the hosted page."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Client


def press(client: Client, session: dict[str, Any], outcome: str, **more: str) -> httpx.Response:
    return client.http.post(session["authorization_url"], data={"outcome": outcome, **more})


def test_a_payment_is_journaled(client: Client) -> None:
    client.initialize()
    client.pay()

    (entry,) = client.journal()

    assert entry.pop("at").endswith("Z")
    assert entry == {
        "seq": 1,
        "gateway": "paystack",
        "mode": "test",
        "reference": "r-1",
        "kind": "charge",
        "amount_minor": 500_000,
        "currency": "NGN",
        "ok": True,
        "initiated_by": "customer",
    }


def test_a_decline_is_failed_and_moves_nothing(client: Client) -> None:
    client.initialize()
    client.pay(outcome="decline")

    assert (client.verify()["status"], client.verify()["gateway_response"]) == ("failed", "Declined")
    assert [entry["ok"] for entry in client.journal()] == [False]
    assert client.events() == []


def test_a_first_step_decline_may_leave_it_abandoned(client: Client) -> None:
    client.initialize()
    client.pay(outcome="decline", leaves="abandoned")

    assert client.verify()["status"] == "abandoned"


def test_abandoning_changes_nothing(client: Client) -> None:
    client.initialize()
    client.pay(outcome="abandon")

    assert client.verify()["status"] == "abandoned"
    assert client.journal() == []


def test_a_slow_transfer_settles_after_a_minute(client: Client) -> None:
    client.initialize()
    client.pay(outcome="pending")
    before = client.verify()
    client.advance(61)

    after = client.verify()

    assert (before["status"], before["channel"]) == ("pending", "bank_transfer")
    assert (after["status"], after["authorization"]["reusable"]) == ("success", False)
    assert len(client.journal()) == 1


def test_a_slow_transfer_can_be_settled_at_once_and_only_once(client: Client) -> None:
    client.initialize()
    client.pay(outcome="pending")
    client.pay(outcome="settle")
    client.advance(3_600)

    assert client.verify()["status"] == "success"
    assert len(client.journal()) == 1


def test_paying_twice_makes_two_transactions_under_one_reference(client: Client) -> None:
    client.initialize()
    first_id = client.verify()["id"]
    client.pay(outcome="twice")

    second = client.verify()

    assert second["id"] != first_id
    assert client.get(f"/transaction/{first_id}").json()["data"]["status"] == "success"
    assert [entry["reference"] for entry in client.journal()] == ["r-1", "r-1"]
    assert [event["type"] for event in client.events()] == ["charge.success"] * 2


def test_another_amount_keeps_what_was_asked(client: Client) -> None:
    client.initialize()
    client.pay(outcome="other_amount", amount_minor=123_456)

    data = client.verify()

    assert (data["amount"], data["requested_amount"], data["channel"]) == (123_456, 500_000, "bank_transfer")
    assert client.journal()[0]["amount_minor"] == 123_456


def test_the_customer_may_bear_the_fee(client: Client) -> None:
    client.initialize()
    client.pay(customer_pays_fee=True)

    data = client.verify()

    assert (data["requested_amount"], data["amount"]) == (500_000, 517_500)


def test_a_paid_session_takes_no_more(client: Client) -> None:
    session = client.initialize(callback_url="https://shop.example/back")
    client.pay()

    reply = press(client, session, "success")

    assert reply.status_code == 409
    assert "Already paid" in reply.text
    assert "https://shop.example/back?reference=r-1&amp;trxref=r-1" in reply.text
    assert len(client.journal()) == 1


def test_looking_at_the_page_changes_nothing(client: Client) -> None:
    session = client.initialize()

    page = client.http.get(session["authorization_url"])

    assert page.status_code == 200
    assert "Sandbox: no real money moves" in page.text
    assert "NGN 5,000.00" in page.text
    assert not re.search(r"<script|src=|https://", page.text)
    assert (client.verify()["status"], client.journal()) == ("abandoned", [])


@pytest.mark.parametrize("outcome", ["success", "decline", "pending", "twice", "abandon"])
def test_each_button_leads_back_with_the_reference(client: Client, outcome: str) -> None:
    session = client.initialize(callback_url="https://shop.example/back?cart=1#top")

    reply = press(client, session, outcome)

    assert reply.status_code == 303
    assert reply.headers["Location"] == "https://shop.example/back?cart=1&reference=r-1&trxref=r-1#top"


def test_the_page_takes_another_amount_in_major_units(client: Client) -> None:
    session = client.initialize()

    assert press(client, session, "other_amount", amount="1,234.5").status_code == 200
    assert client.verify()["amount"] == 123_450


@pytest.mark.parametrize("amount", ["", "abc", "-1", "0", "1.234", "1e9", "٣"])
def test_the_page_refuses_an_odd_amount(client: Client, amount: str) -> None:
    session = client.initialize()

    assert press(client, session, "other_amount", amount=amount).status_code == 400
    assert client.journal() == []


def test_without_a_callback_there_is_a_plain_last_page(client: Client) -> None:
    reply = press(client, client.initialize(), "success")

    assert (reply.status_code, "The payment succeeded" in reply.text) == (200, True)


def test_leaving_goes_to_the_cancel_action(client: Client) -> None:
    session = client.initialize(
        callback_url="https://shop.example/back", metadata={"cancel_action": "https://shop.example/cart"}
    )

    assert press(client, session, "abandon").headers["Location"] == "https://shop.example/cart"


def test_a_dangerous_cancel_action_is_ignored(client: Client) -> None:
    session = client.initialize(metadata={"cancel_action": "javascript:alert(1)"})

    assert press(client, session, "abandon").status_code == 200


def test_what_the_merchant_sent_is_escaped(client: Client) -> None:
    session = client.initialize(metadata={"cancel_action": "<b>"}, email="a&b'c@example.com")

    assert "a&amp;b&#x27;c@example.com" in client.http.get(session["authorization_url"]).text


def test_an_unknown_session_is_404(client: Client) -> None:
    assert client.http.get("/paystack/checkout/nothing").status_code == 404
    assert client.http.post("/paystack/checkout/nothing", data={"outcome": "success"}).status_code == 404
    assert press(client, client.initialize(), "steal").status_code == 400
