"""A-17, A-29: every verb on every route, spellings of addresses and hosts, and filters that are none."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps

from tests.api.client import PAYMENTS, ApiClient, schema
from tests.api.doors import routes
from tests.builders import access_token, make_payment, make_staff, make_subscription, make_user
from tillgate.customers.models import PaymentMethod
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription

VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
STRANGE_VERBS = ["TRACE", "TRACK", "CONNECT", "PROPFIND", "MOVE", "COPY", "SEARCH", "JEFF", "POST ", "DEBUG"]
OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "Method"]
REFUSALS = {400, 401, 403, 404, 405, 411, 415}
LISTS = [path for path, operations in schema()["paths"].items() if "get" in operations]


@pytest.fixture
def things(merchant, gateways) -> dict[str, str]:
    """One of each thing that an address may name."""
    payment, subscription = make_payment(merchant), make_subscription(merchant)
    return {
        "payments": payment.reference,
        "subscriptions": subscription.reference,
        "payment-methods": subscription.payment_method.reference,
        "pay": payment.checkout_token,
        "subscription": subscription.manage_token,
    }


def address_of(route: str, things: dict[str, str]) -> str:
    """A real address of a route, as Django and REST framework write routes."""
    plain = re.sub(r"/\?\$$|\$$|\^|\\[Z.]", "", route)
    room = next((part for part in plain.split("/") if part in things), "")
    for group in re.findall(r"<[^>]+>|\(\?P<[^)]+\)", plain):
        plain = plain.replace(group, "1" if "int:" in group else things.get(room, "x"))
    return f"/{plain}"


@pytest.fixture
def addresses(things):
    found = {address_of(route, things) for route, _ in routes()}
    assert len(found) > 30
    return sorted(found)


def rows():
    return [model.objects.count() for model in (Payment, Subscription, PaymentMethod)]


def test_a17_no_verb_on_any_route_is_a_bug(addresses, guest):
    for address in addresses:
        for verb in VERBS:
            answer = guest.generic(verb, address, b"{}", content_type="application/json")
            assert answer.status_code < 500, (verb, address)
            if verb in ("PUT", "OPTIONS"):
                assert answer.status_code in REFUSALS, (verb, address)


def test_a17_a_verb_that_nobody_needs_does_nothing_and_echoes_nothing(addresses, owner, things):
    before = rows()

    for address in addresses:
        for verb in STRANGE_VERBS:
            answer = owner.generic(verb, address, b"{}", headers={"X-Canary": "canary-5f2c"})
            assert answer.status_code in REFUSALS, (verb, address)
            assert b"canary-5f2c" not in answer.content
    assert rows() == before


@pytest.mark.parametrize("header", OVERRIDES)
@pytest.mark.parametrize("verb", ["DELETE", "PUT", "PATCH"])
def test_a17_no_header_and_no_member_makes_a_post_or_get_another_verb(owner, things, header, verb):
    method = f"/api/v1/payment-methods/{things['payment-methods']}"
    subscription = f"/api/v1/subscriptions/{things['subscriptions']}"
    before = rows()

    for address in (method, subscription, f"{PAYMENTS}/{things['payments']}"):
        for caller in (owner.post, owner.get):
            answer = caller(f"{address}?_method={verb}", {"_method": verb}, headers={header: verb})
            assert answer.status_code in (200, 405), address
    assert rows() == before
    assert PaymentMethod.objects.get().removed_at is None
    assert Subscription.objects.get().amount_minor == 5_000


def test_a17_a_head_is_a_get_without_its_body(addresses, owner):
    for address in addresses:
        head, get = owner.head(address), owner.get(address)
        assert (head.status_code, b"".join(head)) == (get.status_code, b""), address


@pytest.mark.parametrize("host", ["testserver.", "TESTSERVER", "testserver:80", "testserver.:8000"])
def test_a17_another_spelling_of_our_host_is_in_no_answer(owner, things, host):
    for address in (PAYMENTS, f"/pay/{things['pay']}", f"/subscription/{things['subscription']}", "/"):
        answer = owner.get(address, headers={"Host": host, "X-Forwarded-Host": "evil.example"})
        assert answer.status_code in (200, 302)
        said = str(answer.headers) + b"".join(answer).decode()
        assert "testserver" not in said.lower()
        assert "evil.example" not in said


@pytest.mark.parametrize(
    "spelling",
    [
        "//api/v1/payments/{}",
        "/api//v1/payments/{}",
        "/api/v1/payments//{}",
        "/api/v1/./payments/{}",
        "/api/v1/gateways/../payments/{}",
        "/api/v1/payments/{};jsessionid=1",
        "/api/v1/payments/{}%00",
        "/api/v1/payments/{}%252f",
        "/api/v1/payments/{}/..%2fcancel",
        "/api/v1/payments/%2e%2e/{}",
        "/API/V1/payments/{}",
        "/api/v1/payments/{}.json",
        "/api/v1/payments/{}/ ",
        "/api/v2/payments/{}",
        "/api/v1/payments\\{}",
        "/api/v1/payments?reference={}&id={}/",
    ],
)
def test_a17_an_address_has_one_spelling(guest, things, spelling):
    answer = guest.get(spelling.replace("{}", things["payments"]))

    assert answer.status_code in (401, 404)
    assert things["payments"].encode() not in answer.content or answer.status_code == 404


def _queries(path: str) -> set[str]:
    parameters = schema()["paths"][path]["get"].get("parameters", [])
    return {one["name"] for one in parameters if one["in"] == "query"}


READS = [path for path in LISTS if _queries(path)]


@pytest.fixture
def read(owner, merchant):
    """GET an address as whoever it is for: the shop's server, its owner, or a customer."""
    tokens = map(access_token, (make_staff(merchant), make_user("customer")))
    callers = (owner, *map(ApiClient, tokens))

    def get(address):
        answers = (caller.get(address) for caller in callers)
        answer = next(one for one in answers if one.status_code not in (401, 403))
        return answer, list(answer.json().get("errors", {}))

    return get


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("query", ["limit=1&limit=2", "id=1&id=2", "cursor=a&cursor=b", "amount=1&amount=2"])
def test_a17_what_is_there_twice_is_refused(read, things, path, query):
    answer, errors = read(f"{address_in(path, things)}?{query}")

    assert (answer.status_code, errors) == (400, [query.partition("=")[0]])


def _hostile_names() -> list[str]:
    columns = {field.name for model in apps.get_models() for field in model._meta.concrete_fields}
    paths = [
        f"{name}__{end}" for name in ("merchant", "metadata", "account", "pk") for end in ("name", "gt", "in")
    ]
    return [
        *paths,
        *(f"{name}__regex" for name in sorted(columns)),
        *("_connector", "_negated", "pk", "id", "order_by", "ordering", "sort", "fields", "format", "page"),
        *("extra", "select", "where", "status[]", "status[$ne]", "customer_email__contains", "limit__gt", ""),
    ]


def address_in(path: str, things: dict[str, Any]) -> str:
    return re.sub(r"\{\w+\}", lambda _: things[path.split("/")[3]], path)


@pytest.mark.parametrize("path", READS)
def test_a29_a_filter_is_one_of_a_list_and_walks_no_relation(read, things, path):
    address = address_in(path, things)

    for name in _hostile_names():
        answer, errors = read(f"{address}?{quote(name)}=OR")
        assert (answer.status_code, errors) == (400, [name[:80]]), name


WORDS = [
    "' OR 1=1 --",
    '" OR ""="',
    "%",
    "_",
    "\\",
    "1; DROP TABLE payments_payment",
    "null",
    "{}",
    "0' UNION",
]


@pytest.mark.parametrize("path", READS)
def test_a29_what_a_filter_looks_for_is_text_and_no_sql(read, things, path):
    address = address_in(path, things)

    for name in _queries(path) - {"limit"}:
        for word in WORDS:
            answer, _ = read(f"{address}?{name}={quote(word)}")
            assert answer.status_code in (200, 400), (name, word)
            rows = [value for value in answer.json().values() if isinstance(value, list)]
            assert answer.status_code == 400 or rows == [[]], (name, word)


@pytest.mark.parametrize("path", [path for path in READS if "limit" in _queries(path)])
@pytest.mark.parametrize("limit", ["0", "-1", "201", "1e9", "99999999999999999999", "all", "", "null"])
def test_s23_a_page_has_its_limit(read, things, path, limit):
    answer, errors = read(f"{address_in(path, things)}?limit={limit}")

    assert (answer.status_code, errors) == (400, ["limit"])


@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2fsettings.py",
        "/static/%252e%252e/settings.py",
        "/static/checkout/..%5c..%5c..%5csettings.py",
        "/static//etc/passwd",
        "/static/checkout/checkout.css%00.html",
        "/pay/..%2f..%2f..%2fetc%2fpasswd",
        "/subscription/..%2f..%2f.env",
        "/.env",
        "/.git/config",
        "/var/tillgate.sqlite3",
    ],
)
def test_a54_no_address_leads_to_a_file_of_ours(guest, path):
    answer = guest.get(path)

    assert answer.status_code in (400, 404)
    assert b"SECRET_KEY" not in b"".join(answer)
