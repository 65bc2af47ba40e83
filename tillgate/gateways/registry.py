"""The one place that knows which adapters exist. To add a gateway, add its line here."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from tillgate.gateways.flutterwave.gateway import FlutterwaveGateway
from tillgate.gateways.http import Patience
from tillgate.gateways.paypal.gateway import PayPalGateway
from tillgate.gateways.paystack.gateway import PaystackGateway
from tillgate.gateways.protocol import Gateway, GatewayAccount, Mode, Problem
from tillgate.money import Money


class Adapter(Protocol):
    """An adapter's class: what can be known of a gateway before any account is connected."""

    name: str
    title: str
    currencies: frozenset[str]
    channels: tuple[str, ...]
    page_origins: tuple[str, ...]
    settings: tuple[str, ...]  # The environment's names that make an account; the first is the secret.
    secrets: tuple[str, ...]  # Those of them that each account has of its own.
    identity: str | None  # The one of these that stays while the others change, where there is one.

    def __call__(self, account: GatewayAccount, patience: Patience) -> Gateway: ...

    def takes(self, amount: Money) -> bool:
        """See `Gateway.takes`."""

    def account_from(self, values: Mapping[str, str]) -> GatewayAccount | None:
        """Return the account that the settings make; None without a key, or with one that is none."""

    def problems_of(self, values: Mapping[str, str]) -> Iterator[Problem]:
        """Yield what is wrong with the settings, each with its fix."""

    def values_of(
        self, mode: Mode, secrets: Mapping[str, str], installation: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the settings of an account with `secrets` of its own; all else is the installation's."""


GATEWAYS: dict[str, Adapter] = {
    PaystackGateway.name: PaystackGateway,
    FlutterwaveGateway.name: FlutterwaveGateway,
    PayPalGateway.name: PayPalGateway,
}


def accounts_from(values: Mapping[str, str]) -> tuple[GatewayAccount, ...]:
    """Return the accounts that the settings make, in the order of the registry.

    No key, or one that is not the gateway's, is no account; `problems_of` says what is wrong.
    """
    found = (
        adapter.account_from({name: values[name] for name in adapter.settings})
        for adapter in GATEWAYS.values()
    )
    return tuple(account for account in found if account is not None)


def connect(account: GatewayAccount, patience: Patience) -> Gateway:
    """Return the adapter of an account; nothing is sent yet."""
    return GATEWAYS[account.gateway](account, patience)
