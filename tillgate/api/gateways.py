"""/api/v1/gateways"""

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api.authentication import caller_of
from tillgate.api.permissions import Anyone
from tillgate.api.schema import documented
from tillgate.api.shapes import GatewayOut
from tillgate.api.views import ApiView, success
from tillgate.common.throttles import READ
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.services import accounts_for


class Gateways(ApiView):
    """/api/v1/gateways"""

    permission_classes = [Anyone]
    throttles = {"GET": READ}

    @documented("list_gateways")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        usable = [GATEWAYS[account.gateway] for account in accounts_for(caller.merchant, caller.mode)]
        found = [
            GatewayOut(name=g.name, currencies=sorted(g.currencies), channels=list(g.channels))
            for g in usable
        ]
        return success("gateways", found, "Gateways retrieved successfully.")
