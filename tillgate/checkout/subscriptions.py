"""The door for customers of recurring payments: their page, and what they can do there, without a login."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from tillgate.checkout.actions import ACTIONS, Action
from tillgate.checkout.manage import build_confirm_page, build_manage_page
from tillgate.checkout.views import SeeOther, TokenView
from tillgate.common.errors import PayError
from tillgate.subscriptions.models import Subscription


class SubscriptionView(TokenView):
    """A page of one recurring payment."""

    what = "recurring payment"
    subscription: Subscription

    def find(self, token: str) -> bool:
        found = Subscription.objects.select_related("merchant", "payment_method")
        subscription = found.filter(manage_token=token).first()
        if subscription is not None:
            self.subscription = subscription
        return subscription is not None


class SubscriptionPage(SubscriptionView):
    """/subscription/{token}"""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return _show(request, self.subscription)


class ActionPage(SubscriptionView):
    """/subscription/{token}/{action}: what it will do, and the button that does it."""

    action: Action = ACTIONS[0]

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        page = build_confirm_page(self.subscription, self.action)
        if page is None:  # Such as a mail's link to stop what was stopped already.
            return SeeOther(reverse("manage", args=[token]))
        return render(request, "checkout/confirm.html", {"page": page})

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        try:
            payment = self.action.does(self.subscription)
        except PayError as error:
            self.find(token)
            return _show(request, self.subscription, error)
        if payment is None:
            return SeeOther(reverse("manage", args=[token]))
        return SeeOther(reverse("checkout", args=[payment.checkout_token]))


def _show(request: HttpRequest, subscription: Subscription, error: PayError | None = None) -> HttpResponse:
    page = build_manage_page(subscription, error=error)
    return render(request, "checkout/manage.html", {"page": page}, status=error.http_status if error else 200)
