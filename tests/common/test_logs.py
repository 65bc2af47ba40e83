import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_payment
from tillgate.api import payments as views
from tillgate.common.logs import has_card_number, logging_config, redact

CARDS = [
    "4084084084084081",
    "4084 0840 8408 4081",
    "4084-0840-8408-4081",
    "4084.0840.8408.4081",
    "4084\u00a00840\u00a08408\u00a04081",
    "5060666666666666666",
    "378282246310005",
    "3782 822463 10005",
    "30569309025904",
    "6011111111111117",
    "2223003122003222",
    "card: 4084084084084081!",
    "4084084084084081 12/27 123",
    "no 12 4084084084084081",
    "4084 0840 8408 4081 408",
    "٤٠٨٤٠٨٤٠٨٤٠٨٤٠٨١",
    "(4084084084084081)",
]
NO_SECRETS = ["PAY-0HHS2CN5NFEYJDXZ2M3CQKRB9A", "ATT-EYJ" + "0" * 23]
NO_CARDS = [
    "",
    "08031234567",
    "+234 803 123 4567",
    "2026-11-22 03:09:30",
    "1763778123456",
    "INV-2026-000123",
    "4084084084084082",
    "PAY-40840840840840814084084084",
    "x4084084084084081",
    "4084084084084081_",
    "12345678901",
    "0000000000000000",
    "1234567890123456",
    "Flat 3, 12 Broad Street, Lagos 101001",
    "40840840840840814084084084084081",
]
CANARIES = [
    "sk_live_canary0123456789",
    "sk_test_canary0123456789",
    "FLWSECK-canary0123456789-X",
    "whsec_canary0123456789",
    "Bearer canary0123456789",
    "bearer  canary0123456789",
    "4084084084084081",
    "canary@example.com",
    "/pay/CANARY0123456789ABCDEFGHJK",
    "https://pay.example/subscription/CANARY0123456789ABCDEFGHJK/stop",
    "/account/reset/MTcCANARY/cyzcanary-0123456789abcdef",
    "https://pay.example/account/activate/MTcCANARY/cyzcanary-0123456789abcdef",
    "JWT eyJcanary0123456789.eyJcanary0123456789.canary_0-123456789",
    "pk_live_canary0123456789",
    "FLWSECK_TEST-canary0123456789-X",
    "eyJhbGciOiJIUzI1NiJ9.canary0123456789.canary0123456789",
    "JWT canary0123456789",
    "Basic canary0123456789",
    "otp=canary0123",
    '{"password": "canary0123", "otp": "canary0123"}',
    "{'recovery_codes': ['canary0123']}",
    "https://pay.example/auth/password/reset/MQ/cvt3k2-0a1b2c3d4e5f60718293a4b5c6d7e8f9/",
]


@pytest.fixture(params=[True, False], ids=["local", "production"])
def output(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the process writes, in the form of each kind of installation."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    root = logging.getLogger()
    before = root.handlers[:]
    logging_config(local=request.param)
    yield written
    monkeypatch.undo()
    logging_config(local=True)
    root.handlers[:] = before


@pytest.mark.parametrize("text", CARDS)
def test_a_card_number_is_seen_whatever_stands_around_it(text):
    assert has_card_number(text)
    assert "4084081" not in redact(text).replace(" ", "")


@pytest.mark.parametrize("text", NO_SECRETS)
def test_our_own_names_are_not_taken_for_tokens(text):
    assert redact(text) == text


@pytest.mark.parametrize("text", NO_CARDS)
def test_other_numbers_are_left_alone(text):
    assert not has_card_number(text)
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "otp= " * 12_000,
        "token" + " " * 60_000,
        "eyJ" * 20_000,
        "JWT " * 15_000,
        "a1b2-" * 12_000,
        "1 " * 30_000,
        "4 " * 30_000,
        "4" * 60_000,
        "a" * 60_000,
        "a.b@" * 15_000,
        "Bearer" + " " * 60_000,
    ],
)
def test_long_text_is_read_in_linear_time(text):
    started = time.process_time()
    redact(text)

    assert time.process_time() - started < 3


@pytest.mark.parametrize("canary", CANARIES)
def test_no_secret_is_written(output, canary):
    structlog.get_logger("tillgate.x").info(canary, note=canary, nested={"deep": [canary, {"more": canary}]})
    logging.getLogger("django.request").error("Internal Server Error: %s", canary, extra={"request": canary})
    try:
        raise ValueError(canary)
    except ValueError:
        structlog.get_logger("tillgate.x").exception("failed")
        logging.getLogger("x").exception("failed")

    assert output.getvalue().count("failed") == 2
    for secret in ("canary0123", "4084084084084081", "canary@", "CANARY0123", "0a1b2c3d4e5f6071"):
        assert secret not in output.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "secret_key", "token", "password", "Authorization", "x-paystack-signature", "api_key", "apikey",
        "Cookie", "otp", "totp", "one_time_otp", "recovery_code", "cvv", "card_number", "refresh_token",
    ],
)  # fmt: skip
def test_what_has_a_secret_name_is_not_written(output, name):
    structlog.get_logger("tillgate.x").info("event", **{name: "hush"}, headers={name: "hush"})

    assert "hush" not in output.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "a\nFORGED",
        "a\r\nFORGED",
        "a\x1b[2KFORGED",
        "a\u2028FORGED",
        "a\x85FORGED",
        '"}\n{"event": "FORGED"',
        "a\x00FORGED",
    ],
)
def test_nobody_can_forge_a_line(output, text):
    structlog.get_logger("tillgate.x").info(text, name=text, nested={text: [text]})
    logging.getLogger("x").warning("Not Found: %s", text)

    lines = output.getvalue().splitlines()
    assert len(lines) == 2
    assert not any(line.startswith(("FORGED", '{"event": "FORGED"')) for line in lines)
    assert "\x1b" not in output.getvalue()
    assert "\x00" not in output.getvalue()


@pytest.mark.parametrize("output", [False], indirect=True)
def test_in_production_each_event_is_one_line_of_json(output):
    structlog.get_logger("tillgate.x").info("paid", payment="PAY-1", amount_minor=5, late=False, failure=None)

    line = json.loads(output.getvalue())
    assert (line["event"], line["payment"], line["level"]) == ("paid", "PAY-1", "info")
    assert (line["amount_minor"], line["late"], line["failure"]) == (5, False, None)
    assert line["timestamp"].endswith("Z")


def _bug(*_: Any, **__: Any) -> None:
    raise RuntimeError("bug with canary@example.com and 4084084084084081")


@pytest.mark.parametrize("output", [False], indirect=True)
def test_a_bug_is_logged_with_its_request_id_and_without_the_customer(output, merchant, monkeypatch):
    monkeypatch.setattr(views, "create_payment", _bug)
    secret = {"Authorization": "Bearer sk_test_canary0123456789"}
    ApiClient().post(PAYMENTS, {**MINIMAL, "customer_email": "canary@example.com"}, headers=secret)

    answer = ApiClient().post(PAYMENTS, {**MINIMAL, "customer_email": "canary@example.com"})

    (line,) = [json.loads(text) for text in output.getvalue().splitlines() if "RuntimeError" in text]
    assert line["request_id"] == answer["X-Request-ID"]
    assert "Traceback" in line["exception"]
    for canary in ("canary@", "4084084", "sk_test_canary", "John Doe"):
        assert canary not in output.getvalue()


def test_ordinary_requests_write_no_personal_data(output, merchant, key):
    payment = make_payment(customer_name="Canary Name", customer_email="canary@example.com")
    for caller in (ApiClient(), ApiClient(key), ApiClient("sk_test_wrong_canary")):
        caller.get(f"{PAYMENTS}/{payment.reference}")
        caller.get(f"/pay/{payment.checkout_token}")
        caller.create(
            customer_name="Canary Name", customer_email="canary@example.com", amount="4084084084084081"
        )
        caller.get(f"{PAYMENTS}?customer_email=canary@example.com")

    for canary in ("Canary Name", "canary@", key, "wrong_canary", "4084084084084081", payment.checkout_token):
        assert canary not in output.getvalue()
