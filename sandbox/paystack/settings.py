"""Keys of the emulated Paystack accounts, and the address that their webhooks go to."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.errors import SettingsError
from sandbox.web import is_web_url

KEY_NAME = "SANDBOX_PAYSTACK_SECRET_KEY"
URL_NAME = "SANDBOX_PAYSTACK_WEBHOOK_URL"
KEY_SHAPE = re.compile(r"sk_(test|live)_[A-Za-z0-9_-]+")


class Row(Protocol):
    """Something that an account has in its books."""

    domain: str
    business: int


@dataclass(frozen=True, kw_only=True)
class Account:
    """One mode of a business's account, entered by one of its keys. Businesses see nothing of each other."""

    domain: str
    key: str
    business: int = 0

    @property
    def key_name(self) -> str:
        """A name for the key that may be written to disk."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:16]

    def owns(self, row: Row) -> bool:
        """Say whether this is of the account's own books."""
        return (row.domain, row.business) == (self.domain, self.business)


@dataclass(frozen=True, kw_only=True)
class Settings:
    accounts: tuple[Account, ...]
    webhook_url: str

    def account(self, authorization: str) -> Account | None:
        """The account that an Authorization header opens."""
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        sent = key.strip().encode()
        return next((one for one in self.accounts if hmac.compare_digest(one.key.encode(), sent)), None)

    def signing_key(self, row: Row, *, key_name: str) -> str:
        """The key a transaction was made with; after a change of keys, the first one of its account."""
        same_mode = [one for one in self.accounts if one.owns(row)] or list(self.accounts)
        return next((one.key for one in same_mode if one.key_name == key_name), same_mode[0].key)


def read_settings(environ: Mapping[str, str]) -> Settings | None:
    """Read the settings from the environment; None where no key is set. Raises SettingsError."""
    businesses = enumerate(environ.get(KEY_NAME, "").split(";"))
    keys = [
        (key.strip(), business) for business, keys in businesses for key in keys.split(",") if key.strip()
    ]
    if not keys:
        return None
    accounts = tuple(_read_key(key, business) for key, business in keys)
    return Settings(accounts=accounts, webhook_url=_read_url(environ.get(URL_NAME, "").strip()))


def _read_key(key: str, business: int) -> Account:
    shape = KEY_SHAPE.fullmatch(key)
    if not shape:
        raise SettingsError(
            f"{KEY_NAME} must hold keys that begin with sk_test_ or sk_live_, parted by commas, and by a "
            "semicolon those of another business"
        )
    return Account(domain=shape[1], key=key, business=business)


def _read_url(url: str) -> str:
    if url and not is_web_url(url):
        raise SettingsError(f"{URL_NAME} must be an http or https address, or empty for no webhooks")
    return url
