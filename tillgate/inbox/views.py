"""The door at which gateways ring."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tillgate.common.errors import PayError
from tillgate.common.web import error_response, json_response
from tillgate.inbox.services import receive

MAX_BODY = 256 * 1024


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
        receive(gateway, {name.lower(): value for name, value in request.headers.items()}, _body(request))
    except PayError as error:
        return error_response(request, error)
    return json_response({"status": "success", "message": "Event received."})


def _body(request: HttpRequest) -> bytes:
    # Read from the stream: Django's own limit would raise where this can say what the limit is.
    body = bytes(request.read(MAX_BODY + 1))
    if len(body) > MAX_BODY:
        raise TooLarge(f"An event may have {MAX_BODY} bytes.")
    return body
