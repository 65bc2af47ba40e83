"""Webhooks: both shapes, both signatures, and how often they are tried."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from functools import partial
from typing import Any

import pytest

from tests.sandbox.conftest import Receiver, wait_for
from tests.sandbox.flutterwave.conftest import NO_TRANSACTION, SECRET_HASH, Shop

HASH, HMAC = "verif-hash", "flutterwave-signature"


def signed(body: bytes, secret_hash: str = SECRET_HASH) -> str:
    return base64.b64encode(hmac.new(secret_hash.encode(), body, hashlib.sha256).digest()).decode()


def told(receiver: Receiver, count: int = 1) -> dict[str, Any]:
    return dict(json.loads(receiver.wait(count)[-1][1]))


def test_the_new_shape_tells_all_but_the_token(shop: Shop, receiver: Receiver) -> None:
    data = shop.paid()

    event = told(receiver)

    assert (event["event"], event["event.type"]) == ("charge.completed", "CARD_TRANSACTION")
    assert (event["data"]["id"], event["data"]["tx_ref"]) == (data["id"], "r-1")
    assert (event["data"]["status"], event["data"]["amount"]) == ("successful", 5_000)
    assert event["data"]["card"]["last_4digits"] == data["card"]["last_4digits"]
    assert "token" not in event["data"]["card"]


def test_a_failure_is_told_by_the_same_event(shop: Shop, receiver: Receiver) -> None:
    shop.open()
    shop.pay(outcome="decline")

    event = told(receiver)

    assert (event["event"], event["data"]["status"]) == ("charge.completed", "failed")


def test_a_transfer_is_named_as_such(shop: Shop, receiver: Receiver) -> None:
    shop.open()
    shop.pay(outcome="other_amount", amount_minor=5)

    assert told(receiver)["event.type"] == "BANK_TRANSFER_TRANSACTION"


@pytest.mark.parametrize("switches", [{"WEBHOOK_SHAPE": "legacy"}])
def test_the_legacy_shape_is_flat(shop: Shop, receiver: Receiver) -> None:
    data = shop.paid()

    event = told(receiver)

    assert (event["id"], event["txRef"], event["flwRef"]) == (data["id"], "r-1", data["flw_ref"])
    assert (event["status"], event["amount"], event["charged_amount"]) == ("successful", 5_000, 5_000)
    assert (event["appfee"], event["event.type"]) == (100, "CARD_TRANSACTION")
    assert (event["customer"]["email"], event["entity"]["card6"]) == ("ada@example.com", "553188")
    assert not {"event", "data", "tx_ref"} & set(event)


@pytest.mark.parametrize("switches", [{"WEBHOOK_SHAPE": "legacy"}])
def test_the_legacy_shape_of_a_transfer_has_no_card(shop: Shop, receiver: Receiver) -> None:
    shop.open(customer={"email": "ada@example.com"})
    shop.pay(outcome="other_amount", amount_minor=5)

    event = told(receiver)

    assert (event["entity"], event["customer"]["phone"]) == ({}, None)


@pytest.mark.parametrize(
    ("switches", "sent"),
    [
        ({}, {HASH, HMAC}),
        ({"SIGNATURE": "hash"}, {HASH}),
        ({"SIGNATURE": "hmac"}, {HMAC}),
        ({"WEBHOOK_HASH": ""}, set()),
    ],
)
def test_the_signatures_that_were_asked_for_are_sent(shop: Shop, receiver: Receiver, sent: set[str]) -> None:
    shop.paid()

    headers, body = receiver.wait(1)[0]

    assert {HASH, HMAC} & set(headers) == sent
    assert headers.get(HASH, SECRET_HASH) == SECRET_HASH
    assert headers.get(HMAC, signed(body)) == signed(body)
    assert shop.events()[0]["body"].encode() == body


def test_event_forge_adds_one_with_wrong_signatures(shop: Shop, receiver: Receiver) -> None:
    shop.fault("event", "event_forge")
    shop.paid()

    good = [
        (headers[HASH] == SECRET_HASH, headers[HMAC] == signed(body)) for headers, body in receiver.wait(2)
    ]

    assert good == [(False, False), (True, True)]


def test_refunds_are_not_told_of_by_default(shop: Shop) -> None:
    shop.refund(shop.paid()["id"])
    shop.advance(31)

    assert [event["type"] for event in shop.events()] == ["charge.completed"]


@pytest.mark.parametrize("switches", [{"REFUND_WEBHOOKS": "on"}])
@pytest.mark.parametrize(("outcome", "status"), [("success", "completed"), ("failed", "failed")])
def test_refund_webhooks_are_flat_without_our_reference(
    shop: Shop, receiver: Receiver, outcome: str, status: str
) -> None:
    number = shop.paid()["id"]
    shop.control("refund", gateway="flutterwave", reference="r-1", amount_minor=150, outcome=outcome)

    event = told(receiver, 2)

    assert (event["AmountRefunded"], event["status"], event["TransactionId"]) == (1.5, status, number)
    assert json.loads(event["meta"]) == {"source": "availablebalance"}
    assert not {"event", "tx_ref", "txRef"} & set(event)


def _was_tried(shop: Shop, tries: int) -> bool:
    return bool(shop.events()[0]["attempts"] == tries)


@pytest.mark.parametrize("refusal", [500, 201, 302])
def test_only_200_acknowledges_and_it_is_tried_again_after_half_an_hour(
    shop: Shop, receiver: Receiver, refusal: int
) -> None:
    receiver.statuses = [refusal]
    shop.paid()
    wait_for(partial(_was_tried, shop, 1))
    shop.advance(1_700)
    time.sleep(0.05)
    early = len(receiver.received)
    shop.advance(101)

    wait_for(lambda: shop.events()[0]["status"] == "delivered")

    assert (early, len({body for _, body in receiver.received})) == (1, 1)


def test_it_gives_up_after_three_more_tries(shop: Shop, receiver: Receiver) -> None:
    receiver.statuses = [500] * 9
    shop.paid()
    for tries in range(1, 4):
        wait_for(partial(_was_tried, shop, tries))
        shop.advance(1_801)

    wait_for(lambda: shop.events()[0]["status"] == "given_up")

    assert len(receiver.received) == 4


def test_a_merchant_may_have_it_sent_again(shop: Shop, receiver: Receiver) -> None:
    number = shop.paid()["id"]

    by_reference = shop.post("/transactions/r-1/resend-hook", {}).json()
    by_id = shop.post(f"/transactions/{number}/resend-hook", {}).json()

    assert by_reference == by_id
    assert by_id == {"status": "success", "message": "hook sent successfully", "data": "hook sent"}
    assert len({body for _, body in receiver.wait(3)}) == 1


def test_there_is_nothing_to_send_again_before_the_end(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="pending")

    assert shop.post("/transactions/r-1/resend-hook", {}).json() == NO_TRANSACTION
    assert shop.post("/transactions/17/resend-hook", {}).json() == NO_TRANSACTION
    assert shop.events() == []
