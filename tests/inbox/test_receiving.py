"""What the door for events keeps, and what it turns away."""

import json
import threading

import pytest
from django.db import DatabaseError, connection, connections
from django.test import Client

from tests.inbox.conftest import SIGNATURE, charge, sign
from tillgate.common.jobs.models import Job
from tillgate.inbox.models import InboundEvent


def test_a_signed_event_is_stored_as_it_came_and_queued(ring):
    body = charge("ATT-1")

    answer = ring(body, {SIGNATURE: sign(body), "Authorization": "Bearer x", "User-Agent": "Paystack/2"})

    event = InboundEvent.objects.get()
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    assert (bytes(event.body), event.state, event.kind) == (body, "stored", "charge.success")
    assert (event.gateway, event.mode, event.gateway_reference) == ("paystack", "test", "ATT-1")
    assert (event.gateway_id, event.claims_money) == ("5000000001", True)
    assert event.headers == {"content-type": "application/json", "user-agent": "Paystack/2"}
    assert Job.objects.get().args == [event.pk]


def test_it_is_stored_before_it_is_answered_and_its_job_with_it(ring):
    def refuse(execute, sql, params, many, context):
        if 'INTO "common_job"' in sql:
            raise DatabaseError("the process dies here")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError):
        ring(charge("ATT-1"))

    assert not InboundEvent.objects.exists()


def test_w01_the_same_event_again_is_answered_and_changes_nothing(ring):
    for _ in range(5):
        assert ring(charge("ATT-1")).status_code == 200

    assert (InboundEvent.objects.count(), Job.objects.count()) == (1, 1)


def test_w13_the_same_news_in_other_bytes_is_the_same_event(ring):
    ring(charge("ATT-1"))

    ring(json.dumps(json.loads(charge("ATT-1")), indent=2, sort_keys=True).encode())

    assert InboundEvent.objects.count() == 1


def test_w08_two_transactions_of_one_reference_are_two_events(ring):
    ring(charge("ATT-1", id=1))
    ring(charge("ATT-1", id=2))

    assert InboundEvent.objects.count() == 2


def test_w08_an_event_without_an_id_is_known_by_its_bytes(ring):
    for name in ("a", "a", "b"):
        ring(json.dumps({"event": "customeridentification.success", "data": {"name": name}}).encode())

    assert InboundEvent.objects.count() == 2


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"not json", b"{}", b'{"event": 1, "data": []}', b"[" * 990 + b"]" * 990]
)
def test_a_signed_body_of_any_form_is_kept_for_a_person(ring, body):
    assert ring(body).status_code == 200
    assert bytes(InboundEvent.objects.get().body) == body


@pytest.mark.django_db(transaction=True)
def test_w01_simultaneous_deliveries_are_one_event(ring):
    together, statuses = threading.Barrier(8), []

    def deliver():
        try:
            together.wait()
            statuses.append(ring(charge("ATT-1")).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 8
    assert (InboundEvent.objects.count(), Job.objects.count()) == (1, 1)


BODY = charge("ATT-1")


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "0",
        sign(BODY)[:-1],
        sign(BODY).upper(),
        sign(BODY) + "0",
        f"sha512={sign(BODY)}",
        f"{sign(BODY)}, {sign(BODY)}",
        sign(BODY + b" "),
        sign(BODY, ""),
        sign(BODY, "sk_test_another"),
        "é" * 128,
        "\udcff",
        "x" * 10_000_000,
    ],
    ids=lambda text: text[:12].encode("ascii", "replace").decode() or "empty",
)
def test_a06_a11_a_bad_signature_is_401_and_nothing_is_kept(ring, signature):
    answer = ring(BODY, {SIGNATURE: signature.encode("utf-8", "surrogateescape").decode("latin-1")})

    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert not InboundEvent.objects.exists()


def test_a06_no_signature_is_401(ring):
    assert ring(BODY, {"User-Agent": "Paystack/2"}).status_code == 401


@pytest.mark.parametrize("key", ["", "   ", "changeme"])
def test_a07_without_a_key_nothing_can_be_verified(ring, settings, key):
    settings.PAYSTACK_SECRET_KEY = key

    answer = ring(BODY, {SIGNATURE: sign(BODY, key)})

    assert (answer.status_code, answer.json()["code"]) == (503, "no_gateway_account")
    assert not InboundEvent.objects.exists()


def test_a_body_larger_than_any_event_is_413(ring):
    body = b"x" * (256 * 1024 + 1)

    assert ring(body).status_code == 413
    assert ring(body[:-1]).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_gateways_post(merchant, method):
    answer = getattr(Client(), method)("/api/v1/webhooks/paystack")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_a05_an_unknown_gateway_is_404(ring):
    answer = Client().post("/api/v1/webhooks/stripe", BODY, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_door_needs_no_csrf_token_and_takes_a_trailing_slash(merchant):
    answer = Client(enforce_csrf_checks=True).post(
        "/api/v1/webhooks/paystack/", BODY, content_type="application/json", headers={SIGNATURE: sign(BODY)}
    )

    assert answer.status_code == 200


def test_w07_an_event_that_cannot_be_stored_is_not_acknowledged(ring):
    def down(execute, sql, params, many, context):
        raise DatabaseError("the database is away")

    with connection.execute_wrapper(down), pytest.raises(DatabaseError):
        ring(BODY)
