"""/api/v1/webhook-endpoints: the addresses of a merchant's own software."""

from datetime import timedelta

from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited
from tillgate.api.caller import Caller, actor_of, caller_of
from tillgate.api.permissions import Guarded, Merchants
from tillgate.api.schema import documented
from tillgate.api.shapes.endpoints import (
    EndpointChangeIn,
    EndpointIn,
    RotateIn,
    TestIn,
    endpoint_out,
    told_event_out,
)
from tillgate.api.views import ApiView, success
from tillgate.common.errors import NotFound
from tillgate.common.references import is_reference
from tillgate.events.addresses import BadAddress
from tillgate.events.models import Endpoint, EndpointQuerySet
from tillgate.events.services.endpoints import (
    Change,
    NewEndpoint,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    reach,
    rotate_secret,
    send_test,
)
from tillgate.events.types import is_filter
from tillgate.merchants.roles import Scope


class Endpoints(ApiView):
    """/api/v1/webhook-endpoints"""

    admits = {"GET": Merchants(Scope.ADMIN), "POST": Guarded()}

    @documented("list_endpoints")
    def get(self, request: Request) -> HttpResponse:
        own = _own(caller_of(request)).order_by("-created_at", "-pk")
        return success("webhook_endpoints", list(map(endpoint_out, own)), "Endpoints retrieved successfully.")

    @documented("create_endpoint")
    def post(self, request: Request) -> HttpResponse:
        # The name is looked up before the transaction of what follows.
        return self._create(request, _new_endpoint(request))

    @audited("endpoint.created")
    def _create(self, request: Request, new: NewEndpoint) -> HttpResponse:
        endpoint, secret = create_endpoint(new)
        headers = {"Location": f"/api/v1/webhook-endpoints/{endpoint.reference}"}
        message = "Endpoint added. Keep its secret: it cannot be seen again."
        out = endpoint_out(endpoint, secret=secret)
        return success("webhook_endpoint", out, message, status=201, headers=headers)


class EndpointDetail(ApiView):
    """/api/v1/webhook-endpoints/{id}"""

    http_method_names = ["get", "head", "patch", "delete"]
    admits = {method: Guarded() for method in ("GET", "PATCH", "DELETE")}

    @documented("get_endpoint")
    def get(self, request: Request, reference: str) -> HttpResponse:
        endpoint = find_endpoint(reference, caller_of(request))
        return success("webhook_endpoint", endpoint_out(endpoint), "Endpoint retrieved successfully.")

    @documented("change_endpoint")
    def patch(self, request: Request, reference: str) -> HttpResponse:
        find_endpoint(reference, caller_of(request))
        return self._change(request, _change(request), reference=reference)

    @audited("endpoint.changed")
    def _change(self, request: Request, change: Change, *, reference: str) -> HttpResponse:
        endpoint = change_endpoint(find_endpoint(reference, caller_of(request)).pk, change)
        return success("webhook_endpoint", endpoint_out(endpoint), "Endpoint changed.")

    @documented("delete_endpoint")
    @audited("endpoint.deleted")
    def delete(self, request: Request, reference: str) -> HttpResponse:
        delete_endpoint(find_endpoint(reference, caller_of(request)).pk)
        return HttpResponse(status=204)


class EndpointSecret(ApiView):
    """/api/v1/webhook-endpoints/{id}/rotate-secret"""

    admits = {"POST": Guarded()}

    @documented("rotate_endpoint_secret")
    @audited("endpoint.secret_rotated")
    def post(self, request: Request, reference: str) -> HttpResponse:
        found = find_endpoint(reference, caller_of(request))
        body = fields.parse(RotateIn, request.data)
        endpoint, secret = rotate_secret(found.pk, overlap=timedelta(seconds=body.overlap))
        message = "Keep the new secret: it cannot be seen again. Until former_secret_until, both sign."
        return success("webhook_endpoint", endpoint_out(endpoint, secret=secret), message)


class EndpointTest(ApiView):
    """/api/v1/webhook-endpoints/{id}/test"""

    admits = {"POST": Merchants(Scope.ADMIN)}

    @documented("test_endpoint")
    @audited("endpoint.tested")
    def post(self, request: Request, reference: str) -> HttpResponse:
        found = find_endpoint(reference, caller_of(request))
        fields.parse(TestIn, request.data)
        event = send_test(found.pk)
        headers = {"Location": f"/api/v1/events/{event.reference}"}
        message = "The test event is on its way. GET its deliveries to see what the receiver answered."
        return success("event", told_event_out(event), message, status=201, headers=headers)


def find_endpoint(reference: str, caller: Caller) -> Endpoint:
    """Return one of the merchant's endpoints. Raises NotFound."""
    found = _own(caller).filter(reference=reference).first() if is_reference(reference, "WHE") else None
    if found is None:
        raise NotFound(f"There is no endpoint {reference[:40]!r} that you may see.")
    return found


def _own(caller: Caller) -> EndpointQuerySet:
    return Endpoint.objects.for_merchant(caller.merchant, caller.mode)


def _new_endpoint(request: Request) -> NewEndpoint:
    caller = caller_of(request)
    body = fields.parse(EndpointIn, request.data)
    problems = fields.Problems()
    url = problems.check("url", lambda: _url(body.url))
    description = problems.check("description", lambda: fields.text(body.description, most=200))
    events = problems.check("events", lambda: _filters(body.events))
    problems.raise_if_any()
    assert url is not None
    assert description is not None
    assert events is not None
    return NewEndpoint(
        merchant=caller.merchant,
        mode=caller.mode,
        url=url,
        description=description,
        events=events,
        enabled=body.enabled,
        added_by=actor_of(request).name,
    )


def _change(request: Request) -> Change:
    body = fields.parse(EndpointChangeIn, request.data)
    problems = fields.Problems()
    url, description, events = body.url, body.description, body.events
    change = Change(
        url=None if url is UNSET else problems.check("url", lambda: _url(url)),
        description=None
        if description is UNSET
        else problems.check("description", lambda: fields.text(description, most=200)),
        events=None if events is UNSET else problems.check("events", lambda: _filters(events)),
        enabled=None if body.enabled is UNSET else body.enabled,
    )
    problems.raise_if_any()
    return change


def _url(text: str) -> str:
    try:
        return reach(text).url
    except BadAddress as error:
        raise fields.FieldError(str(error), "invalid_url") from None


def _filters(words: list[str]) -> list[str]:
    unknown = next((word for word in words if not is_filter(word)), None)
    if unknown is not None:
        raise fields.FieldError(f"There is no type {unknown!r}. Send payment.completed, payment.* or *.")
    return list(dict.fromkeys(words))
