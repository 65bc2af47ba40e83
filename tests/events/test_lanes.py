"""O-04, I-20: an endpoint is a lane, and none is behind another; what dies is sent again."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from tests.builders import make_endpoint, make_merchant, make_payment, make_settled
from tests.events.farm import Receiver, answers, dribbles, floods, hangs, is_late, resets, running
from tillgate.common import clock
from tillgate.events.models import Delivery, Endpoint, OutboxEvent
from tillgate.events.services import lanes, sending
from tillgate.events.services.lanes import Sender, _streams
from tillgate.events.services.sending import Parcel
from tillgate.merchants.services.merchants import ensure_default_merchant

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN_S = 30


@contextmanager
def sender(**options: Any) -> Iterator[Sender]:
    """A sender that runs until the end of the block, as in a worker's process."""
    sending = Sender(**{"poll_s": 0.05, "grace_s": 2, **options})
    thread = threading.Thread(target=sending.run)
    thread.start()
    try:
        yield sending
    finally:
        sending.stop()
        thread.join()


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not so():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


def is_done(endpoint: Endpoint) -> Callable[[], bool]:
    return lambda: not Delivery.objects.filter(endpoint=endpoint).exclude(state="delivered").exists()


def at(receiver: Receiver, **fields: Any) -> Endpoint:
    return make_endpoint(url=receiver.url, **fields)


def test_i20_o04_a_healthy_lane_is_not_behind_dead_ones():
    merchant = ensure_default_merchant(name="My shop")
    with running() as healthy, running(hangs) as dead, running(dribbles(b"HTTP/1.1 200 OK\r\nX: ")) as slow:
        well = at(healthy)
        for number in range(6):
            for receiver in (dead, slow):
                make_endpoint(url=f"{receiver.url}/{number}")
        with sender(threads=4, slow_threads=2):
            lags: list[float] = []
            for _ in range(30):
                began = time.monotonic()
                make_settled(make_payment(merchant))
                until(lambda: len(healthy.received) > len(lags))
                lags.append(time.monotonic() - began)

        assert sorted(lags)[int(len(lags) * 0.95)] < 5
        until(is_done(well))


def test_i16_all_is_delivered_or_tried_again_whatever_the_receivers_do(monkeypatch):
    monkeypatch.setattr("tillgate.events.client.TOTAL_S", 1.0)
    merchant = ensure_default_merchant(name="My shop")
    farm = [answers(500), hangs, resets, answers(429, Retry_After="1"), answers(301, Location="/"), floods]
    behaviours = [*farm, is_late(2), dribbles(b"HTTP/1.1 200 OK\r\nX: "), answers(200)]
    with_each = [running(behaviour) for behaviour in behaviours]
    receivers = [one.__enter__() for one in with_each]
    endpoints = [at(receiver) for receiver in receivers]
    for _ in range(3):
        make_settled(make_payment(merchant))

    with sender():
        until(lambda: not Delivery.objects.filter(tries=0, endpoint__rest_until__isnull=True).exists())
        for receiver in receivers:
            receiver.behaviour = answers(200)
        clock.advance(400)
        until(lambda: all(is_done(endpoint)() for endpoint in endpoints))

    for one in with_each:
        one.__exit__(None, None, None)
    bodies = {event.reference: event.body.encode() for event in OutboxEvent.objects.all()}
    for receiver in receivers:
        assert set(receiver.ids) == set(bodies)
        assert all(one.body == bodies[one.id] for one in receiver.received)


def test_o09_a_wide_lane_keeps_the_order_of_each_object():
    merchant = ensure_default_merchant(name="My shop")
    with running(is_late(0.01)) as receiver:
        endpoint = at(receiver)
        _write(merchant, subjects=20, events=10)
        with sender():
            until(is_done(endpoint))

        assert receiver.connections > 1
        for subject in {one.body.split(b'"id":"')[1][:40] for one in receiver.received}:
            of_it = [one for one in receiver.received if subject in one.body]
            assert [one.body for one in of_it] == sorted((one.body for one in of_it), key=_sequence)


def _write(merchant: Any, *, subjects: int, events: int) -> None:
    """Events of several objects, one after the other in turns, as payments in parallel write them."""
    [endpoint] = Endpoint.objects.all()
    now = clock.now()
    for sequence in range(1, events + 1):
        for subject in range(subjects):
            body = f'{{"type":"t","data":{{"id":"PAY-{subject:035}"}},"sequence":{sequence}}}'
            event = OutboxEvent.objects.create(
                reference=f"EVT-{subject}-{sequence}",
                merchant=merchant,
                mode="test",
                type="payment.failed",
                subject=f"PAY-{subject:035}",
                sequence=sequence,
                body=body,
                created_at=now,
            )
            Delivery.objects.create(event=event, endpoint=endpoint, next_try_at=now)


def _sequence(body: bytes) -> int:
    return int(body.rpartition(b":")[2].rstrip(b"}"))


def test_streams_share_the_parcels_and_keep_what_is_about_one_object_together():
    parcels = [
        Parcel(delivery_id=number, tries=0, id=str(number), subject=f"PAY-{number % 7}", body=b"")
        for number in range(50)
    ]

    streams = _streams(parcels, 4)

    assert 1 < len(streams) <= 4
    assert sorted(one.delivery_id for stream in streams for one in stream) == list(range(50))
    where = [{one.subject for one in stream} for stream in streams]
    assert sum(map(len, where)) == 7
    assert all(stream == sorted(stream, key=lambda one: one.delivery_id) for stream in streams)


def test_two_senders_send_each_event_once_while_both_are_well():
    merchant = ensure_default_merchant(name="My shop")
    with running() as receiver:
        endpoint = at(receiver)
        for _ in range(20):
            make_settled(make_payment(merchant))
        with sender(), sender():
            until(is_done(endpoint))

        assert len(receiver.ids) == len(set(receiver.ids)) == 20


def test_a_sender_that_is_told_to_stop_writes_what_it_has_sent():
    merchant = ensure_default_merchant(name="My shop")
    with running(is_late(0.3)) as receiver:
        at(receiver)
        make_settled(make_payment(merchant))
        with sender():
            until(lambda: bool(receiver.received))

        assert Delivery.objects.get().state == "delivered"
        assert Endpoint.objects.get().lane_token == ""


def test_trouble_with_the_database_ends_no_sender(monkeypatch):
    merchant = make_merchant(is_default=True)
    failures = iter([RuntimeError("the database is away")] * 2)

    def claim(limit: int, *, slow: bool) -> list[Any]:
        if error := next(failures, None):
            raise error
        return real(limit, slow=slow)

    real = sending.claim
    monkeypatch.setattr(lanes, "claim", claim)
    with running() as receiver:
        endpoint = at(receiver)
        make_settled(make_payment(merchant))
        with sender():
            until(is_done(endpoint))


def test_i20_a_turn_that_cannot_be_written_down_stops_no_other_lane():
    merchant = ensure_default_merchant(name="My shop")
    with running() as odd, running() as healthy:
        refused, well = at(odd), at(healthy)
        with _database_refuses_deliveries_to(refused), sender():
            make_settled(make_payment(merchant))
            until(lambda: bool(odd.received))

            make_settled(make_payment(merchant))
            until(is_done(well))

            assert set(Delivery.objects.filter(endpoint=refused).values_list("state", flat=True)) == {
                "pending"
            }


@contextmanager
def _database_refuses_deliveries_to(endpoint: Endpoint) -> Iterator[None]:
    table, name = Delivery._meta.db_table, "test_refuses"
    when = f"WHEN (NEW.endpoint_id = {endpoint.pk})"
    if connection.vendor == "sqlite":
        body = f"{when} BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"
        make = [f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} {body}"]
        drop = [f"DROP TRIGGER {name}"]
    else:
        body = "$$BEGIN RAISE EXCEPTION 'refused by the test'; END$$"
        make = [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS {body}",
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {name}()",
        ]
        drop = [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"]
    _execute(make)
    try:
        yield
    finally:
        _execute(drop)


def _execute(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
