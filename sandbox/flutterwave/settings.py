"""Keys, webhook address and dashboard switches of the emulated Flutterwave account."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.errors import SettingsError
from sandbox.web import is_web_url

KEY_NAME = "SANDBOX_FLUTTERWAVE_SECRET_KEY"
URL_NAME = "SANDBOX_FLUTTERWAVE_WEBHOOK_URL"
HASH_NAME = "SANDBOX_FLUTTERWAVE_WEBHOOK_HASH"
SHAPE_NAME = "SANDBOX_FLUTTERWAVE_WEBHOOK_SHAPE"
SIGNATURE_NAME = "SANDBOX_FLUTTERWAVE_SIGNATURE"
REFUND_WEBHOOKS_NAME = "SANDBOX_FLUTTERWAVE_REFUND_WEBHOOKS"
KEY_SHAPE = re.compile(r"FLWSECK(_TEST)?-[A-Za-z0-9_-]+-X")
HASH_SHAPE = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Account:
    """One mode of the account, entered by one of its keys."""

    mode: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`webhook_shape` is new or legacy, `signature` hash, hmac or both; without a hash nothing is signed."""

    accounts: tuple[Account, ...]
    webhook_url: str
    webhook_hash: str
    webhook_shape: str
    signature: str
    refund_webhooks: bool

    def account(self, authorization: str) -> Account | None:
        """The account that an Authorization header opens."""
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        sent = key.strip().encode()
        return next((one for one in self.accounts if hmac.compare_digest(one.key.encode(), sent)), None)


def read_settings(environ: Mapping[str, str]) -> Settings | None:
    """Read the settings from the environment; None where no key is set. Raises SettingsError."""
    keys = [key.strip() for key in environ.get(KEY_NAME, "").split(",") if key.strip()]
    if not keys:
        return None
    return Settings(
        accounts=tuple(map(_read_key, keys)),
        webhook_url=_read_url(environ.get(URL_NAME, "").strip()),
        webhook_hash=_read_hash(environ.get(HASH_NAME, "").strip()),
        webhook_shape=_choice(environ, SHAPE_NAME, ("new", "legacy")),
        signature=_choice(environ, SIGNATURE_NAME, ("both", "hash", "hmac")),
        refund_webhooks=_choice(environ, REFUND_WEBHOOKS_NAME, ("off", "on")) == "on",
    )


def _read_key(key: str) -> Account:
    shape = KEY_SHAPE.fullmatch(key)
    if not shape:
        raise SettingsError(
            f"{KEY_NAME} must hold keys such as FLWSECK_TEST-sandbox-X or FLWSECK-sandbox-X, parted by commas"
        )
    return Account(mode="test" if shape[1] else "live", key=key)


def _read_url(url: str) -> str:
    if url and not is_web_url(url):
        raise SettingsError(f"{URL_NAME} must be an http or https address, or empty for no webhooks")
    return url


def _read_hash(secret_hash: str) -> str:
    if secret_hash and not HASH_SHAPE.fullmatch(secret_hash):
        raise SettingsError(
            f"{HASH_NAME} stands in a header: at most 200 printable ASCII characters, no blanks"
        )
    return secret_hash


def _choice(environ: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """One of the known words; the first one where nothing is set."""
    word = environ.get(name, "").strip() or known[0]
    if word not in known:
        raise SettingsError(f"{name} must be one of {', '.join(known)}")
    return word
