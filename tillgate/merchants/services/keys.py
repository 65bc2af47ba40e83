"""The keys of a merchant: secret ones of its servers, publishable ones of its pages."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.gateways.protocol import Mode
from tillgate.merchants.errors import BeyondKey, KeyEnded
from tillgate.merchants.models import ApiKey, Merchant
from tillgate.merchants.roles import KEY_SCOPES, Scope

NOTE_USE_EVERY = timedelta(minutes=5)
LONGEST_OVERLAP = timedelta(days=30)
LONGEST_LIFE_DAYS = 3_650


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """What a key is to be. A publishable one has no scopes: it may create, as a guest may."""

    mode: Mode
    scopes: Collection[Scope] = KEY_SCOPES
    is_publishable: bool = False
    name: str = ""
    lifetime_days: int | None = None


def create_key(merchant: Merchant, new: NewKey, *, by: ApiKey | None = None) -> tuple[ApiKey, str]:
    """Make a key; return its row and the secret, which cannot be seen again: only its hash is stored.

    `by` is the key that asks for it. Raises BeyondKey where the new one would have more power, or live
    longer.
    """
    return _create(merchant, new, by)


def create_api_key(merchant: Merchant, mode: Mode) -> str:
    """Make a secret key that may do everything, and return it."""
    return create_key(merchant, NewKey(mode=mode))[1]


def find_api_key(secret: str) -> ApiKey | None:
    """Return the live row of a key with its merchant, or None. One query."""
    # The secret has 256 random bits: a look-up by its hash gives nothing away by its timing.
    alive = ApiKey.objects.filter(secret_sha256=_hash(secret), revoked_at__isnull=True)
    key = alive.select_related("merchant").first()
    return key if key is not None and not is_expired(key) else None


def is_expired(key: ApiKey) -> bool:
    """Say whether a key's time has passed."""
    return key.expires_at is not None and key.expires_at <= clock.now()


def note_use(key: ApiKey) -> None:
    """Remember that a key was used just now; written down once in five minutes."""
    now = clock.now()
    if key.last_used_at is None or now - key.last_used_at > NOTE_USE_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


@transaction.atomic
def rotate_key(key_id: int, *, overlap: timedelta, by: ApiKey | None = None) -> tuple[ApiKey, str]:
    """Make a key like this one, which ends after `overlap`; return the new row and its secret.

    A key that ends sooner anyway keeps its end. The new one lives as long as this one was made for; where
    the key itself asks for it, to its own end at most.
    Raises KeyEnded where it has ended already, BeyondKey as `create_key` does.
    """
    assert timedelta(0) <= overlap <= LONGEST_OVERLAP
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=key_id)
    if ended_at(key) is not None:
        raise KeyEnded(f"{key.reference} has ended. Make a new key.")
    new = NewKey(
        mode="live" if key.mode == "live" else "test",
        scopes=[Scope(word) for word in key.scopes],
        is_publishable=key.is_publishable,
        name=key.name,
        lifetime_days=key.lifetime_days,
    )
    replaces_itself = by is not None and by.pk == key.pk
    made = _create(key.merchant, new, by, latest=key.expires_at if replaces_itself else None)
    ends_at = clock.now() + overlap
    key.expires_at = min(key.expires_at, ends_at) if key.expires_at else ends_at
    key.save(update_fields=["expires_at"])
    return made


def ended_at(key: ApiKey) -> datetime | None:
    """Return when a key ended, or None while it is good."""
    return key.revoked_at or (key.expires_at if is_expired(key) else None)


def revoke_key(key: ApiKey) -> None:
    """End a key at once; a repeat changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=clock.now())


def keys_called(name: str) -> list[ApiKey]:
    """Return the keys in use with this public id, or with these first twelve characters."""
    wanted = Q(reference=name) if name.startswith("KEY-") else Q(prefix=name[:12])
    found = ApiKey.objects.filter(wanted, revoked_at__isnull=True).select_related("merchant").order_by("pk")
    return [key for key in found if not is_expired(key)]


def _create(
    merchant: Merchant, new: NewKey, by: ApiKey | None, latest: datetime | None = None
) -> tuple[ApiKey, str]:
    now = clock.now()
    asked = None if new.lifetime_days is None else now + timedelta(days=new.lifetime_days)
    ends_at = min((end for end in (asked, latest) if end is not None), default=None)
    if by is not None:
        _require_within(by, new, ends_at)
    secret = f"{'pk' if new.is_publishable else 'sk'}_{new.mode}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        reference=new_reference("KEY"),
        merchant=merchant,
        mode=new.mode,
        name=new.name,
        prefix=secret[:12],
        secret_sha256=_hash(secret),
        is_publishable=new.is_publishable,
        scopes=[] if new.is_publishable else sorted(scope.value for scope in new.scopes),
        created_at=now,
        lifetime_days=new.lifetime_days,
        expires_at=ends_at,
    )
    return key, secret


def _require_within(by: ApiKey, new: NewKey, ends_at: datetime | None) -> None:
    if new.mode != by.mode:
        raise BeyondKey(
            f"A {by.mode} key makes no {new.mode} key: use one of that mode, or sign in as an owner."
        )
    more = set() if new.is_publishable else {scope.value for scope in new.scopes} - set(by.scopes)
    if more:
        raise BeyondKey(f"Your key has no scope {' or '.join(sorted(more))}, so it makes no key that has it.")
    if by.expires_at is not None and (ends_at is None or ends_at > by.expires_at):
        raise BeyondKey(
            f"Your key ends at {by.expires_at:%Y-%m-%dT%H:%M:%SZ}, so it makes no key that lives longer. "
            "Name fewer expires_in_days, or sign in as an owner."
        )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
