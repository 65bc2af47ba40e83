"""A-41: however long a near miss is, it is refused at once."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.api.client import MINIMAL, PAYMENTS
from tests.builders import make_payment
from tests.inbox.conftest import SIGNATURE
from tillgate.common.logs import has_card_number, redact

LONG = 40_000  # In characters; what has to be escaped or encoded still fits into a body.
MOST_S = 0.05
# Near misses for whoever reads addresses, URLs, cards, ids and times by a pattern.
NEAR_MISSES: dict[str, Callable[[int], str]] = {
    "letters": lambda size: "a" * size,
    "an e-mail without an end": lambda size: "a@" + "a" * (size - 2),
    "an e-mail of dots": lambda size: "a." * (size // 2 - 1) + "a@",
    "an e-mail of labels": lambda size: "a@" + "a-." * (size // 3 - 1),
    "an e-mail of ats": lambda size: "@" * size,
    "an e-mail of quotes": lambda size: '"' + "\\ " * (size // 2 - 1),
    "a URL of slashes": lambda size: "https://" + "/" * (size - 8),
    "a URL of users": lambda size: "https://" + "a@" * (size // 2 - 4),
    "a URL of brackets": lambda size: "https://" + "[" * (size - 8),
    "digits": lambda size: "4" * size,
    "digits and spaces": lambda size: "4 " * (size // 2),
    "card after card": lambda size: "4084084084084082-" * (size // 17),
    "digits and dashes": lambda size: "1-" * (size // 2),
    "a phone": lambda size: "+234 " + "(0) " * (size // 4 - 2),
    "spaces": lambda size: "x" + " " * (size - 2) + "x",
    "bearers": lambda size: "Bearer " * (size // 7),
    "keys": lambda size: "sk_test_" * (size // 8),
    "a time": lambda size: "2026-01-31T" + "0" * (size - 11),
    "an id": lambda size: "PAY-" + "0" * (size - 4),
    "semicolons": lambda size: "; " * (size // 2),
    "accents": lambda size: "a" + "\u0300\u0316" * (size // 5),
}
MEMBERS = [
    "customer_name",
    "customer_email",
    "description",
    "return_url",
    "merchant_reference",
    "currency",
    "gateway",
]
HEADERS = [
    "Authorization",
    "Idempotency-Key",
    "X-Request-ID",
    "Accept",
    "If-None-Match",
    "User-Agent",
    "Cookie",
]


def seconds(act: Callable[[], Any]) -> float:
    """The least of three times, of this process alone: other work on the machine does not count."""
    found = []
    for _ in range(3):
        began = time.process_time()
        act()
        found.append(time.process_time() - began)
    return min(found)


@pytest.mark.parametrize("kind", NEAR_MISSES)
def test_a41_a_near_miss_in_any_member_is_refused_in_no_time(owner, kind):
    text = NEAR_MISSES[kind](LONG)
    statuses = set()

    for member in MEMBERS:
        body = json.dumps({**MINIMAL, member: text}, ensure_ascii=False)
        spent = seconds(lambda: statuses.add(owner.post(PAYMENTS, body).status_code))  # noqa: B023
        assert spent < MOST_S, member
    notes = {f"k{number}": text[number * 500 : (number + 1) * 500] for number in range(30)}
    assert seconds(lambda: owner.create(metadata=notes)) < MOST_S

    assert statuses == {400}


@pytest.mark.parametrize("kind", NEAR_MISSES)
def test_a41_a_near_miss_in_a_header_or_an_address_is_read_in_no_time(guest, payment, kind):
    text = NEAR_MISSES[kind](60_000).encode().decode("latin-1")

    for header in HEADERS:
        assert seconds(lambda: guest.get(f"{PAYMENTS}/{payment.reference}", headers={header: text})) < MOST_S  # noqa: B023
    for path in (
        f"{PAYMENTS}/",
        "/api/v1/refunds/",
        "/pay/",
        "/subscription/",
        f"{PAYMENTS}?customer_email=",
    ):
        assert seconds(lambda: guest.get(path + text[:8_000])) < MOST_S, path  # noqa: B023


@pytest.mark.parametrize("kind", NEAR_MISSES)
def test_a41_twice_as_much_takes_about_twice_as_long(kind):
    short, long = (NEAR_MISSES[kind](size) for size in (50_000, 200_000))

    for read in (redact, has_card_number):
        first, second = seconds(lambda: read(short)), seconds(lambda: read(long))  # noqa: B023
        # Four times the text: a square would take sixteen times as long.
        assert second < max(9 * first, MOST_S), read.__name__


@pytest.mark.parametrize(
    "body", [b"[" * 250_000, b'{"a":' * 50_000, b'{"event":"' + b"a" * 250_000, b"1" * 250_000]
)
def test_a41_an_event_of_any_form_is_refused_in_no_time(merchant, body):
    def ring():
        return Client().post(
            "/api/v1/webhooks/paystack", body, content_type="application/json", headers={SIGNATURE: "0" * 128}
        )

    assert ring().status_code == 401
    assert seconds(ring) < MOST_S


@pytest.fixture
def payment(merchant):
    return make_payment(merchant)
