"""/api/v1/payment-methods: the saved methods of a merchant's customers."""

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api.auditing import audited
from tillgate.api.caller import caller_of
from tillgate.api.listing import filtered, list_page, read_query
from tillgate.api.permissions import Merchants
from tillgate.api.schema import documented
from tillgate.api.shapes.subscriptions import MethodFilter, MethodOut, method_out
from tillgate.api.views import ApiView
from tillgate.api.visible import find_method
from tillgate.common.errors import NotFound
from tillgate.customers.models import PaymentMethod
from tillgate.merchants.roles import Scope
from tillgate.subscriptions.services.methods import remove_unused


class PaymentMethods(ApiView):
    """/api/v1/payment-methods"""

    admits = {"GET": Merchants(Scope.READ)}

    @documented("list_payment_methods")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        query = read_query(request, MethodFilter)
        own = PaymentMethod.objects.for_merchant(caller.merchant, caller.mode).select_related("customer")
        email = query.customer_email
        wanted: dict[str, object] = {"customer__email": None if email is None else email.lower()}
        return list_page(request, "payment_methods", (own, filtered(own.usable(), wanted)), query, _page_out)


class PaymentMethodDetail(ApiView):
    """/api/v1/payment-methods/{id}"""

    http_method_names = ["delete"]
    admits = {"DELETE": Merchants(Scope.CREATE)}

    @documented("remove_payment_method")
    @audited("payment_method.removed")
    def delete(self, request: Request, reference: str) -> HttpResponse:
        method = find_method(reference, caller_of(request))
        if method is None or method.removed_at is not None:
            raise NotFound(f"There is no payment method {reference[:40]!r} that you may see.")
        remove_unused(method.pk)
        return HttpResponse(status=204)


def _page_out(methods: list[PaymentMethod]) -> list[MethodOut]:
    return list(map(method_out, methods))
