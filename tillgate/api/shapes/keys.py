"""A merchant's keys."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tillgate.api.shapes.common import Time, instant, instant_or_none
from tillgate.merchants.models import ApiKey
from tillgate.merchants.services.keys import LONGEST_LIFE_DAYS, LONGEST_OVERLAP, ended_at

MOST_HOURS = int(LONGEST_OVERLAP.total_seconds()) // 3_600
ScopeWord = Literal["create", "refund", "read", "admin"]


class KeyIn(msgspec.Struct, forbid_unknown_fields=True):
    """What a key is to be. A secret one names its scopes, a publishable one has none; null: it has no end."""

    mode: Literal["test", "live"]
    name: str = ""
    scopes: list[ScopeWord] = []
    publishable: bool = False
    expires_in_days: Annotated[int, Meta(ge=1, le=LONGEST_LIFE_DAYS)] | None = None


class KeyRotationIn(msgspec.Struct, forbid_unknown_fields=True):
    """How long the old key stays good beside the new one."""

    overlap_hours: Annotated[int, Meta(ge=0, le=MOST_HOURS)] = 24


class KeyOut(msgspec.Struct, kw_only=True):
    """A key. `secret` is there once, in the answer that makes it; `prefix` is how it begins.

    `last_used_at` is right to five minutes. `ended_at` is null while the key is good.
    """

    id: str
    prefix: str
    name: str
    mode: str
    scopes: list[str]
    publishable: bool
    created_at: Time
    last_used_at: Time | None
    expires_at: Time | None
    ended_at: Time | None
    secret: str | UnsetType = UNSET


def key_out(key: ApiKey, secret: str | UnsetType = UNSET) -> KeyOut:
    """A key; with its secret when it was just made."""
    return KeyOut(
        id=key.reference,
        prefix=key.prefix,
        name=key.name,
        mode=key.mode,
        scopes=key.scopes,
        publishable=key.is_publishable,
        created_at=instant(key.created_at),
        last_used_at=instant_or_none(key.last_used_at),
        expires_at=instant_or_none(key.expires_at),
        ended_at=instant_or_none(ended_at(key)),
        secret=secret,
    )
