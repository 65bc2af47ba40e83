"""/api/v1/gateway-accounts: a merchant's own accounts at the gateways, whose secrets are never shown."""

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited
from tillgate.api.caller import Caller, caller_of
from tillgate.api.permissions import Guarded, Merchants
from tillgate.api.schema import documented
from tillgate.api.shapes.merchant import (
    ForgetFormerIn,
    GatewayAccountIn,
    GatewayAccountOut,
    GatewaySecretsIn,
    account_out,
    environment_account_out,
)
from tillgate.api.views import ApiView, success
from tillgate.common.errors import NotFound
from tillgate.common.references import is_reference
from tillgate.gateways.protocol import Mode
from tillgate.merchants.models import StoredAccount
from tillgate.merchants.roles import Scope
from tillgate.merchants.services.accounts import is_used
from tillgate.merchants.services.installation import environment_accounts
from tillgate.merchants.services.stored_accounts import add_account, forget_former
from tillgate.payments.services.at_account import give_other_secrets
from tillgate.subscriptions.services.unused_accounts import remove_unused_account

UNUSED = "Stored. The environment has an account of this gateway and mode, which comes first while it is set."


class GatewayAccounts(ApiView):
    """/api/v1/gateway-accounts"""

    admits = {"GET": Merchants(Scope.ADMIN), "POST": Guarded()}

    @documented("list_gateway_accounts")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        environment = environment_accounts() if caller.merchant.is_default else ()
        found = [environment_account_out(one) for one in environment if one.mode in _modes(caller)]
        found += [_out(row) for row in _own(caller).order_by("pk")]
        return success("gateway_accounts", found, "Gateway accounts retrieved successfully.")

    @documented("create_gateway_account")
    @audited("gateway_account.created")
    def post(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        body = fields.parse(GatewayAccountIn, request.data)
        if body.mode not in _modes(caller):
            problems = fields.Problems()
            problems.add("mode", f"This key is of {caller.mode} mode. Send one of {body.mode} mode with it.")
            problems.raise_if_any()
        row = add_account(caller.merchant, body.gateway, body.mode, body.secrets)
        message = "Stored. It is used within seconds." if is_used(row) else UNUSED
        headers = {"Location": f"/api/v1/gateway-accounts/{row.reference}"}
        return success("gateway_account", _out(row), message, status=201, headers=headers)


class GatewayAccountDetail(ApiView):
    """/api/v1/gateway-accounts/{id}"""

    http_method_names = ["get", "head", "delete"]
    admits = {"GET": Merchants(Scope.ADMIN), "DELETE": Guarded()}

    @documented("get_gateway_account")
    def get(self, request: Request, reference: str) -> HttpResponse:
        row = _find(reference, caller_of(request))
        return success("gateway_account", _out(row), "Gateway account retrieved successfully.")

    @documented("remove_gateway_account")
    @audited("gateway_account.removed")
    def delete(self, request: Request, reference: str) -> HttpResponse:
        remove_unused_account(_find(reference, caller_of(request)))
        return HttpResponse(status=204)


class GatewayAccountSecrets(ApiView):
    """/api/v1/gateway-accounts/{id}/secrets"""

    http_method_names = ["post"]
    admits = {"POST": Guarded()}

    @documented("replace_gateway_secrets")
    @audited("gateway_account.secrets_replaced")
    def post(self, request: Request, reference: str) -> HttpResponse:
        found = _find(reference, caller_of(request))
        body = fields.parse(GatewaySecretsIn, request.data)
        row = give_other_secrets(found, body.secrets, same_account=body.same_account)
        message = "Replaced. Events that are signed with the former secrets are heard until you forget those."
        return success("gateway_account", _out(row), message)


class GatewayAccountForget(ApiView):
    """/api/v1/gateway-accounts/{id}/forget-former"""

    http_method_names = ["post"]
    admits = {"POST": Guarded()}

    @documented("forget_former_secrets")
    @audited("gateway_account.former_forgotten")
    def post(self, request: Request, reference: str) -> HttpResponse:
        found = _find(reference, caller_of(request))
        fields.parse(ForgetFormerIn, request.data)
        row = forget_former(found.pk)
        return success("gateway_account", _out(row), "Events are verified by the present secrets alone.")


def _modes(caller: Caller) -> tuple[Mode, ...]:
    """A key has to do with the accounts of its own mode: who finds one of test mode moves no live money."""
    return (caller.mode,) if caller.key else ("test", "live")


def _own(caller: Caller) -> QuerySet[StoredAccount]:
    own = StoredAccount.objects.filter(merchant=caller.merchant, mode__in=_modes(caller))
    return own.select_related("merchant")


def _find(reference: str, caller: Caller) -> StoredAccount:
    found = _own(caller).filter(reference=reference).first() if is_reference(reference, "GAC") else None
    if found is None:
        raise NotFound(f"There is no gateway account {reference[:40]!r} that you may see.")
    return found


def _out(row: StoredAccount) -> GatewayAccountOut:
    return account_out(row, in_use=is_used(row))
