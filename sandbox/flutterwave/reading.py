"""Reading what a merchant sends to the API. Everything here raises ApiError."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from sandbox.clock import read_iso
from sandbox.flutterwave.errors import ApiError
from sandbox.flutterwave.models import Order
from sandbox.flutterwave.settings import Account
from sandbox.money import digits
from sandbox.web import BadBody, Json, Request, is_web_url

CURRENCIES = frozenset(
    {
        "NGN", "GHS", "KES", "UGX", "TZS", "RWF", "ZMW", "ZAR",
        "XAF", "XOF", "EGP", "MWK", "SLL", "USD", "GBP", "EUR",
    }
)  # fmt: skip
DEFAULT_CURRENCY = "NGN"
EMAIL_SHAPE = re.compile(r"[^@\s<>\"\x00-\x1f]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
REFERENCE_SHAPE = re.compile(r"[!-~]{1,100}")
AMOUNT_SHAPE = re.compile(r"[0-9]{1,13}(\.[0-9]{1,10})?")
DAY_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LONGEST_WHOLE, LONGEST_EMAIL, LONGEST_TEXT = 18, 254, 1_000
DAY_S = timedelta(days=1).total_seconds()


def read_body(request: Request) -> Json:
    """The body as an object; a number with a point stays as exact as it was written."""
    try:
        return request.read_object(parse_float=Decimal)
    except BadBody as problem:
        raise ApiError(f"Invalid request: {problem}") from None


def read_hosted_order(body: Json, account: Account) -> Order:
    customer = body.get("customer")
    if not isinstance(customer, dict):
        raise ApiError("customer is required")
    return _order(
        body,
        account,
        {"email": customer.get("email"), "name": customer.get("name"), "phone": customer.get("phonenumber")},
    )


def read_charge_order(body: Json, account: Account) -> Order:
    """A charge without the customer names them beside the amount."""
    names = [read_text(body, part) for part in ("first_name", "last_name")]
    name = " ".join(filter(None, names)) or read_text(body, "full_name")
    return _order(body, account, {"email": body.get("email"), "name": name})


def read_amount(value: object, currency: str) -> int:
    """Major units, as number or text, in minor units."""
    text = "" if isinstance(value, bool) else str(value)
    if value is None or not AMOUNT_SHAPE.fullmatch(text):
        raise ApiError("amount is required and must be a number greater than 0")
    minor = Decimal(text).scaleb(digits(currency))
    if minor != int(minor):
        raise ApiError(f"amount has more decimals than {currency} has")
    if not minor:
        raise ApiError("amount is required and must be a number greater than 0")
    return int(minor)


def read_currency(value: object) -> str:
    currency = DEFAULT_CURRENCY if value in (None, "") else value
    if not isinstance(currency, str) or currency not in CURRENCIES:
        raise ApiError("currency is not supported on this account")
    return currency


def read_url(body: Json, name: str) -> str:
    url = body.get(name)
    if not isinstance(url, str) or not is_web_url(url):
        raise ApiError(f"{name} is required and must be a valid url")
    return url


def read_text(body: Json, name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ApiError(f"{name} must be a string")
    return value


def read_page(query: dict[str, str]) -> int:
    page = query.get("page", "1")
    if not is_whole(page) or not int(page):
        raise ApiError("page must be a positive integer")
    return int(page)


def read_period(query: dict[str, str]) -> tuple[float, float]:
    """`from` and `to` as moments; a day that is named as the end belongs to the period."""
    end = query.get("to", "")
    last = DAY_S if DAY_SHAPE.fullmatch(end) else 0
    return _moment(query, "from", "1970-01-01"), _moment(query, "to", "9999-01-01") + last


def is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_WHOLE


def _order(body: Json, account: Account, customer: Json) -> Order:
    currency = read_currency(body.get("currency"))
    return Order(
        mode=account.mode,
        tx_ref=_read_reference(body),
        email=_read_email(customer),
        name=read_text(customer, "name"),
        phone=read_text(customer, "phone"),
        amount=read_amount(body.get("amount"), currency),
        currency=currency,
        meta=_read_meta(body),
    )


def _read_reference(body: Json) -> str:
    reference = body.get("tx_ref")
    if not isinstance(reference, str) or not REFERENCE_SHAPE.fullmatch(reference):
        raise ApiError("tx_ref is required")
    return reference


def _read_email(customer: Json) -> str:
    email = customer.get("email")
    if not isinstance(email, str) or len(email) > LONGEST_EMAIL or not EMAIL_SHAPE.fullmatch(email):
        raise ApiError("customer email is required and must be valid")
    return email


def _read_meta(body: Json) -> Json | None:
    """A flat object; its numbers come back as text."""
    meta = body.get("meta")
    if meta is None:
        return None
    if not isinstance(meta, dict) or not all(map(_is_plain, meta.values())):
        raise ApiError("meta must be an object of texts and numbers")
    return {name: None if value is None else str(value) for name, value in meta.items()}


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | Decimal)


def _moment(query: dict[str, str], name: str, default: str) -> float:
    try:
        return read_iso(query.get(name) or default)
    except (ValueError, OverflowError):
        raise ApiError(f"{name} must be a date such as 2026-01-31") from None
