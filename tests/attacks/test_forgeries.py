"""Forgers at the gateways' door, each over HTTP, and the genuine event that passes."""

import pytest
from django.test import Client

from tests.attacks.conftest import at
from tests.gateways.flutterwave import test_contract as flutterwave
from tests.gateways.paypal import test_contract as paypal
from tests.gateways.paystack import test_contract as paystack
from tests.reliability.world import status_of
from tillgate.inbox.models import InboundEvent

CASES = {"paystack": paystack.CASE, "flutterwave": flutterwave.CASE, "paypal": paypal.CASE}
SIGNED_BY = {
    "paystack": [paystack.HEADER],
    "flutterwave": [flutterwave.HASH, flutterwave.HMAC],
    "paypal": [paypal.ID, paypal.TIME, paypal.SIG, paypal.CERT, paypal.ALGO],
}
# The setting that a forger would guess, and what careless people put there.
SECRETS = {
    "paystack": ("PAYSTACK_SECRET_KEY", ["", " ", "changeme", "sk_test_", "secret"]),
    "flutterwave": ("FLUTTERWAVE_WEBHOOK_HASH", ["", " ", "changeme", "hash", "\u3000"]),
    "paypal": ("PAYPAL_WEBHOOK_ID", ["", " ", "changeme", "WEBHOOK_ID", "null"]),
}
ODD = ["", "é", "\x80" * 128, "\ud800", "\x00", "*", "x" * 10_000_000]


@pytest.fixture
def door(world):
    """POST bytes with headers as they would come from the wire; the answer."""

    def knock(headers, body):
        path = f"/api/v1/webhooks/{world.gateway}"
        sent = {name: _on_the_wire(value) for name, value in headers.items()}
        client = Client(raise_request_exception=False)
        return client.post(path, body, content_type="application/json", headers=sent)

    return knock


def _on_the_wire(value):
    """A header is bytes, and reaches us as latin-1."""
    return value.encode("utf-8", "surrogatepass").decode("latin-1")


def genuine(world):
    """A payment whose customer has paid, and what the gateway sends about it."""
    attempt = world.session()
    world.pay(attempt)
    if world.way.captures:
        world.wait(20)
    event = world.events()[-1]
    return attempt, {name.lower(): value for name, value in event["headers"].items()}, event["body"].encode()


@at()
def test_a06_two_hundred_forgeries_are_401_and_the_genuine_event_is_200(world, door):
    attempt, headers, body = genuine(world)
    tried, answers = 0, set[int]()

    for forged, other in CASES[world.gateway].forgeries(headers, body):
        if any(name != name.lower() for name in forged):
            continue  # Over HTTP the names of headers have no case: it would be genuine.
        tried, answers = tried + 1, answers | {door(forged, other).status_code}

    assert tried >= 200
    assert answers == {401}
    assert not InboundEvent.objects.exists()
    assert door(headers, body).status_code == 200
    world.work()
    assert (InboundEvent.objects.get().state, status_of(attempt.payment)) == ("applied", "completed")


@at()
def test_a07_a_secret_that_everybody_knows_verifies_nothing(world, door, settings):
    _, headers, body = genuine(world)
    setting, careless = SECRETS[world.gateway]
    case = CASES[world.gateway]
    [name] = [name for name, value in case.credentials.items() if value == getattr(settings, setting)]

    for secret in careless:
        setattr(settings, setting, secret)
        forged = case.sign_with({**case.credentials, name: secret}, body)

        # Refused for good, or to be sent again once somebody has set it.
        assert {door(one, body).status_code for one in (forged, headers)} <= {401, 503}, repr(secret)
    assert not InboundEvent.objects.exists()


@at()
def test_a11_an_odd_signature_is_a_refusal_and_no_crash(world, door):
    _, headers, body = genuine(world)

    for name in SIGNED_BY[world.gateway]:
        for odd in ODD:
            assert door({**headers, name: odd}, body).status_code == 401, (name, odd[:10])
    assert not InboundEvent.objects.exists()


@at()
def test_a05_one_gateways_event_is_nothing_at_the_others_door(world):
    _, headers, body = genuine(world)

    for other in set(CASES) - {world.gateway}:
        answer = Client().post(
            f"/api/v1/webhooks/{other}", body, content_type="application/json", headers=headers
        )
        assert answer.status_code == 401, other
    assert not InboundEvent.objects.exists()
