"""S-04, S-07, S-08, S-09, S-26: what every answer of every route has and has not, whatever is asked of it."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.builders import make_payment, make_subscription
from tillgate.common import throttles

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NEVER = ("Server", "X-Powered-By", "Set-Cookie")
ALWAYS_IN_THE_POLICY = ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'")
CACHED = {"no-store", "private, no-cache"}
# Its documentation opens windows of its own; see tillgate/api/docs.py.
OPENS_WINDOWS = ("/api/v1/docs",)
OUTSIDE = "203.0.113.9"
STATIC = ["/static/checkout/checkout.css", "/static/checkout/icon.svg", "/static/nothing"]
OTHERS = ["/nothing", "/wp-admin.php", "/api/v1/nothing", "/auth/nothing", "/pay/", *STATIC]


def templates(resolver: URLResolver | None = None, before: str = "") -> list[str]:
    """Every address that the product knows, with the names of its parts."""
    found: list[str] = []
    for pattern in (resolver or get_resolver()).url_patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += templates(pattern, path)
        elif isinstance(pattern, URLPattern):
            named = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", path)
            found.append("/" + re.sub(r"[\^$]|\\Z|/\?", "", named))
    return found


@pytest.fixture
def routes(merchant):
    """Every address, with what is there in the place of the names."""
    payment, subscription = make_payment(merchant), make_subscription(merchant)

    def fill(template: str) -> str:
        page = subscription.manage_token if template.startswith("/subscription/") else payment.checkout_token
        there = {"reference": payment.reference, "token": page, "gateway": "paystack"}
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: there.get(name.group(1), "1"), template)

    return [*dict.fromkeys(map(fill, templates())), *OTHERS]


@pytest.fixture
def ask():
    client = Client(raise_request_exception=False)

    def send(method: str, path: str, **more: Any) -> Any:
        headers = {"Origin": "https://evil.example", **more.pop("headers", {})}
        more = {"content_type": "application/json", "data": "{}", **more} if method == "POST" else more
        answer = client.generic(method, path, headers=headers, **more)
        if file := getattr(answer, "file_to_stream", None):
            file.close()  # `answer.close` would close the database of the test, too.
        return answer

    return send


def faults(path: str, answer: Any) -> list[str]:
    """What an answer has and should not, or has not and should."""
    headers = answer.headers
    found = [name for name, value in SAFE.items() if headers.get(name) != value]
    if path in OPENS_WINDOWS and headers.get("Cross-Origin-Opener-Policy") == "unsafe-none":
        found.remove("Cross-Origin-Opener-Policy")
    found += [name for name in headers if name in NEVER or name.startswith("Access-Control-")]
    policy = headers.get("Content-Security-Policy", "")
    found += [word for word in ALWAYS_IN_THE_POLICY if word not in policy]
    scripts = re.findall(r"script-src[^;]*", policy)
    found += [text for text in scripts if "unsafe" in text or "http" in text or "*" in text]
    if not re.fullmatch("[0-9a-f]{32}", headers.get("X-Request-ID", "")):
        found.append("X-Request-ID")
    if not headers.get("Permissions-Policy", "").startswith("camera=(), geolocation=(), microphone=()"):
        found.append("Permissions-Policy")
    is_file = path in STATIC and answer.status_code == 200
    if not is_file and headers.get("Cache-Control") not in CACHED:
        found.append("Cache-Control")
    if len(answer.cookies):
        found.append("cookies")
    return found


def test_every_route_is_walked():
    found = templates()

    assert len(found) >= 38
    assert {"/pay/<token>", "/api/v1/payments", "/healthz"} <= set(found)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_s04_every_route_has_the_safe_headers_by_every_method(routes, ask, method):
    answers = {path: ask(method, path) for path in routes}

    assert {path: found for path, answer in answers.items() if (found := faults(path, answer))} == {}
    assert not [path for path, answer in answers.items() if answer.status_code == 500]


@pytest.mark.parametrize("type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_s04_and_so_has_a_body_of_another_type(routes, ask, type):
    answers = {path: ask("POST", path, content_type=type, data="a=b") for path in routes}

    assert {path: found for path, answer in answers.items() if (found := faults(path, answer))} == {}
    assert 415 in [answer.status_code for answer in answers.values()]


def test_s04_and_so_has_everyone_who_is_told_to_wait(routes, ask, monkeypatch, stopped):
    monkeypatch.setattr(throttles, "AT_ONCE", 0)
    answers = {path: ask("GET", path, REMOTE_ADDR=OUTSIDE) for path in routes}
    waiting = {path: answer for path, answer in answers.items() if answer.status_code == 429}

    assert len(waiting) >= 5
    assert {path: found for path, answer in waiting.items() if (found := faults(path, answer))} == {}
    assert not [path for path, answer in waiting.items() if "Retry-After" not in answer.headers]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_s04_s11_and_so_has_our_own_fault(routes, ask, key, method):
    def broken(*_: object) -> None:
        raise RuntimeError("the table SECRET_PLACE is broken")

    with connection.execute_wrapper(broken):
        bearer = {"Authorization": f"Bearer {key}"}
        answers = {path: ask(method, path, headers=dict(bearer)) for path in routes}

    failed = {path: answer for path, answer in answers.items() if answer.status_code == 500}
    assert len(failed) >= 10
    assert {path: found for path, answer in failed.items() if (found := faults(path, answer))} == {}
    assert not [path for path, answer in failed.items() if b"SECRET_PLACE" in answer.content]
    assert {answer.json()["code"] for answer in failed.values()} == {"server_error"}


def test_s04_in_production_every_route_asks_for_https_for_a_year(routes, ask, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    answers = {path: ask("GET", path, secure=True) for path in routes}

    wanted = "max-age=31536000; includeSubDomains"
    assert {answer.headers.get("Strict-Transport-Security") for answer in answers.values()} == {wanted}
    assert {path: found for path, answer in answers.items() if (found := faults(path, answer))} == {}


@pytest.mark.parametrize("accept", ["text/html", "application/json", "application/problem+json", "*/*"])
def test_s11_an_address_that_is_none_has_an_error_that_can_be_acted_on(ask, db, accept):
    answer = Client().get("/nothing", headers={"Accept": accept})

    assert answer.status_code == 404
    assert {"code", "request_id"} <= set(answer.json())
