"""Recurring payments and saved payment methods."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from django.db.models import Q
from msgspec import UNSET, Meta, UnsetType

from tillgate.api.shapes.common import (
    Amount,
    AmountIn,
    GatewayName,
    PageFilter,
    Time,
    Word,
    instant,
    instant_or_none,
    one_of,
)
from tillgate.customers.models import PaymentMethod
from tillgate.payments.models import Payment
from tillgate.payments.services.sessions import checkout_url
from tillgate.payments.states import PAYABLE, PaymentStatus
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.change import Upcoming
from tillgate.subscriptions.services.letters import can_be_paid, manage_url, next_due_at, next_try_at
from tillgate.subscriptions.states import LIVE, Collection, CycleStatus, Interval, SubscriptionStatus

MAX_COUNT = 365  # Of days; `recurring.MOST_BETWEEN` has less for longer intervals.
MAX_CYCLES = 1_200
IntervalWord = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]
CollectionWord = Literal["charge", "send_link"]
Count = Annotated[
    int,
    Meta(
        ge=1,
        le=MAX_COUNT,
        description="With daily at most 365, weekly 156, monthly 36, quarterly 12, yearly 3.",
    ),
]
Cycles = Annotated[
    int,
    Meta(ge=2, le=MAX_CYCLES, description="How many payments, with the first; null: until it is stopped."),
]
StartsAt = Annotated[
    datetime,
    Meta(
        description="From when the due dates count: ahead, by two years at most.",
        extra_json_schema={"format": "date-time"},
    ),
]


class RecurringIn(msgspec.Struct, forbid_unknown_fields=True):
    """How often, how many times and how a payment is repeated."""

    interval: IntervalWord
    interval_count: Count = 1
    cycles: Cycles | None = None
    starts_at: StartsAt | None = None
    collection: CollectionWord = "charge"


class SubscriptionIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What may be sent to create a subscription, with a saved method or without."""

    customer_name: str
    customer_email: str
    amount: AmountIn
    currency: str | None = None
    description: str = ""
    interval: IntervalWord
    interval_count: Count = 1
    cycles: Cycles | None = None
    starts_at: StartsAt | None = None
    trial_days: Annotated[int, Meta(ge=0, le=730, description="Days until the first payment.")] = 0
    collection: CollectionWord = "charge"
    payment_method: Annotated[str, Meta(max_length=40)] | None = None
    gateway: GatewayName | None = None
    return_url: str | None = None
    metadata: dict[str, str] = {}


class ChangeIn(msgspec.Struct, forbid_unknown_fields=True):
    """What shall be different from the next cycle on; what is not sent stays."""

    amount: AmountIn | UnsetType = UNSET
    interval: IntervalWord | UnsetType = UNSET
    interval_count: Count | UnsetType = UNSET
    payment_method: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    collection: CollectionWord | UnsetType = UNSET


class ActionIn(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing: a subscription is paused, resumed or canceled as a whole."""


class PreviewFilter(msgspec.Struct, forbid_unknown_fields=True):
    """The query of a preview: what would be different; nothing is changed by it."""

    amount: Annotated[Word, Meta(description="Major units, such as 50.00.")] | UnsetType = UNSET
    interval: IntervalWord | UnsetType = UNSET
    interval_count: Count | UnsetType = UNSET


class SubscriptionFilter(PageFilter, forbid_unknown_fields=True):
    """The query of GET /subscriptions."""

    status: Literal[tuple(status.value for status in SubscriptionStatus)] | UnsetType = UNSET  # type: ignore[valid-type]
    customer_email: Word | None = None
    created_after: datetime | UnsetType = UNSET
    created_before: datetime | UnsetType = UNSET


class MethodFilter(PageFilter, forbid_unknown_fields=True):
    """The query of GET /payment-methods."""

    customer_email: Word | None = None


class MethodOut(msgspec.Struct, kw_only=True):
    """A saved way to pay. What is not known of it is null."""

    id: str
    customer_email: str
    gateway: str
    kind: str
    brand: str | None
    last4: str | None
    expires_month: Annotated[str, Meta(description="As 2028-09.")] | None
    created_at: Time


class SubscriptionOut(msgspec.Struct, kw_only=True):
    """A recurring payment. Amount and rhythm are those of the payments to come.

    `first_payment` and `in_flight` are ids of payments: the first one, and the one that is on its way just
    now. `next_payment_at` is the next due date, `next_try_at` when what could not be charged is charged
    again. `checkout_url` is where the customer pays what has to be paid by hand. `manage_url` is the
    customer's own page, at which it can be stopped without a login.
    """

    id: str
    status: Annotated[str, one_of(SubscriptionStatus)]
    customer_name: str
    customer_email: str
    amount: Amount
    currency: str
    description: str
    interval: Annotated[str, one_of(Interval)]
    interval_count: int
    cycles: int | None
    cycles_left: int | None
    collection: Annotated[str, one_of(Collection)]
    gateway: str | None
    payment_method: MethodOut | None
    anchor_at: Time | None
    next_payment_at: Time | None
    next_try_at: Time | None
    first_payment: str | None
    checkout_url: str | None
    in_flight: str | None
    manage_url: str
    return_url: str | None
    test: bool
    created_by: str
    created_at: Time
    activated_at: Time | None
    ended_at: Time | None
    end_reason: str | None
    metadata: dict[str, str]


class UpcomingOut(msgspec.Struct, kw_only=True):
    """A payment to come. `number` counts the due dates from 1."""

    number: int
    due_at: Time
    amount: Amount
    currency: str


def current_cycles(subscriptions: list[Subscription]) -> dict[int, list[Cycle]]:
    """Read, in one statement, the first cycle of each subscription, and those that are not paid."""
    flying = Q(status=CycleStatus.UNPAID, payment__status=PaymentStatus.PROCESSING)
    wanted = Q(index=0) | Q(status=CycleStatus.OPEN) | flying
    cycles = Cycle.objects.filter(wanted, subscription__in=[s.pk for s in subscriptions])
    found: dict[int, list[Cycle]] = {subscription.pk: [] for subscription in subscriptions}
    for cycle in cycles.select_related("payment").order_by("index"):
        found[cycle.subscription_id].append(cycle)
    return found


def subscription_out(subscription: Subscription, cycles: Sequence[Cycle]) -> SubscriptionOut:
    """The subscription with what `current_cycles` has read of it."""
    method = subscription.payment_method
    flying, due = _in_flight(cycles), _to_be_paid(subscription, cycles)
    return SubscriptionOut(
        id=subscription.reference,
        status=subscription.status,
        customer_name=subscription.customer_name,
        customer_email=subscription.customer_email,
        amount=subscription.amount.to_major,
        currency=subscription.currency,
        description=subscription.description,
        interval=subscription.interval,
        interval_count=subscription.interval_count,
        cycles=subscription.cycles,
        cycles_left=subscription.cycles_left,
        collection=subscription.collection,
        gateway=subscription.gateway,
        payment_method=None if method is None else method_out(method),
        anchor_at=instant_or_none(subscription.anchor_at),
        next_payment_at=instant_or_none(next_due_at(subscription)),
        next_try_at=instant_or_none(next_try_at(subscription, cycles)),
        first_payment=next((c.payment.reference for c in cycles if c.index == 0 and c.payment), None),
        checkout_url=None if due is None else checkout_url(due),
        in_flight=None if flying is None else flying.reference,
        manage_url=manage_url(subscription),
        return_url=subscription.return_url or None,
        test=subscription.mode == "test",
        created_by=subscription.created_by,
        created_at=instant(subscription.created_at),
        activated_at=instant_or_none(subscription.activated_at),
        ended_at=instant_or_none(subscription.ended_at),
        end_reason=subscription.end_reason or None,
        metadata=subscription.metadata,
    )


def method_out(method: PaymentMethod) -> MethodOut:
    """A saved method; never its token."""
    return MethodOut(
        id=method.reference,
        customer_email=method.customer_email,
        gateway=method.gateway,
        kind=method.kind,
        brand=method.brand or None,
        last4=method.last4 or None,
        expires_month=method.expires_month or None,
        created_at=instant(method.created_at),
    )


def upcoming_out(upcoming: Upcoming) -> UpcomingOut:
    """A payment to come."""
    return UpcomingOut(
        number=upcoming.index + 1,
        due_at=instant(upcoming.due_at),
        amount=upcoming.amount.to_major,
        currency=upcoming.amount.currency,
    )


def _in_flight(cycles: Sequence[Cycle]) -> Payment | None:
    payments = (cycle.payment for cycle in cycles)
    return next((p for p in payments if p and p.status == PaymentStatus.PROCESSING), None)


def _to_be_paid(subscription: Subscription, cycles: Sequence[Cycle]) -> Payment | None:
    """What the customer has to pay by hand; not what we are about to charge for the first time."""
    if subscription.status not in LIVE:
        return None
    is_charged = subscription.collection == Collection.CHARGE and subscription.payment_method is not None
    waiting = PAYABLE - {PaymentStatus.PENDING} if is_charged else PAYABLE
    payments = (cycle.payment for cycle in cycles if cycle.status == CycleStatus.OPEN)
    return next((p for p in payments if p and p.status in waiting and can_be_paid(p)), None)
