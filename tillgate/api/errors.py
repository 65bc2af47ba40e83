"""One envelope for every refusal, whoever raised it."""

from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from tillgate.common.errors import InvalidRequest, NotFound, PayError
from tillgate.common.throttles import client_address
from tillgate.common.web import error_response

log = structlog.get_logger(__name__)
CHALLENGE = 'Bearer realm="tillgate"'
CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
}
MESSAGES = {
    401: "Send a key that is known and has not ended, or an access token: `Authorization: Bearer …`.",
    404: "There is nothing here, or you may not see it.",
    405: "This address does not take that method; the header Allow lists those it takes.",
    415: "Send JSON with `Content-Type: application/json`.",
}


class Unauthorized(PayError):
    """No key, or one that is unknown or has ended; no token, or one that is not good."""

    code = "unauthorized"
    http_status = 401

    def __init__(self, message: str = MESSAGES[401], *, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"WWW-Authenticate": CHALLENGE})


class Forbidden(PayError):
    """Known, but without the power; the message says which is missing."""

    code = "forbidden"
    http_status = 403


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | HttpResponse | None:
    """Turn a refusal into the envelope; None for a bug, which Django logs and `server_error` answers."""
    request: HttpRequest = context["request"]._request
    refusal = _refusal(error)
    if refusal is None:
        return None
    if refusal.http_status in (401, 403) and "HTTP_AUTHORIZATION" in request.META:
        _note_misuse(request, refusal)
    if refusal.http_status == 401:
        refusal.headers.setdefault("WWW-Authenticate", CHALLENGE)
    return error_response(request, refusal)


def _note_misuse(request: HttpRequest, refusal: PayError) -> None:
    """A key or token that opens nothing here: tried, ended, or used for more than it may."""
    match = request.resolver_match  # The route and not the address, in which anything may stand.
    tried = {"method": request.method, "route": match.route if match else ""}
    log.warning("credential_refused", code=refusal.code, address=str(client_address(request)), **tried)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to an unknown path."""
    return error_response(request, NotFound("There is nothing at this address."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to a request that Django refused before any view saw it."""
    return error_response(request, PayError("The request cannot be understood.", code="bad_request"))


def server_error(request: HttpRequest) -> HttpResponse:
    """The answer when we are at fault: what to quote, and nothing of our inside."""
    error = PayError("Something went wrong on our side. Quote the request_id when you ask about it.")
    error.code, error.http_status = "server_error", 500
    return error_response(request, error)


def _refusal(error: Exception) -> PayError | None:
    if isinstance(error, PayError):
        return error
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, RequestDataTooBig):
        return _with_status(PayError("The body is too large.", code="content_too_large"), 413)
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database_unavailable", reason=type(error).__name__)
        busy = PayError(
            "The database is busy. Send the same request again.", code="busy", headers={"Retry-After": "1"}
        )
        return _with_status(busy, 503)
    if isinstance(error, exceptions.APIException):
        return _from_framework(error)
    return None


def _from_framework(error: exceptions.APIException) -> PayError:
    if isinstance(error, exceptions.ValidationError):
        return _from_serializer(error)
    status = error.status_code
    header = getattr(error, "auth_header", None)
    refusal = PayError(
        MESSAGES.get(status, str(error.detail)),
        code=CODES.get(status, "bad_request"),
        headers={"WWW-Authenticate": header} if header else {},
    )
    return _with_status(refusal, status)


def _from_serializer(error: exceptions.ValidationError) -> PayError:
    """The libraries' forms of sign-up and passwords tell what is wrong member by member."""
    detail: Any = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
    errors = {str(name): [str(line) for line in lines] for name, lines in detail.items()}
    member, lines = next(iter(errors.items()))
    message = lines[0] if member == "non_field_errors" else f"{member}: {lines[0]}"
    known = {"invalid": "invalid_field", "blank": "required", "null": "required"}
    code = str(getattr(detail[member][0], "code", "invalid"))
    return InvalidRequest(message, code=known.get(code, code), errors=errors)


def _with_status(error: PayError, status: int) -> PayError:
    error.http_status = status
    return error
