"""What happens to merchants themselves."""

import hashlib
import time
from collections.abc import Mapping
from zoneinfo import available_timezones

from django.db import transaction

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.merchants.models import Logo, Merchant

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
    return merchant or create_merchant(name=name, is_default=True)


def create_merchant(*, name: str, is_default: bool = False, zone: str = "") -> Merchant:
    """Store a business. Others than the default one are reached by their keys and their staff."""
    where = {"zone": zone} if zone else {}
    return Merchant.objects.create(
        reference=new_reference("MER"), name=name, is_default=is_default, created_at=clock.now(), **where
    )


@transaction.atomic
def change_merchant(merchant_id: int, changes: Mapping[str, object]) -> Merchant:
    """Set the named fields, whose values the caller has checked; web processes see it within seconds."""
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    for name, value in changes.items():
        setattr(merchant, name, value)
    merchant.save(update_fields=list(changes))
    forget_default_merchant()
    return merchant


@transaction.atomic
def set_logo(merchant_id: int, content: bytes, content_type: str) -> Merchant:
    """Give a merchant a picture, instead of the one it may have."""
    changed = {"logo_sha256": hashlib.sha256(content).hexdigest()}
    merchant = change_merchant(merchant_id, changed)
    picture = {"content": content, "content_type": content_type}
    Logo.objects.update_or_create(merchant=merchant, defaults=picture)
    return merchant


@transaction.atomic
def remove_logo(merchant_id: int) -> Merchant:
    """Take a merchant's picture away; a repeat changes nothing."""
    merchant = change_merchant(merchant_id, {"logo_sha256": ""})
    Logo.objects.filter(merchant=merchant).delete()
    return merchant


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
