"""Reading what a merchant sends to the API. Everything here raises ApiError."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.paystack.errors import ApiError, invalid
from sandbox.paystack.fees import TARIFFS
from sandbox.web import BadBody, Json, Request, is_web_url

EMAIL_SHAPE = re.compile(r"[^@\s<>\"\x00-\x1f]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
REFERENCE_SHAPE = re.compile(r"[A-Za-z0-9.=_-]{1,200}")  # `_` works, though the documentation leaves it out.
LARGEST_AMOUNT = 10**15
LARGEST_PAGE = 100
LONGEST_WHOLE, LONGEST_EMAIL, LONGEST_NOTE = 18, 254, 1_000
DEFAULT_CURRENCY = "NGN"


def read_body(request: Request) -> Json:
    """The body as an object. A form says everything in text, so its whole numbers are read as such."""
    try:
        body = request.read_object()
    except BadBody as problem:
        raise invalid(f"Invalid request: {problem}") from None
    if request.is_form and isinstance(amount := body.get("amount"), str) and is_whole(amount):
        body["amount"] = int(amount)
    return body


def is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_WHOLE


def read_email(body: Json) -> str:
    email = body.get("email")
    if not isinstance(email, str) or len(email) > LONGEST_EMAIL or not EMAIL_SHAPE.fullmatch(email):
        raise ApiError(
            "Invalid Email Address Passed",
            "invalid_email_address",
            next_step="Pass a valid email in the request",
        )
    return email


def read_amount(body: Json) -> int:
    amount = body.get("amount")
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount <= LARGEST_AMOUNT:
        step = "Pass the amount as a whole number of the currency's subunit"
        raise ApiError("Invalid Amount Sent", "invalid_amount", next_step=step)
    return amount


def read_currency(body: Json) -> str:
    currency = body.get("currency") or DEFAULT_CURRENCY
    if not isinstance(currency, str) or currency not in TARIFFS:
        step = "Use a currency that is enabled on your integration"
        raise ApiError("Currency not supported by merchant", "unsupported_currency", next_step=step)
    return currency


def read_reference(body: Json) -> str | None:
    reference = body.get("reference")
    if reference in (None, ""):
        return None
    if not isinstance(reference, str) or not REFERENCE_SHAPE.fullmatch(reference):
        raise invalid(
            "Only alphanumeric characters and - . = are allowed in a reference", "invalid_reference"
        )
    return reference


def read_metadata(body: Json) -> Any:
    """What `metadata` is echoed as: a stringified object is parsed, numbers in an object become text."""
    metadata = body.get("metadata", "")
    if isinstance(metadata, str):
        return _parsed(metadata)
    if isinstance(metadata, dict):
        return _as_text(metadata)
    if metadata is None or metadata == 0:
        return metadata
    raise invalid("metadata must be an object or stringified JSON")


def read_callback_url(body: Json) -> str:
    url = body.get("callback_url") or ""
    if not isinstance(url, str) or (url and not is_web_url(url)):
        raise invalid("callback_url must be a valid url")
    return url


def read_channels(body: Json) -> list[str]:
    channels = body.get("channels", [])
    if not isinstance(channels, list | str) or (
        isinstance(channels, list) and not all(map(_is_text, channels))
    ):
        raise invalid("channels must be an array of strings")
    return list(channels) if isinstance(channels, list) else []


def read_text(body: Json, name: str, *, default: str = "") -> str:
    value = body.get(name) or default
    if not isinstance(value, str) or len(value) > LONGEST_NOTE:
        raise invalid(f"{name} must be a string")
    return value


def read_page(query: dict[str, str]) -> tuple[int, int]:
    """Rows per page and number of the page, from 1."""
    per_page, page = query.get("perPage", query.get("per_page", "50")), query.get("page", "1")
    if not (is_whole(per_page) and is_whole(page) and int(per_page) and int(page)):
        raise invalid("perPage and page must be positive integers")
    return min(int(per_page), LARGEST_PAGE), int(page)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
