"""A-40, A-42, A-43 on the product as `./run` starts it: whoever speaks bad HTTP, or slowly, harms himself.

One trusted proxy stands in front, which these tests play. What needs a real one, that reads a request whole
before it hands it on: bodies that come slowly from many addresses at once, which hold all places of guests.
"""

import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from launcher.environment import ROOT, private_environment, product_environment
from launcher.processes import descendants
from tests.e2e.sockets import ORDER, OUTSIDE, Wire, p95
from tests.products import product_in

pytestmark = [pytest.mark.journey, pytest.mark.slow]
MANY = 200
SLOW_ENOUGH_S = 2.0  # On a machine that does much else; by itself it is a few milliseconds.
NEXT = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module")
def product():
    with (
        tempfile.TemporaryDirectory(prefix="tillgate-wire-") as folder,
        product_in(Path(folder), TILLGATE_TRUSTED_PROXIES="1", TILLGATE_WEB_PROCESSES="2") as running,
    ):
        yield running


@pytest.fixture(scope="module")
def wire(product):
    return Wire(port=product.installation.port)


@pytest.fixture(scope="module")
def key(product):
    env = product_environment(product.installation, private_environment())
    line = [sys.executable, "manage.py", "create_key"]
    made = subprocess.run(line, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    return f"Authorization: Bearer {made.stdout.strip()}"


def memory_mb(product):
    """The resident memory of all its processes."""
    pids = [
        pid
        for child in product.group.children
        for pid in (child.process.pid, *descendants(child.process.pid))
    ]
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in pids)
    return pages * 4096 / 1024**2


def test_a_whole_request_is_answered(wire):
    assert wire.say(wire.post(ORDER)).statuses == [201]


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/nothing", "/static/checkout/checkout.css", "/pay/x"])
def test_s04_no_answer_names_the_server(wire, path):
    assert "\r\nserver: \r\n" in wire.say(wire.get(path)).head + "\r\n"


SMUGGLED = {
    "CL.TE": ("Content-Length: 4", "Transfer-Encoding: chunked"),
    "TE.CL": ("Transfer-Encoding: chunked", "Content-Length: 4"),
    "chunked": ("Transfer-Encoding: chunked",),
    "chunked after a tab": ("Transfer-Encoding:\tchunked",),
    "an unknown coding": ("Transfer-Encoding: xchunked",),
    "chunked, then identity": ("Transfer-Encoding: chunked, identity",),
    "gzip, then chunked": ("Transfer-Encoding: gzip, chunked",),
    "two codings": ("Transfer-Encoding: chunked", "Transfer-Encoding: cow"),
    "a space before the colon": ("Transfer-Encoding : chunked",),
    "a folded coding": ("Transfer-Encoding:\r\n chunked",),
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "a list of lengths": ("Content-Length: 5, 5",),
    "a length with a sign": ("Content-Length: +5",),
    "a length below nothing": ("Content-Length: -5",),
    "a length in hex": ("Content-Length: 0x5",),
    "a folded header": ("Content-Length: 5", "X-Note: a\r\n b"),
    "a CR within": ("Content-Length: 5", "X-Note: a\rb"),
    "a NUL within": ("Content-Length: 5", "X-Note: a\0b"),
    "two hosts": ("Content-Length: 5", "Host: evil.example"),
    "another host": ("Content-Length: 5", "X: y\r\nHost: evil.example"),
}


@pytest.mark.parametrize("headers", SMUGGLED.values(), ids=SMUGGLED)
def test_a43_a_request_with_two_meanings_is_refused_and_nothing_behind_it_is_heard(wire, headers):
    json_type = "Content-Type: application/json"
    heard = wire.say(
        wire.lines("POST /api/v1/payments HTTP/1.1", json_type, *headers, body=b"0\r\n\r\n" + NEXT)
    )

    assert heard.statuses[:1] in ([400], [411])
    if headers[0] != "Content-Length: 5":  # With it, what follows the body is a request of its own.
        assert (len(heard.statuses), heard.closed) == (1, True)


def test_a43_bytes_that_are_no_http_are_not_answered_as_if_they_were(wire):
    for bytes_ in (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"\r\n\r\n\0\0",
    ):
        heard = wire.say(bytes_)
        assert 200 not in heard.statuses


def nested(depth):
    return b'{"metadata": ' + b"[" * depth + b"]" * depth + b"}"


BODIES = {
    "990 deep": (nested(990), (), {400}),
    "30,000 deep": (nested(30_000), (), {400}),
    "8,000 members": (json.dumps({f"m{n}": n for n in range(6_000)}).encode()[:65_536], (), {400}),
    "a million members": (b"{" + b",".join(b'"m%d":1' % n for n in range(1_000_000)) + b"}", (), {413}),
    "an int of 60,000 digits": (b'{"amount": ' + b"9" * 60_000 + b"}", (), {400}),
    "3 MB of blanks": (b" " * 3_000_000, (), {413}),
    "packed": (gzip.compress(ORDER), ("Content-Encoding: gzip",), {400, 415}),
    "a packed bomb": (gzip.compress(b" " * 20_000_000), ("Content-Encoding: gzip",), {400, 415}),
}


@pytest.mark.parametrize(("body", "headers", "wanted"), BODIES.values(), ids=BODIES)
def test_a40_a_body_that_is_a_weapon_is_refused_at_once(wire, body, headers, wanted):
    heard = wire.say(wire.post(body, *headers))

    assert set(heard.statuses) <= wanted
    assert heard.seconds < SLOW_ENOUGH_S


def test_a40_a_body_that_is_told_to_be_too_large_is_not_waited_for(wire):
    announced = ("Content-Type: application/json", "Content-Length: 3000000")
    for path in ("/api/v1/payments", "/api/v1/webhooks/paystack"):
        heard = wire.say(wire.lines(f"POST {path} HTTP/1.1", *announced))
        assert heard.statuses == [413]
        assert heard.seconds < SLOW_ENOUGH_S


def test_a40_multipart_is_no_json(wire):
    part = b'--x\r\nContent-Disposition: form-data; name="amount"\r\n\r\n50.00\r\n--x--\r\n'
    told = ("Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(part)}")

    assert wire.say(wire.lines("POST /api/v1/payments HTTP/1.1", *told, body=part)).statuses == [415]


def test_a40_many_of_them_leave_no_memory_behind(wire, product):
    for body, headers, _ in BODIES.values():
        wire.say(wire.post(body, *headers))
    before = memory_mb(product)

    for number in range(5):
        for body, headers, _ in BODIES.values():
            wire.say(wire.post(body, *headers, address=f"198.51.100.{number}"))

    assert memory_mb(product) - before < 50


@pytest.mark.parametrize(
    ("line", "status"),
    [("X-Note: " + "a" * 600_000, 431), ("\r\n".join(f"X-{n}: a" for n in range(1_000)), 431)],
    ids=["one of 600 kB", "a thousand"],
)
def test_a40_headers_have_a_limit(wire, line, status):
    assert wire.say(wire.get("/healthz", line)).statuses == [status]


def test_a40_so_has_an_address(wire):
    assert wire.say(wire.get("/" + "a" * 70_000)).statuses == [414]


def times_of_others(wire, *headers, path="/api/v1/gateways", wanted=200):
    """How long twenty requests of somebody else take."""
    heard = [wire.say(wire.get(path, *headers, address=f"198.51.100.{n}")) for n in range(20)]
    assert [one.statuses for one in heard] == [[wanted]] * 20
    return [one.seconds for one in heard]


def test_a42_200_who_send_headers_slowly_disturb_nobody(wire):
    begun = wire.lines("GET /api/v1/gateways HTTP/1.1", "X-Slow: a")[:-4]

    with wire.held(*[begun] * MANY):
        assert p95(times_of_others(wire)) < SLOW_ENOUGH_S


def begun_body(wire, address, path="/api/v1/payments"):
    told = ("Content-Type: application/json", "Content-Length: 1000")
    return wire.lines(f"POST {path} HTTP/1.1", *told, body=b"{", address=address)


def test_a42_200_slow_bodies_of_one_address_disturb_nobody_else(wire):
    with wire.held(*[begun_body(wire, OUTSIDE)] * MANY):
        assert p95(times_of_others(wire)) < SLOW_ENOUGH_S


def test_a42_slow_bodies_of_200_addresses_hold_up_guests_and_nobody_else(wire, key):
    """The guests are told to come back; a proxy that reads requests whole keeps even them from it."""
    with wire.held(*[begun_body(wire, f"203.0.{n}.1") for n in range(MANY)]):
        health = times_of_others(wire, path="/readyz")
        shops = times_of_others(wire, key, path="/api/v1/payments")

    assert max(p95(health), p95(shops)) < SLOW_ENOUGH_S
    wait_for_room(wire)
    assert p95(times_of_others(wire)) < SLOW_ENOUGH_S


def wait_for_room(wire):
    """Whoever hangs up leaves their place as soon as the server hears of it."""
    give_up_at = time.monotonic() + 10
    while wire.say(wire.get("/api/v1/gateways")).statuses == [429]:
        assert time.monotonic() < give_up_at, "guests are still told to come back"
        time.sleep(0.05)


def test_a42_200_who_do_not_read_their_answers_disturb_nobody(wire):
    many = wire.lines("GET /static/checkout/checkout.css HTTP/1.1") * 50

    with wire.held(*[many] * MANY):
        assert p95(times_of_others(wire)) < SLOW_ENOUGH_S
