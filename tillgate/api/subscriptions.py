"""/api/v1/subscriptions and what hangs below one subscription."""

import hashlib

from django.http import HttpResponse, HttpResponseNotModified
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited
from tillgate.api.caller import caller_of
from tillgate.api.listing import created_within, filtered, list_page, read_query
from tillgate.api.payments import payments_out
from tillgate.api.permissions import Merchants
from tillgate.api.recurring import change_of, read_change, read_subscription
from tillgate.api.schema import documented
from tillgate.api.shapes.common import PageFilter, event_out
from tillgate.api.shapes.subscriptions import (
    ActionIn,
    PreviewFilter,
    SubscriptionFilter,
    SubscriptionOut,
    current_cycles,
    subscription_out,
    upcoming_out,
)
from tillgate.api.views import ApiView, success
from tillgate.api.visible import METHOD, find_subscription, own_subscriptions
from tillgate.common.web import json_encoder
from tillgate.events.models import Event
from tillgate.merchants.roles import Scope
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.change import change_subscription, preview
from tillgate.subscriptions.services.create import create_subscription
from tillgate.subscriptions.services.stop import (
    cancel_subscription,
    pause_subscription,
    resume_subscription,
)
from tillgate.subscriptions.words import day, rhythm


class Subscriptions(ApiView):
    """/api/v1/subscriptions"""

    admits = {"POST": Merchants(Scope.CREATE), "GET": Merchants(Scope.READ, Scope.TODAY)}

    @documented("create_subscription")
    @audited("subscription.created")
    def post(self, request: Request) -> HttpResponse:
        subscription, is_new = create_subscription(read_subscription(request, caller_of(request)))
        headers = {"Location": f"/api/v1/subscriptions/{subscription.reference}"}
        if not is_new:
            headers["Idempotency-Replayed"] = "true"
        out = _out(subscription)
        message = f"Subscription created. {_next(subscription)}"
        if out.checkout_url:
            message = "Subscription created. Send the customer to checkout_url for the first payment."
        return success("subscription", out, message, status=201, headers=headers)

    @documented("list_subscriptions")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        query = read_query(request, SubscriptionFilter)
        every = own_subscriptions(caller).select_related(METHOD)
        wanted = {"status": query.status, "customer_email__iexact": query.customer_email}
        chosen = filtered(every, wanted | created_within(query))
        return list_page(request, "subscriptions", (every, chosen), query, _page_out)


class SubscriptionDetail(ApiView):
    """/api/v1/subscriptions/{id}"""

    http_method_names = ["get", "head", "patch"]
    admits = {"GET": Merchants(Scope.READ, Scope.TODAY), "PATCH": Merchants(Scope.CREATE)}

    @documented("get_subscription")
    def get(self, request: Request, reference: str) -> HttpResponse:
        subscription = find_subscription(reference, caller_of(request))
        out = _out(subscription)
        # Of all that is shown: a charge that starts, or a card that is renewed, is no event of its own.
        shown = hashlib.sha256(json_encoder.encode(out)).hexdigest()[:16]
        tag = f'"{subscription.sequence}-{shown}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("If-None-Match", ""):
            return HttpResponseNotModified(headers=headers)
        return success("subscription", out, "Subscription retrieved successfully.", headers=headers)

    @documented("change_subscription")
    @audited("subscription.changed")
    def patch(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        found = find_subscription(reference, caller)
        changed = change_subscription(found.pk, read_change(request, found, caller))
        message = f"Changed. {_next(changed)} What is open stays as agreed."
        return success("subscription", _out(changed), message)


class SubscriptionPause(ApiView):
    """/api/v1/subscriptions/{id}/pause"""

    admits = {"POST": Merchants(Scope.CREATE)}

    @documented("pause_subscription")
    @audited("subscription.paused")
    def post(self, request: Request, reference: str) -> HttpResponse:
        paused = pause_subscription(_acted_on(request, reference).pk)
        return _stopped(paused, "Paused: no new charge starts until it is resumed.")


class SubscriptionResume(ApiView):
    """/api/v1/subscriptions/{id}/resume"""

    admits = {"POST": Merchants(Scope.CREATE)}

    @documented("resume_subscription")
    @audited("subscription.resumed")
    def post(self, request: Request, reference: str) -> HttpResponse:
        resumed = resume_subscription(_acted_on(request, reference).pk)
        return success("subscription", _out(resumed), f"Resumed. {_next(resumed)}")


class SubscriptionCancel(ApiView):
    """/api/v1/subscriptions/{id}/cancel"""

    admits = {"POST": Merchants(Scope.CREATE)}

    @documented("cancel_subscription")
    @audited("subscription.canceled")
    def post(self, request: Request, reference: str) -> HttpResponse:
        canceled = cancel_subscription(_acted_on(request, reference).pk, reason="merchant")
        return _stopped(canceled, "Canceled: no new charge starts.")


class SubscriptionPreview(ApiView):
    """/api/v1/subscriptions/{id}/preview"""

    admits = {"GET": Merchants(Scope.READ, Scope.TODAY)}

    @documented("preview_subscription")
    def get(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        subscription = find_subscription(reference, caller)
        query = read_query(request, PreviewFilter)
        coming = preview(subscription, change_of(query, subscription, caller.merchant))
        message = "Preview retrieved successfully." if coming else "No payment is to come."
        return success("preview", list(map(upcoming_out, coming)), message)


class SubscriptionPayments(ApiView):
    """/api/v1/subscriptions/{id}/payments"""

    admits = {"GET": Merchants(Scope.READ, Scope.TODAY)}

    @documented("list_subscription_payments")
    def get(self, request: Request, reference: str) -> HttpResponse:
        subscription = find_subscription(reference, caller_of(request))
        query = read_query(request, PageFilter)
        payments = Payment.objects.filter(cycle__subscription=subscription)
        return list_page(request, "payments", (payments, payments), query, payments_out)


class SubscriptionTimeline(ApiView):
    """/api/v1/subscriptions/{id}/timeline"""

    admits = {"GET": Merchants(Scope.READ, Scope.TODAY)}

    @documented("get_subscription_timeline")
    def get(self, request: Request, reference: str) -> HttpResponse:
        subscription = find_subscription(reference, caller_of(request))
        events = Event.objects.filter(subject=subscription.reference).order_by("sequence")
        return success("events", list(map(event_out, events)), "Timeline retrieved successfully.")


def _acted_on(request: Request, reference: str) -> Subscription:
    found = find_subscription(reference, caller_of(request))
    fields.parse(ActionIn, request.data)
    return found


def _stopped(subscription: Subscription, message: str) -> HttpResponse:
    out = _out(subscription)
    if out.in_flight:
        message += f" {out.in_flight} is with the gateway already; it can be refunded once it has come in."
    return success("subscription", out, message)


def _out(subscription: Subscription) -> SubscriptionOut:
    return _page_out([subscription])[0]


def _page_out(subscriptions: list[Subscription]) -> list[SubscriptionOut]:
    cycles = current_cycles(subscriptions)
    return [subscription_out(subscription, cycles[subscription.pk]) for subscription in subscriptions]


def _next(subscription: Subscription) -> str:
    """Say in words what comes next, and when: from there on holds what was asked for."""
    coming = preview(subscription)
    if not coming:
        return "No payment is to come."
    often = rhythm(subscription.interval, subscription.interval_count)
    return f"From {day(coming[0].due_at, subscription.zone)} on: {coming[0].amount} {often}."
