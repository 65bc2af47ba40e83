"""Which gateway accounts a merchant may use, and the way to them.

The environment's keys fill the default merchant's accounts; what a merchant has stored counts where the
environment has none.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from tillgate.gateways import registry
from tillgate.gateways.http import Patience
from tillgate.gateways.protocol import Gateway, GatewayAccount, Mode
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.models import Merchant, StoredAccount
from tillgate.merchants.services.installation import environment_accounts, former_accounts
from tillgate.merchants.services.merchants import default_merchant
from tillgate.merchants.services.own_accounts import own_accounts
from tillgate.money import Money


@dataclass(frozen=True, kw_only=True)
class Listener:
    """An account that inbound events are tried against, and whose it is."""

    merchant_id: int
    account: GatewayAccount


def guest_mode() -> Mode:
    """Return the mode of callers without a key: the setting's, else live as soon as a live key is there."""
    if settings.TILLGATE_GUEST_MODE:
        return "live" if settings.TILLGATE_GUEST_MODE == "live" else "test"
    return "live" if accounts_for(default_merchant(), "live") else "test"


def accounts_for(merchant: Merchant, mode: str) -> tuple[GatewayAccount, ...]:
    """Return the gateway accounts that a merchant can use in a mode, best first."""
    found = [a for a in environment_accounts() if a.mode == mode] if merchant.is_default else []
    if stored := own_accounts().get((merchant.pk, mode)):
        taken = {account.gateway for account in found}
        found += [own.account for own in stored if own.account.gateway not in taken]
        order = list(registry.GATEWAYS)
        found.sort(key=lambda account: order.index(account.gateway))
    return tuple(found)


def account_for(merchant: Merchant, gateway: str, mode: str) -> GatewayAccount:
    """Return one account. Raises NoGateway when the merchant has none of that gateway and mode."""
    for account in accounts_for(merchant, mode):
        if account.gateway == gateway:
            return account
    raise NoGateway(
        f"{merchant.name} has no {mode} account at {gateway}. Set its key, or choose another gateway."
    )


def listeners(gateway: str) -> tuple[Listener, ...]:
    """Return every account of a gateway: an inbound event is tried against each.

    While a secret is being changed, also as it was with the former one; nothing is called with that.
    """
    default, environment = default_merchant().pk, environment_accounts()
    found = [Listener(merchant_id=default, account=a) for a in (*environment, *former_accounts())]
    taken = {(default, account.gateway, account.mode) for account in environment}
    for own in (own for stored in own_accounts().values() for own in stored):
        if (own.merchant_id, own.account.gateway, own.account.mode) not in taken:
            accounts = (own.account, *own.former)
            found += [Listener(merchant_id=own.merchant_id, account=account) for account in accounts]
    return tuple(listener for listener in found if listener.account.gateway == gateway)


def is_used(row: StoredAccount) -> bool:
    """Say whether a stored account is the one by which its merchant is paid."""
    if row.merchant.is_default and any(_is_like(row, account) for account in environment_accounts()):
        return False
    stored = own_accounts().get((row.merchant_id, row.mode), ())
    return any(_is_like(row, own.account) for own in stored)


def usable_for(amount: Money, accounts: Iterable[GatewayAccount]) -> tuple[GatewayAccount, ...]:
    """Return those accounts whose gateway can be asked for `amount`."""
    return tuple(a for a in accounts if registry.GATEWAYS[a.gateway].takes(amount))


def connect(account: GatewayAccount, patience: Patience) -> Gateway:
    """Return the adapter of an account. No gateway is called inside a transaction: this refuses there."""
    blocks = connection.atomic_blocks
    outermost = blocks and not blocks[-1]._from_testcase  # type: ignore[attr-defined]  # As `durable` does it.
    assert not outermost, "a gateway is never called inside a transaction"
    return registry.connect(account, patience)


def _is_like(row: StoredAccount, account: GatewayAccount) -> bool:
    return (row.gateway, row.mode) == (account.gateway, account.mode)
