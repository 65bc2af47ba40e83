"""The door for customers: the page that asks for money, the way back from a gateway, a small news feed."""

import re
from abc import abstractmethod

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
from tillgate.checkout.recurring import send_link_again, take_consent
from tillgate.checkout.waiting import wait_for_news
from tillgate.common.errors import GatewayTrouble, PayError, TooMany
from tillgate.common.references import ALPHABET, LENGTH
from tillgate.common.throttles import ATTEMPT, READ, Admission, admit, at_once, client_address, shared
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
    """What the pages behind a token share: the throttle, and the same 404 for everyone else."""

    http_method_names = ["get", "head", "post"]
    what = "payment"
    admission: Admission

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            with at_once(request):
                self.admission = admit(request, ATTEMPT if request.method == "POST" else READ)
                return self._found(request, *args, **kwargs)
        except TooMany as error:
            return refuse(request, "checkout/too_many.html", error)

    def _found(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        token = str(kwargs["token"])
        if not TOKEN.fullmatch(token) or not self.find(token):
            return render(request, "checkout/not_found.html", {"what": self.what}, status=404)
        return super().dispatch(request, *args, **kwargs)

    @abstractmethod
    def find(self, token: str) -> bool:
        """Keep what the token opens; say whether there is such a thing."""


class PaymentView(TokenView):
    """A page of one payment."""

    payment: Payment

    def find(self, token: str) -> bool:
        payment = Payment.objects.select_related("merchant").filter(checkout_token=token).first()
        if payment is not None:
            self.payment = payment
        return payment is not None


class CheckoutPage(PaymentView):
    """/pay/{token}"""

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        make_question_due(self.payment)
        return _show(request, build_page(self.payment))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        self.admission.also(*shared(self.payment.merchant_id))
        gateway = request.POST.get("gateway")
        address = client_address(request)
        try:
            take_consent(self.payment, request.POST.get("consent", ""), str(address) if address else None)
            attempt, _ = open_session(self.payment, gateway)
        except PayError as error:
            self.payment.refresh_from_db()
            failed = gateway if isinstance(error, GatewayTrouble) else None
            return _show(request, build_page(self.payment, error=error, failed=failed), error)
        return SeeOther(attempt.redirect_url)


class ReturnPage(PaymentView):
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


class LinkPage(PaymentView):
    """/pay/{token}/link: the button that mails the link to stop."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        send_link_again(self.payment)
        return SeeOther(reverse("checkout", args=[token]))


class PaymentNews(PaymentView):
    """/pay/{token}/status"""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        make_question_due(self.payment)
        state = state_of(self.payment, open_attempts(self.payment))
        return json_response({"state": state, "sequence": self.payment.sequence})


def refuse(request: HttpRequest, template: str, error: PayError) -> HttpResponse:
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
