import json
import re
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_payment
from tests.common.test_database import GoneDatabase
from tillgate.api import payments as views
from tillgate.common.errors import PayError
from tillgate.common.web import PROBLEM

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NEVER = (
    "Server",
    "X-Powered-By",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Set-Cookie",
)


@pytest.fixture
def guest(merchant: Any) -> ApiClient:
    return ApiClient()


def _raise(error: Exception) -> Any:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    return broken


def _answers(guest: ApiClient, key: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One answer of each kind that the product gives."""
    payment = make_payment()
    path = f"{PAYMENTS}/{payment.reference}"
    found = {
        "201": guest.post(PAYMENTS, MINIMAL),
        "200": guest.get(path),
        "304": guest.get(path, headers={"If-None-Match": '"1-public"'}),
        "400": guest.post(PAYMENTS, {}),
        "401": guest.get(PAYMENTS),
        "404": guest.get("/api/v1/nothing"),
        "404 elsewhere": guest.get("/wp-admin.php"),
        "404 of a page": guest.get("/pay/nothing"),
        "405": guest.delete(path),
        "413": guest.post(PAYMENTS, b" " * 70_000),
        "415": guest.post(PAYMENTS, b"x", content_type="text/plain"),
        "csv": ApiClient(key).get(PAYMENTS, headers={"Accept": "text/csv"}),
        "list": ApiClient(key).get(PAYMENTS),
        "gateways": guest.get("/api/v1/gateways"),
        "schema": guest.get("/api/v1/schema"),
        "docs": guest.get("/api/v1/docs"),
        "redoc": guest.get("/api/v1/redoc"),
        "healthz": guest.get("/healthz"),
        "readyz": guest.get("/readyz"),
        "webhook": Client().post("/api/v1/webhooks/paystack"),
        "page": guest.get(f"/pay/{payment.checkout_token}"),
        "bad host": guest.get(PAYMENTS, headers={"Host": "evil.example"}),
    }
    monkeypatch.setattr(views, "create_payment", _raise(RuntimeError("bug")))
    return {**found, "500": guest.post(PAYMENTS, MINIMAL)}


def test_every_answer_has_the_safe_headers(guest, key, monkeypatch):
    for name, answer in _answers(guest, key, monkeypatch).items():
        headers = answer.headers
        assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-ID"]), name
        wanted = {**SAFE, "Cross-Origin-Opener-Policy": "unsafe-none"} if name == "docs" else SAFE
        assert {header: headers.get(header) for header in SAFE} in (SAFE, wanted), name
        assert "default-src 'none'" in headers["Content-Security-Policy"], name
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], name
        assert headers["Permissions-Policy"], name
        assert not [header for header in NEVER if header in headers], name
        polled = ("200", "304")
        assert headers["Cache-Control"] == ("private, no-cache" if name in polled else "no-store"), name


def test_in_production_every_answer_over_https_asks_for_https_for_a_year(guest, settings, payment):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True

    for path in (f"{PAYMENTS}/{payment.reference}", "/api/v1/nothing", PAYMENTS):
        answer = guest.get(path, secure=True)
        assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_in_production_pages_go_to_https_and_the_api_refuses(guest, settings, payment):
    settings.SECURE_SSL_REDIRECT = True

    page = guest.get(f"/pay/{payment.checkout_token}")
    api = guest.get(f"{PAYMENTS}/{payment.reference}", headers={"Accept": PROBLEM})

    assert (page.status_code, page["Location"][:8]) == (301, "https://")
    assert (api.status_code, api.json()["code"]) == (403, "https_required")
    assert guest.get("/healthz").status_code == 200
    assert guest.get(f"{PAYMENTS}/{payment.reference}", secure=True).status_code == 200
    for path in ("/auth/jwt/create/", "/api/token/", "/dukka/api/initialize-payment/"):
        assert guest.post(path, {}).json()["code"] == "https_required", path


def test_the_envelope_of_a_refusal(guest):
    answer = guest.post(PAYMENTS, {**MINIMAL, "amount": 0}, headers={"X-Request-ID": "my-request-1"})

    assert answer.json() == {
        "status": "error",
        "message": "amount: Send an amount above zero.",
        "code": "amount_too_small",
        "errors": {"amount": ["Send an amount above zero."]},
        "request_id": "my-request-1",
    }


def test_the_same_refusal_as_rfc_9457_for_whoever_asks_for_it(guest):
    answer = guest.post(
        PAYMENTS, {**MINIMAL, "amount": 0}, headers={"Accept": f"{PROBLEM}, application/json"}
    )

    assert answer["Content-Type"] == PROBLEM
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad request",
        "status": 400,
        "detail": "amount: Send an amount above zero.",
        "code": "amount_too_small",
        "errors": {"amount": ["Send an amount above zero."]},
        "request_id": answer["X-Request-ID"],
    }


def test_every_refusal_has_the_envelope_with_its_own_code(guest, key, monkeypatch):
    answers = _answers(guest, key, monkeypatch)
    refused = {
        name: answer for name, answer in answers.items() if name[:1] in "45" and name != "404 of a page"
    }

    codes = {name: answer.json()["code"] for name, answer in refused.items()}

    assert codes == {
        "400": "required",
        "401": "unauthorized",
        "404": "not_found",
        "404 elsewhere": "not_found",
        "405": "method_not_allowed",
        "413": "content_too_large",
        "415": "unsupported_media_type",
        "500": "server_error",
    }
    for answer in refused.values():
        assert set(answer.json()) == {"status", "message", "code", "errors", "request_id"}
        assert answer.json()["request_id"] == answer["X-Request-ID"]


@pytest.mark.parametrize("given", ["my-request-1", "a" * 8, "A.b_c-1234", "x" * 64])
def test_a_well_formed_request_id_is_taken(given):
    assert Client().get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with space", "a\r\nX: y", "ünïcödé-id", '"><script>', "a" * 8 + "\n"]
)
def test_any_other_request_id_is_replaced(given):
    replaced = Client().get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]

    assert re.fullmatch("[0-9a-f]{32}", replaced)


def test_a_bug_shows_what_to_quote_and_nothing_of_our_inside(guest, monkeypatch):
    monkeypatch.setattr(
        views, "create_payment", _raise(RuntimeError("sk_live_canary in /srv/secret.py SELECT"))
    )

    answer = guest.post(PAYMENTS, MINIMAL)

    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    for inside in (b"canary", b"Traceback", b".py", b"SELECT", b"RuntimeError"):
        assert inside not in answer.content


@pytest.mark.parametrize(
    "error", [OperationalError("connection to 10.0.0.5 failed"), InterfaceError("closed")]
)
def test_a_database_that_does_not_answer_is_503_and_worth_a_retry(guest, monkeypatch, error):
    monkeypatch.setattr(views, "create_payment", _raise(error))

    answer = guest.post(PAYMENTS, MINIMAL)

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "1")
    assert b"10.0.0.5" not in answer.content


def test_a_refusal_may_bring_headers_of_its_own(guest, monkeypatch):
    monkeypatch.setattr(
        views, "create_payment", _raise(PayError("No.", code="no", headers={"Retry-After": "9"}))
    )

    assert guest.post(PAYMENTS, MINIMAL)["Retry-After"] == "9"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (PAYMENTS, "GET, HEAD, POST"),
        (f"{PAYMENTS}/PAY-1", "GET, HEAD"),
        (f"{PAYMENTS}/PAY-1/cancel", "POST"),
        ("/api/v1/gateways", "GET, HEAD"),
        ("/api/v1/schema", "GET, HEAD"),
        ("/api/v1/docs", "GET, HEAD"),
        ("/api/v1/redoc", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_know_is_405_for_everyone(guest, method, path, allowed):
    answer = guest.generic(method, path, headers={"Origin": "https://evil.example"})

    assert (answer.status_code, answer["Allow"]) == (405, allowed)
    assert json.loads(answer.content)["code"] == "method_not_allowed"
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://testserver.evil.example"])
def test_no_other_origin_is_let_in(guest, payment, origin):
    answer = guest.get(f"{PAYMENTS}/{payment.reference}", headers={"Origin": origin})

    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver:abc", "a b", "testserver@evil", "["]
)
def test_a_foreign_host_is_refused_everywhere_but_where_orchestrators_ask(guest, host):
    answer = guest.post(PAYMENTS, MINIMAL, headers={"Host": host})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert guest.get("/healthz", headers={"Host": "10.0.0.5"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/API/v1/payments",
        "//api/v1/payments",
        "/api/v1//payments",
        "/api/v1/payments/../payments",
        "/api/v1",
        "/api/",
    ],
)
def test_an_address_has_one_spelling(guest, path):
    assert guest.get(path).status_code == 404


def test_readiness_asks_the_database(guest, monkeypatch):
    assert Client().get("/readyz").json() == {"status": "ok"}

    with monkeypatch.context() as patch:
        patch.setattr("tillgate.common.database.connection", GoneDatabase())
        assert Client().get("/readyz").status_code == 503


@pytest.mark.parametrize("path", ["/api/v1/payments", "/api/v1/webhooks/paystack"])
def test_a_body_without_a_length_is_refused_and_not_ignored(guest, path):
    answer = Client().post(path, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")

    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_the_bare_address_leads_to_the_documentation(guest):
    assert Client().get("/").headers["Location"] == "/api/v1/docs"
