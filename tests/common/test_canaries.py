"""S-33, I-13, A-37: whatever anybody sends to any door, and however it ends, no log has a word of it.

Only the request's id is the caller's own by design: whoever sends one wants to find it again.
"""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.builders import PASSWORD, access_token, make_payment, make_subscription, make_user
from tests.customers.test_secrecy import everything
from tests.inbox.conftest import sign
from tillgate.common.logs import logging_config

CANARY = "CANARYx7f3a9QzW"
CARD = "4084084084084081"
HEADERS = [
    "Authorization", "Cookie", "User-Agent", "Referer", "Origin", "X-Forwarded-For", "X-Forwarded-Host",
    "Accept", "Accept-Language", "If-None-Match", "Idempotency-Key", "Tillgate-Merchant",
    "X-Paystack-Signature", "verif-hash", "PayPal-Transmission-Id", "PayPal-Cert-Url",
    "X-HTTP-Method-Override", "X-Request-ID", "Host",
]  # fmt: skip
FORM = "application/x-www-form-urlencoded"
PART = f'Content-Disposition: form-data; name="{CANARY}"; filename="{CANARY}"'
BODIES = [
    ("application/json", f'{{"customer_name": "{CANARY}'.encode()),
    ("application/json", CANARY.encode()),
    ("application/json", f'{{"{CANARY}": 1, "{CANARY}": 2}}'.encode()),
    ("application/json", CANARY.encode() + b"\xff"),
    ("application/json", b"[" * 990 + CANARY.encode()),
    ("application/json", json.dumps({CANARY: CANARY}).encode()),
    (FORM, f"gateway={CANARY}&consent={CANARY}".encode()),
    ("multipart/form-data; boundary=x", f"--x\r\n{PART}\r\n\r\n{CARD}\r\n--x--\r\n".encode()),
    (f"multipart/form-data; boundary={CANARY}", CANARY.encode()),
    (f"text/{CANARY}", CANARY.encode()),
    (f"application/json; charset={CANARY}", b"{}"),
]
MEMBERS = [
    "customer_name", "customer_email", "amount", "currency", "description", "gateway", "merchant_reference",
    "metadata", "return_url", "expires_in", "recurring", "decision", "reason", "text", "username", "password",
    "email", "otp", "token", "refresh", "uid", "new_password", "current_password", "card_number", "cvv",
]  # fmt: skip
PATHS = [
    "/{c}", "/api/v1/{c}", "/api/v1/payments", "/api/v1/payments/{c}", "/api/v1/payments/{p}",
    "/api/v1/payments/{p}/attempts", "/api/v1/payments/{p}/cancel", "/api/v1/payments/{p}/refunds",
    "/api/v1/payments/{p}/surplus/{c}/refund", "/api/v1/payments/{p}/{c}", "/api/v1/refunds/{c}",
    "/api/v1/subscriptions", "/api/v1/subscriptions/{c}", "/api/v1/subscriptions/{s}/pause",
    "/api/v1/payment-methods", "/api/v1/payment-methods/{c}", "/api/v1/gateways", "/api/v1/webhooks/{c}",
    "/api/v1/webhooks/paystack", "/pay/{c}", "/pay/{t}", "/pay/{t}/return", "/pay/{t}/status",
    "/pay/{t}/link",
    "/subscription/{m}", "/subscription/{m}/stop", "/subscription/{c}", "/static/{c}", "/readyz",
    "/auth/users/", "/auth/jwt/create/", "/auth/{c}", "/api/token/", "/dukka/api/initialize-payment/",
    "/dukka/api/stop-payment/{c}/",
]  # fmt: skip


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


@pytest.fixture
def paths(merchant, settings, monkeypatch):
    settings.PAYSTACK_BASE_URL = "http://127.0.0.1:9"  # Nobody answers here, at once,
    monkeypatch.setattr("tillgate.checkout.waiting.WAIT_S", 0)  # and nobody waits for it.
    payment, subscription = make_payment(merchant), make_subscription(merchant)
    there = {"p": payment.reference, "t": payment.checkout_token, "s": subscription.reference}
    return [path.format(c=CANARY, m=subscription.manage_token, **there) for path in PATHS]


@pytest.fixture
def callers(key):
    """A guest, somebody with a key, somebody who is signed in, and three who say what is not so."""
    told = [None, f"Bearer {key}", f"JWT {access_token(make_user(CANARY))}"]
    return [*told, f"Bearer sk_test_{CANARY}", f"JWT eyJ{CANARY}.eyJ{CANARY}.{CANARY}", f"Basic {CANARY}"]


RIGHT = {"customer_name": CANARY, "customer_email": f"{CANARY}@example.com", "amount": "50.00"}


def bodies() -> list[tuple[str, bytes]]:
    wrong = dict.fromkeys(MEMBERS, CANARY)
    by_hand: tuple[dict[str, Any], ...] = ({}, wrong, RIGHT, {**RIGHT, "amount": CARD})
    return [*(("application/json", json.dumps(body).encode()) for body in by_hand), *BODIES]


def bearing(told: str | None) -> dict[str, Any]:
    return {"Authorization": told} if told else {}


def send_all(paths: list[str], callers: list[str | None]) -> set[int]:
    """Send everything everywhere; return the statuses that were seen."""
    client = Client(raise_request_exception=False)
    seen = set()

    def send(method: str, path: str, body: bytes = b"", kind: str = "text/plain", **headers: Any) -> None:
        answer = client.generic(method, path, body, content_type=kind, headers=headers)
        seen.add(answer.status_code)

    for number, path in enumerate(paths):
        for turn, (kind, body) in enumerate(bodies()):
            told = callers[(number + turn) % len(callers)]
            send("POST", path, body, kind, **bearing(told))
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
            send(method, f"{path}?{CANARY}={CANARY}&amount={CARD}&currency={CANARY}")
        for name in HEADERS:
            heard: Any = {name: f"{CANARY}\u00e9" if name == "X-Request-ID" else CANARY}
            send("GET", path, **heard)
    for told in callers:
        right = json.dumps(RIGHT).encode()
        send(
            "POST", "/api/v1/payments", right, "application/json", **({"Authorization": told} if told else {})
        )
    return seen


def assert_silent(output: io.StringIO) -> None:
    lines = [
        line for line in output.getvalue().splitlines() if CANARY.lower() in line.lower() or CARD in line
    ]
    assert not lines, lines[:3]


@pytest.mark.slow
def test_a37_s33_nothing_that_was_sent_is_in_a_log(output, paths, callers):
    seen = send_all(paths, callers)

    assert {200, 201, 400, 401, 404, 405, 415} <= seen
    assert 500 not in seen
    assert_silent(output)


@pytest.mark.slow
@pytest.mark.parametrize("output", [False], indirect=True)
def test_a37_s33_nor_is_it_when_everything_breaks(output, paths, callers):
    def broken(*_: object) -> None:
        raise RuntimeError("planted")

    with connection.execute_wrapper(broken):
        seen = send_all(paths, callers)

    assert 500 in seen
    assert output.getvalue().count("RuntimeError") >= 50
    assert_silent(output)


@pytest.mark.slow
@pytest.mark.parametrize("output", [False], indirect=True)
def test_s40_a_card_number_that_is_typed_anywhere_is_in_no_table_and_no_log(output, paths, callers):
    client = Client(raise_request_exception=False)
    for path in paths:
        for member in MEMBERS:
            for value in (CARD, {member: [CARD]}):
                body = json.dumps({**RIGHT, member: value}).encode()
                told = callers[len(member) % len(callers)]
                client.generic("POST", path, body, content_type="application/json", headers=bearing(told))

    assert CARD not in everything()
    assert_silent(output)


@pytest.mark.parametrize(
    "words",
    [
        f"Bearer {CANARY}", f"sk_live_{CANARY}", f"pk_test_{CANARY}", f"eyJ{CANARY}.e.s", f"otp: {CANARY}",
        f"{{'password': '{CANARY}'}}", f"recovery_code={CANARY}", f"card {CARD}", f"token={CANARY}&x=1",
    ],
)  # fmt: skip
def test_i13_a_bug_that_tells_a_secret_itself_is_not_heard_out(output, paths, words):
    def broken(*_: object) -> None:
        raise RuntimeError(f"bug with {words}")

    with connection.execute_wrapper(broken):
        Client(raise_request_exception=False).get("/readyz")

    assert "bug with" in output.getvalue()
    assert_silent(output)


def test_a_signed_event_is_not_written_down_at_the_door(output, merchant):
    body = json.dumps(
        {"event": CANARY, "data": {"reference": CANARY, "customer": {"email": CANARY}}}
    ).encode()

    answer = Client().post(
        "/api/v1/webhooks/paystack",
        body,
        content_type="application/json",
        headers={"X-Paystack-Signature": sign(body)},
    )

    assert answer.status_code == 200
    assert_silent(output)


@pytest.mark.parametrize("output", [False], indirect=True)
def test_an_error_names_the_route_and_not_the_address(output, paths):
    def broken(*_: object) -> None:
        raise RuntimeError("planted")

    with connection.execute_wrapper(broken):
        Client(raise_request_exception=False).get(f"/api/v1/payments/PAY-{'A' * 26}?{CANARY}")

    line = json.loads(output.getvalue().splitlines()[-1])
    assert (line["event"], line["method"]) == ("Internal Server Error", "GET")
    assert line["route"] == "api/v1/payments/<str:reference>"


def test_a_password_that_is_wrong_is_not_written_down(output, db):
    make_user("ada")
    client = Client(raise_request_exception=False)
    for path in ("/auth/jwt/create/", "/api/token/"):
        client.post(path, {"username": "ada", "password": CANARY}, content_type="application/json")
        client.post(path, {"username": CANARY, "password": PASSWORD}, content_type="application/json")

    assert PASSWORD not in output.getvalue()
    assert_silent(output)
