"""What every HTTP answer of ours has: a request id, safe headers, and one shape for errors."""

import re
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache

import msgspec
import structlog
from csp.constants import HEADER as CSP_HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from tillgate.common import request_counts
from tillgate.common.errors import PayError
from tillgate.common.jobs.times import real_now
from tillgate.common.logs import redact

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
OUR_REQUEST_ID = re.compile("[0-9a-f]{32}")
PLACEHOLDER = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
MARKS = re.compile(r"[\^$\\]|/\?")
BY_ADDRESS = ("/healthz", "/readyz", "/metrics")  # Orchestrators ask by address, not by name.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")  # Anybody can make up another one.
# What programs call: with and without a slash at the end it is one address, and nothing is redirected.
API = ("/api/", "/auth/", "/dukka/api/")
NO_DEVICES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
PROBLEM = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    411: "Length required",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    500: "Server error",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}
json_encoder = msgspec.json.Encoder(decimal_format="number")


class RequestIdMiddleware:
    """Give every request an id, ours or the caller's if well-formed, and put it on answer and logs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        request.META["tillgate.request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self._get_response(request)
        response["X-Request-ID"] = request_id
        response.setdefault("Cache-Control", "no-store")
        response.setdefault("Permissions-Policy", NO_DEVICES)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class ObservationMiddleware:
    """Count each answer, and write a line about it where that is on: by its route, since an address may hold
    what opens a payment. Health checks that go well are not told of."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._counts, self._writes = request_counts.are_read(), settings.TILLGATE_ACCESS_LOG == "on"
        if not (self._counts or self._writes):
            raise MiddlewareNotUsed

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self._get_response(request)
        seconds = time.perf_counter() - began
        if response.status_code < 400 and request.path_info in BY_ADDRESS:
            return response
        method = request.method if request.method in METHODS else "other"
        # A method that a route does not take makes no series of its own: anybody can ask for all of them.
        route = "none" if response.status_code == 405 else route_of(request)
        if self._counts:
            request_counts.count(str(method), route, response.status_code, seconds)
        if self._writes:
            _write_access(request, method, route, response.status_code, seconds)
        return response


class TrailingSlashMiddleware:
    """`/api/v1/payments/` and `/api/v1/payments` are one route, without a redirect."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(API) and request.path_info.endswith("/"):
            request.path_info = request.path_info[:-1]
            request.path = request.path[:-1]
        return self._get_response(request)


class HttpsRequired(PayError):
    """The API is not to be called in the clear."""

    code = "https_required"
    http_status = 403


class LengthRequired(PayError):
    """A body in chunks, of which nobody says how long it is."""

    code = "length_required"
    http_status = 411


class EntranceMiddleware:
    """Refuse a foreign Host, bodies without a length, and API calls in the clear: a redirect would hide
    that a key was sent so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in BY_ADDRESS:
            request.get_host()  # Raises for a name that is not in ALLOWED_HOSTS.
        clear = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if clear and request.path_info.startswith(API):
            message = "Call the API by https. If a key was sent with this request, replace it."
            return error_response(request, HttpsRequired(message))
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            # Django reads no body without a length, and an ignored body is a request misunderstood.
            # Nothing that follows on this connection is believed to be a request, either.
            message = "Send the body with a Content-Length."
            return error_response(request, LengthRequired(message, headers={"Connection": "close"}))
        return self._get_response(request)


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The library's; but the policy of answers that ask for no other is put together only once."""

    OWN = ("_csp_exempt", "_csp_config", "_csp_update", "_csp_replace")

    @cached_property
    def _policy(self) -> str:
        return str(build_policy())

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if getattr(request, "_csp_nonce", None) or any(hasattr(response, name) for name in self.OWN):
            return super().process_response(request, response)
        response.setdefault(CSP_HEADER, self._policy)
        return response


def route_of(request: HttpRequest) -> str:
    """Return the route that a request took, as the API's pages write it: `/api/v1/payments/{reference}`."""
    if request.resolver_match is not None:
        return _readable(request.resolver_match.route)
    return "/static/{path}" if request.path_info.startswith("/static/") else "none"


@lru_cache(maxsize=512)
def _readable(route: str) -> str:
    named = PLACEHOLDER.sub(lambda match: "{" + (match[1] or match[2]) + "}", route)
    return "/" + MARKS.sub("", named)


def _write_access(request: HttpRequest, method: str | None, route: str, status: int, seconds: float) -> None:
    given = request_id_of(request)
    line = {
        "event": "request",
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "request_id": given if OUR_REQUEST_ID.fullmatch(given) else redact(given),
        "level": "info",
        "timestamp": real_now().isoformat(timespec="milliseconds")[:-6] + "Z",  # As in all lines.
    }
    # Not through the loggers, where a line takes 0.1 ms: nothing in this one has to be taken out of it.
    with suppress(OSError, ValueError):  # A log that is full, or closed, withholds no answer.
        sys.stderr.write(f"{json_encoder.encode(line).decode()}\n")


def request_id_of(request: HttpRequest) -> str:
    """Return the id that the middleware gave to this request."""
    return str(request.META.get("tillgate.request_id", ""))


def declared_length(request: HttpRequest) -> int:
    """Return how many bytes a request says that its body has; 0 where it does not say."""
    text = str(request.META.get("CONTENT_LENGTH") or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def error_response(request: HttpRequest, error: PayError) -> HttpResponse:
    """Return a refusal in the envelope of the API, or as RFC 9457 where the caller asked for that."""
    common = {
        "code": error.code,
        "errors": error.errors,
        "request_id": request_id_of(request),
        **error.members,
    }
    body: dict[str, object]
    if PROBLEM in request.headers.get("Accept", ""):
        title = TITLES.get(error.http_status, "Error")
        body = {
            "type": "about:blank",
            "title": title,
            "status": error.http_status,
            "detail": error.message,
            **common,
        }
        content_type = PROBLEM
    else:
        body, content_type = {"status": "error", "message": error.message, **common}, "application/json"
    return HttpResponse(
        json_encoder.encode(body), status=error.http_status, headers=error.headers, content_type=content_type
    )


def json_response(
    body: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return a JSON answer; Decimals stay numbers with all their digits."""
    return HttpResponse(
        json_encoder.encode(body), status=status, headers=headers, content_type="application/json"
    )
