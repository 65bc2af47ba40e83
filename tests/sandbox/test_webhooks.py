"""Webhooks: signature, order, retries, and everything that can go wrong with them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from functools import partial
from pathlib import Path

import pytest

from sandbox.server import start
from tests.sandbox.conftest import KEY, LIVE_KEY, Client, Receiver, environ, wait_for


def signed(body: bytes, key: str = KEY) -> str:
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def pay(client: Client, *references: str) -> None:
    for reference in references:
        client.initialize(reference)
        client.pay(reference)


def references(receiver: Receiver) -> list[str]:
    return [json.loads(body)["data"]["reference"] for _, body in receiver.received]


def test_the_exact_bytes_are_signed(client: Client, receiver: Receiver) -> None:
    pay(client, "r-1")

    headers, body = receiver.wait(1)[0]

    assert headers["x-paystack-signature"] == signed(body)
    event = json.loads(body)
    assert (event["event"], event["data"]["reference"], event["data"]["metadata"]) == (
        "charge.success",
        "r-1",
        0,
    )
    assert client.events()[0]["body"].encode() == body


def test_live_events_are_signed_with_the_live_key(client: Client, receiver: Receiver) -> None:
    body = {"email": "ada@example.com", "amount": 700, "reference": "live-1"}
    client.post("/transaction/initialize", body, key=LIVE_KEY)
    client.pay("live-1")

    headers, raw = receiver.wait(1)[0]

    assert headers["x-paystack-signature"] == signed(raw, LIVE_KEY)
    assert client.journal()[0]["mode"] == "live"


def test_events_arrive_in_order(client: Client, receiver: Receiver) -> None:
    names = [f"r-{number}" for number in range(8)]
    pay(client, *names)
    receiver.wait(8)

    assert references(receiver) == names


def test_paying_twice_sends_two_ids(client: Client, receiver: Receiver) -> None:
    client.initialize()
    client.pay(outcome="twice")

    ids = {json.loads(body)["data"]["id"] for _, body in receiver.wait(2)}

    assert len(ids) == 2


def test_without_an_address_events_are_held_and_dropped_ones_are_not(tmp_path: Path) -> None:
    running = start(data_dir=tmp_path, environ=environ())
    client = Client(running)
    try:
        client.fault("charge", "event_drop")
        client.initialize("r-1")
        client.pay("r-1")
        client.initialize("r-2")
        client.pay("r-2")
        statuses = [event["status"] for event in client.events()]
    finally:
        running.stop()

    assert statuses == ["dropped", "held"]


@pytest.mark.parametrize("refusal", [500, 201, 302])
def test_only_200_acknowledges_and_test_mode_tries_again_hourly(
    client: Client, receiver: Receiver, refusal: int
) -> None:
    receiver.statuses = [refusal, refusal]
    pay(client, "r-1")
    wait_for(lambda: client.events()[0]["attempts"] == 1)
    client.advance(3_500)
    time.sleep(0.05)
    early = len(receiver.received)
    client.advance(101)
    wait_for(lambda: client.events()[0]["attempts"] == 2)
    client.advance(3_601)

    wait_for(lambda: client.events()[0]["status"] == "delivered")

    assert early == 1
    assert len({body for _, body in receiver.received}) == 1
    assert client.events()[0]["last_answer"] == "HTTP 200"


def _was_tried(client: Client, tries: int) -> bool:
    return bool(client.events()[0]["attempts"] == tries)


def test_test_mode_gives_up_after_ten_hours(client: Client, receiver: Receiver) -> None:
    receiver.statuses = [500] * 20
    pay(client, "r-1")
    for tries in range(1, 11):
        wait_for(partial(_was_tried, client, tries))
        client.advance(3_601)

    wait_for(lambda: client.events()[0]["status"] == "given_up")

    assert len(receiver.received) == 11
    assert client.events()[0]["next_at"] is None


def test_live_mode_tries_again_after_three_minutes(client: Client, receiver: Receiver) -> None:
    receiver.statuses = [500]
    body = {"email": "ada@example.com", "amount": 700, "reference": "live-1"}
    client.post("/transaction/initialize", body, key=LIVE_KEY)
    client.pay("live-1")
    wait_for(lambda: client.events()[0]["attempts"] == 1)

    client.advance(181)

    wait_for(lambda: client.events()[0]["status"] == "delivered")


def test_an_event_can_be_delivered_again_by_hand(client: Client, receiver: Receiver) -> None:
    pay(client, "r-1")
    receiver.wait(1)
    wait_for(lambda: client.events()[0]["status"] == "delivered")

    reply = client.http.post(f"/control/events/{client.events()[0]['id']}/deliver").json()

    assert (reply["event"]["attempts"], len(receiver.received)) == (2, 2)
    assert receiver.received[0][1] == receiver.received[1][1]


def test_a_dead_receiver_is_tried_again(tmp_path: Path) -> None:
    sandbox = start(data_dir=tmp_path, environ=environ("http://127.0.0.1:9/hook"))
    client = Client(sandbox)
    pay(client, "r-1")

    event = wait_for(lambda: [one for one in client.events() if one["attempts"]])[0]
    sandbox.stop()

    assert event["last_answer"] == "no answer: ConnectionRefusedError"
    assert (event["status"], event["next_at"] is None) == ("waiting", False)


def test_without_an_address_events_are_held(tmp_path: Path) -> None:
    sandbox = start(data_dir=tmp_path, environ=environ())
    client = Client(sandbox)
    pay(client, "r-1")
    status = client.events()[0]["status"]
    refusal = client.http.post("/control/events/1/deliver")
    sandbox.stop()

    assert (status, refusal.status_code) == ("held", 400)


def test_event_dup_sends_the_same_bytes_again(client: Client, receiver: Receiver) -> None:
    client.fault("event", "event_dup", copies=3)
    pay(client, "r-1")

    assert len({body for _, body in receiver.wait(4)}) == 1


def test_event_drop_sends_nothing_but_keeps_it_for_later(client: Client, receiver: Receiver) -> None:
    client.fault("charge", "event_drop")
    pay(client, "lost", "sent")
    receiver.wait(1)
    dropped = client.events()[0]
    client.http.post(f"/control/events/{dropped['id']}/deliver")

    assert dropped["status"] == "dropped"
    assert references(receiver) == ["sent", "lost"]


def test_event_early_arrives_before_the_answer(client: Client, receiver: Receiver) -> None:
    code = client.saved_card()
    receiver.wait(1)
    client.fault("charge", "event_early")

    client.charge(code)
    answered_at = time.monotonic()

    assert len(receiver.received) == 2
    assert receiver.received_at[1] < answered_at


def test_event_shuffle_delivers_in_reverse(client: Client, receiver: Receiver) -> None:
    client.fault("event", "event_shuffle", size=3)
    pay(client, "a", "b", "c", "d")
    receiver.wait(4)

    assert references(receiver) == ["c", "b", "a", "d"]


def test_clearing_the_plan_releases_what_was_held_for_shuffling(client: Client, receiver: Receiver) -> None:
    client.fault("event", "event_shuffle", size=9)
    pay(client, "a", "b")
    held = {event["status"] for event in client.events()}
    client.http.delete("/control/faults")
    receiver.wait(2)

    assert held == {"held"}
    assert references(receiver) == ["b", "a"]


def test_event_forge_adds_one_with_a_wrong_signature(client: Client, receiver: Receiver) -> None:
    client.fault("event", "event_forge")
    pay(client, "r-1")

    good = [headers["x-paystack-signature"] == signed(body) for headers, body in receiver.wait(2)]

    assert good == [False, True]
    assert [event["forged"] for event in client.events()] == [True, False]


def test_event_replay_comes_back_later(client: Client, receiver: Receiver) -> None:
    client.fault("event", "event_replay", after_s=600)
    pay(client, "r-1")
    receiver.wait(1)
    client.advance(601)

    assert len({body for _, body in receiver.wait(2)}) == 1


def test_an_event_fault_may_name_the_type(client: Client, receiver: Receiver) -> None:
    client.fault("event", "event_drop", event="refund.pending")
    pay(client, "r-1")
    client.post("/refund", {"transaction": "r-1"})
    receiver.wait(1)

    assert [event["status"] for event in client.events()][1] == "dropped"
