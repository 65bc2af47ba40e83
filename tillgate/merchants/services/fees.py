"""What a gateway would keep of an amount, estimated from a dated table that the operator may edit."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import msgspec
from django.conf import settings

from tillgate.money import Money, MoneyError, exponent_of

SHIPPED = Path(__file__).resolve().parent.parent / "fees.toml"
COUNTRY = re.compile("[A-Z]{2}|", re.ASCII)
# Where an account that takes a currency most likely is, for merchants who have not said their country.
HOMES = {
    "EGP": "EG",
    "GHS": "GH",
    "KES": "KE",
    "NGN": "NG",
    "RWF": "RW",
    "TZS": "TZ",
    "UGX": "UG",
    "XAF": "CM",
    "XOF": "CI",
    "ZAR": "ZA",
    "ZMW": "ZM",
}


class FeesError(ValueError):
    """The fee table cannot be used; the message says which row and what to write instead."""


class FeeRow(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One `[[fee]]` of the table, as its head explains them; amounts are major units of `currency`."""

    gateway: str
    percent: Decimal
    source: str
    country: str = ""
    currency: str = ""
    channel: str = ""
    flat: Decimal | None = None
    flat_waived_below: Decimal | None = None
    cap: Decimal | None = None
    tax_percent: Decimal = Decimal(0)
    duty: Decimal | None = None
    duty_from: Decimal | None = None
    unsure: bool = False

    def __str__(self) -> str:
        return " ".join(filter(None, [self.gateway, self.country, self.currency, self.channel]))


class FeeFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole file."""

    as_of: date
    fee: list[FeeRow]


@dataclass(frozen=True, kw_only=True)
class Fee:
    """One price, ready to be worked out. Amounts are minor units of the currency that it is for."""

    percent: Decimal
    flat_minor: int
    flat_from_minor: int
    cap_minor: int | None
    tax_percent: Decimal
    duty_minor: int
    duty_from_minor: int

    def of(self, amount: Money) -> Money:
        """Return what is kept of `amount`, rounded half up to minor units."""
        kept = amount.minor * self.percent / 100
        if amount.minor >= self.flat_from_minor:
            kept += self.flat_minor
        if self.cap_minor is not None:
            kept = min(kept, Decimal(self.cap_minor))
        kept += kept * self.tax_percent / 100
        if amount.minor >= self.duty_from_minor:
            kept += self.duty_minor
        return Money(int(kept.quantize(Decimal(1), ROUND_HALF_UP)), amount.currency)


@dataclass(frozen=True, kw_only=True)
class FeeTable:
    """All prices, by gateway, country and currency, and the day on which they were last looked up."""

    as_of: date
    prices: dict[tuple[str, str, str], tuple[Fee, ...]]


def estimate_fee(gateway: str, amount: Money, country: str = "") -> Money | None:
    """Return what a gateway would keep of an amount, None where the table does not say.

    `country` is that of the merchant's account; without one, the home of the currency is taken.
    """
    prices, home = fee_table().prices, country or HOMES.get(amount.currency, "")
    for place in ((home, amount.currency), (home, ""), ("", amount.currency), ("", "")):
        if fees := prices.get((gateway, *place)):
            # How the customer will pay is not known yet: better to receive more than was said.
            return max(fee.of(amount) for fee in fees)
    return None


def fee_table() -> FeeTable:
    """Return the table that the settings name, read once a process. Raises FeesError."""
    return _load(settings.TILLGATE_FEES_FILE or str(SHIPPED))


def read_fees(text: str) -> FeeTable:
    """Read a table from TOML. Raises FeesError that names the row at fault."""
    try:
        # Decimal, for who writes 1.5 without quotes.
        file = msgspec.convert(tomllib.loads(text, parse_float=Decimal), FeeFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise FeesError(str(error)) from None
    return FeeTable(as_of=file.as_of, prices=_prices(file.fee))


@cache
def _load(path: str) -> FeeTable:
    try:
        return read_fees(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FeesError(f"it cannot be read ({type(error).__name__})") from None


def _prices(rows: list[FeeRow]) -> dict[tuple[str, str, str], tuple[Fee, ...]]:
    prices: dict[tuple[str, str, str], tuple[Fee, ...]] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if problem := next(_problems(row, seen), None):
            raise FeesError(f"fee {number} ({row}): {problem}")
        seen.add(str(row))
        place = (row.gateway, row.country, row.currency)
        prices[place] = (*prices.get(place, ()), _fee(row))
    return prices


def _problems(row: FeeRow, seen: set[str]) -> Iterator[str]:
    if str(row) in seen:
        yield "it is there twice"
    if not COUNTRY.fullmatch(row.country):
        yield f"country {row.country!r} is no ISO 3166 code such as NG"
    for name in ("percent", "tax_percent"):
        share: Decimal = getattr(row, name)
        if not share.is_finite() or not 0 <= share <= 100:
            yield f"{name} {share} is not between 0 and 100"
    for name in ("flat", "flat_waived_below", "cap", "duty", "duty_from"):
        if (value := getattr(row, name)) is not None:
            yield from _amount_problems(name, value, row.currency)
    if row.currency:
        yield from _currency_problems(row.currency)


def _currency_problems(currency: str) -> Iterator[str]:
    try:
        exponent_of(currency)
    except MoneyError as error:
        yield str(error)


def _amount_problems(name: str, value: Decimal, currency: str) -> Iterator[str]:
    try:
        if not currency:
            yield f"{name} is an amount, so the row needs a currency"
        elif Money.from_major(value, currency).minor < 0:
            yield f"{name} {value} is below zero"
    except MoneyError as error:
        yield f"{name} {value}: {error}"


def _fee(row: FeeRow) -> Fee:
    def minor(value: Decimal | None) -> int:
        return 0 if value is None else Money.from_major(value, row.currency).minor

    return Fee(
        percent=row.percent,
        flat_minor=minor(row.flat),
        flat_from_minor=minor(row.flat_waived_below),
        cap_minor=None if row.cap is None else minor(row.cap),
        tax_percent=row.tax_percent,
        duty_minor=minor(row.duty),
        duty_from_minor=minor(row.duty_from),
    )
