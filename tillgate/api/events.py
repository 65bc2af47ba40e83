"""/api/v1/events: what was told, for a receiver that was down, and how it was delivered."""

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited
from tillgate.api.caller import Caller, caller_of
from tillgate.api.endpoints import find_endpoint
from tillgate.api.listing import created_within, filtered, list_page, read_query
from tillgate.api.permissions import Merchants
from tillgate.api.schema import documented
from tillgate.api.shapes.endpoints import (
    EventFilter,
    RedeliverIn,
    ToldEventOut,
    delivery_out,
    told_event_out,
)
from tillgate.api.views import ApiView, success
from tillgate.common.errors import NotFound
from tillgate.common.references import is_reference
from tillgate.events.models import OutboxEvent
from tillgate.events.services.redeliver import redeliver
from tillgate.merchants.roles import Scope


class Events(ApiView):
    """/api/v1/events"""

    admits = {"GET": Merchants(Scope.READ)}

    @documented("list_events")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        query = read_query(request, EventFilter)
        every = OutboxEvent.objects.for_merchant(caller.merchant, caller.mode)
        wanted = {"type": query.type, "subject": query.subject}
        chosen = filtered(every, wanted | created_within(query))
        return list_page(request, "events", (every, chosen), query, _page_out)


class EventDetail(ApiView):
    """/api/v1/events/{id}"""

    admits = {"GET": Merchants(Scope.READ)}

    @documented("get_event")
    def get(self, request: Request, reference: str) -> HttpResponse:
        event = _find_event(reference, caller_of(request))
        return success("event", told_event_out(event), "Event retrieved successfully.")


class EventDeliveries(ApiView):
    """/api/v1/events/{id}/deliveries"""

    admits = {"GET": Merchants(Scope.READ)}

    @documented("list_deliveries")
    def get(self, request: Request, reference: str) -> HttpResponse:
        event = _find_event(reference, caller_of(request))
        sent = event.deliveries.select_related("endpoint").order_by("pk")
        return success("deliveries", list(map(delivery_out, sent)), "Deliveries retrieved successfully.")


class EventRedeliver(ApiView):
    """/api/v1/events/{id}/redeliver"""

    admits = {"POST": Merchants(Scope.ADMIN)}

    @documented("redeliver_event")
    @audited("event.redelivered")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        event = _find_event(reference, caller)
        body = fields.parse(RedeliverIn, request.data)
        endpoint = None if body.endpoint is None else find_endpoint(body.endpoint, caller)
        sent = redeliver(event, endpoint)
        return success("deliveries", list(map(delivery_out, sent)), "It is sent again, with the same id.")


def _page_out(events: list[OutboxEvent]) -> list[ToldEventOut]:
    return list(map(told_event_out, events))


def _find_event(reference: str, caller: Caller) -> OutboxEvent:
    own = OutboxEvent.objects.for_merchant(caller.merchant, caller.mode)
    found = own.filter(reference=reference).first() if is_reference(reference, "EVT") else None
    if found is None:
        raise NotFound(f"There is no event {reference[:40]!r} that you may see. Events are kept for 90 days.")
    return found
