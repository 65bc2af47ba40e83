"""The door at which gateways ring."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tillgate.common.errors import PayError
from tillgate.common.throttles import Policy, admit
from tillgate.common.web import declared_length, error_response, json_response
from tillgate.inbox.services import BadSignature, receive

log = structlog.get_logger(__name__)
MAX_BODY = 256 * 1024
# Only what proved to be forged is counted, after the fact: whatever an address sent before, a gateway's own
# event from it is heard. Beyond this many a minute a forgery is not even logged.
FORGERIES = Policy(
    name="forged-events",
    calls=60,
    window_s=60,
    says="Too many events that no gateway has signed came from this address. Come back in {wait_s} s.",
)


class TooLarge(PayError):
    """An event larger than any gateway sends."""

    code = "content_too_large"
    http_status = 413


class PostOnly(PayError):
    """Gateways POST."""

    code = "method_not_allowed"
    http_status = 405


@csrf_exempt  # The signature over the raw body is the authority; no cookie is read.
def inbound(request: HttpRequest, gateway: str) -> HttpResponse:
    try:
        if request.method != "POST":
            raise PostOnly("Only POST is possible here.", headers={"Allow": "POST"})
        _receive(request, gateway)
    except PayError as error:
        return error_response(request, error)
    return json_response({"status": "success", "message": "Event received."})


def _receive(request: HttpRequest, gateway: str) -> None:
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        receive(gateway, headers, _body(request))
    except BadSignature as error:
        error.headers.update(admit(request, FORGERIES).headers)
        log.warning("event_bad_signature", gateway=gateway)
        raise


def _body(request: HttpRequest) -> bytes:
    # Read from the stream: Django's own limit would raise where this can say what the limit is.
    told = declared_length(request)
    body = bytes(request.read(MAX_BODY + 1)) if told <= MAX_BODY else b""  # It is not waited for.
    if max(told, len(body)) > MAX_BODY:
        raise TooLarge(f"An event may have {MAX_BODY} bytes.")
    return body
