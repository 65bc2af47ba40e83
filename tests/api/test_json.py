import json
import time

import pytest

from tests.api.client import MINIMAL, PAYMENTS
from tillgate.api.parsing import MAX_BODY
from tillgate.payments.models import Payment

GOOD = json.dumps(MINIMAL).encode()
NOT_OURS = {
    "nothing": b"",
    "array": b"[]",
    "string": b'"amount"',
    "number": b"5",
    "null": b"null",
    "two objects": GOOD + GOOD,
    "trailing comma": GOOD[:-1] + b",}",
    "comment": b"/* hi */" + GOOD,
    "single quotes": GOOD.replace(b'"', b"'"),
    "raw newline in a string": GOOD.replace(b"John Doe", b"John\nDoe"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "utf-16": GOOD.decode().encode("utf-16"),
    "latin-1": GOOD.replace(b"John", b"Jos\xe9"),
    "NUL byte": GOOD + b"\x00",
    "lone surrogate": GOOD.replace(b"John", rb"\ud800"),
    "lone surrogate in a name": GOOD.replace(b'"amount"', rb'"\udfff": 1, "amount"'),
    "overlong utf-8": GOOD.replace(b"John", b"\xc0\xaf"),
    "surrogate as utf-8": GOOD.replace(b"John", b"\xed\xa0\x80"),
    "21 deep": b'{"metadata":' * 21 + b"{}" + b"}" * 21,
    "990 deep": b'{"a":' * 990 + b"1" + b"}" * 990,
    "10,000 brackets": b"[" * 10_000,
    "990 arrays": b"[" * 990 + b"]" * 990,
    "many names": b"{" + b",".join(b'"%d":0' % i for i in range(7_000)) + b"}",
    "a duplicate at the end": b"{" + b",".join(b'"%d":0' % i for i in [*range(7_000), 6_999]) + b"}",
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_a_body_that_is_not_one_plain_object_is_refused_at_once(guest, name):
    started = time.process_time()
    answer = guest.post(PAYMENTS, NOT_OURS[name])

    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] in ("invalid_json", "duplicate_member", "unknown_member", "required")
    assert time.process_time() - started < 0.5
    assert not Payment.objects.exists()


def test_a_body_of_64_kb_is_read_and_one_byte_more_is_not(guest):
    full = GOOD + b" " * (MAX_BODY - len(GOOD))

    assert guest.post(PAYMENTS, full).status_code == 201
    refused = guest.post(PAYMENTS, full + b" ")

    assert (refused.status_code, refused.json()["code"]) == (413, "content_too_large")


def test_a_body_of_megabytes_is_not_read(guest):
    started = time.process_time()
    answer = guest.post(PAYMENTS, b"{" + b",".join(b'"%d":0' % i for i in range(300_000)) + b"}")

    assert answer.status_code == 413
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-patch+json",
        "application/xml",
        "application/jsonx",
        "text/json; application/json",
    ],
)
@pytest.mark.parametrize("path", [PAYMENTS, "attempts"])
def test_only_json_is_taken(guest, payment, content_type, path):
    address = PAYMENTS if path == PAYMENTS else f"{PAYMENTS}/{payment.reference}/attempts"
    answer = guest.post(address, GOOD, content_type=content_type)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=bogus"]
)
def test_json_is_utf_8_whatever_the_header_calls_it(guest, content_type):
    body = json.dumps({**MINIMAL, "customer_name": "José"}, ensure_ascii=False).encode()

    answer = guest.post(PAYMENTS, body, content_type=content_type)

    assert answer.json()["payment"]["customer_name"] == "José"


def test_a_pair_of_escaped_surrogates_is_one_character(guest):
    answer = guest.post(PAYMENTS, GOOD.replace(b"John", rb"\ud83e\udd8a"))

    assert answer.json()["payment"]["customer_name"] == "🦊 Doe"


@pytest.mark.parametrize(
    "header", [{"HTTP_ACCEPT": "text/html"}, {"HTTP_ACCEPT": "image/png"}, {"HTTP_ACCEPT": "x"}]
)
def test_a_payment_is_not_withheld_for_an_odd_accept_header(guest, header):
    assert guest.post(PAYMENTS, GOOD, **header).status_code == 201
