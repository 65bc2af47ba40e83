"""Amounts as people and gateways write them: in major units, exact. Inside, all are ISO 4217 minor units."""

from __future__ import annotations

from decimal import Decimal

WITHOUT_DECIMALS = frozenset({"JPY", "RWF", "UGX", "XAF", "XOF"})


def digits(currency: str) -> int:
    """How many decimals a currency has in ISO 4217."""
    return 0 if currency in WITHOUT_DECIMALS else 2


def major(amount_minor: int, currency: str) -> Decimal:
    return Decimal(amount_minor).scaleb(-digits(currency))


def shown(amount_minor: int, currency: str) -> str:
    """An amount for a person: `NGN 5,000.00`."""
    return f"{currency} {major(amount_minor, currency):,f}"
