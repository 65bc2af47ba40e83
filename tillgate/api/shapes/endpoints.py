"""Webhook endpoints, the events that they are told of, and how each was delivered."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tillgate.api.shapes.common import DAY_S, PageFilter, Time, Word, instant, instant_or_none, one_of
from tillgate.events.models import Delivery, DeliveryState, Endpoint, OutboxEvent
from tillgate.events.services.outbox import read_letter

Url = Annotated[str, Meta(max_length=500, examples=["https://shop.example/hooks"])]
Filters = Annotated[
    list[Annotated[str, Meta(max_length=60)]],
    Meta(
        min_length=1,
        max_length=50,
        description="Types such as payment.completed, all of a kind as payment.*, or * for all.",
    ),
]


class EndpointIn(msgspec.Struct, forbid_unknown_fields=True):
    """What may be sent to add an endpoint; the address is all that must be.

    One that is not enabled gets nothing, but its events are kept, to be read by GET /events.
    """

    url: Url
    description: str = ""
    events: Filters = msgspec.field(default_factory=lambda: ["*"])
    enabled: bool = True


class EndpointChangeIn(msgspec.Struct, forbid_unknown_fields=True):
    """What shall be different; what is not sent stays."""

    url: Url | UnsetType = UNSET
    description: str | UnsetType = UNSET
    events: Filters | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class RotateIn(msgspec.Struct, forbid_unknown_fields=True):
    """For how many seconds events are signed with the former secret, too; a day where nothing is said."""

    overlap: Annotated[int, Meta(ge=0, le=7 * DAY_S)] = DAY_S


class TestIn(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing: a test event says which endpoint it tests."""

    __test__ = False  # No test of ours.


class RedeliverIn(msgspec.Struct, forbid_unknown_fields=True):
    """To which endpoint; to all that are enabled and subscribe to it where none is named."""

    endpoint: Annotated[str, Meta(max_length=40)] | None = None


class EventFilter(PageFilter, forbid_unknown_fields=True):
    """The query of GET /events."""

    type: Word | None = None
    subject: Word | None = None
    created_after: datetime | UnsetType = UNSET
    created_before: datetime | UnsetType = UNSET


class EndpointOut(msgspec.Struct, kw_only=True):
    """An address that is told what happens.

    `secret` is only there in the answer that makes it. `former_secret_until`: so long events are signed
    with the former one, too. `failing_since`: nothing but failures since then.
    """

    id: str
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabled_at: Time | None
    disabled_reason: Annotated[str | None, one_of(Endpoint.Ended)]
    failing_since: Time | None
    former_secret_until: Time | None
    from_settings: bool
    added_by: str
    test: bool
    created_at: Time
    secret: str | UnsetType = UNSET


class ToldEventOut(msgspec.Struct, kw_only=True):
    """An event as it is told: `data` is the object as it was then, `sequence` orders those of one object."""

    id: str
    type: str
    subject: str
    sequence: int
    timestamp: Time
    data: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]


class DeliveryOut(msgspec.Struct, kw_only=True):
    """An event on its way to one endpoint, and how its last try went.

    `answer` is the beginning of what the receiver said, where its address is a public one.
    """

    endpoint: str
    url: str
    state: Annotated[str, one_of(DeliveryState)]
    tries: int
    next_try_at: Time | None
    last_try_at: Time | None
    status: int | None
    error: str | None
    answer: str | None


def endpoint_out(endpoint: Endpoint, *, secret: str | None = None) -> EndpointOut:
    """An endpoint; its secret only in the moment in which it was made."""
    return EndpointOut(
        id=endpoint.reference,
        url=endpoint.url,
        description=endpoint.description,
        events=endpoint.events,
        enabled=endpoint.enabled,
        disabled_at=instant_or_none(endpoint.disabled_at),
        disabled_reason=endpoint.disabled_reason or None,
        failing_since=instant_or_none(endpoint.failing_since),
        former_secret_until=instant_or_none(endpoint.former_secret_ends_at),
        from_settings=endpoint.from_settings,
        added_by=endpoint.added_by,
        test=endpoint.mode == "test",
        created_at=instant(endpoint.created_at),
        secret=UNSET if secret is None else secret,
    )


def told_event_out(event: OutboxEvent) -> ToldEventOut:
    """An event; its object is shown byte for byte as it is sent."""
    letter = read_letter(event)
    return ToldEventOut(
        id=event.reference,
        type=event.type,
        subject=event.subject,
        sequence=event.sequence,
        timestamp=letter.timestamp,
        data=letter.data,
    )


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """A delivery, with its endpoint."""
    return DeliveryOut(
        endpoint=delivery.endpoint.reference,
        url=delivery.endpoint.url,
        state=delivery.state,
        tries=delivery.tries,
        next_try_at=instant_or_none(delivery.next_try_at),
        last_try_at=instant_or_none(delivery.last_try_at),
        status=delivery.last_status,
        error=delivery.last_error or None,
        answer=delivery.last_answer or None,
    )
