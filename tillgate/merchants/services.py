"""What happens to merchants and their keys, and which gateway accounts they may use."""

import hashlib
import secrets
import time
from collections.abc import Iterable

from django.conf import settings
from django.db import connection, transaction

from tillgate.common import clock
from tillgate.gateways import registry
from tillgate.gateways.http import Patience
from tillgate.gateways.protocol import Gateway, GatewayAccount, Mode
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.models import ApiKey, Merchant
from tillgate.money import Money

DEFAULT_MERCHANT_REREAD_S = 5.0
_default_merchant: tuple[float, Merchant] | None = None


def default_merchant() -> Merchant:
    """Return the merchant that callers without a key deal with; kept a few seconds a process."""
    global _default_merchant
    if _default_merchant is None or time.monotonic() - _default_merchant[0] > DEFAULT_MERCHANT_REREAD_S:
        _default_merchant = (time.monotonic(), Merchant.objects.get(is_default=True))
    return _default_merchant[1]


def forget_default_merchant() -> None:
    """Read the default merchant anew at the next call."""
    global _default_merchant
    _default_merchant = None


@transaction.atomic
def ensure_default_merchant(*, name: str) -> Merchant:
    """Make the default merchant at first start; a repeat returns it unchanged."""
    merchant = Merchant.objects.filter(is_default=True).first()
    return merchant or Merchant.objects.create(name=name, is_default=True, created_at=clock.now())


def rename_merchant(merchant: Merchant, name: str) -> None:
    """Give a merchant another name; the web processes show it within seconds."""
    merchant.name = name
    merchant.save(update_fields=["name"])


def create_api_key(merchant: Merchant, mode: Mode) -> str:
    """Make a secret key and return it: the only time it can be seen, for only its hash is stored."""
    secret = f"sk_{mode}_{secrets.token_urlsafe(32)}"
    ApiKey.objects.create(
        merchant=merchant, mode=mode, prefix=secret[:12], secret_sha256=_hash(secret), created_at=clock.now()
    )
    return secret


def find_api_key(secret: str) -> ApiKey | None:
    """Return the live row of a secret key with its merchant, or None. One query."""
    # The secret has 256 random bits: a look-up by its hash gives nothing away by its timing.
    return (
        ApiKey.objects.select_related("merchant")
        .filter(secret_sha256=_hash(secret), revoked_at__isnull=True)
        .first()
    )


def revoke_api_keys(prefix: str) -> int:
    """End the keys whose first twelve characters these are; return how many were in use."""
    return ApiKey.objects.filter(prefix=prefix, revoked_at__isnull=True).update(revoked_at=clock.now())


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
    """Return every account of a gateway: an inbound event is tried against each."""
    return tuple(account for account in _environment_accounts() if account.gateway == gateway)


def usable_for(amount: Money, accounts: Iterable[GatewayAccount]) -> tuple[GatewayAccount, ...]:
    """Return those accounts whose gateway takes the currency of `amount`."""
    return tuple(a for a in accounts if amount.currency in registry.GATEWAYS[a.gateway].currencies)


def connect(account: GatewayAccount, patience: Patience) -> Gateway:
    """Return the adapter of an account. No gateway is called inside a transaction: this refuses there."""
    blocks = connection.atomic_blocks
    outermost = blocks and not blocks[-1]._from_testcase  # type: ignore[attr-defined]  # As `durable` does it.
    assert not outermost, "a gateway is never called inside a transaction"
    return registry.connect(account, patience)


def _environment_accounts() -> tuple[GatewayAccount, ...]:
    key = settings.PAYSTACK_SECRET_KEY.strip()
    mode = registry.mode_of_key("paystack", key)
    if mode is None:
        return ()  # No key, or one that is not Paystack's: a system check says which.
    return (
        GatewayAccount(
            gateway="paystack",
            mode=mode,
            base_url=settings.PAYSTACK_BASE_URL,
            credentials={"secret_key": key},
        ),
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
