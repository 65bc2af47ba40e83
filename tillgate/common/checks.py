"""System checks: what is missing or dangerous, each with the fix in its text.

`production` refuses to start on an error; what would be an error there is a warning in `local`.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from iso4217 import Currency

from tillgate.common.crypto import is_key

CHOICES = {
    "TILLGATE_ENV": ("local", "production"),
    "TILLGATE_GUEST_CREATE": ("on", "off"),
    "TILLGATE_GUEST_MODE": ("", "test", "live"),
    "TILLGATE_LATE_PAYMENT": ("accept", "review"),
    "TILLGATE_THROTTLES": ("on", "off"),
    "TILLGATE_MISSED_CYCLES": ("latest", "all", "none"),
    "TILLGATE_PAST_DUE": ("cancel", "keep"),
    "TILLGATE_RETRY_AROUND_PAYDAYS": ("on", "off"),
}


@register(Tags.security)
def check_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hold the settings against what an installation of this kind must have."""
    return [
        *_wrong_words(),
        *_wrong_counts(),
        *_secret_key(),
        *_encryption(),
        *_mail(),
        *_money(),
        *_exposure(),
    ]


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


def _encryption() -> list[CheckMessage]:
    keys = settings.TILLGATE_ENCRYPTION_KEYS
    if keys and all(map(is_key, keys)):
        return []
    what = "holds what is no key" if keys else "is missing"
    hint = (
        "Set TILLGATE_ENCRYPTION_KEYS (or TILLGATE_ENCRYPTION_KEYS_FILE) to 32 random bytes in url-safe "
        "base64; `./run` makes one. To change it, put the new one before the old one, separated by a comma."
    )
    return [Error(f"TILLGATE_ENCRYPTION_KEYS {what}.", hint=hint, id="tillgate.E017")]


def _mail() -> list[CheckMessage]:
    if settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
        return []
    hint = "Set EMAIL_URL to your mail server, such as smtp+tls://user:password@mail.example.com:587."
    message = "Mail goes nowhere: customers would not be told of recurring payments, nor how to stop them."
    return dangerous(message, hint, "tillgate.E018", quiet=True)


def _money() -> list[CheckMessage]:
    if settings.TILLGATE_DEFAULT_CURRENCY in {currency.code for currency in Currency}:
        return []
    hint = "Set TILLGATE_DEFAULT_CURRENCY to an ISO 4217 code such as NGN."
    return [Error(f"{settings.TILLGATE_DEFAULT_CURRENCY!r} is no currency.", hint=hint, id="tillgate.E003")]


def _exposure() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.TILLGATE_THROTTLES == "off":
        found += dangerous(
            "Throttles are off.", "Unset TILLGATE_THROTTLES; off is for measuring.", "tillgate.E007"
        )
    if not settings.TILLGATE_PUBLIC_URL.startswith("https://"):
        hint = "Set TILLGATE_PUBLIC_URL to the https address at which customers reach this installation."
        found += dangerous("TILLGATE_PUBLIC_URL is not https.", hint, "tillgate.E008", quiet=True)
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        hint = "Set ALLOWED_HOSTS to the host names of this installation, separated by commas."
        found += dangerous("ALLOWED_HOSTS is empty or admits every host.", hint, "tillgate.E009")
    if settings.TILLGATE_TRUSTED_PROXIES is None:
        hint = "Set TILLGATE_TRUSTED_PROXIES to how many proxies of yours append to X-Forwarded-For, or to 0."
        found += dangerous(
            "It is not said how many proxies stand in front.", hint, "tillgate.E010", quiet=True
        )
    return found


def dangerous(message: str, hint: str, id: str, *, quiet: bool = False) -> list[CheckMessage]:
    """An error in production; in `local` a warning, or nothing where it is how `local` is meant to be."""
    if not settings.IS_LOCAL:
        return [Error(message, hint=hint, id=id)]
    return [] if quiet else [Caution(message, hint=hint, id=id.replace(".E", ".W"))]
