"""What is sent besides plain JSON, answers without a body, and small public files."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.raw_server import answer, bytes_of, hang_up, in_turn, raw_server
from tillgate.gateways import http
from tillgate.gateways.errors import GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.http import Patience

CALM = Patience(total_s=5, slot_s=5)
HASTY = Patience(total_s=0.5, slot_s=0)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def post(url, payload, **headers):
    return http.call("POST", f"{url}/x", headers=headers, patience=CALM, payload=payload)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (Decimal("10.50"), "10.50"),
        (Decimal("0.05"), "0.05"),
        (Decimal("9999999999.99"), "9999999999.99"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal(0), "0"),
    ],
)
def test_a_decimal_is_sent_as_the_number_that_it_is(number, written):
    with raw_server(answer()) as server:
        post(server.url, {"amount": number, "rows": [{"amount": number}]})

    body = f'{{"amount": {written}, "rows": [{{"amount": {written}}}]}}'
    assert server.requests[0].endswith(f"\r\n\r\n{body}".encode())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_a_bug_and_not_sent(number):
    with raw_server(answer()) as server:
        with pytest.raises(AssertionError):
            post(server.url, {"amount": Decimal(number)})
        assert server.connections == 0


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_without_decimals_it_is_the_json_that_everybody_writes(payload):
    assert http._json_text(payload) == json.dumps(payload)


def test_bytes_are_sent_as_they_are_under_their_own_content_type():
    with raw_server(answer()) as server:
        post(server.url, b"a=1&b=\xff", **{"Content-Type": "application/x-www-form-urlencoded"})

    assert server.requests[0].endswith(b"\r\n\r\na=1&b=\xff")
    assert b"Content-Type: application/x-www-form-urlencoded\r\n" in server.requests[0]


def test_an_answer_that_has_no_content_is_an_answer():
    with raw_server(answer(b"", status=204)) as server:
        assert post(server.url, {}) == http.Answer(status=204, body={})


def test_an_empty_answer_of_another_status_is_a_doubt():
    with raw_server(answer(b"", status=200)) as server, pytest.raises(GatewayUnknown):
        post(server.url, {})


@pytest.mark.parametrize("status", [200, 301, 404])
def test_a_file_comes_with_its_status_and_no_redirect_is_followed(status):
    with raw_server(answer(b"\xffPEM", status=status, headers=("Location: /elsewhere",))) as server:
        assert http.download(server.url, patience=CALM, limit=10) == (status, b"\xffPEM")

    (request,) = server.requests
    assert request.startswith(b"GET / HTTP/1.1\r\n")
    assert b"Authorization" not in request


@pytest.mark.parametrize(
    "say",
    [
        hang_up,
        answer(b"x" * 11),
        answer(status=500),
        answer(status=408),
        answer(status=429),
        bytes_of(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"),
        bytes_of(b"no HTTP\r\n\r\n"),
    ],
)
def test_a_file_that_is_no_whole_small_file_is_unreachable(say):
    with raw_server(in_turn(say, hang_up)) as server, pytest.raises(Unreachable):
        http.download(server.url, patience=HASTY, limit=10)


def test_a_file_of_a_gateway_that_is_not_there_is_unreachable():
    with pytest.raises(Unreachable):
        http.download("http://127.0.0.1:9/x", patience=HASTY, limit=10)


def test_an_address_that_is_none_is_rejected():
    with pytest.raises(Rejected):
        http.download("ftp://127.0.0.1/x", patience=HASTY, limit=10)
