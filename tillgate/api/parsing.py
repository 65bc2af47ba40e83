"""JSON in: strict, and with every digit of a number kept.

The library's parser makes floats, lets the last of two equal members win and answers 500 to a
thousand brackets; a payments API can afford none of these.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from rest_framework.parsers import BaseParser

from tillgate.common.errors import InvalidRequest, PayError
from tillgate.common.web import declared_length

MAX_BODY = 64 * 1024
MAX_DEPTH = 20
MAX_DIGITS = 40
SURROGATE = re.compile("[\ud800-\udfff]")


class TooLarge(PayError):
    """The body has more bytes than any request needs."""

    code = "content_too_large"
    http_status = 413


class InvalidJSON(InvalidRequest):
    """The body is not JSON as we take it."""

    code = "invalid_json"


class StrictJSONParser(BaseParser):
    """One JSON object: UTF-8, no duplicate member, no NaN, no exponent, at most 20 deep and 64 kB."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        told = declared_length(parser_context["request"]) if parser_context else 0
        body = stream.read(MAX_BODY + 1) if told <= MAX_BODY else b""  # It is not waited for.
        if max(told, len(body)) > MAX_BODY:
            raise TooLarge(f"The body may have {MAX_BODY} bytes.")
        return parse_object(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """Read one JSON object; numbers with a point become Decimal. Raises InvalidJSON with the reason."""
    try:
        text = body.decode("utf-8")
        parsed = _decoder.decode(text)
    except UnicodeDecodeError:
        raise InvalidJSON("The body is not UTF-8.") from None
    except RecursionError:
        raise InvalidJSON(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except json.JSONDecodeError as error:
        raise InvalidJSON(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    if not isinstance(parsed, dict):
        raise InvalidJSON("The body must be a JSON object.")
    _check_nodes(parsed, may_hold_surrogates="\\u" in text)
    return parsed


def _check_nodes(parsed: object, *, may_hold_surrogates: bool) -> None:
    level: list[object] = [parsed]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        if may_hold_surrogates and any(isinstance(node, str) and SURROGATE.search(node) for node in level):
            raise InvalidJSON("The body holds half a surrogate pair, which is no character.")
        level = [child for node in level for child in _children(node)]
    raise InvalidJSON(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _children(node: object) -> list[object]:
    if isinstance(node, dict):
        return [*node.keys(), *node.values()]
    return node if isinstance(node, list) else []


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise InvalidJSON(f"The member {twice[:80]!r} is there twice.", code="duplicate_member")
    return members


def _decimal(text: str) -> Decimal:
    if "e" in text or "E" in text or len(text) > MAX_DIGITS:
        # Which one is not said: it may be part of a card's, sent by mistake.
        raise InvalidJSON("A number must be written plainly, such as 50.00.", code="invalid_number")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise InvalidJSON("A number has too many digits.", code="invalid_number")
    return int(text)


def _constant(name: str) -> None:
    raise InvalidJSON(f"{name} is not a JSON number.", code="invalid_number")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
)
