"""HTTP to a gateway that misbehaves in every way a peer can."""

import gzip
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
import tracemalloc
from contextlib import closing
from decimal import Decimal

import pytest

from tests.gateways.raw_server import answer, bytes_of, hang_up, in_turn, raw_server
from tests.requires import skip_without
from tillgate.gateways import http
from tillgate.gateways.errors import GatewayError, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.http import Patience

SECRET = "sk_live_this_must_never_be_seen"
CALM = Patience(total_s=5, slot_s=5)
HASTY = Patience(total_s=0.5, slot_s=0)
DOUBT = [("GET", Unreachable), ("POST", GatewayUnknown)]


def call(url, method="GET", *, patience=CALM, key=SECRET):
    payload = {"a": 1} if method == "POST" else None
    headers = {"Authorization": f"Bearer {key}"}
    return http.call(method, f"{url}/x", headers=headers, patience=patience, payload=payload)


def trickle(start: bytes, endless: bytes, pause_s: float = 0.05):
    def say(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(endless)
            time.sleep(pause_s)

    return say


@pytest.fixture
def fresh_transport():
    http._transport().close()
    http._the_transport.cache_clear()
    http._slots.cache_clear()
    yield
    http._transport().close()
    http._the_transport.cache_clear()
    http._slots.cache_clear()


def test_a_json_object_is_read_with_its_status():
    with raw_server(answer(b'{"a": 1.10, "b": [1e400]}', status=404)) as server:
        said = call(server.url)

    assert said == http.Answer(status=404, body={"a": Decimal("1.10"), "b": [Decimal("1e400")]})


def test_a_request_is_json_and_asks_for_nothing_packed():
    with raw_server(answer()) as server:
        call(server.url, "POST")

    request = server.requests[0]
    assert request.startswith(b"POST /x HTTP/1.1\r\n")
    assert request.endswith(b'\r\n\r\n{"a": 1}')
    assert b"Accept-Encoding: identity\r\n" in request
    assert b"Content-Type: application/json\r\n" in request
    assert f"Authorization: Bearer {SECRET}\r\n".encode() in request


@pytest.mark.parametrize(("method", "doubt"), DOUBT)
@pytest.mark.parametrize(
    "say",
    [
        hang_up,
        answer(b""),
        answer(b"<html>Just a moment</html>"),
        answer(b"<html>not even a refusal</html>", status=403),
        answer(b'{"a": '),
        answer(b'{"a": NaN}'),
        answer(b'{"a": -Infinity}'),
        answer(b'{"a": ' + b"9" * 5_000 + b"}"),
        answer(b"[" * 100_000),
        answer(b"[1]"),
        answer(b"null"),
        answer(b'"text"'),
        answer(b'{"a": "\xff"}'),
        answer(gzip.compress(b'{"a": 1}'), headers=("Content-Encoding: gzip",)),
        answer(status=500),
        answer(status=503),
        answer(status=599),
        answer(status=408),
        answer(b"", status=302, headers=("Location: /elsewhere",)),
        answer(b" " * (http.MAX_BODY + 1)),
        bytes_of(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 2\r\n\r\n{}"),
        bytes_of(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}"),
        bytes_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
        bytes_of(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n{}"),
        bytes_of(b"\x16\x03\x01 this is no HTTP\r\n\r\n"),
        bytes_of(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ],
)
def test_what_is_no_answer_leaves_a_doubt(say, method, doubt):
    with raw_server(in_turn(say, hang_up)) as server, pytest.raises(doubt) as caught:
        call(server.url, method, patience=HASTY)

    assert len(server.requests) == 1
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (("Retry-After: 7",), 7),
        (("x-ratelimit-reset: 9",), 9),
        (("Retry-After: 7", "x-ratelimit-reset: 9"), 7),
        (("Retry-After: 99999",), 3_600),
        ((), 30),
        (("Retry-After: soon",), 30),
        (("Retry-After: -1",), 30),
        (("Retry-After: 7", "Retry-After: 7"), 30),
        (("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",), 30),
        ((f"Retry-After: {'9' * 5_000}",), 30),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_too_many_requests_says_when_to_come_back(headers, seconds, method):
    with raw_server(answer(status=429, headers=headers)) as server, pytest.raises(Unreachable) as caught:
        call(server.url, method)

    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize(("method", "doubt"), DOUBT)
@pytest.mark.parametrize(
    "say",
    [
        trickle(b"", b""),
        trickle(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        trickle(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", pause_s=0.001),
        trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" "),
        trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
)
def test_however_slowly_it_speaks_the_call_ends_in_time(say, method, doubt):
    began = time.monotonic()
    with raw_server(say) as server, pytest.raises(doubt):
        call(server.url, method, patience=HASTY)

    assert time.monotonic() - began < 1.5


def test_a_silence_late_in_a_call_ends_with_the_call():
    def say(connection: socket.socket) -> None:
        time.sleep(0.8)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")

    began = time.monotonic()
    with raw_server(say) as server, pytest.raises(GatewayUnknown):
        call(server.url, "POST", patience=Patience(total_s=1, slot_s=0))

    assert time.monotonic() - began < 1.5


def test_a_redirect_is_not_followed():
    with raw_server(answer()) as elsewhere:
        moved = answer(b"{}", status=307, headers=(f"Location: {elsewhere.url}/y",))
        with raw_server(moved) as server:
            assert call(server.url).status == 307

    assert (len(server.requests), elsewhere.requests) == (1, [])


def test_a_cookie_is_not_kept():
    with raw_server(answer(headers=("Set-Cookie: a=b; Path=/",))) as server:
        call(server.url)
        call(server.url)

    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_no_proxy_variable_takes_the_key_elsewhere(monkeypatch, fresh_transport):
    with raw_server(answer()) as server, raw_server(answer()) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        call(server.url)

    assert (len(server.requests), proxy.connections) == (1, 0)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_connection_is_unreachable(method):
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

    with pytest.raises(Unreachable, match="ConnectError"):
        call(url, method)


def test_a_name_nobody_has_is_unreachable():
    with pytest.raises(Unreachable, match="ConnectError"):
        call("https://gateway.invalid", "POST")


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """Make a self-signed certificate for an address; returns what serves it, and who trusts it."""

    def make(address):
        where = tmp_path_factory.mktemp("tls")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        command += [
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-days",
            "2",
            "-subj",
            "/CN=a gateway",
        ]
        command += ["-addext", f"subjectAltName=IP:{address}"]
        try:
            subprocess.run(command, cwd=where, check=True, capture_output=True)
        except OSError:
            skip_without("openssl", "openssl is not installed, and it makes the certificates of these tests")
        serves = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serves.load_cert_chain(where / "cert.pem", where / "key.pem")
        return serves, ssl.create_default_context(cafile=where / "cert.pem")

    return make


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_certificate_that_nobody_vouches_for_gets_no_key(certified, method):
    serves, _ = certified("127.0.0.1")

    with raw_server(answer(), tls=serves) as server, pytest.raises(Unreachable, match="ConnectError"):
        call(server.url, method)

    assert (server.connections, server.requests) == (1, [])


def test_a_certificate_of_another_address_gets_no_key(certified, fresh_transport):
    serves, trusts = certified("127.0.0.2")
    http._transport()._pool._ssl_context = trusts

    with raw_server(answer(), tls=serves) as server, pytest.raises(Unreachable, match="ConnectError"):
        call(server.url, "POST")

    assert (server.connections, server.requests) == (1, [])


def test_a_certificate_that_is_vouched_for_gets_the_request(certified, fresh_transport):
    serves, trusts = certified("127.0.0.1")
    http._transport()._pool._ssl_context = trusts

    with raw_server(answer(), tls=serves) as server:
        assert call(server.url, "POST").status == 200
        assert call(server.url, "POST").status == 200

    assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.parametrize("end", ["\r\nX: y", "\n", "\x00", "é", "\ud800"])
def test_a_key_that_no_header_can_hold_is_rejected_and_not_told(end):
    with raw_server(answer()) as server, pytest.raises(Rejected) as caught:
        call(server.url, "POST", key=SECRET + end)

    assert server.requests == []
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://[::bad", "http://127.0.0.1:no", "nonsense", ""])
def test_an_address_that_is_none_is_rejected(url):
    with pytest.raises(Rejected):
        call(url, "POST")


def test_a_connection_is_used_again():
    with raw_server(answer()) as server:
        for _ in range(3):
            call(server.url, "POST")

    assert (len(server.requests), server.connections) == (3, 1)


def answer_and_hang_up(connection):
    answer()(connection)
    hang_up(connection)


def test_a_connection_that_was_closed_meanwhile_is_no_doubt():
    with raw_server(answer_and_hang_up) as server:
        for _ in range(5):
            assert call(server.url, "POST").status == 200
            time.sleep(0.05)  # The end of the connection needs a moment to arrive.

    assert (len(server.requests), server.connections) == (5, 5)


def test_a_connection_that_ends_under_a_post_is_a_doubt_and_nothing_is_sent_again():
    with raw_server(in_turn(answer(), hang_up)) as server:
        call(server.url, "POST")
        with pytest.raises(GatewayUnknown):
            call(server.url, "POST")

    assert len(server.requests) == 2


def test_whoever_cannot_wait_is_turned_away_while_all_slots_are_taken(fresh_transport):
    release = threading.Event()

    def hold(connection: socket.socket) -> None:
        release.wait(10)
        answer()(connection)

    with raw_server(hold) as server, raw_server(answer()) as other:
        waiting = [threading.Thread(target=call, args=(server.url,)) for _ in range(http.SLOTS)]
        for thread in waiting:
            thread.start()
        while len(server.requests) < http.SLOTS:
            time.sleep(0.01)
        began = time.monotonic()
        with pytest.raises(Unreachable, match="too many calls") as caught:
            call(server.url, "POST", patience=Patience(total_s=5, slot_s=0))
        refused_after_s = time.monotonic() - began
        assert call(other.url).status == 200
        threading.Timer(0.1, release.set).start()
        assert call(server.url, patience=Patience(total_s=5, slot_s=5)).status == 200
        for thread in waiting:
            thread.join()

    assert (refused_after_s < 0.2, caught.value.retry_after_s) == (True, 2)


def test_whoever_rings_at_the_door_takes_no_slot_of_those_who_pay(fresh_transport):
    release, held = threading.Event(), iter([True] * http.AT_THE_DOOR.slots)

    def hold_the_first(connection: socket.socket) -> None:
        if next(held, False):
            release.wait(10)
        answer()(connection)

    with raw_server(hold_the_first) as server:
        ringing = [
            threading.Thread(target=call, args=(server.url,), kwargs={"patience": http.AT_THE_DOOR})
            for _ in range(http.AT_THE_DOOR.slots)
        ]
        for thread in ringing:
            thread.start()
        while len(server.requests) < len(ringing):
            time.sleep(0.01)
        with pytest.raises(Unreachable, match="too many calls"):
            call(server.url, patience=http.AT_THE_DOOR)
        paid = call(server.url, "POST", patience=http.IN_REQUEST)
        release.set()
        for thread in ringing:
            thread.join()

    assert paid.status == 200


def test_threads_that_come_first_together_share_transport_and_slots(fresh_transport):
    errors: list[BaseException] = []
    together = threading.Barrier(8)

    def one(url: str) -> None:
        together.wait()
        try:
            call(url)
        except BaseException as error:
            errors.append(error)

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with raw_server(answer()) as server:
            threads = [threading.Thread(target=one, args=(server.url,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(usual)

    assert errors == []
    assert len(server.requests) == 8
    assert http._the_transport.cache_info().misses == 1


def test_an_answer_of_a_hundred_megabytes_is_not_kept():
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(1_600):
            connection.sendall(b" " * 65_536)

    with raw_server(flood) as server:
        tracemalloc.start()
        try:
            with pytest.raises(GatewayUnknown, match="too large"):
                call(server.url, "POST")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 10_000_000


def test_every_error_of_a_call_is_a_gateway_error():
    assert all(issubclass(kind, GatewayError) for kind in (Rejected, Unreachable, GatewayUnknown))
