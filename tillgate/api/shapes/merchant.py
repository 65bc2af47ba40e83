"""A merchant as it sees itself, and its accounts at the gateways."""

from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from django.urls import reverse
from msgspec import UNSET, Meta, UnsetType

from tillgate.api.shapes.common import Amount, AmountIn, AmountOrNone, GatewayName, Time, instant
from tillgate.gateways.protocol import GatewayAccount, Mode
from tillgate.merchants.models import Merchant, StoredAccount
from tillgate.money import Money

Code = Annotated[str, Meta(max_length=3, examples=["NGN"])]
Color = Annotated[str, Meta(description="Of the checkout's buttons.", examples=["#0a7d4f"])]
Secret = Annotated[str, Meta(max_length=5_000)]
Secrets = Annotated[
    dict[str, Secret],
    Meta(
        max_length=20,
        description="By the settings' names; never shown again.",
        examples=[{"PAYSTACK_SECRET_KEY": "sk_test_…"}],
    ),
]


class LimitsIn(msgspec.Struct, forbid_unknown_fields=True):
    """The least and the most that may be asked for in one currency, in major units."""

    minimum: AmountOrNone = None
    maximum: AmountOrNone = None


class MerchantIn(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be different; what is not sent stays as it is, null or an empty list takes it away."""

    name: str | UnsetType = UNSET
    color: Color | UnsetType | None = UNSET
    country: str | UnsetType | None = UNSET
    zone: str | UnsetType = UNSET
    currencies: Annotated[list[Code], Meta(max_length=50)] | UnsetType = UNSET
    limits: dict[str, LimitsIn] | UnsetType = UNSET
    refund_limits: dict[str, AmountIn] | UnsetType = UNSET
    return_hosts: Annotated[list[str], Meta(max_length=50)] | UnsetType = UNSET


class LimitsOut(msgspec.Struct):
    """The least and the most in one currency; null where the merchant has set none."""

    minimum: Amount | None
    maximum: Amount | None


class MerchantOut(msgspec.Struct, kw_only=True):
    """A business. `currencies` are all that it takes, the default first; none: whatever its gateways take.

    `refund_limits` are what one person may refund alone; `return_hosts` those that return_url may name.
    """

    id: str
    name: str
    is_default: bool
    color: str | None
    logo_url: str | None
    country: str | None
    zone: str
    currencies: list[str]
    limits: dict[str, LimitsOut]
    refund_limits: dict[str, Amount]
    return_hosts: list[str]
    created_at: Time


class GatewayAccountIn(msgspec.Struct, forbid_unknown_fields=True):
    """An account at a gateway, of one mode, with all its secrets."""

    gateway: GatewayName
    mode: Literal["test", "live"]
    secrets: Secrets


class GatewaySecretsIn(msgspec.Struct, forbid_unknown_fields=True):
    """All secrets of an account anew; `same_account` has to be said while money is on its way by it."""

    secrets: Secrets
    same_account: bool = False


class ForgetFormerIn(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing: all former secrets are forgotten."""


class GatewayAccountOut(msgspec.Struct, kw_only=True):
    """An account at a gateway; `hint` is the end of its secret. Those of the environment have no id.

    `in_use` is false where the environment's account comes first; `has_former_secrets`: events that are
    signed with a former secret are heard, too.
    """

    id: str | None
    gateway: str
    mode: Mode
    source: Literal["stored", "environment"]
    hint: str
    in_use: bool
    has_former_secrets: bool
    created_at: Time | None
    changed_at: Time | None


def merchant_out(merchant: Merchant) -> MerchantOut:
    """A merchant as its own key, or its staff, sees it."""
    sha256 = merchant.logo_sha256
    logo = reverse("brand_logo", args=[merchant.reference, sha256]) if sha256 else ""
    return MerchantOut(
        id=merchant.reference,
        name=merchant.name,
        is_default=merchant.is_default,
        color=merchant.color or None,
        logo_url=f"{settings.TILLGATE_PUBLIC_URL}{logo}" if logo else None,
        country=merchant.country or None,
        zone=merchant.zone,
        currencies=list(merchant.currencies),
        limits={code: _limits_out(code, own) for code, own in merchant.limits.items()},
        refund_limits={code: Money(minor, code).to_major for code, minor in merchant.refund_limits.items()},
        return_hosts=list(merchant.return_hosts),
        created_at=instant(merchant.created_at),
    )


def account_out(row: StoredAccount, *, in_use: bool) -> GatewayAccountOut:
    """A stored account without its secrets."""
    return GatewayAccountOut(
        id=row.reference,
        gateway=row.gateway,
        mode="live" if row.mode == "live" else "test",
        source="stored",
        hint=row.hint,
        in_use=in_use,
        has_former_secrets=bool(row.former_secrets),
        created_at=instant(row.created_at),
        changed_at=instant(row.changed_at),
    )


def environment_account_out(account: GatewayAccount) -> GatewayAccountOut:
    """An account of the environment's keys."""
    return GatewayAccountOut(
        id=None,
        gateway=account.gateway,
        mode=account.mode,
        source="environment",
        hint=next(iter(account.credentials.values()))[-4:],
        in_use=True,
        has_former_secrets=False,
        created_at=None,
        changed_at=None,
    )


def _limits_out(code: str, own: dict[str, Any]) -> LimitsOut:
    minimum, maximum = own.get("minimum_minor"), own.get("maximum_minor")
    return LimitsOut(
        minimum=None if minimum is None else Money(minimum, code).to_major,
        maximum=None if maximum is None else Money(maximum, code).to_major,
    )
