"""One envelope for every refusal, whoever raised it."""

from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from tillgate.common.errors import NotFound, PayError
from tillgate.common.web import error_response

log = structlog.get_logger(__name__)
CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
}
MESSAGES = {
    401: "Send a secret key of the merchant that is known and not revoked: `Authorization: Bearer sk_…`.",
    404: "There is nothing here, or you may not see it.",
    405: "This address does not take that method; the header Allow lists those it takes.",
    415: "Send JSON with `Content-Type: application/json`.",
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | HttpResponse | None:
    """Turn a refusal into the envelope; None for a bug, which Django logs and `server_error` answers."""
    request: HttpRequest = context["request"]._request
    refusal = _refusal(error)
    return None if refusal is None else error_response(request, refusal)


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
    status = error.status_code
    header = getattr(error, "auth_header", None)
    refusal = PayError(
        MESSAGES.get(status, str(error.detail)),
        code=CODES.get(status, "bad_request"),
        headers={"WWW-Authenticate": header} if header else {},
    )
    return _with_status(refusal, status)


def _with_status(error: PayError, status: int) -> PayError:
    error.http_status = status
    return error
