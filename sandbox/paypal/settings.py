"""Client, webhook id and webhook address of the emulated PayPal app."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.errors import SettingsError
from sandbox.web import is_web_url

CLIENT_NAME = "SANDBOX_PAYPAL_CLIENT_ID"
CLIENT_KEY_NAME = "SANDBOX_PAYPAL_CLIENT_SECRET"
WEBHOOK_NAME = "SANDBOX_PAYPAL_WEBHOOK_ID"
URL_NAME = "SANDBOX_PAYPAL_WEBHOOK_URL"
WEBHOOK_SHAPE = re.compile(r"[A-Za-z0-9]{1,50}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    client_id: str
    client_secret: str = field(repr=False)
    webhook_id: str
    webhook_url: str

    def opens(self, client_id: str, secret: str) -> bool:
        """Whether these are this app's id and secret."""
        same_id = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        return hmac.compare_digest(secret.encode(), self.client_secret.encode()) and same_id


def read_settings(environ: Mapping[str, str]) -> Settings | None:
    """Read the settings from the environment; None when PayPal is not wanted. Raises SettingsError."""
    client_id, secret, webhook_id, url = (
        environ.get(name, "").strip() for name in (CLIENT_NAME, CLIENT_KEY_NAME, WEBHOOK_NAME, URL_NAME)
    )
    if not client_id:
        return None
    if ":" in client_id:
        raise SettingsError(f"{CLIENT_NAME} must not hold a colon; HTTP Basic cannot carry it")
    if not secret:
        raise SettingsError(f"{CLIENT_KEY_NAME} is missing; {CLIENT_NAME} needs one, and any text will do")
    if not WEBHOOK_SHAPE.fullmatch(webhook_id):
        raise SettingsError(f"{WEBHOOK_NAME} must be letters and digits, such as 8PT597110X687430L")
    if url and not is_web_url(url):
        raise SettingsError(f"{URL_NAME} must be an http or https address, or empty for no webhooks")
    return Settings(client_id=client_id, client_secret=secret, webhook_id=webhook_id, webhook_url=url)
