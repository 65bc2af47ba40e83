"""Which gateway accounts a merchant may use, and the way to them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.conf import settings
from django.db import connection

from tillgate.gateways import registry
from tillgate.gateways.http import Patience
from tillgate.gateways.protocol import Gateway, GatewayAccount, Mode
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.models import Merchant
from tillgate.money import Money

# The settings by which a gateway's events are known.
CHANGEABLE = ("PAYSTACK_SECRET_KEY", "FLUTTERWAVE_WEBHOOK_HASH", "PAYPAL_WEBHOOK_ID")


def guest_mode() -> Mode:
    """Return the mode of callers without a key: the setting's, else live as soon as a live key is there."""
    if settings.TILLGATE_GUEST_MODE:
        return "live" if settings.TILLGATE_GUEST_MODE == "live" else "test"
    return "live" if any(account.mode == "live" for account in _environment_accounts()) else "test"


def accounts_for(merchant: Merchant, mode: str) -> tuple[GatewayAccount, ...]:
    """Return the gateway accounts that a merchant can use in a mode, best first.

    The environment's keys fill the default merchant's accounts.
    """
    if not merchant.is_default:
        return ()
    return tuple(account for account in _environment_accounts() if account.mode == mode)


def account_for(merchant: Merchant, gateway: str, mode: str) -> GatewayAccount:
    """Return one account. Raises NoGateway when the merchant has none of that gateway and mode."""
    for account in accounts_for(merchant, mode):
        if account.gateway == gateway:
            return account
    raise NoGateway(
        f"{merchant.name} has no {mode} account at {gateway}. Set its key, or choose another gateway."
    )


def accounts_at(gateway: str) -> tuple[GatewayAccount, ...]:
    """Return every account of a gateway: an inbound event is tried against each.

    While a secret is being changed, also as it was with the former one; nothing is called with that.
    """
    accounts = (*_environment_accounts(), *_former_accounts())
    return tuple(account for account in accounts if account.gateway == gateway)


def usable_for(amount: Money, accounts: Iterable[GatewayAccount]) -> tuple[GatewayAccount, ...]:
    """Return those accounts whose gateway can be asked for `amount`."""
    return tuple(a for a in accounts if registry.GATEWAYS[a.gateway].takes(amount))


def connect(account: GatewayAccount, patience: Patience) -> Gateway:
    """Return the adapter of an account. No gateway is called inside a transaction: this refuses there."""
    blocks = connection.atomic_blocks
    outermost = blocks and not blocks[-1]._from_testcase  # type: ignore[attr-defined]  # As `durable` does it.
    assert not outermost, "a gateway is never called inside a transaction"
    return registry.connect(account, patience)


def gateway_settings() -> dict[str, str]:
    """Return what the settings say of the gateways, by the settings' names."""
    names = (name for adapter in registry.GATEWAYS.values() for name in adapter.settings)
    return {name: getattr(settings, name) for name in names}


def former_secrets() -> dict[str, str]:
    """Return the secrets that events may still be signed with, by the names of their successors."""
    former = {name: getattr(settings, f"{name}_PREVIOUS").strip() for name in CHANGEABLE}
    return {name: value for name, value in former.items() if value}


def _environment_accounts() -> tuple[GatewayAccount, ...]:
    return _accounts_from(gateway_settings())


def _former_accounts() -> tuple[GatewayAccount, ...]:
    former = former_secrets()
    return _accounts_from({**gateway_settings(), **former}) if former else ()


def _accounts_from(values: Mapping[str, str]) -> tuple[GatewayAccount, ...]:
    # Whatever the settings say: only a local installation trusts the sandbox's certificates.
    return tuple(
        account if settings.IS_LOCAL else replace(account, trust=None)
        for account in registry.accounts_from(values)
    )
