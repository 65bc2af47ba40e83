"""S-30: the public library verifies what we sign; and TLS is what it should be."""

import base64
import importlib
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.requires import skip_without
from tillgate.events.models import Endpoint
from tillgate.events.services.endpoints import rotate_secret
from tillgate.events.services.sending import send_due
from tillgate.events.signing import is_secret, new_secret, signed_headers

LIBRARY = "standardwebhooks"


@pytest.fixture
def library() -> Any:
    try:
        return importlib.import_module(LIBRARY)
    except ImportError:
        skip_without("standardwebhooks", f"{LIBRARY} is not installed; requirements/dev.in has it")


def test_s30_the_public_library_verifies_what_arrives(library, farm, pay):
    secret = new_secret()
    receiver, _ = farm(secret=secret)
    reference = pay()

    send_due()

    [got] = receiver.received
    told = library.Webhook(secret).verify(got.body, got.headers)
    assert told["data"]["id"] == reference


def test_s30_while_a_secret_is_changed_the_library_verifies_by_either(library, farm, pay):
    first = new_secret()
    receiver, endpoint = farm(secret=first)
    _, second = rotate_secret(endpoint.pk)
    pay()

    send_due()

    [got] = receiver.received
    for secret in (first, second):
        assert library.Webhook(secret).verify(got.body, got.headers)["type"] == "payment.completed"


@pytest.mark.parametrize("change", ["body", "id", "timestamp", "secret"])
def test_s30_the_library_refuses_what_was_changed(library, change):
    secret, body = new_secret(), b'{"type":"payment.completed"}'
    now = int(time.time())
    headers = signed_headers("EVT-1", now, body, [secret])
    if change == "secret":
        secret = new_secret()
    elif change == "body":
        body = body.replace(b"completed", b"failed")
    else:
        headers[f"webhook-{change}"] = "EVT-2" if change == "id" else str(now + 1)

    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(secret).verify(body, headers)


def test_the_signature_is_that_of_the_specification():
    # Source: the specification's own example.
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("whsec_" + base64.b64encode(b"x" * 32).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 24).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), False),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), False),
        (base64.b64encode(b"x" * 32).decode(), False),
        ("whsec_not base64!", False),
        ("", False),
    ],
)
def test_a_secret_is_long_enough_and_base64(text, is_one):
    assert is_secret(text) is is_one


def test_tls_is_verified_against_the_systems_authorities(farm, pay, tmp_path, monkeypatch):
    receiver, _ = farm()
    Endpoint.objects.update(url=receiver.url.replace("http:", "https:"))
    pay()

    send_due()

    assert receiver.received == []
    delivery = Endpoint.objects.get().deliveries.get()
    assert delivery.last_error.startswith("no secure connection")


def test_what_is_sent_is_json_of_one_line(farm, pay):
    receiver, _ = farm()
    pay()
    send_due()

    [got] = receiver.received
    assert b"\n" not in got.body
    assert list(json.loads(got.body)) == ["type", "timestamp", "data", "sequence"]


def test_the_shapes_are_not_loaded_before_somebody_subscribes():
    """A worker that tells nobody does without the API's shapes."""
    code = (
        "import django, sys; django.setup(); import tillgate.events.services.lanes;"
        "sys.exit('tillgate.api.shapes.told' in sys.modules or 'rest_framework' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
