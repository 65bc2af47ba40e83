"""Secrets at rest, encrypted with keys of their own: who has the database alone has none of them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """How many secrets were encrypted anew, and how many no key opens."""

    done: int
    unreadable: int


class CannotDecrypt(Exception):
    """No key in TILLGATE_ENCRYPTION_KEYS opens this text: the key that wrote it was taken away."""


def encrypt(secret: str) -> str:
    """Return `secret` encrypted with the first of TILLGATE_ENCRYPTION_KEYS."""
    return _box(settings.TILLGATE_ENCRYPTION_KEYS).encrypt(secret.encode()).decode()


def decrypt(text: str) -> str:
    """Return what was encrypted with any of the keys. Raises CannotDecrypt."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(settings.TILLGATE_ENCRYPTION_KEYS).decrypt(text.encode()).decode()
    except InvalidToken:
        raise CannotDecrypt("no key of TILLGATE_ENCRYPTION_KEYS opens a stored secret") from None


def rotate(text: str) -> str:
    """Return the same secret, encrypted with the first key. Raises CannotDecrypt."""
    return encrypt(decrypt(text))


def is_key(text: str) -> bool:
    """Say whether `text` can be one of the keys: 32 random bytes in url-safe base64."""
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(raw) == KEY_BYTES


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    # 9 MB in each process, of which most never open a secret.
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in keys])
