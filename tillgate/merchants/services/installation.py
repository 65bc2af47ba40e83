"""What the environment says of the gateways: the default merchant's accounts, and the addresses of all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from django.conf import settings

from tillgate.gateways import registry
from tillgate.gateways.protocol import GatewayAccount, Mode

# The settings by which a gateway's events are known.
CHANGEABLE = ("PAYSTACK_SECRET_KEY", "FLUTTERWAVE_WEBHOOK_HASH", "PAYPAL_WEBHOOK_ID")


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The settings of all gateways at one time."""

    adapters: tuple[registry.Adapter, ...]
    names: tuple[str, ...]
    values: tuple[str, ...] = field(repr=False)
    is_local: bool

    @cached_property
    def accounts(self) -> tuple[GatewayAccount, ...]:
        """The accounts of the environment's keys."""
        return tuple(map(self.trusting, registry.accounts_from(self.settings)))

    @property
    def settings(self) -> dict[str, str]:
        """The values by their names."""
        return dict(zip(self.names, self.values, strict=True))

    def account_of(self, gateway: str, mode: Mode, secrets: Mapping[str, str]) -> GatewayAccount | None:
        """Return the account that a merchant's own secrets make; None where they make none in that mode."""
        adapter = next((adapter for adapter in self.adapters if adapter.name == gateway), None)
        if adapter is None:
            return None
        account = adapter.account_from(adapter.values_of(mode, secrets, self.settings))
        return self.trusting(account) if account and account.mode == mode else None

    def trusting(self, account: GatewayAccount) -> GatewayAccount:
        """Return the account as it is here: only a local installation trusts the sandbox's certificates."""
        return account if self.is_local else replace(account, trust=None)


_latest: Installation | None = None


def installation() -> Installation:
    """Return the settings as they are now: the same one, until a setting is another."""
    global _latest
    adapters, is_local = tuple(registry.GATEWAYS.values()), settings.IS_LOCAL
    names = _names(adapters)
    values = tuple([getattr(settings, name) for name in names])
    known = _latest
    # Every request asks for it, and most of what it costs is to compare.
    if known is None or (known.adapters, known.values, known.is_local) != (adapters, values, is_local):
        known = _latest = Installation(adapters=adapters, names=names, values=values, is_local=is_local)
    return known


def environment_accounts() -> tuple[GatewayAccount, ...]:
    """Return the accounts of the environment's keys."""
    return installation().accounts


def former_accounts() -> tuple[GatewayAccount, ...]:
    """Return them as they were, for events that are signed with a former secret; they call nothing."""
    former, here = former_secrets(), installation()
    if not former:
        return ()
    return tuple(map(here.trusting, registry.accounts_from({**here.settings, **former})))


def gateway_settings() -> dict[str, str]:
    """Return what the settings say of the gateways, by the settings' names."""
    return installation().settings


def former_secrets() -> dict[str, str]:
    """Return the secrets that events may still be signed with, by the names of their successors."""
    former = {name: getattr(settings, f"{name}_PREVIOUS").strip() for name in CHANGEABLE}
    return {name: value for name, value in former.items() if value}


@lru_cache(maxsize=8)
def _names(adapters: tuple[registry.Adapter, ...]) -> tuple[str, ...]:
    return tuple(name for adapter in adapters for name in adapter.settings)
