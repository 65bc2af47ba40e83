"""Reading what a merchant sends to the API. Everything here raises ApiError."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.paypal.books import DEFAULT_PAYER
from sandbox.paypal.currencies import SUPPORTED, decimals, minor
from sandbox.paypal.errors import ApiError, malformed, missing
from sandbox.paypal.models import OrderDraft
from sandbox.web import BadBody, Json, Request, is_web_url

VALUE_SHAPE = re.compile(r"(-?)([0-9]*)(?:\.([0-9]+))?")
EMAIL_SHAPE = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
CUSTOMER_SHAPE = re.compile(r"[0-9a-zA-Z_-]{1,22}")
LONGEST_REQUEST_ID, LONGEST_VALUE = 108, 32
LARGEST_AMOUNT = 10**15
UNIT = "/purchase_units/@reference_id=='default'"


@dataclass(frozen=True, kw_only=True)
class RefundDraft:
    """Without an amount, whatever is left."""

    amount: int | None = None
    currency: str | None = None
    custom_id: str | None = None
    invoice_id: str | None = None
    note: str | None = None


def read_body(request: Request) -> Json:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", status=415, description="Send application/json.")
    try:
        return request.read_object()
    except BadBody:
        raise ApiError("MALFORMED_REQUEST_JSON", status=400) from None


def read_request_id(request: Request) -> str:
    """The PayPal-Request-Id; empty when there is none."""
    request_id = request.headers.get("paypal-request-id", "")
    if len(request_id) > LONGEST_REQUEST_ID:
        raise ApiError("INVALID_STRING_LENGTH", status=400, field="PayPal-Request-Id")
    return request_id


def wants_all(request: Request) -> bool:
    """Whether the answer shall be more than id, status and links."""
    return "return=representation" in request.headers.get("prefer", "")


def read_order(body: Json) -> OrderDraft:
    _check_intent(body.get("intent"))
    unit = _unit(body.get("purchase_units"))
    source = _object(body, "payment_source", "/payment_source")
    paypal = _paypal(source)
    attributes = _object(paypal, "attributes", "/payment_source/paypal/attributes")
    context = _object(paypal, "experience_context", "") or _object(body, "application_context", "")
    amount, currency = read_money(unit.get("amount"), f"{UNIT}/amount")
    return OrderDraft(
        reference_id=read_text(unit, "reference_id", 256) or "default",
        custom_id=read_text(unit, "custom_id", 127),
        invoice_id=read_text(unit, "invoice_id", 127),
        description=read_text(unit, "description", 127),
        amount=amount,
        currency=currency,
        payer_email=_email(paypal) or _email(_object(body, "payer", "/payer")) or DEFAULT_PAYER,
        return_url=read_url(context, "return_url"),
        cancel_url=read_url(context, "cancel_url"),
        has_source=bool(source),
        saves=_saves(attributes),
        vault_customer=read_customer(_object(attributes, "customer", "")),
        charges_token=read_text(paypal, "vault_id", 255),
    )


def read_refund(body: Json) -> RefundDraft:
    money = read_money(body["amount"], "/amount") if body.get("amount") is not None else (None, None)
    return RefundDraft(
        amount=money[0],
        currency=money[1],
        custom_id=read_text(body, "custom_id", 127),
        invoice_id=read_text(body, "invoice_id", 127),
        note=read_text(body, "note_to_payer", 255),
    )


def read_money(value: object, field: str) -> tuple[int, str]:
    """Minor units and currency of `{"currency_code": "USD", "value": "10.00"}`."""
    if not isinstance(value, dict):
        raise missing(field)
    currency = value.get("currency_code")
    if not isinstance(currency, str) or len(currency) != 3:
        raise ApiError("INVALID_STRING_LENGTH", status=400, field=f"{field}/currency_code")
    if currency not in SUPPORTED:
        raise ApiError("CURRENCY_NOT_SUPPORTED", field=f"{field}/currency_code")
    return _amount(value.get("value"), currency, f"{field}/value"), currency


def read_text(body: Json, name: str, longest: int) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise malformed(f"/{name}")
    if not 0 < len(value) <= longest:
        raise ApiError("INVALID_STRING_LENGTH", status=400, field=f"/{name}")
    return value


def read_url(body: Json, name: str) -> str:
    url = body.get(name) or ""
    if not isinstance(url, str) or (url and not is_web_url(url)):
        raise malformed(f"/{name}")
    return url


def read_customer(body: Json) -> str | None:
    customer = body.get("id")
    if customer is None:
        return None
    if not isinstance(customer, str) or not CUSTOMER_SHAPE.fullmatch(customer):
        raise malformed("/customer/id")
    return customer


def read_page(query: dict[str, str]) -> tuple[int, int]:
    """Rows per page and number of the page, from 1."""
    size, page = query.get("page_size", "5"), query.get("page", "1")
    if not (is_count(size) and is_count(page)):
        raise malformed("page_size")
    return int(size), int(page)


def is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6 and int(text) > 0


def _check_intent(intent: object) -> None:
    if intent is None:
        raise missing("/intent")
    if intent == "AUTHORIZE":
        raise ApiError("AUTH_CAPTURE_NOT_ENABLED", field="/intent")
    if intent != "CAPTURE":
        raise ApiError("INVALID_PARAMETER_VALUE", status=400, field="/intent")


def _unit(units: object) -> Json:
    """The one purchase unit; PayPal takes ten, this emulation takes one."""
    if units is None:
        raise missing("/purchase_units")
    if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        raise malformed("/purchase_units")
    if len(units) != 1:
        issue = "INVALID_ARRAY_MAX_ITEMS" if units else "INVALID_ARRAY_MIN_ITEMS"
        raise ApiError(issue, status=400, field="/purchase_units")
    unit: Json = units[0]
    return unit


def _object(body: Json, name: str, field: str) -> Json:
    value: Any = body.get(name, {})
    if not isinstance(value, dict):
        raise malformed(field or f"/{name}")
    return value


def _paypal(source: Json) -> Json:
    if "card" in source:
        raise ApiError("NOT_ENABLED_FOR_CARD_PROCESSING", field="/payment_source/card")
    if source and "paypal" not in source:
        raise ApiError("INVALID_PARAMETER_VALUE", status=400, field="/payment_source")
    return _object(source, "paypal", "/payment_source/paypal")


def _saves(attributes: Json) -> bool:
    vault = _object(attributes, "vault", "/payment_source/paypal/attributes/vault")
    if not vault:
        return False
    if vault.get("usage_type") not in ("MERCHANT", "PLATFORM"):
        raise missing("/payment_source/paypal/attributes/vault/usage_type")
    return vault.get("store_in_vault") == "ON_SUCCESS"


def _email(body: Json) -> str | None:
    email = read_text(body, "email_address", 254)
    if email is not None and not EMAIL_SHAPE.fullmatch(email):
        raise malformed("/email_address")
    return email


def _amount(value: object, currency: str, field: str) -> int:
    if value is None:
        raise missing(field)
    shape = VALUE_SHAPE.fullmatch(value) if isinstance(value, str) and len(value) <= LONGEST_VALUE else None
    if not shape or not (shape[2] or shape[3]):
        raise malformed(field)
    fraction = shape[3] or ""
    if len(fraction) > decimals(currency):
        raise ApiError("DECIMAL_PRECISION", field=field)
    amount = minor(shape[2], fraction, currency)
    if shape[1] or not amount:
        raise ApiError("CANNOT_BE_ZERO_OR_NEGATIVE", field=field)
    if amount > LARGEST_AMOUNT:
        raise ApiError("MAX_VALUE_EXCEEDED", field=field)
    return amount
