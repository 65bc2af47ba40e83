"""Telling a gateway that a method was removed, so that it could not be charged by anybody else either."""

import structlog

from tillgate.common.crypto import CannotDecrypt, decrypt
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.erasing import erase_method
from tillgate.gateways.http import IN_WORKER
from tillgate.gateways.protocol import ForgetsSaved
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.services.accounts import account_for, connect

log = structlog.get_logger(__name__)


def forget_at_gateway(method_id: int, *, erase: bool = False) -> None:
    """Have the gateway deactivate a removed method; some cannot be told. Never in a transaction.

    With `erase`, nothing is kept of it after that. A repeat is harmless. Raises the gateway's error, so
    that the job is tried again.
    """
    method = PaymentMethod.objects.select_related("customer__merchant").get(pk=method_id)
    assert method.removed_at is not None, f"{method} was not removed"
    _tell_gateway(method)
    if erase:
        erase_method(method)


def _tell_gateway(method: PaymentMethod) -> None:
    customer = method.customer
    try:
        account = account_for(customer.merchant, method.gateway, customer.mode)
        token = decrypt(method.token)
    except (NoGateway, CannotDecrypt) as error:
        log.warning("method_not_forgotten", method=method.reference, reason=str(error))
        return
    if _is_kept_again(method, token):
        return
    gateway = connect(account, IN_WORKER)
    if isinstance(gateway, ForgetsSaved):
        gateway.forget_saved(token, method.charged_as)


def _is_kept_again(method: PaymentMethod, token: str) -> bool:
    # The customer has paid by the same card since, and a gateway may give it the same token: it goes by
    # the e-mail, also where we keep a method for one subscription alone.
    customer = method.customer
    mine = PaymentMethod.objects.for_merchant(customer.merchant, customer.mode).usable()
    others = mine.filter(gateway=method.gateway, charged_as__iexact=method.charged_as)
    return any(_opens(other) == token for other in others)


def _opens(method: PaymentMethod) -> str | None:
    try:
        return decrypt(method.token)
    except CannotDecrypt:
        return None
