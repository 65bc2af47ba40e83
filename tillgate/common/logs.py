"""Logs: one line an event, JSON in production, with secrets and personal data taken out."""

import logging
import logging.config
import re
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from structlog.types import EventDict, WrappedLogger

SECRET_NAMES = re.compile(
    r"secret|token|password|authorization|signature|api_?key|cookie|recovery|cvv|card_number"
    r"|(?<![a-z])t?otp(?![a-z])",
    re.IGNORECASE,
)
# What begins like a secret, and what stands behind the name of one.
SECRET_TEXT = re.compile(
    r"([sp]k_(?:live|test)_|FLWSECK[_-]|whsec_|(?-i:eyJ)|Bearer\s+|(?:JWT|Basic)\s+(?=\S{8})"
    r"|(?:password|secret|token|signature|otp|recovery_codes?)[\"']?\s{0,4}[=:]\s{0,4}[\"'\[]{0,2})[^\s\"',;)}&\]]+",
    re.IGNORECASE,
)
# Whoever has such a link, or what the last part of one is that resets a password, needs no login.
LINK = re.compile(r"/(pay|subscription)/[0-9A-Z]{26}")
ACCOUNT_LINK = re.compile(r"/account/(activate|reset)/[\w=-]+/[\w-]+")
ONE_TIME = re.compile(r"\b[0-9a-z]{4,8}-[0-9a-f]{32}\b")
EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])([A-Za-z0-9._%+-])[A-Za-z0-9._%+-]*@([A-Za-z0-9.-]+)")
DIGITS = re.compile(r"\d+")
BETWEEN_DIGITS = (" ", "-", ".", "\u00a0")
CARD_STARTS = (2, 3, 4, 5, 6)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
CONTROL_IN_TRACEBACK = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def redact(text: str) -> str:
    """Return `text` without keys, tokens and card numbers, and with e-mail addresses masked."""
    text = ACCOUNT_LINK.sub(r"/account/\1/…", LINK.sub(r"/\1/…", text))
    text = ONE_TIME.sub("…", SECRET_TEXT.sub(r"\1…", text))
    for start, end in reversed(list(_cards(text))):
        text = f"{text[:start]}…{text[end:]}"
    return EMAIL.sub(r"\1…@\2", text)


def has_card_number(text: str) -> bool:
    """Say whether `text` holds digits that pass as a card number."""
    return any(_cards(text))


def logging_config(*, local: bool) -> None:
    """Set up structlog and the standard library's logging to write one redacted line an event."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    renderer = structlog.dev.ConsoleRenderer(colors=False) if local else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": "INFO"},
            "loggers": {
                "httpx2": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
                # Anybody can send any Host, and it would be written down with a traceback.
                "django.security.DisallowedHost": {"level": "CRITICAL"},
            },
        }
    )


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _redact_value(key, value) for key, value in _without_address(event).items()}


def _without_address(event: EventDict) -> EventDict:
    """Django names the address of a request that failed, with its query, in which anything may stand; the
    route says as much."""
    request = event.get("request")
    if request is None or not hasattr(request, "method"):
        return event
    match = getattr(request, "resolver_match", None)
    told = {name: value for name, value in event.items() if name != "request"}
    text = str(event["event"]).partition(":")[0]
    return {**told, "event": text, "method": request.method, "route": match.route if match else ""}


def _redact_value(key: str, value: object) -> object:
    if SECRET_NAMES.search(key):
        return "…"
    if isinstance(value, int | float | bool | None) or key.startswith("_"):
        return value
    if isinstance(value, Mapping):
        return {redact(str(name)): _redact_value(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact_value(key, inner) for inner in value]
    # Whoever can break a line can forge one; a traceback keeps its own lines.
    control = CONTROL_IN_TRACEBACK if key == "exception" else CONTROL
    return control.sub(lambda char: char.group().encode("unicode_escape").decode(), redact(str(value)))


def _cards(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers stand: whole groups of digits, whatever other groups stand beside them."""
    groups = [match.span() for match in DIGITS.finditer(text)]
    done = 0
    for first, (start, _) in enumerate(groups):
        if start < done or int(text[start]) not in CARD_STARTS or _is_word(text[start - 1 : start]):
            continue
        end = _card_end(text, groups[first : first + 19])
        if end:
            yield start, end
            done = end


def _card_end(text: str, groups: list[tuple[int, int]]) -> int | None:
    digits, last = "", groups[0][0]
    for start, end in groups:
        if digits and text[last:start] not in BETWEEN_DIGITS:
            return None
        digits, last = digits + text[start:end], end
        if len(digits) > 19:
            return None
        if _is_card_number(digits) and not _is_word(text[end : end + 1]):
            return end
    return None


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _is_card_number(text: str) -> bool:
    if len(text) < 13:
        return False
    digits = [int(digit) for digit in text]
    if digits[0] not in CARD_STARTS:
        return False
    doubled = [d if i % 2 else (d * 2 if d < 5 else d * 2 - 9) for i, d in enumerate(reversed(digits), 1)]
    return sum(doubled) % 10 == 0
