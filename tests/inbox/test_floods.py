"""S-22: whoever floods the door with forgeries is told to wait; a gateway's own event is always heard."""

import pytest
from django.test import Client

from tests.inbox.conftest import SIGNATURE, charge, sign
from tillgate.inbox.models import InboundEvent

BODY = charge("ATT-1")
OUTSIDE = "203.0.113.9"


@pytest.fixture
def ring(merchant, stopped):
    def post(signature, body=BODY, address=OUTSIDE):
        return Client().post(
            "/api/v1/webhooks/paystack",
            body,
            content_type="application/json",
            headers={SIGNATURE: signature},
            REMOTE_ADDR=address,
        )

    return post


def test_the_61st_forgery_of_a_minute_is_told_to_wait(ring):
    answers = [ring("forged") for _ in range(61)]

    assert [answer.status_code for answer in answers] == [401] * 60 + [429]
    assert answers[60].json()["code"] == "too_many_requests"
    assert int(answers[60]["Retry-After"]) >= 1
    assert answers[60]["RateLimit-Policy"] == '"forged-events";q=60;w=60'
    assert ring("forged", address="203.0.113.10").status_code == 401


def test_a_genuine_event_from_the_very_address_of_the_flood_is_heard(ring):
    for _ in range(70):
        ring("forged")

    assert ring(sign(BODY)).status_code == 200
    assert InboundEvent.objects.count() == 1


def test_genuine_events_are_not_counted(ring):
    bodies = [charge(f"ATT-{n}") for n in range(70)]

    assert {ring(sign(body), body).status_code for body in bodies} == {200}
    assert ring("forged").status_code == 401


def test_a37_a_flood_does_not_fill_the_log(ring, caplog):
    for _ in range(80):
        ring("forged")

    assert caplog.text.count("event_bad_signature") == 60
