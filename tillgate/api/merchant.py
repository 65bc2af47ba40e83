"""/api/v1/merchant: what a business says of itself."""

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api.auditing import audited
from tillgate.api.caller import caller_of
from tillgate.api.merchant_fields import read_merchant
from tillgate.api.permissions import Administrators, Merchants
from tillgate.api.pictures import read_picture
from tillgate.api.schema import documented
from tillgate.api.shapes.merchant import merchant_out
from tillgate.api.views import ApiView, success
from tillgate.merchants.roles import Scope
from tillgate.merchants.services.merchants import change_merchant, remove_logo, set_logo


class MerchantDetail(ApiView):
    """/api/v1/merchant"""

    http_method_names = ["get", "head", "patch"]
    admits = {"GET": Merchants(Scope.READ, Scope.ADMIN), "PATCH": Administrators()}

    @documented("get_merchant")
    def get(self, request: Request) -> HttpResponse:
        out = merchant_out(caller_of(request).merchant)
        return success("merchant", out, "Merchant retrieved successfully.")

    @documented("change_merchant")
    @audited("merchant.changed")
    def patch(self, request: Request) -> HttpResponse:
        merchant = change_merchant(caller_of(request).merchant.pk, read_merchant(request))
        return success("merchant", merchant_out(merchant), "Changed. The pages show it within seconds.")


class MerchantLogo(ApiView):
    """/api/v1/merchant/logo"""

    http_method_names = ["put", "delete"]
    admits = {"PUT": Administrators(), "DELETE": Administrators()}

    @documented("set_logo")
    @audited("merchant.logo_set")
    def put(self, request: Request) -> HttpResponse:
        picture = read_picture(request)
        merchant = set_logo(caller_of(request).merchant.pk, picture.content, picture.content_type)
        return success("merchant", merchant_out(merchant), "The checkout shows this logo within seconds.")

    @documented("remove_logo")
    @audited("merchant.logo_removed")
    def delete(self, request: Request) -> HttpResponse:
        remove_logo(caller_of(request).merchant.pk)
        return HttpResponse(status=204)
