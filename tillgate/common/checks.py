"""System checks: what is missing or dangerous, each with the fix in its text.

`production` refuses to start on an error; what would be an error there is a warning in `local`.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from iso4217 import Currency

CHOICES = {
    "TILLGATE_ENV": ("local", "production"),
    "TILLGATE_GUEST_CREATE": ("on", "off"),
    "TILLGATE_GUEST_MODE": ("", "test", "live"),
    "TILLGATE_LATE_PAYMENT": ("accept", "review"),
    "TILLGATE_THROTTLES": ("on", "off"),
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@register(Tags.security)
def check_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hold the settings against what an installation of this kind must have."""
    words = [*_wrong_words(), *_wrong_counts(), *_secret_key(), *_money()]
    return [*words, *_paystack(), *_guest_mode(), *_exposure()]


def _wrong_words() -> list[CheckMessage]:
    return [
        Error(
            f"{name} is {getattr(settings, name)!r}.",
            hint=f"Set it to one of {', '.join(words)!r}.",
            id="tillgate.E001",
        )
        for name, words in CHOICES.items()
        if getattr(settings, name) not in words
    ]


def _wrong_counts() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, least in (("TILLGATE_WEB_PROCESSES", 1), ("TILLGATE_TRUSTED_PROXIES", 0)):
        value = getattr(settings, name)
        if value is not None and value < least:
            found.append(Error(f"{name} is {value}.", hint=f"Set it to {least} or more.", id="tillgate.E011"))
    return found


def _secret_key() -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= 32:
        return []
    hint = "Set SECRET_KEY (or SECRET_KEY_FILE) to 50 random characters; `./run` makes one where it is local."
    return [Error("SECRET_KEY is missing or shorter than 32 characters.", hint=hint, id="tillgate.E002")]


def _money() -> list[CheckMessage]:
    if settings.TILLGATE_DEFAULT_CURRENCY in {currency.code for currency in Currency}:
        return []
    hint = "Set TILLGATE_DEFAULT_CURRENCY to an ISO 4217 code such as NGN."
    return [Error(f"{settings.TILLGATE_DEFAULT_CURRENCY!r} is no currency.", hint=hint, id="tillgate.E003")]


def _paystack() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    key, url = settings.PAYSTACK_SECRET_KEY, urlsplit(settings.PAYSTACK_BASE_URL)
    if not key.strip():
        hint = "Set PAYSTACK_SECRET_KEY; without a gateway no payment can be created."
        found.append(Caution("No gateway key is set.", hint=hint, id="tillgate.W004"))
    elif not key.startswith(("sk_test_", "sk_live_")) or len(key) < 20:
        hint = "Copy the secret key (sk_test_… or sk_live_…) from Paystack's dashboard, Settings, API Keys."
        found.append(
            Error("PAYSTACK_SECRET_KEY is not a secret key of Paystack's.", hint=hint, id="tillgate.E005")
        )
    if url.scheme != "https" or url.hostname in LOOPBACK:
        hint = "Unset PAYSTACK_BASE_URL: its default is Paystack's own host."
        found += _dangerous(
            "PAYSTACK_BASE_URL is not an https address of a gateway.", hint, "tillgate.E006", quiet=True
        )
    return found


def _guest_mode() -> list[CheckMessage]:
    mode, key = settings.TILLGATE_GUEST_MODE, settings.PAYSTACK_SECRET_KEY.strip()
    asked = settings.TILLGATE_GUEST_CREATE == "on" and mode in ("test", "live")
    if not asked or not key or key.startswith(f"sk_{mode}_"):
        return []
    hint = f"Set a {mode} key of a gateway, or unset TILLGATE_GUEST_MODE."
    return _dangerous(f"Guests pay in {mode} mode, and there is no {mode} key.", hint, "tillgate.E012")


def _exposure() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.TILLGATE_THROTTLES == "off":
        found += _dangerous(
            "Throttles are off.", "Unset TILLGATE_THROTTLES; off is for measuring.", "tillgate.E007"
        )
    if not settings.TILLGATE_PUBLIC_URL.startswith("https://"):
        hint = "Set TILLGATE_PUBLIC_URL to the https address at which customers reach this installation."
        found += _dangerous("TILLGATE_PUBLIC_URL is not https.", hint, "tillgate.E008", quiet=True)
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        hint = "Set ALLOWED_HOSTS to the host names of this installation, separated by commas."
        found += _dangerous("ALLOWED_HOSTS is empty or admits every host.", hint, "tillgate.E009")
    if settings.TILLGATE_TRUSTED_PROXIES is None:
        hint = "Set TILLGATE_TRUSTED_PROXIES to how many proxies of yours append to X-Forwarded-For, or to 0."
        found += _dangerous(
            "It is not said how many proxies stand in front.", hint, "tillgate.E010", quiet=True
        )
    return found


def _dangerous(message: str, hint: str, id: str, *, quiet: bool = False) -> list[CheckMessage]:
    """An error in production; in `local` a warning, or nothing where it is how `local` is meant to be."""
    if not settings.IS_LOCAL:
        return [Error(message, hint=hint, id=id)]
    return [] if quiet else [Caution(message, hint=hint, id=id.replace(".E", ".W"))]
