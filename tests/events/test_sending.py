"""O-01 to O-06: what receivers do, and what comes of it."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from tests.builders import make_staff
from tests.events.farm import answers, dribbles, floods, hangs, is_late, resets, speaks
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.events.models import Delivery, Endpoint, OutboxEvent
from tillgate.events.services.endpoints import Change, change_endpoint, delete_endpoint, rotate_secret
from tillgate.events.services.sending import LADDER_S, claim, send, send_due, write
from tillgate.events.signing import new_secret, signed_headers


def only() -> Any:
    return Delivery.objects.select_related("event", "endpoint").get()


def let_pass(seconds: float) -> None:
    """Move the product's clock, which the ladder follows."""
    clock.advance(int(seconds) + 1)


def test_an_event_arrives_signed_with_its_id_and_its_bytes(farm, pay):
    secret = new_secret()
    receiver, _ = farm(secret=secret)
    reference = pay()

    assert send_due() == 1

    [got] = receiver.received
    event = OutboxEvent.objects.get()
    assert got.body == event.body.encode()
    assert json.loads(got.body)["data"]["id"] == reference
    expected = signed_headers(event.reference, int(got.headers["webhook-timestamp"]), got.body, [secret])
    assert {name: got.headers[name] for name in expected} == expected
    assert (got.headers["content-type"], got.headers["accept-encoding"]) == ("application/json", "identity")
    delivery = only()
    assert (delivery.state, delivery.tries, delivery.last_status, delivery.last_answer) == (
        "delivered",
        1,
        200,
        "ok",
    )
    assert send_due() == 0


FAILURES = {
    "500": (answers(500, "no"), 500, "the receiver answered 500"),
    "301": (answers(301, Location="https://elsewhere.example/"), 301, "the receiver answered 301"),
    "404": (answers(404), 404, "the receiver answered 404"),
    "reset": (resets, None, "no answer: "),
    "timeout": (hangs, None, "no answer within"),
    "endless-headers": (dribbles(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n", 0), None, "no answer"),
    "slow-headers": (dribbles(b"HTTP/1.1 200 OK\r\nX-Slow: "), None, "no answer within"),
    "huge-header": (dribbles(b"HTTP/1.1 200 OK\r\nX-Huge: ", b"x" * 4096, 0), None, "no answer"),
    "no-http": (speaks(b"SSH-2.0-OpenSSH_9.2\r\n"), None, "no answer"),
    "nothing": (speaks(b""), None, "no answer"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_o01_o03_a_failure_of_any_kind_is_tried_again_on_the_ladder(farm, pay, hurried, name):
    behaviour, status, why = FAILURES[name]
    receiver, endpoint = farm(behaviour)
    pay()

    began = time.monotonic()
    send_due()

    assert time.monotonic() - began < 5
    delivery = only()
    assert (delivery.state, delivery.tries, delivery.last_status) == ("pending", 1, status)
    assert delivery.last_error.startswith(why)
    wait = (delivery.next_try_at - delivery.last_try_at).total_seconds()
    assert LADDER_S[1] <= wait <= LADDER_S[1] * 1.1
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None

    receiver.behaviour = answers(204)
    let_pass(wait)
    send_due()

    assert only().state == "delivered"
    assert len({(one.id, one.body) for one in receiver.received}) == 1
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.sends, endpoint.failures) == (None, 2, 1)


def test_a_refused_connection_is_a_failure_like_any_other(farm, pay, merchant):
    _, _endpoint = farm()
    Endpoint.objects.update(url="http://127.0.0.1:1/")
    pay()

    send_due()

    assert only().last_error == "no answer: ConnectionRefusedError"


@pytest.mark.parametrize(
    "behaviour",
    [
        floods,
        dribbles(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
        dribbles(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        speaks(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"),
    ],
    ids=["1-gb", "byte-by-byte", "endless-chunks", "no-gzip"],
)
def test_o03_a_2xx_is_success_however_its_body_goes_on(farm, pay, hurried, behaviour):
    farm(behaviour)
    pay()

    began = time.monotonic()
    send_due()

    assert time.monotonic() - began < 5
    assert (only().state, only().last_status) == ("delivered", 200)
    assert len(only().last_answer) <= 1024


def test_o02_an_answer_after_our_time_is_none_and_the_event_is_sent_again(farm, pay, hurried):
    receiver, _ = farm(is_late(1.5))
    pay()

    send_due()
    assert only().last_error == "no answer within 1 seconds"
    receiver.behaviour = answers(200)
    let_pass(6)
    send_due()

    assert only().state == "delivered"
    assert [one.id for one in receiver.received] == [OutboxEvent.objects.get().reference] * 2
    assert receiver.received[0].body == receiver.received[1].body


def test_o01_the_whole_ladder_is_climbed_and_then_it_is_exhausted_and_listed(farm, pay):
    receiver, endpoint = farm(answers(500))
    pay()
    began = clock.now()

    waits = []
    for _ in LADDER_S:
        send_due()
        if only().next_try_at is not None:
            waits.append((only().next_try_at - only().last_try_at).total_seconds())
            let_pass(waits[-1])

    assert (only().state, only().tries, only().next_try_at) == ("exhausted", 10, None)
    assert all(step <= wait <= step * 1.1 + 1 for step, wait in zip(LADDER_S[1:], waits, strict=True))
    assert clock.now() - began < timedelta(days=5)
    assert len({(one.id, one.body) for one in receiver.received}) == 1
    endpoint.refresh_from_db()
    assert endpoint.enabled


def test_o01_retry_after_is_honoured_and_the_whole_lane_rests(farm, pay):
    receiver, _ = farm(answers(429, Retry_After="120"))
    pay()
    send_due()
    receiver.behaviour = answers(200)

    pay()
    assert send_due() == 0  # Also what is new.
    let_pass(60)
    assert send_due() == 0
    let_pass(61)

    assert send_due() == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


@pytest.mark.parametrize(
    "asked",
    ["Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-5", "1e3", "Mon, 01 Jan 99999999999 00:00:00 GMT"],
)
def test_a_retry_after_that_means_nothing_is_the_ladder(farm, pay, asked):
    farm(answers(503, Retry_After=asked))
    pay()

    send_due()

    wait = (only().next_try_at - only().last_try_at).total_seconds()
    assert 5 <= wait <= 6


@pytest.mark.parametrize("asked", ["99999999", "9" * 20, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_may_ask_for_more_than_a_day(farm, pay, asked):
    farm(answers(503, Retry_After=asked))
    pay()

    send_due()

    assert only().next_try_at - only().last_try_at == timedelta(days=1)


def test_o01_410_disables_the_endpoint_drops_what_waits_and_mails_the_owners(farm, pay, merchant):
    make_staff(merchant, "owner")
    make_staff(merchant, "manager")
    _, endpoint = farm(answers(410))
    for _ in range(2):
        pay()

    send_due()
    run_due_jobs()

    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "gone")
    assert set(Delivery.objects.values_list("state", flat=True)) == {"dropped"}
    [sent] = mail.outbox
    assert sent.to == [f"owner-{merchant.pk}@example.com"]
    assert endpoint.reference in sent.body
    assert "410" in sent.body
    pay()
    assert send_due() == 0
    assert OutboxEvent.objects.count() == 3


def test_five_days_of_failures_disable_it_and_a_success_in_between_does_not(farm, pay):
    receiver, endpoint = farm(answers(500))
    pay()
    send_due()
    let_pass(4 * 86_400)
    receiver.behaviour = answers(200)
    pay()
    send_due()
    receiver.behaviour = answers(500)
    pay()
    send_due()
    let_pass(4 * 86_400)
    pay()
    send_due()
    endpoint.refresh_from_db()
    assert endpoint.enabled

    let_pass(86_400)
    pay()
    send_due()

    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "failing")


def test_o06_nothing_is_sent_to_what_was_deleted_or_disabled_while_it_waited(farm, pay):
    gone, first = farm()
    off, second = farm()
    pay()

    delete_endpoint(first.pk)
    change_endpoint(second.pk, Change(enabled=False))

    assert send_due() == 0
    assert gone.received == off.received == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"dropped"}


def test_o06_what_is_written_for_a_deleted_endpoint_by_who_did_not_know_is_dropped(farm, pay):
    receiver, _endpoint = farm()
    pay()
    Endpoint.objects.update(deleted_at=clock.now())

    assert send_due() == 0
    assert receiver.received == []


def test_o06_while_a_secret_is_changed_both_sign_and_after_it_the_new_one(farm, pay):
    first = new_secret()
    receiver, endpoint = farm(secret=first)
    _, second = rotate_secret(endpoint.pk, overlap=timedelta(hours=1))

    pay()
    send_due()
    let_pass(3_600)
    pay()
    send_due()

    both, one = receiver.received
    expected = signed_headers(both.id, int(both.headers["webhook-timestamp"]), both.body, [second, first])
    assert both.headers["webhook-signature"] == expected["webhook-signature"]
    assert len(one.headers["webhook-signature"].split()) == 1


def test_o05_killed_between_the_post_and_its_mark_an_event_is_sent_again_the_same(farm, pay):
    receiver, _endpoint = farm()
    pay()
    [lane] = claim(1, slow=False)
    send(lane, lane.parcels, until=time.monotonic() + 5)  # Here the process dies: nothing is written.

    assert send_due() == 0  # The lane is held until its lease runs out.
    Endpoint.objects.update(lane_until=clock.now() - timedelta(seconds=1))
    assert send_due() == 1

    assert len(receiver.received) == 2
    assert len({(one.id, one.body) for one in receiver.received}) == 1
    assert only().state == "delivered"


def test_o05_who_has_lost_the_lane_writes_nothing(farm, pay):
    farm()
    pay()
    [lane] = claim(1, slow=False)
    lane.outcomes = send(lane, lane.parcels, until=time.monotonic() + 5)
    Endpoint.objects.update(lane_token="another process")

    write(lane)

    assert (only().state, only().tries) == ("pending", 0)


def test_a_lane_is_one_process_s(farm, pay):
    farm()
    pay()

    assert len(claim(5, slow=False)) == 1
    assert claim(5, slow=False) == []


def test_o09_an_objects_events_arrive_in_their_order(farm, merchant, pay):
    receiver, _ = farm()
    for _ in range(5):
        pay()
    sent = list(OutboxEvent.objects.order_by("pk").values_list("reference", flat=True))

    send_due()

    assert receiver.ids == sent
    assert receiver.connections == 1


def test_a_receiver_that_ends_the_connection_meanwhile_loses_nothing(farm, pay):
    _receiver, _ = farm(speaks(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    for _ in range(3):
        pay()

    send_due()

    assert set(Delivery.objects.values_list("state", "tries")) == {("delivered", 1)}


def test_a28_an_answer_is_kept_short_and_fit_to_be_shown(farm, pay):
    said = "whsec_abcdefgh sk_live_12345 4111 1111 1111 1111\r\n\x1b[31mred\x00 " + "y" * 5_000
    farm(answers(500, said))
    pay()

    send_due()

    kept = only().last_answer
    assert 900 < len(kept) <= 1024
    assert not any(char in kept for char in "\r\n\x1b\x00")
    assert not any(secret in kept for secret in ("abcdefgh", "12345", "4111"))


def test_a28_an_answer_from_inside_the_house_is_not_kept(farm, pay, settings):
    settings.IS_LOCAL = False
    settings.TILLGATE_WEBHOOK_PRIVATE_HOSTS = ["127.0.0.0/8"]
    receiver, _ = farm(answers(200, "internal service says: root"))
    pay()

    send_due()

    assert len(receiver.received) == 1
    assert (only().state, only().last_answer) == ("delivered", "")
