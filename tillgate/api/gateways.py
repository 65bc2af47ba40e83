"""/api/v1/gateways"""

from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.caller import Caller, caller_of
from tillgate.api.listing import read_query
from tillgate.api.permissions import Anyone
from tillgate.api.schema import documented
from tillgate.api.shapes.gateways import EstimateOut, GatewayFilter, GatewayOut
from tillgate.api.views import ApiView, success
from tillgate.common.throttles import READ
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.accounts import accounts_for
from tillgate.merchants.services.choosing import Choice, choose
from tillgate.merchants.services.fees import fee_table
from tillgate.money import Money


class Gateways(ApiView):
    """/api/v1/gateways"""

    admits = {"GET": Anyone()}
    throttles = {"GET": READ}

    @documented("list_gateways")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        amount = _amount(request, caller)
        if amount is None:
            accounts = accounts_for(caller.merchant, caller.mode)
            usable = [_gateway_out(account.gateway, caller.merchant) for account in accounts]
            found = [gateway for gateway in usable if gateway.currencies]
            return success("gateways", found, "Gateways retrieved successfully.")
        try:
            choices = choose(caller.merchant, caller.mode, amount)
        except NoGateway as error:
            return success("gateways", [], error.message)
        found = [_choice_out(choice, amount, caller) for choice in choices]
        return success("gateways", found, "Gateways retrieved in the order in which they are tried.")


def _amount(request: Request, caller: Caller) -> Money | None:
    """What is to be paid, read as at creation; None where the query does not say."""
    query = read_query(request, GatewayFilter)
    problems = fields.Problems()
    text, currency = query.amount, query.currency
    if text is UNSET and currency is UNSET:
        return None
    if not text or not currency:
        problems.add("currency" if text else "amount", "Send amount and currency, or neither.", "required")
        problems.raise_if_any()
    money = fields.money(problems, text, str(currency), caller.merchant)
    problems.raise_if_any()
    return money


def _gateway_out(name: str, merchant: Merchant) -> GatewayOut:
    gateway = GATEWAYS[name]
    taken = merchant.currencies or gateway.currencies
    return GatewayOut(
        name=name,
        title=gateway.title,
        currencies=sorted(gateway.currencies.intersection(taken)),
        channels=list(gateway.channels),
    )


def _choice_out(choice: Choice, amount: Money, caller: Caller) -> GatewayOut:
    out = _gateway_out(choice.gateway, caller.merchant)
    if caller.sees_all:
        out.healthy = choice.healthy
        out.estimate = None if choice.fee is None else _estimate_out(amount, choice.fee)
    return out


def _estimate_out(amount: Money, fee: Money) -> EstimateOut:
    net = amount - fee
    receive = f"You will receive about {net}." if net.minor > 0 else "The fee would take all of it."
    return EstimateOut(
        fee=fee.to_major,
        net=net.to_major,
        currency=amount.currency,
        as_of=fee_table().as_of.isoformat(),
        sentence=receive,
    )
