"""The product behind its own proxy: who is slow or lies about himself harms nobody (L13, A-42, M-06)."""

import http.client
import json
import time

import pytest

from tests.deploy.caddy import caddy_before
from tests.e2e.sockets import ORDER, Wire, p95
from tests.products import product_in

pytestmark = [pytest.mark.journey, pytest.mark.slow]
MANY = 200
SLOW_ENOUGH_S = 2.0  # On a machine that does much else; by itself it is a few milliseconds.
LARGE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"  # 1.4 MB.
OVER_THE_LIMIT = 70  # Of the 60 that an address may create in a minute.
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    """The product's port, and that of the proxy in front of it."""
    with (
        product_in(
            tmp_path_factory.mktemp("proxied"), TILLGATE_TRUSTED_PROXIES="1", TILLGATE_WEB_PROCESSES="2"
        ) as product,
        caddy_before(product.installation.port, tmp_path_factory.mktemp("caddy")) as proxy,
    ):
        yield product.installation.port, proxy.port


def exchange(port, verb, path, body=None, headers=JSON):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=45)
    try:
        connection.request(verb, path, body, headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def create(port, **headers):
    return exchange(port, "POST", "/api/v1/payments", ORDER, {**JSON, **headers})


def statuses(port):
    """What creates are answered that all say they come from one address outside."""
    said = {"X-Forwarded-For": "203.0.113.77", "X_Forwarded_For": "203.0.113.77"}
    return [create(port, **said)[0].status for _ in range(OVER_THE_LIMIT)]


def test_the_address_that_counts_is_the_one_that_the_proxy_has_seen(ports):
    product, proxy = ports

    # This machine's own address is free of the limit; the one that the client makes up is not.
    assert set(statuses(proxy)) == {201}
    assert set(statuses(product)) == {201, 429}


def test_a42_200_bodies_that_come_slowly_disturb_nobody(ports):
    wire = Wire(port=ports[1])
    begun = wire.lines(
        "POST /api/v1/payments HTTP/1.1", "Content-Type: application/json", f"Content-Length: {len(ORDER)}"
    )
    times = []
    with wire.held(*[begun + ORDER[:20]] * MANY) as slow:
        for _ in range(20):
            began = time.monotonic()
            assert create(ports[1])[0].status == 201
            times.append(time.monotonic() - began)
        slow[0].sendall(ORDER[20:])
        answered = slow[0].recv(65_536)

    assert p95(times) < SLOW_ENOUGH_S
    assert answered.startswith(b"HTTP/1.1 201 ")  # They were waited for, not sent away.


def test_a42_200_who_read_slowly_disturb_nobody(ports):
    wire = Wire(port=ports[1])
    times = []
    with wire.held(*[wire.get(LARGE)] * MANY):
        for _ in range(20):
            began = time.monotonic()
            assert create(ports[1])[0].status == 201
            times.append(time.monotonic() - began)

    assert p95(times) < SLOW_ENOUGH_S


def test_whoever_polls_is_told_that_nothing_is_new_also_where_answers_are_compressed(ports):
    path = json.loads(create(ports[1])[1])["payment"]["id"]
    packs = {"Accept-Encoding": "gzip"}
    first, _ = exchange(ports[1], "GET", f"/api/v1/payments/{path}", headers=packs)
    tag = first.headers["ETag"]
    again, body = exchange(
        ports[1], "GET", f"/api/v1/payments/{path}", headers={**packs, "If-None-Match": tag}
    )

    assert first.headers["Content-Encoding"] == "gzip"
    assert (again.status, body) == (304, b"")


def test_a_refusal_of_the_product_arrives_as_it_is(ports):
    response, body = exchange(ports[1], "POST", "/api/v1/payments", b" " * 70_000)

    assert response.status == 413
    assert json.loads(body)["code"] == "content_too_large"
    assert response.headers["X-Request-ID"] == json.loads(body)["request_id"]


def test_a_foreign_host_reaches_nothing(ports):
    response, body = exchange(ports[1], "GET", "/api/v1/gateways", headers={"Host": "evil.example"})

    assert (response.status, body) == (200, b"")  # Caddy's answer for a name that nobody configured.
    assert "X-Request-ID" not in response.headers
