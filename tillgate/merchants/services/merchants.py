"""What happens to merchants themselves."""

import time
from zoneinfo import available_timezones

from django.db import transaction

from tillgate.common import clock
from tillgate.merchants.models import Merchant

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


def set_country(merchant: Merchant, country: str) -> None:
    """Say where a merchant's gateway accounts are: what they cost depends on it. Empty: by the currency."""
    merchant.country = country
    merchant.save(update_fields=["country"])


def set_zone(merchant: Merchant, zone: str) -> None:
    """Say by which clock a merchant lives, as `zone_names` has it; subscriptions keep the one they have."""
    merchant.zone = zone
    merchant.save(update_fields=["zone"])


def zone_names() -> frozenset[str]:
    """Return the names of all zones: Africa/Lagos. Those that mean no place are not among them."""
    return frozenset(available_timezones() - {"Factory", "localtime"})
