"""What all shapes share: how amounts, times and words stand on the wire, and the error envelope."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tillgate.events.models import Event

Amount = Annotated[
    Decimal,
    Meta(
        description="Major units with exactly the currency's decimals.",
        extra_json_schema={"examples": [50.00]},
    ),
]
# A number or a string in major units: read by `fields.amount`, exactly.
AmountIn = Annotated[Any, Meta(extra_json_schema={"type": ["number", "string"], "examples": [50.00]})]
AmountOrNone = Annotated[Any, Meta(extra_json_schema={"type": ["number", "string", "null"]})]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
DAY_S = 86_400
PAGE = 50
MAX_PAGE = 200
Word = Annotated[str, Meta(max_length=254, pattern=r"^[^\x00-\x1f]*$")]
GatewayName = Annotated[str, Meta(max_length=20, pattern=r"^[a-z_]*$", examples=["paystack"])]


def one_of(words: type[StrEnum], more: str = "") -> Meta:
    """Describe a status by its words of today; it is no closed list."""
    return Meta(description=f"One of {', '.join(words)}; more may come. {more}".strip())


class ErrorOut(msgspec.Struct, kw_only=True):
    """Every refusal: a stable code, one sentence that says what to do, the members at fault.

    `checkout_url` comes with the code `consent_required`: the payer agrees there first. `approval` comes with
    `approval_required`: the id of the request that a second person decides about. `payment` comes where one
    was created, but no page of its gateway could be opened.
    """

    status: str
    message: str
    code: str
    errors: dict[str, list[str]]
    request_id: str
    checkout_url: str | UnsetType = UNSET
    approval: str | UnsetType = UNSET
    payment: dict[str, Any] | UnsetType = UNSET


class PageFilter(msgspec.Struct, forbid_unknown_fields=True):
    """The query of a list without filters. `cursor` comes from a page's `next` or `previous`."""

    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = PAGE
    cursor: Word | None = None


class EventOut(msgspec.Struct, kw_only=True):
    """One line of a timeline."""

    type: str
    sequence: int
    timestamp: Time
    data: dict[str, Any]


def event_out(event: Event) -> EventOut:
    """One stored line of the timeline."""
    return EventOut(
        type=event.type, sequence=event.sequence, timestamp=instant(event.created_at), data=event.data
    )


def instant(moment: datetime) -> str:
    """RFC 3339, UTC, with `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)
