"""/metrics: the figures of `tillgate.common.metrics`, for whoever has the token."""

import hmac

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tillgate.api.errors import MESSAGES
from tillgate.common.errors import NotFound, PayError
from tillgate.common.metrics import CONTENT_TYPE, exposition
from tillgate.common.request_counts import are_read
from tillgate.common.throttles import Policy, admit, client_address
from tillgate.common.web import error_response

log = structlog.get_logger(__name__)
# Beyond this many a minute nothing is written down, either.
GUESSES = Policy(name="metrics-token", calls=30, window_s=60)


class BadToken(PayError):
    """Asked without the token, or with another one."""

    code = "unauthorized"
    http_status = 401


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus reads."""
    try:
        _require_leave(request)
    except PayError as error:
        return error_response(request, error)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE)


def _require_leave(request: HttpRequest) -> None:
    if not settings.TILLGATE_METRICS_TOKEN:
        address = client_address(request)
        if not are_read() or address is None or not address.is_loopback:
            raise NotFound(MESSAGES[404])
    elif not _has_token(request):
        headers = {"WWW-Authenticate": 'Bearer realm="metrics"', **admit(request, GUESSES).headers}
        log.warning("metrics_refused", address=str(client_address(request)))
        says = "Send Authorization: Bearer and the token of TILLGATE_METRICS_TOKEN."
        raise BadToken(says, headers=headers)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_right = hmac.compare_digest(token.strip().encode(), settings.TILLGATE_METRICS_TOKEN.encode())
    return is_right and scheme.lower() == "bearer"
