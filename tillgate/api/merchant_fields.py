"""What a merchant may say of itself, member by member."""

import re
from functools import partial
from typing import Any

from msgspec import UNSET
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.shapes.merchant import LimitsIn, MerchantIn
from tillgate.merchants.services.fees import COUNTRY
from tillgate.merchants.services.merchants import zone_names
from tillgate.money import MAX_MINOR

LONGEST_NAME = 120
MOST_HOSTS = 20
COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*(:[0-9]{{1,5}})?", re.ASCII)


def read_merchant(request: Request) -> dict[str, object]:
    """Read what is to be different, by the fields' names. Raises InvalidRequest with all that is wrong."""
    body = fields.parse(MerchantIn, request.data)
    sent = {name: value for name in READERS if (value := getattr(body, name)) is not UNSET}
    problems = fields.Problems()
    if not sent:
        problems.add("name", "Send at least one member that shall be different.", "required")
    changes = {name: problems.check(name, partial(READERS[name], value)) for name, value in sent.items()}
    problems.raise_if_any()
    return changes


def _name(value: str) -> str:
    return fields.text(value, least=1, most=LONGEST_NAME)


def _color(value: str | None) -> str:
    color = (value or "").lower()
    if color and not COLOR.fullmatch(color):
        raise fields.FieldError("Send a colour such as #0a7d4f, or null for ours.")
    return color


def _country(value: str | None) -> str:
    if not COUNTRY.fullmatch(value or ""):
        raise fields.FieldError("Send the two capital letters of ISO 3166, such as NG, or null.")
    return value or ""


def _zone(value: str) -> str:
    if value not in zone_names():
        raise fields.FieldError("Send a name of the IANA time zones such as Africa/Lagos.")
    return value


def _currencies(value: list[str]) -> list[str]:
    if len(set(value)) < len(value):
        raise fields.FieldError("Send each currency once.", "invalid_currency")
    return [fields.currency(code) for code in value]


def _limits(value: dict[str, LimitsIn]) -> dict[str, dict[str, int]]:
    return {fields.currency(code): _limits_of(code, limits) for code, limits in value.items()}


def _limits_of(code: str, limits: LimitsIn) -> dict[str, int]:
    told = {"minimum_minor": limits.minimum, "maximum_minor": limits.maximum}
    known = {name: fields.amount(value, code).minor for name, value in told.items() if value is not None}
    if known.get("minimum_minor", 0) > known.get("maximum_minor", MAX_MINOR):
        raise fields.FieldError(f"{code}: no amount is between this minimum and maximum.")
    return known


def _refund_limits(value: dict[str, Any]) -> dict[str, int]:
    return {fields.currency(code): fields.amount(most, code).minor for code, most in value.items()}


def _return_hosts(value: list[str]) -> list[str]:
    hosts = sorted({host.strip().lower() for host in value})
    if len(hosts) > MOST_HOSTS:
        raise fields.FieldError(f"Send at most {MOST_HOSTS} hosts.")
    for host in hosts:
        if len(host) > 253 or not HOST.fullmatch(host):
            raise fields.FieldError(
                f"{host[:60]!r} is no host. Send names such as shop.example, with a port where it has one."
            )
    return hosts


READERS: dict[str, Any] = {
    "name": _name,
    "color": _color,
    "country": _country,
    "zone": _zone,
    "currencies": _currencies,
    "limits": _limits,
    "refund_limits": _refund_limits,
    "return_hosts": _return_hosts,
}
