"""Reading what a gateway sent: anything may be missing, of another type, or too long for a table."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from tillgate.money import MAX_MINOR, Money, MoneyError

Meaning = TypeVar("Meaning")
MAX_DIGITS = 18


def text(value: object, longest: int = 200) -> str:
    """A text that a log and a database can keep; empty for what is none, too long, or holds controls."""
    return value if isinstance(value, str) and len(value) <= longest and value.isprintable() else ""


def clean(value: object, longest: int) -> str:
    """Whatever it is, as a text without controls and lone surrogates."""
    return "".join(letter for letter in str(value)[:longest] if letter.isprintable())


def link(value: object) -> str:
    """An address that a browser can be sent to; empty for what is none."""
    url = text(value, 2000)
    return url if url.startswith(("https://", "http://")) else ""


def number(value: object) -> str | None:
    """A gateway's numeric id, which may exceed 32 bits, as text. None for what is no such number."""
    if type(value) is int and 0 < value < 10**MAX_DIGITS:
        return str(value)
    digits = text(value, MAX_DIGITS)
    return digits if digits.isascii() and digits.isdigit() else None


def money(major: object, currency: object, currencies: frozenset[str]) -> Money | None:
    """An amount that is written in major units; None for what is none in these currencies, is negative, or
    larger than what we would ask for ourselves."""
    if not isinstance(major, str) or not isinstance(currency, str) or currency not in currencies:
        return None
    try:
        amount = Money.from_major(major, currency)
    except MoneyError:
        return None
    return amount if 0 <= amount.minor <= MAX_MINOR else None


def by_start(table: Mapping[str, Meaning], word: str) -> Meaning | None:
    """What a word means by the first start in the table that it has; None when it has none of them."""
    return next((meaning for start, meaning in table.items() if word.startswith(start)), None)


def shown(value: object) -> str:
    """Whatever it is, short and harmless enough for a log."""
    return ascii(value)[:80]


def json_object(body: bytes) -> dict[str, Any]:
    """The object that these bytes are as JSON in UTF-8; empty for what is none."""
    try:
        read = json.loads(body.decode())
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def below(data: object, *names: str) -> dict[str, Any]:
    """The object at the end of a path of names; empty where there is none."""
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def first(data: dict[str, Any], name: str) -> dict[str, Any]:
    """The first object of a list; empty where there is none."""
    rows = data.get(name)
    return below({"row": rows[0]}, "row") if isinstance(rows, list) and rows else {}


def moment(value: object) -> datetime | None:
    """A moment with its zone, in UTC; None for anything else: the money counts, not the gateway's clock."""
    try:
        read = datetime.fromisoformat(text(value))
        return read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError):
        return None
