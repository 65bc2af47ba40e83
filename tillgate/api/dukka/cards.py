"""Card data is not for us: whoever sends some is told so, and none of it is repeated, logged or stored."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

from tillgate.common.errors import InvalidRequest
from tillgate.common.logs import has_card_number

CODE = "card_data_not_accepted"
MESSAGE = "Card data is never accepted here. Leave it out: the customer types it on Paystack's page."
# Names as they are without case, spaces, hyphens and underscores.
NAMES = frozenset(
    {
        "pan",
        "number",
        "pin",
        "exp",
        "expmonth",
        "expyear",
        "expdate",
        "csc",
        "securitycode",
        "track1",
        "track2",
    }
)
PARTS = ("card", "cvv", "cvc", "expiry", "expiration")
DIGITS = re.compile(r"\d{3,}")


def refuse_card_data(*bodies: object) -> None:
    """Raise InvalidRequest where a member, at any depth, is named as card data is or holds a card number."""
    found = [name for body in bodies for name in _found(body, "")]
    if found:
        # A name that somebody made up may itself hold the number.
        errors = {DIGITS.sub("…", name)[:80]: [MESSAGE] for name in found[:20]}
        raise InvalidRequest(MESSAGE, code=CODE, errors=errors)


def _found(node: object, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, inner in node.items():
            within = f"{path}.{name}" if path else str(name)
            if _is_card_name(str(name)) or has_card_number(str(name)):
                yield within
            else:
                yield from _found(inner, within)
    elif isinstance(node, list):
        for inner in node:
            yield from _found(inner, path)
    elif isinstance(node, str | int | Decimal) and has_card_number(str(node)):
        yield path


def _is_card_name(name: str) -> bool:
    plain = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).lower()))
    return plain in NAMES or any(part in plain for part in PARTS)
