"""deploy/Caddyfile in the real Caddy: what it drops, waits for, hides, and never does twice."""

import gzip
import http.client
import json
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from launcher.product import free_ports
from tests.deploy.behind import Answer, behind
from tests.deploy.caddy import CADDYFILE, caddy_before, find_caddy
from tests.e2e.sockets import Wire

pytestmark = pytest.mark.journey
LONG = {"text": "naira " * 400}
SPOOFED = "203.0.113.9"
HANGS_UP = Answer(status=None)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A proxy, and behind it a server of ours that writes down what arrives."""
    with behind() as web, caddy_before(web.server_port, tmp_path_factory.mktemp("caddy")) as proxy:
        yield proxy, web


@pytest.fixture
def proxy(pair):
    return pair[0]


@pytest.fixture
def web(pair):
    pair[1].arrived.clear()
    pair[1].answers.clear()
    return pair[1]


def ask(proxy, path="/", *, verb="GET", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=45)
    try:
        connection.request(verb, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_the_configuration_is_valid_and_written_as_caddy_writes_it():
    caddy = find_caddy()
    for words in (["validate", "--adapter", "caddyfile", "--config"], ["fmt", "--diff"]):
        done = subprocess.run([caddy, *words, CADDYFILE], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_clients_say_about_where_they_come_from_is_dropped(proxy, web):
    ask(proxy, X_Forwarded_For=SPOOFED, X_Forwarded_Proto="https", X_Forwarded_Host="evil.example")

    (arrived,) = web.arrived
    assert arrived.header("X-Forwarded-For") == "127.0.0.1"
    assert arrived.header("X-Forwarded-Proto") == "http"
    assert arrived.header("X-Forwarded-Host") == f"127.0.0.1:{proxy.port}"


@pytest.mark.parametrize(
    "name", ["X_Forwarded_For", "x_forwarded_for", "X-Forwarded_For", "X_Forwarded_Proto"]
)
def test_a_header_that_a_python_server_takes_for_another_does_not_arrive(proxy, web, name):
    Wire(port=proxy.port).say(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{name}: {SPOOFED}\r\nConnection: close\r\n\r\n".encode()
    )

    (arrived,) = web.arrived
    assert not [(name, value) for name, value in arrived.headers if "_" in name or value == SPOOFED]


def test_a_request_by_tls_is_told_as_one_and_one_in_the_clear_is_not_redirected(proxy, web):
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.tls_port, timeout=20, context=trusting)
    connection.request("GET", "/")
    secure = connection.getresponse().status
    connection.close()
    response, _ = ask(proxy)

    assert (secure, response.status) == (200, 200)
    assert [arrived.header("X-Forwarded-Proto") for arrived in web.arrived] == ["https", "http"]


def test_no_answer_names_its_server(proxy, web):
    web.answers["/nothing"] = Answer(status=404)
    web.answers["/gone"] = HANGS_UP
    answers = [
        ask(proxy)[0],
        ask(proxy, "/nothing")[0],
        ask(proxy, verb="POST", body=b"x" * 300_000)[0],
        ask(proxy, "/gone", verb="POST")[0],
    ]

    assert [answer.status for answer in answers] == [200, 404, 413, 502]
    assert [answer.headers[name] for answer in answers for name in ("Server", "Via")] == [None] * 8


@pytest.mark.parametrize("size", [300_000, 1_000_000])
def test_a_body_that_is_too_large_is_refused_in_our_envelope_and_nothing_of_it_arrives(proxy, web, size):
    wire = Wire(port=proxy.port)
    heard = wire.say(wire.post(b"x" * size))

    head, _, said = heard.raw.partition(b"\r\n\r\n")
    assert heard.statuses == [413]
    assert b"Content-Type: application/json" in head
    envelope = json.loads(said)
    assert (envelope["status"], envelope["code"], envelope["errors"]) == ("error", "content_too_large", {})
    assert f"X-Request-Id: {envelope['request_id']}".encode() in head
    assert web.arrived == []


def test_the_largest_body_that_we_take_arrives(proxy, web):
    ask(proxy, verb="POST", body=b"x" * 256 * 1024)

    assert web.arrived[0].body == b"x" * 256 * 1024


@pytest.mark.parametrize("ends", ["hangs up", "says no more"])
def test_of_a_body_that_breaks_off_nothing_arrives(proxy, web, ends):
    before = len(proxy.requests())
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20\r\n\r\n" + b'{"amount": 5'
        )
        if ends == "says no more":
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
    proxy.heard_of(before + 1)

    assert web.arrived == []


def test_no_connection_to_the_web_server_is_kept(proxy, web):
    ask(proxy)
    ask(proxy)

    assert [arrived.header("Connection") for arrived in web.arrived] == ["close", "close"]


def test_a_post_that_was_sent_is_not_sent_again(proxy, web):
    web.answers["/once"] = HANGS_UP
    response, said = ask(proxy, "/once", verb="POST", body=b"{}")

    assert len(web.arrived) == 1
    assert response.status == 502
    assert json.loads(said)["code"] == "unavailable"
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Cache-Control"] == "no-store"


def test_json_is_compressed_for_whoever_takes_it_and_what_is_compressed_stays_as_it_is(proxy, web):
    kind = {"Content-Type": "application/json"}
    web.answers["/long"] = Answer(body=json.dumps(LONG).encode(), headers=kind)
    web.answers["/packed"] = Answer(body=b"already " * 200, headers={**kind, "Content-Encoding": "br"})

    plain, text = ask(proxy, "/long")
    packed, small = ask(proxy, "/long", Accept_Encoding="gzip")
    kept, same = ask(proxy, "/packed", Accept_Encoding="gzip, br")

    assert plain.headers["Content-Encoding"] is None
    assert json.loads(text) == json.loads(gzip.decompress(small)) == LONG
    assert len(small) < len(text) / 5
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert (kept.headers["Content-Encoding"], same) == ("br", b"already " * 200)


SECRET = "TOKEN-THAT-NOBODY-MAY-READ"
ADDRESSES = [
    f"/pay/{SECRET}",
    f"/pay/{SECRET}/return?reference={SECRET}",
    f"/subscription/{SECRET}/stop",
    f"/account/reset/MQ/{SECRET}",
    f"/api/v1/payments?cursor={SECRET}",
    f"//pay/{SECRET}",
    f"/x?to=/pay/{SECRET}",
]


@pytest.mark.parametrize("path", ADDRESSES)
def test_the_log_holds_no_secret_of_an_address_and_no_header(proxy, web, path):
    before = len(proxy.requests())
    headers = {"Referer": f"https://a.example/pay/{SECRET}", "Cookie": SECRET}
    ask(proxy, path, Authorization=f"Bearer {SECRET}", **headers)
    web.answers[f"/{path.lstrip('/')}"] = (
        HANGS_UP  # Two slashes at the beginning are one to the server behind.
    )
    failed, _ = ask(proxy, path, verb="POST", body=SECRET.encode(), Authorization=SECRET)
    lines = proxy.heard_of(before + 2)[before:]

    assert failed.status == 502
    assert SECRET not in proxy.said()
    assert [line["request"]["method"] for line in lines] == ["GET", "POST"]
    assert lines[0]["request"]["uri"].endswith("...")
    assert lines[0]["request"]["client_ip"] == "127.0.0.1"
    assert lines[1]["error"]  # Whoever reads the log is told why.


def test_an_address_without_a_secret_is_logged_whole(proxy, web):
    before = len(proxy.requests())
    ask(proxy, "/api/v1/gateways")

    assert proxy.heard_of(before + 1)[-1]["request"]["uri"] == "/api/v1/gateways"


def test_requests_wait_for_a_web_server_that_is_not_there_yet_and_arrive_whole_and_once(tmp_path):
    (port,) = free_ports(1)
    sent = [b"%d" % number for number in range(8)]
    with caddy_before(port, tmp_path) as proxy, ThreadPoolExecutor(max_workers=8) as callers:
        waiting = [callers.submit(ask, proxy, verb="POST", body=body) for body in sent]
        time.sleep(2.5)  # Long enough for the checks to find nobody.
        assert not [caller for caller in waiting if caller.done()]
        with behind(port) as web:
            answers = [caller.result(30)[0].status for caller in waiting]

    assert answers == [200] * 8
    assert sorted(arrived.body for arrived in web.arrived) == sent
