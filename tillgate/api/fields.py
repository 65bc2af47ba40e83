"""What callers send, member by member: every refusal names the member and says what to send."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.http import url_has_allowed_host_and_scheme
from msgspec import UnsetType

from tillgate.common.errors import InvalidRequest
from tillgate.common.logs import has_card_number
from tillgate.merchants.models import Merchant
from tillgate.money import MAX_MINOR, Money, MoneyError

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
FORGING = frozenset({"Cc", "Cs", "Zl", "Zp"})
MERCHANT_REFERENCE = re.compile(r"[\x21-\x7e]{1,100}", re.ASCII)
IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}", re.ASCII)
MAX_METADATA_BYTES = 16_000
LETTERS_IN_ONE = 4  # A letter may be sent in so many parts, such as a vowel with its marks.
MAX_TOLD = 20
# Allowed by the standard and used by nobody: quotes, encoded words that some mail servers decode, and
# addresses of machines, which would let a stranger choose where our mail server connects to.
ODD_ADDRESS = ('"', "=?", "[")
_valid_email = EmailValidator(allowlist=[])


class FieldError(ValueError):
    """What is wrong with one member, and the error code where it has one of its own."""

    def __init__(self, message: str, code: str = "invalid_field") -> None:
        super().__init__(message)
        self.message, self.code = message, code


class Problems:
    """Collects what is wrong with a request, so that the caller learns all of it at once.

    `called` are the members that have another name at this door.
    """

    def __init__(self, called: Mapping[str, str] | None = None) -> None:
        self._called = called or {}
        self._errors: dict[str, list[str]] = {}
        self._codes: list[str] = []

    def check(self, name: str, read: Callable[[], T]) -> T | None:
        """Return what `read` returns; note its FieldError under `name` and return None instead."""
        try:
            return read()
        except FieldError as error:
            self.add(name, error.message, error.code)
            return None

    def add(self, name: str, message: str, code: str = "invalid_field") -> None:
        """Note one problem."""
        self._errors.setdefault(self._called.get(name, name), []).append(message)
        self._codes.append(code)

    def raise_if_any(self) -> None:
        """Raise InvalidRequest with all problems; its code is the first problem's."""
        if self._errors:
            first, messages = next(iter(self._errors.items()))
            raise InvalidRequest(f"{first}: {messages[0]}", code=self._codes[0], errors=self._errors)


def parse(shape: type[S], data: object, *, strict: bool = True) -> S:
    """Read `data` as `shape`. Raises InvalidRequest that names every unknown, missing or wrong member."""
    try:
        return msgspec.convert(data, shape, strict=strict)
    except msgspec.ValidationError:
        assert isinstance(data, dict), "the parser lets only objects through"
        problems = Problems()
        _explain(problems, shape, data, strict=strict)
        problems.raise_if_any()
        raise


def amount(value: object, currency: str) -> Money:
    """Read an amount in major units, a number or a string; it must be above zero and within the limit."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise FieldError('Send a number such as 50.00 or "50.00".', "invalid_amount")
    try:
        money = Money.from_major(value, currency)
    except MoneyError as error:
        raise FieldError(str(error), "invalid_amount") from None
    if money.minor <= 0:
        raise FieldError("Send an amount above zero.", "amount_too_small")
    if money.minor > MAX_MINOR:
        raise FieldError(
            f"{Money(MAX_MINOR, currency)} is the most that can be asked for.", "amount_too_large"
        )
    return money


def within_limits(money: Money, limits: dict[str, dict[str, int]]) -> Money:
    """Hold an amount against the merchant's own minimum and maximum for its currency."""
    own = limits.get(money.currency, {})
    if money.minor < own.get("minimum_minor", 1):
        raise FieldError(f"The least is {Money(own['minimum_minor'], money.currency)}.", "amount_too_small")
    if money.minor > own.get("maximum_minor", MAX_MINOR):
        raise FieldError(f"The most is {Money(own['maximum_minor'], money.currency)}.", "amount_too_large")
    return money


def money(problems: Problems, value: object, code: str | None, merchant: Merchant) -> Money | None:
    """Read an amount and its currency, which the merchant takes; None where a problem was noted."""
    known = problems.check("currency", lambda: currency_of(merchant, code))
    return money_in(problems, value, known, merchant) if known else None


def money_in(problems: Problems, value: object, currency: str, merchant: Merchant) -> Money | None:
    """Read an amount in a currency that is agreed, within the merchant's limits."""
    return problems.check("amount", lambda: within_limits(amount(value, currency), merchant.limits))


def currency_of(merchant: Merchant, value: str | None) -> str:
    """Read a currency that the merchant takes; where none is given its first, else the installation's."""
    taken = merchant.currencies
    code = currency(value or (taken[0] if taken else settings.TILLGATE_DEFAULT_CURRENCY))
    if taken and code not in taken:
        raise FieldError(f"{merchant.name} takes {', '.join(taken)}. Send one of them.", "invalid_currency")
    return code


def currency(value: str) -> str:
    """Read a currency."""
    try:
        return Money(0, value).currency
    except MoneyError as error:
        raise FieldError(str(error), "invalid_currency") from None


def text(value: str, *, most: int, least: int = 0) -> str:
    """Read a name or description in any script. Characters that forge lines or their order are refused."""
    _refuse_forging(value)
    value = value.strip()
    # No longer text may be normalized: for a run of marks that takes the square of its length.
    if len(value) <= most * LETTERS_IN_ONE:
        value = unicodedata.normalize("NFC", value)
    if not least <= len(value) <= most:
        raise FieldError(f"Send {least} to {most} characters.")
    _refuse_card(value)
    return value


def email(value: str) -> str:
    """Read one e-mail address."""
    value = value.strip()
    try:
        _valid_email(value)
    except ValidationError:
        raise FieldError("Send one e-mail address such as ada@example.com.", "invalid_email") from None
    if len(value) > 254:
        raise FieldError("An e-mail address has at most 254 characters.", "invalid_email")
    _refuse_forging(value)  # Between quotes, the standard admits control characters.
    if any(odd in value for odd in ODD_ADDRESS):
        raise FieldError("Send an address without quotes and brackets.", "invalid_email")
    _refuse_card(value)
    return value


def return_url(value: str | None, merchant: Merchant) -> str:
    """Read the address the customer goes back to: https, and a host of the merchant's own."""
    if not value:
        return ""
    if len(value) > 2000 or not value.isascii() or not value.isprintable():
        raise FieldError("Send an ASCII URL of at most 2,000 characters.", "invalid_return_url")
    hosts = set(merchant.return_hosts)
    if merchant.is_default:
        hosts.update(settings.TILLGATE_RETURN_HOSTS)
    secure = not (settings.IS_LOCAL and _host(value) in ("127.0.0.1", "localhost"))
    allowed = url_has_allowed_host_and_scheme(value, allowed_hosts=hosts, require_https=secure)
    if not allowed or not value.startswith(("https://", "http://")):
        known = ", ".join(sorted(hosts)) or "none is set"
        raise FieldError(
            f"Send an https URL on one of the hosts that {merchant.name} has set for it ({known}).",
            "invalid_return_url",
        )
    return value


def merchant_reference(value: str | None) -> str | None:
    """Read the caller's own order number."""
    if value is not None and not MERCHANT_REFERENCE.fullmatch(value):
        raise FieldError("Send 1 to 100 printable ASCII characters without spaces.")
    return value


def metadata(value: dict[str, str]) -> dict[str, str]:
    """Read the caller's own notes: flat, at most 50 keys of 40 and values of 500 characters, 16 kB in all."""
    if len(value) > 50 or any(len(key) > 40 or len(word) > 500 for key, word in value.items()):
        raise FieldError("Send at most 50 keys of 40 characters, with values of 500.")
    for word in (*value.keys(), *value.values()):
        _refuse_forging(word)
        _refuse_card(word)
    if len(msgspec.json.encode(value)) > MAX_METADATA_BYTES:
        raise FieldError("Send at most 16 kB.")
    return value


def moment(value: datetime | UnsetType) -> datetime | None:
    """Read a time; it must say its zone."""
    if isinstance(value, UnsetType):
        return None
    if value.tzinfo is None:
        raise FieldError("Send a time with its zone, such as 2026-01-31T09:00:00Z.")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise FieldError("Send a time between the years 1 and 9999, in UTC.") from None


def idempotency_key(value: str | None) -> str | None:
    """Read the header Idempotency-Key. Raises InvalidRequest when it is not 1-255 printable ASCII."""
    if value is not None and not IDEMPOTENCY_KEY.fullmatch(value):
        raise InvalidRequest(
            "Send an Idempotency-Key of 1 to 255 printable ASCII characters.", code="invalid_idempotency_key"
        )
    return value


def _refuse_forging(text: str) -> None:
    if any(char in BIDI_OVERRIDES or unicodedata.category(char) in FORGING for char in text):
        raise FieldError("Control characters and text-direction overrides are not accepted.")


def _refuse_card(text: str) -> None:
    if has_card_number(text):
        raise FieldError("Card numbers are never accepted here.", "card_data_not_accepted")


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _explain(
    problems: Problems, shape: type[msgspec.Struct], data: dict[str, Any], *, strict: bool, within: str = ""
) -> None:
    known = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name in [name for name in data if name not in known][:MAX_TOLD]:
        problems.add(within + name[:80], "There is no such member. Remove it.", "unknown_member")
    for name, field in known.items():
        inner = _struct_in(field.type)
        if name in data and inner and isinstance(data[name], dict):
            _explain(problems, inner, data[name], strict=strict, within=f"{within}{name}.")
        elif name in data:
            problems.check(within + name, partial(_convert, data[name], field.type, strict=strict))
        elif field.required:
            problems.add(within + name, "This member is required.", "required")


def _struct_in(type_: Any) -> type[msgspec.Struct] | None:
    structs = (one for one in get_args(type_) if isinstance(one, type) and issubclass(one, msgspec.Struct))
    return next(structs, None)


def _convert(value: object, type_: Any, *, strict: bool) -> None:
    try:
        msgspec.convert(value, type_, strict=strict)
    except msgspec.ValidationError as error:
        raise FieldError(str(error).partition(" - at ")[0] + ".") from None
