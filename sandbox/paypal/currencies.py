"""Money as PayPal writes it: text in major units. Source: developer.paypal.com, "Currency codes"."""

from __future__ import annotations

from sandbox.money import digits, major
from sandbox.web import Json

# PayPal takes no decimals in these, though ISO 4217 has two for HUF and TWD.
IN_WHOLE_UNITS = frozenset({"HUF", "JPY", "TWD"})
SUPPORTED = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR"}
    | {"NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"}
)


def decimals(currency: str) -> int:
    """How many decimals PayPal takes in a currency."""
    return 0 if currency in IN_WHOLE_UNITS else digits(currency)


def written(amount_minor: int, currency: str) -> str:
    """`1500.00`; in forints `1500`."""
    return f"{major(amount_minor, currency):.{decimals(currency)}f}"


def money(amount_minor: int, currency: str) -> Json:
    return {"currency_code": currency, "value": written(amount_minor, currency)}


def minor(whole: str, fraction: str, currency: str) -> int:
    """The minor units of an amount whose decimals PayPal has accepted."""
    places = digits(currency)
    return int((whole or "0") + fraction.ljust(places, "0"))
