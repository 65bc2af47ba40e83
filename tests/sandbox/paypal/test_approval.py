"""What the payer does, by the control API and on the hosted page."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.sandbox.paypal.conftest import PayPalClient, issue, taken


def page_of(order: dict[str, Any]) -> str:
    return str(order["links"][1]["href"])


def press(client: PayPalClient, order: dict[str, Any], outcome: str) -> httpx.Response:
    return client.http.post(page_of(order), data={"outcome": outcome})


def test_agreeing_moves_no_money(client: PayPalClient) -> None:
    order = client.create()

    told = client.pay()

    seen = client.order(order["id"])
    assert told["order"] == {
        "id": order["id"],
        "reference": "a-1",
        "status": "APPROVED",
        "amount_minor": 10_000,
        "currency": "USD",
    }
    assert (seen["status"], seen["payer"]["payer_id"]) == (
        "APPROVED",
        seen["payment_source"]["paypal"]["account_id"],
    )
    assert (client.journal(), client.told()) == ([], ["CHECKOUT.ORDER.APPROVED"])


def test_the_browser_goes_back_with_token_and_payer(client: PayPalClient) -> None:
    order = client.create()

    back = client.pay()["redirect_url"]

    payer = client.order(order["id"])["payer"]["payer_id"]
    assert back == f"https://shop.example/back?cart=1&token={order['id']}&PayerID={payer}"
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{13}", payer)


def test_leaving_changes_nothing(client: PayPalClient) -> None:
    order = client.create()

    told = client.pay(outcome="abandon")

    assert told["redirect_url"] == f"https://shop.example/cancel?token={order['id']}"
    assert client.order(order["id"])["status"] == "PAYER_ACTION_REQUIRED"
    assert client.told() == []


@pytest.mark.parametrize("source", [None, {"paypal": {}}])
def test_an_approval_lasts_three_hours(client: PayPalClient, source: Any) -> None:
    order = client.create(payment_source=source)
    client.pay()
    client.advance(3 * 3_600 - 5)
    before = client.order(order["id"])["status"]
    client.advance(10)

    after = client.order(order["id"])

    assert (before, after["status"], "payer" in after) == ("APPROVED", order["status"], False)
    assert issue(client.capture(order["id"])) == (422, "ORDER_NOT_APPROVED")


def test_agreeing_again_lasts_another_three_hours(client: PayPalClient) -> None:
    order = client.create()
    client.pay()
    client.advance(2 * 3_600)
    client.pay()
    client.advance(2 * 3_600)

    assert client.capture(order["id"]).status_code == 201
    client.advance(2 * 3_600)
    assert client.order(order["id"])["status"] == "COMPLETED"


@pytest.mark.parametrize(("outcome", "word"), [("twice", "captured once"), ("other_amount", "wrong_amount")])
def test_what_no_payer_can_do_is_refused_with_a_reason(client: PayPalClient, outcome: str, word: str) -> None:
    client.create()

    assert word in client.refusal("pay", reference="a-1", outcome=outcome, amount_minor=5)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"outcome": "fly"}, "outcome"),
        ({"outcome": "decline", "leaves": "COMPLETED"}, "leaves"),
        ({"outcome": "pending", "reason": "MOOD"}, "reason"),
        ({"outcome": "success", "colour": "red"}, "colour"),
        ({"outcome": "settle"}, "no pending capture"),
        ({"outcome": "success", "reference": "nobody"}, "no order"),
    ],
)
def test_wrong_control_calls_are_advised(client: PayPalClient, body: dict[str, Any], word: str) -> None:
    client.create()

    assert word in client.refusal("pay", **{"reference": "a-1", **body})


def test_a_captured_order_asks_nothing_more(client: PayPalClient) -> None:
    order = client.create()
    client.pay()
    client.capture(order["id"])

    shown, pressed = client.http.get(page_of(order)), press(client, order, "success")

    assert "captured already" in client.refusal("pay", reference="a-1", outcome="success")
    assert (shown.status_code, pressed.status_code) == (200, 409)
    assert "Already captured" in shown.text


def test_looking_at_the_page_changes_nothing(client: PayPalClient) -> None:
    order = client.create()

    page = client.http.get(page_of(order))

    assert page.status_code == 200
    assert "USD 100.00" in page.text
    assert not re.search(r"<script|src=|https://", page.text)
    assert client.order(order["id"])["status"] == "PAYER_ACTION_REQUIRED"


@pytest.mark.parametrize(
    ("outcome", "status", "capture"),
    [
        ("success", 201, "COMPLETED"),
        ("decline", 422, "INSTRUMENT_DECLINED"),
        ("decline_capture", 201, "DECLINED"),
        ("pending", 201, "PENDING"),
    ],
)
def test_each_button_decides_what_capturing_comes_to(
    client: PayPalClient, outcome: str, status: int, capture: str
) -> None:
    order = client.create()

    pressed = press(client, order, outcome)

    reply = client.capture(order["id"])
    came = taken(reply.json())["status"] if status == 201 else reply.json()["details"][0]["issue"]
    assert (pressed.status_code, reply.status_code, came) == (303, status, capture)
    assert f"token={order['id']}" in pressed.headers["Location"]


def test_the_page_of_a_pending_capture_can_end_the_review(client: PayPalClient) -> None:
    order = client.create()
    press(client, order, "pending")
    client.capture(order["id"])

    page = client.http.get(page_of(order)).text
    press(client, order, "settle")

    assert "Let the pending money arrive" in page
    assert taken(client.order(order["id"]))["status"] == "COMPLETED"


def test_without_an_address_there_is_a_plain_last_page(client: PayPalClient) -> None:
    order = client.create(payment_source=None)

    left, agreed = press(client, order, "abandon"), press(client, order, "success")

    assert [reply.status_code for reply in (left, agreed)] == [200, 200]
    assert "you may close this one" in agreed.text


@pytest.mark.parametrize("query", ["", "?token=nothing"])
def test_an_unknown_order_has_no_page(client: PayPalClient, query: str) -> None:
    assert client.http.get(f"/paypal/checkoutnow{query}").status_code == 404
    assert client.http.post(f"/paypal/checkoutnow{query}", data={"outcome": "success"}).status_code == 404


def test_an_unknown_button_is_refused(client: PayPalClient) -> None:
    order = client.create()

    assert press(client, order, "steal").status_code == 400
    assert client.http.post(page_of(order), content=b"[").status_code == 400


def test_what_the_merchant_sent_is_escaped(client: PayPalClient) -> None:
    order = client.create("<b>bold</b>")

    assert "&lt;b&gt;bold&lt;/b&gt;" in client.http.get(page_of(order)).text
