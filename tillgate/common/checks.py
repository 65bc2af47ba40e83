"""System checks: what is missing or dangerous, each with the fix in its text.

`production` refuses to start on an error; what would be an error there is a warning in `local`.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import connection
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
    "TILLGATE_ACCESS_LOG": ("on", "off"),
}
# The least that each may be. Threads that wait for one another's connections need some to go on.
COUNTS = (("TILLGATE_WEB_PROCESSES", 1), ("TILLGATE_TRUSTED_PROXIES", 0), ("TILLGATE_DATABASE_POOL", 16))
# Settings whose value nobody else may know, and what stands in examples in their place.
SECRETS = re.compile(r"(SECRET|_KEY|_HASH|_TOKEN)(_PREVIOUS)?")
PLACEHOLDER = re.compile(
    r"change[-_ ]?me|replace[-_ ]?me|django-insecure|your[-_ ]|^x+$|^<.*>$", re.IGNORECASE
)
# Other machines at a database that is elsewhere must have the same ones.
MADE = ". `./run` makes one in its data directory, but in production not where DATABASE_URL is set."
LEAST_LETTERS = 5  # A key of fewer different bytes is none that chance has made.
LOOPBACK = ("", "127.0.0.1", "localhost", "::1")


@register(Tags.security)
def check_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hold the settings against what an installation of this kind must have."""
    return [
        *_wrong_words(),
        *_wrong_counts(),
        *_secret_key(),
        *_jwt_key(),
        *_metrics_token(),
        *_placeholders(),
        *_encryption(),
        *_durability(),
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
    for name, least in COUNTS:
        value = getattr(settings, name)
        if value is not None and value < least:
            found.append(Error(f"{name} is {value}.", hint=f"Set it to {least} or more.", id="tillgate.E011"))
    return found


def _secret_key() -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= 32:
        return []
    hint = f"Set SECRET_KEY (or SECRET_KEY_FILE) to 50 random characters{MADE}"
    return [Error("SECRET_KEY is missing or shorter than 32 characters.", hint=hint, id="tillgate.E002")]


def _jwt_key() -> list[CheckMessage]:
    key = settings.TILLGATE_JWT_KEY
    hint = f"Set TILLGATE_JWT_KEY (or TILLGATE_JWT_KEY_FILE) to 50 random characters{MADE}"
    if len(key) < 32:
        message = "TILLGATE_JWT_KEY is missing or shorter than 32 characters."
        return [Error(message, hint=hint, id="tillgate.E030")]
    if key == settings.SECRET_KEY:
        message = "TILLGATE_JWT_KEY is SECRET_KEY: who learns one would sign for the other."
        return [Error(message, hint=hint, id="tillgate.E020")]
    return []


def _metrics_token() -> list[CheckMessage]:
    token = settings.TILLGATE_METRICS_TOKEN
    if not token or (len(token) >= 16 and len(set(token)) >= LEAST_LETTERS):
        return []
    hint = "Set TILLGATE_METRICS_TOKEN to what `openssl rand -hex 32` prints; without it nobody reads them."
    message = "TILLGATE_METRICS_TOKEN is shorter than 16 characters, or hardly a secret."
    return dangerous(message, hint, "tillgate.E045")


def _placeholders() -> list[CheckMessage]:
    """What was copied from an example and never replaced is known to everybody."""
    names = [name for name in dir(settings) if SECRETS.search(name)]
    values = {name: getattr(settings, name) for name in names}
    return [
        Error(f"{name} is a placeholder.", hint=f"Set {name} to a secret of your own.", id="tillgate.E031")
        for name, value in values.items()
        if isinstance(value, str) and PLACEHOLDER.search(value)
    ]


def _durability() -> list[CheckMessage]:
    """An answer that was sent must survive the next moment's power cut."""
    database = connection.settings_dict
    options = {name: str(value) for name, value in database["OPTIONS"].items()}
    if database["ENGINE"] == "django.db.backends.sqlite3":
        commands = options.get("init_command", "").replace(" ", "").upper()
        safe = "JOURNAL_MODE=WAL" in commands and "SYNCHRONOUS=FULL" in commands
        safe = safe and options.get("transaction_mode") == "IMMEDIATE"
        hint = "Leave SQLite's options as they are: WAL, FULL and IMMEDIATE."
    else:
        safe = not re.search(r"(fsync|synchronous_commit)\s*=\s*off", options.get("options", ""))
        hint = "Take fsync=off and synchronous_commit=off out of DATABASE_URL."
    message = "The database may forget what it has confirmed."
    return [] if safe else dangerous(message, hint, "tillgate.E032")


def _encryption() -> list[CheckMessage]:
    keys = settings.TILLGATE_ENCRYPTION_KEYS
    if keys and all(is_key(key) and len(set(base64.urlsafe_b64decode(key))) >= LEAST_LETTERS for key in keys):
        return []
    what = "holds what is no key" if keys else "is missing"
    hint = (
        "Set TILLGATE_ENCRYPTION_KEYS (or TILLGATE_ENCRYPTION_KEYS_FILE) to 32 random bytes in url-safe "
        f"base64{MADE} To change it, put the new one before the old one, separated by a comma."
    )
    return [Error(f"TILLGATE_ENCRYPTION_KEYS {what}.", hint=hint, id="tillgate.E017")]


def _mail() -> list[CheckMessage]:
    if settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
        return _mail_in_the_clear()
    hint = "Set EMAIL_URL to your mail server, such as smtp+tls://user:password@mail.example.com:587."
    message = "Mail goes nowhere: customers would not be told of recurring payments, nor how to stop them."
    return dangerous(message, hint, "tillgate.E018", quiet=True)


def _mail_in_the_clear() -> list[CheckMessage]:
    is_safe = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or settings.EMAIL_HOST in LOOPBACK
    if is_safe or settings.IS_LOCAL:
        return []
    hint = "Set EMAIL_URL to smtp+tls://… or smtp+ssl://…"
    message = f"Mail goes to {settings.EMAIL_HOST} in the clear: it carries links that need no login."
    return [Caution(message, hint=hint, id="tillgate.W035")]


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
