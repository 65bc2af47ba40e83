"""Gateways, and what they would leave of an amount."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tillgate.api.shapes.common import Amount, Word


class GatewayFilter(msgspec.Struct, forbid_unknown_fields=True):
    """The query of GET /gateways: both or neither."""

    # Read as at creation, by `fields.money`.
    amount: Annotated[Word, Meta(description="Major units, such as 50.00.")] | UnsetType = UNSET
    currency: Word | UnsetType = UNSET


class EstimateOut(msgspec.Struct, kw_only=True):
    """What a gateway would keep and leave, by the fee table of that day: not what it will be charged."""

    fee: Amount
    net: Amount
    currency: str
    as_of: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    sentence: str


class GatewayOut(msgspec.Struct, kw_only=True):
    """A gateway that can be used; the last two members are only there with an amount and a key."""

    name: str
    title: str
    currencies: list[str]
    channels: list[str]
    healthy: bool | UnsetType = UNSET
    estimate: EstimateOut | UnsetType | None = UNSET
