"""Money: whole minor units and a currency, always together. Decimals come from ISO 4217's own table."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import total_ordering

from iso4217 import Currency

EXPONENTS: dict[str, int] = {c.code: c.exponent for c in Currency if c.exponent is not None}
MAX_MINOR = 999_999_999_999
NUMBER = re.compile(r"(-?[0-9]{1,18})(?:\.([0-9]{1,18}))?", re.ASCII)


class MoneyError(ValueError):
    """An amount or a currency that is not money; the message says what to send instead."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units: `Money(150_000, "NGN")` is 1,500 naira.

    Raises MoneyError for a currency that ISO 4217 does not list, and for sums across currencies.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        assert type(self.minor) is int, f"minor units are whole: {self.minor!r}"
        exponent_of(self.currency)

    @classmethod
    def from_major(cls, value: str | int | Decimal, currency: str) -> "Money":
        """Read major units exactly: `from_major("10.50", "USD").minor == 1050`.

        Raises MoneyError for more decimals than the currency has, exponents, signs other than a
        leading minus, digits that are not ASCII, and floats, which have lost digits already.
        """
        exponent = exponent_of(currency)
        match = None if isinstance(value, bool | float) else NUMBER.fullmatch(str(value))
        if match is None:
            raise MoneyError('Send a plain decimal number such as 50.00 or "50.00".')
        whole, decimals = match.group(1), match.group(2) or ""
        if len(decimals) > exponent:
            raise MoneyError(f"{currency} has {_decimals(exponent)}; send no more than that.")
        return cls(int(whole + decimals.ljust(exponent, "0")), currency)

    @property
    def to_major(self) -> Decimal:
        """The amount in major units, with exactly the currency's decimals: `Decimal("50.00")`."""
        # From text, since arithmetic on a Decimal rounds to whatever context is in force.
        return Decimal(f"{self.minor}E-{EXPONENTS[self.currency]}")

    def __str__(self) -> str:
        return f"{self.currency} {self.to_major:,}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same_currency(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same_currency(other).minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same_currency(other).minor

    def _same_currency(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise MoneyError(f"{self.currency} and {other.currency} cannot be added or compared.")
        return other


def exponent_of(currency: str) -> int:
    """Return the number of decimals of a currency; raises MoneyError when ISO 4217 has none for it."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise MoneyError(
            f"{currency!r} is not an ISO 4217 currency; send one such as NGN or USD, in capitals."
        ) from None


def _decimals(exponent: int) -> str:
    return {0: "no decimals", 1: "one decimal"}.get(exponent, f"{exponent} decimals")
