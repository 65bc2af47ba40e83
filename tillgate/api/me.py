"""/api/v1/me: what somebody with an account has paid and pays, whatever else they are to a merchant."""

from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.caller import Caller, caller_of
from tillgate.api.listing import created_within, filtered, list_page, read_query
from tillgate.api.permissions import SignedIn
from tillgate.api.schema import documented
from tillgate.api.shapes.common import PageFilter
from tillgate.api.shapes.history import MySubscriptionOut, my_subscription_out
from tillgate.api.shapes.payments import HistoryFilter, PaymentOut, payment_out
from tillgate.api.shapes.subscriptions import ActionIn, current_cycles
from tillgate.api.views import ApiView, success
from tillgate.api.visible import METHOD
from tillgate.common.errors import NotFound
from tillgate.common.references import is_reference
from tillgate.common.throttles import ATTEMPT, READ
from tillgate.merchants.models import User
from tillgate.payments.models import Payment, PaymentQuerySet
from tillgate.payments.services.history import attach_payments
from tillgate.subscriptions.models import Subscription, SubscriptionQuerySet
from tillgate.subscriptions.services.history import attach_subscriptions, stop_for_customer


class MyPayments(ApiView):
    """/api/v1/me/payments"""

    admits = {"GET": SignedIn()}
    throttles = {"GET": READ}

    @documented("list_my_payments")
    def get(self, request: Request) -> HttpResponse:
        query = read_query(request, HistoryFilter)
        every = my_payments(caller_of(request))
        wanted = {"status": query.status, "gateway": query.gateway, "currency": query.currency}
        chosen = filtered(every, wanted | created_within(query))
        return list_page(request, "payments", (every, chosen), query, _payments_out)


class MySubscriptions(ApiView):
    """/api/v1/me/subscriptions"""

    admits = {"GET": SignedIn()}
    throttles = {"GET": READ}

    @documented("list_my_subscriptions")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        query = read_query(request, PageFilter)
        mine = my_subscriptions(caller)
        out = partial(_subscriptions_out, user_of(caller))
        return list_page(request, "subscriptions", (mine, mine), query, out)


class MySubscriptionStop(ApiView):
    """/api/v1/me/subscriptions/{id}/stop"""

    admits = {"POST": SignedIn()}
    throttles = {"POST": ATTEMPT}

    @documented("stop_my_subscription")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        fields.parse(ActionIn, request.data)
        mine = my_subscriptions(caller)
        found = mine.filter(reference=reference).first() if is_reference(reference, "SUB") else None
        if found is None:
            raise NotFound(f"There is no subscription {reference[:40]!r} of yours.")
        stop_for_customer(found.pk)
        [out] = _subscriptions_out(user_of(caller), [mine.get(pk=found.pk)])
        return success("subscription", out, stopped_message(out.status, out.in_flight))


def my_payments(caller: Caller) -> PaymentQuerySet:
    """Return what somebody has paid, at whatever merchant, after a look at what has come to be theirs."""
    user = user_of(caller)
    attach_payments(user)
    return Payment.objects.filter(account=user, mode=caller.as_customer.mode)


def my_subscriptions(caller: Caller) -> SubscriptionQuerySet:
    """Return somebody's recurring payments, as `my_payments` does."""
    user = user_of(caller)
    attach_subscriptions(user)
    return Subscription.objects.filter(account=user, mode=caller.as_customer.mode).select_related(METHOD)


def user_of(caller: Caller) -> User:
    """Return who is signed in, where `SignedIn` has let them in."""
    assert caller.user is not None, "SignedIn has let somebody in"
    return caller.user


def stopped_message(status: str, in_flight: str | None) -> str:
    """Say what a stop has done: to one that had ended already nothing."""
    if status != "canceled":
        return f"It has ended already: {status}. Nothing more is charged."
    charged = f" {in_flight} is with the gateway already; the shop can refund it." if in_flight else ""
    return f"Stopped: no new charge starts.{charged}"


def _payments_out(payments: list[Payment]) -> list[PaymentOut]:
    return [payment_out(payment, with_key=False) for payment in payments]


def _subscriptions_out(user: User, subscriptions: list[Subscription]) -> list[MySubscriptionOut]:
    cycles = current_cycles(subscriptions)
    return [my_subscription_out(one, cycles[one.pk], user) for one in subscriptions]
