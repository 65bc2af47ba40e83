"""/api/v1/me/export: all that is kept of one person, as one document."""

from typing import ClassVar

from django.db.models import Q
from django.http import HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tillgate.api.accounts.base import EXPORT, AccountView, user_of
from tillgate.api.permissions import SignedIn
from tillgate.api.schema import documented
from tillgate.api.shapes.accounts import ExportOut, consent_out, login_record, person_out
from tillgate.api.shapes.history import my_subscription_out
from tillgate.api.shapes.payments import payment_out
from tillgate.api.shapes.subscriptions import current_cycles, method_out
from tillgate.api.views import success
from tillgate.api.visible import METHOD
from tillgate.common.throttles import Policy
from tillgate.customers.models import Consent, PaymentMethod
from tillgate.merchants.models import User
from tillgate.payments.models import Payment
from tillgate.payments.services.history import attach_payments
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.history import attach_subscriptions


class MyExport(AccountView):
    """/api/v1/me/export"""

    http_method_names = ["get", "head"]
    admits: ClassVar[dict[str, BasePermission]] = {"GET": SignedIn()}
    limits: ClassVar[dict[str, Policy]] = {"GET": EXPORT}

    @documented("export_account")
    def get(self, request: Request) -> HttpResponse:
        attach_payments(user_of(request))
        attach_subscriptions(user_of(request))
        headers = {"Content-Disposition": 'attachment; filename="account.json"'}
        return success("export", _export_of(user_of(request)), "This is all we keep.", headers=headers)


def _export_of(user: User) -> ExportOut:
    attach_payments(user)
    attach_subscriptions(user)
    payments = list(Payment.objects.filter(account=user).newest_first())
    subscriptions = list(Subscription.objects.filter(account=user).select_related(METHOD).newest_first())
    cycles = current_cycles(subscriptions)
    used = Q(attempts__payment__account=user) | Q(subscriptions__account=user)
    # By whom a payment under another e-mail was made, nobody has shown.
    shown = PaymentMethod.objects.usable().filter(customer__email=user.confirmed_email)
    methods = shown.filter(used).select_related("customer").distinct()
    agreed = [*(row.reference for row in payments), *(row.reference for row in subscriptions)]
    consents = Consent.objects.filter(subject__in=agreed)
    return ExportOut(
        account=person_out(user),
        payments=[payment_out(payment, with_key=False) for payment in payments],
        subscriptions=[my_subscription_out(row, cycles[row.pk], user) for row in subscriptions],
        payment_methods=list(map(method_out, methods.order_by("pk"))),
        consents=list(map(consent_out, consents.order_by("pk"))),
        logins=list(map(login_record, user.logins.order_by("pk"))),
    )
