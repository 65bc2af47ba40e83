"""The door for customers: the page that asks for money, the way back from a gateway, a small news feed."""

import re

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from tillgate.checkout.page import (
    Page,
    build_page,
    can_bring_news,
    open_attempts,
    shop_url,
    state_of,
    usable_accounts,
)
from tillgate.checkout.policy import form_targets
from tillgate.checkout.waiting import wait_for_news
from tillgate.common.errors import PayError, TooMany
from tillgate.common.references import ALPHABET, LENGTH
from tillgate.common.throttles import ATTEMPT, READ, admit
from tillgate.common.web import json_response
from tillgate.payments.models import Payment
from tillgate.payments.services.sessions import open_session
from tillgate.payments.services.sync import make_question_due
from tillgate.payments.states import PaymentStatus

TOKEN = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}", re.ASCII)


class SeeOther(HttpResponseRedirect):
    """A redirect that is followed by GET, whatever the request was."""

    status_code = 303


# No cookie is read here: the token in the URL is the authority, so a forged form has nothing to borrow.
@method_decorator(csrf_exempt, name="dispatch")
class TokenView(View):
    """What the pages of one payment share: the token, and the same 404 for everyone else."""

    http_method_names = ["get", "head", "post"]
    payment: Payment

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            admit(request, ATTEMPT if request.method == "POST" else READ)
        except TooMany as error:
            return _refuse(request, "checkout/too_many.html", error)
        token = str(kwargs["token"])
        payments = Payment.objects.select_related("merchant")
        payment = payments.filter(checkout_token=token).first() if TOKEN.fullmatch(token) else None
        if payment is None:
            return render(request, "checkout/not_found.html", status=404)
        self.payment = payment
        return super().dispatch(request, *args, **kwargs)


class CheckoutPage(TokenView):
    """/pay/{token}"""

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        make_question_due(self.payment)
        return _show(request, build_page(self.payment))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        gateway = request.POST.get("gateway")
        try:
            attempt, _ = open_session(self.payment, gateway)
        except PayError as error:
            self.payment.refresh_from_db()
            return _show(request, build_page(self.payment, error=error, failed=gateway), error)
        return SeeOther(attempt.redirect_url)


class ReturnPage(TokenView):
    """/pay/{token}/return"""

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        if request.GET.get("status") == "cancelled":
            # Flutterwave brings back to one address whoever leaves, too. Nothing but the page depends on it.
            return SeeOther(reverse("checkout", args=[token]))
        # The query is the browser's word; only the gateway's answer to our own question counts.
        payment = wait_for_news(self.payment) if can_bring_news(self.payment) else self.payment
        if payment.status == PaymentStatus.COMPLETED and (url := shop_url(payment)):
            return SeeOther(url)
        return _show(request, build_page(payment, returned=True))


class PaymentNews(TokenView):
    """/pay/{token}/status"""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        make_question_due(self.payment)
        state = state_of(self.payment, open_attempts(self.payment))
        return json_response({"state": state, "sequence": self.payment.sequence})


def _refuse(request: HttpRequest, template: str, error: PayError) -> HttpResponse:
    response = render(request, template, status=error.http_status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _show(request: HttpRequest, page: Page, error: PayError | None = None) -> HttpResponseBase:
    @csp_replace({"form-action": form_targets(usable_accounts(page.payment))})
    def show(request: HttpRequest) -> HttpResponseBase:
        status = error.http_status if error else 200
        return render(request, "checkout/page.html", {"page": page}, status=status)

    response = show(request)
    for name, value in (error.headers if error else {}).items():
        response[name] = value
    return response
