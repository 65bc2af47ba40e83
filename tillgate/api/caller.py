"""Who is calling, and what they may do: the one answer to both, worked out once a request."""

from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import cast
from zoneinfo import ZoneInfo

from rest_framework.request import Request

from tillgate.api.errors import Forbidden
from tillgate.common import clock
from tillgate.common.throttles import client_address
from tillgate.common.web import request_id_of
from tillgate.gateways.protocol import Mode
from tillgate.merchants.models import ApiKey, Login, Membership, Merchant, User
from tillgate.merchants.roles import ROLE_SCOPES, Role, Scope
from tillgate.merchants.services.accounts import accounts_for, guest_mode
from tillgate.merchants.services.audit import Actor
from tillgate.merchants.services.merchants import default_merchant
from tillgate.merchants.services.staff import memberships_of

MERCHANT_HEADER = "Tillgate-Merchant"
GUEST = "guest"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whose payments a request deals with, and with what powers.

    `credential` tells callers apart for idempotency; guests share one. `user` is the person who is signed
    in, `role` what they are to the merchant, None for customers. `unchosen` are the merchants they work
    for where those are several and the request names none: they are a customer then.
    """

    merchant: Merchant
    mode: Mode
    credential: str
    scopes: frozenset[Scope] = frozenset()
    user: User | None = None
    login: Login | None = None
    role: Role | None = None
    unchosen: tuple[str, ...] = ()
    key: ApiKey | None = field(default=None, repr=False)

    @property
    def is_merchant(self) -> bool:
        """Say whether they act for the merchant: by a secret key, or as its staff."""
        return bool(self.scopes)

    @property
    def sees_all(self) -> bool:
        """Say whether they see of a payment what only the merchant does."""
        return bool(self.scopes & {Scope.READ, Scope.TODAY})

    @property
    def created_by(self) -> str:
        """What a payment says of who made it."""
        if not self.is_merchant:
            return "guest"
        return "key" if self.key else "staff"

    @property
    def account_id(self) -> int | None:
        """In whose history belongs what they pay: their own, unless they act for the merchant."""
        return None if self.is_merchant or self.user is None else self.user.pk

    @property
    def as_customer(self) -> "Caller":
        """The person alone, a customer like any other, without what they may do for a merchant."""
        if not self.is_merchant:
            return self
        return replace(
            self, merchant=default_merchant(), mode=guest_mode(), scopes=frozenset(), role=None, unchosen=()
        )

    @property
    def sees_since(self) -> datetime | None:
        """From when on they may see the merchant's payments; None is without a limit."""
        if Scope.READ in self.scopes or Scope.TODAY not in self.scopes:
            return None
        zone = ZoneInfo(self.merchant.zone)
        return datetime.combine(clock.now().astimezone(zone).date(), time.min, tzinfo=zone)


def caller_of(request: Request) -> Caller:
    """Return the caller. Raises Forbidden for a person who names a merchant that is not theirs."""
    known = request.META.get("tillgate.caller")
    if known is None:
        known = request.META["tillgate.caller"] = _caller_of(request)
    return cast(Caller, known)


def actor_of(request: Request) -> Actor:
    """Return the caller as the audit trail names them."""
    caller = caller_of(request)
    address = client_address(request._request)
    kind = "key" if caller.key else "staff" if caller.role else "customer"
    return Actor(
        kind=kind,
        name=str(caller.key or caller.user or GUEST),
        address=None if address is None else str(address),
        request_id=request_id_of(request._request),
    )


def _caller_of(request: Request) -> Caller:
    credential = request.auth
    if isinstance(credential, ApiKey):
        return _by_key(request, credential)
    if isinstance(credential, Login):
        return _by_login(request, credential)
    return Caller(
        merchant=default_merchant(),
        mode=guest_mode(),
        credential=GUEST,
    )


def _by_key(request: Request, key: ApiKey) -> Caller:
    return Caller(
        merchant=key.merchant,
        mode="live" if key.mode == "live" else "test",
        # Whoever reads a page has its publishable key: they are guests, and share a credential as guests do.
        credential=GUEST if key.is_publishable else f"key:{key.pk}",
        scopes=frozenset(map(Scope, key.scopes)),
        key=key,
    )


def _by_login(request: Request, login: Login) -> Caller:
    user = login.user
    chosen = _memberships(request, user)
    membership = chosen[0] if len(chosen) == 1 else None
    role = None if membership is None else Role(membership.role)
    return Caller(
        merchant=default_merchant() if membership is None else membership.merchant,
        mode=guest_mode() if membership is None else _mode_at(membership.merchant),
        credential=f"user:{user.pk}",
        scopes=frozenset() if role is None else ROLE_SCOPES[role],
        user=user,
        login=login,
        role=role,
        unchosen=() if role else tuple(one.merchant.reference for one in chosen),
    )


def _mode_at(merchant: Merchant) -> Mode:
    """The mode of a merchant's people: of the default one that of its guests, else live once it has a live
    account of its own."""
    if merchant.is_default:
        return guest_mode()
    return "live" if accounts_for(merchant, "live") else "test"


def _memberships(request: Request, user: User) -> list[Membership]:
    """What a person is to the merchant that the header names; without it, to all that they work for."""
    mine = memberships_of(user)
    wanted = request.headers.get(MERCHANT_HEADER)
    if wanted is None:
        return mine
    chosen = [one for one in mine if one.merchant.reference == wanted]
    if not chosen:
        raise Forbidden(f"You work for no merchant {wanted[:40]!r}. Leave {MERCHANT_HEADER} out.")
    return chosen
