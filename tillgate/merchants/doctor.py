"""Whether somebody can be paid here: gateway accounts, the keys of what is encrypted, owners and API keys."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Q

from tillgate.common import clock
from tillgate.common.doctor import Finding, broken, examination, look, ok, secrets_open
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.models import ApiKey, Membership, Merchant, StoredAccount, User
from tillgate.merchants.roles import Role
from tillgate.merchants.services.accounts import accounts_for, listeners
from tillgate.merchants.services.health import merchants_resting

FEW = 100
SET_KEY = "Set the key of a gateway (docs/going-live.md), or store one with ./run set-gateway-account."


@examination("gateways")
def accounts() -> Iterator[Finding]:
    """By which gateways the installation's own business is paid, in each mode."""
    merchant = Merchant.objects.filter(is_default=True).first()
    if merchant is None:
        yield broken("There is no business yet.", "./run prepare makes the first one.")
        return
    usable = {
        mode: [account.gateway for account in accounts_for(merchant, mode)] for mode in ("live", "test")
    }
    told = "; ".join(f"{mode}: {', '.join(names) or 'none'}" for mode, names in usable.items())
    if not any(usable.values()):
        yield broken("There is no gateway account, so no payment can be made.", SET_KEY)
    elif not (usable["live"] or settings.IS_LOCAL):
        yield look(f"{told}: no payment here is real.", SET_KEY)
    else:
        yield ok(f"{told}.")
    yield from _others(merchant)


@examination("gateways")
def resting() -> Iterator[Finding]:
    """Whether one of them is left alone just now."""
    for mode in ("live", "test"):
        for gateway, merchants in merchants_resting(mode).items():
            count = len(merchants)
            seen = (
                f"{gateway} ({mode}) rests for {count} business{'es' * (count > 1)}: it failed several times."
            )
            yield look(seen, "It is tried again by itself. Its status page, or its key, may say why.")


@examination("keys")
def encryption() -> Iterator[Finding]:
    """Whether the encryption keys open what is stored."""
    stored = StoredAccount.objects.order_by("pk").values_list("secrets", flat=True)
    yield from secrets_open("stored gateway accounts", stored)
    factors = User.objects.exclude(totp_secret="").order_by("-pk").values_list("totp_secret", flat=True)
    yield from secrets_open("second factors", factors[:FEW])


@examination("people")
def people() -> Iterator[Finding]:
    """Whether somebody owns the business, and whether its server has a key."""
    own = Membership.objects.filter(
        merchant__is_default=True, accepted_at__isnull=False, user__is_active=True
    )
    owners = own.filter(role=Role.OWNER).count()
    more = own.count() - owners
    staff = f"{owners} own{'s' * (owners == 1)} the installation's own business, {more} more work for it."
    fix = "Sign up, then ./run add-staff USERNAME --role owner: mails about trouble go to owners."
    yield ok(staff) if owners else look("Nobody owns the installation's own business.", fix)
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    keys = ApiKey.objects.filter(
        alive, merchant__is_default=True, revoked_at__isnull=True, is_publishable=False
    )
    count = keys.count()
    made = f"{count} secret key{'s are' if count > 1 else ' is'} in use."
    yield ok(made) if count else look("There is no secret key in use.", "./run create-key makes one.")


def accounts_in_use() -> set[tuple[str, str]]:
    """Return every gateway and mode by which some business here is paid."""
    if not Merchant.objects.filter(is_default=True).exists():
        return set()
    return {(gateway, one.account.mode) for gateway in GATEWAYS for one in listeners(gateway)}


def _others(merchant: Merchant) -> Iterator[Finding]:
    others = Merchant.objects.exclude(pk=merchant.pk)
    count = others.count()
    paid = others.filter(gateway_accounts__isnull=False).distinct().count()
    if count:
        yield ok(f"{count} other businesses are here, {paid} with gateway accounts of their own.")
