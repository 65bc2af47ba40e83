"""Where a recurring payment stands, read from its rows and put in words; nothing is written."""

from dataclasses import dataclass
from datetime import datetime

from tillgate.common import clock
from tillgate.money import Money
from tillgate.payments.models import Payment
from tillgate.payments.states import PAYABLE, PaymentStatus
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.change import preview
from tillgate.subscriptions.services.letters import next_try_at
from tillgate.subscriptions.services.stop import in_flight
from tillgate.subscriptions.states import (
    COLLECTING,
    LIVE,
    Collection,
    CycleStatus,
    SubscriptionStatus,
)
from tillgate.subscriptions.words import day, method_name


@dataclass(frozen=True, kw_only=True)
class Due:
    """An amount and the day on which it is, or was, due; `payment` where it has been opened."""

    amount: Money
    on: str
    payment: Payment | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A recurring payment with what is owed, what comes next, and what a gateway is charging just now.

    `method` is what the customer is charged by, empty where a link is sent or nothing is saved;
    `kept` is what is stored of it, whether it is charged or not. `retried_on` is the day on which what is
    owed is charged again by itself.
    """

    subscription: Subscription
    owed: Due | None
    upcoming: Due | None
    moving: Payment | None
    method: str
    kept: str
    retried_on: str

    @property
    def is_live(self) -> bool:
        """Say whether it can still be stopped."""
        return self.subscription.status in LIVE

    @property
    def by_link(self) -> bool:
        """Say whether the customer pays each time by a link, and is never charged."""
        return self.subscription.collection == Collection.SEND_LINK


def standing_of(subscription: Subscription) -> Standing:
    """Read where a recurring payment stands."""
    cycles = subscription.all_cycles.filter(status__in=(CycleStatus.OPEN, CycleStatus.UNPAID))
    waiting = list(cycles.select_related("payment").order_by("index"))
    kept = _kept(subscription)
    retried_at = next_try_at(subscription, waiting)
    return Standing(
        subscription=subscription,
        owed=_owed(subscription, waiting),
        upcoming=_upcoming(subscription, waiting),
        moving=in_flight(subscription),
        method="" if subscription.collection == Collection.SEND_LINK else kept,
        kept=kept,
        retried_on=day(retried_at, subscription.zone) if retried_at else "",
    )


def _owed(subscription: Subscription, waiting: list[Cycle]) -> Due | None:
    """The oldest that the customer is to pay: not what is about to be charged for the first time."""
    if subscription.status not in LIVE:
        return None
    starts = subscription.status == SubscriptionStatus.INCOMPLETE
    by_hand = starts or subscription.collection == Collection.SEND_LINK
    for cycle in waiting:
        payment = cycle.payment
        if payment is None or payment.status not in PAYABLE or payment.expires_at <= clock.now():
            continue
        if by_hand or cycle.needs_customer or payment.status == PaymentStatus.FAILED:
            return _due(subscription, cycle.due_at, payment.amount, payment)
    return None


def _upcoming(subscription: Subscription, waiting: list[Cycle]) -> Due | None:
    if subscription.status not in COLLECTING | {SubscriptionStatus.PAUSED}:
        return None
    for cycle in waiting:  # Opened ahead, for a link or by a customer who pays early.
        if cycle.payment and cycle.status == CycleStatus.OPEN and cycle.due_at > clock.now():
            return _due(subscription, cycle.due_at, cycle.payment.amount)
    return next((_due(subscription, one.due_at, one.amount) for one in preview(subscription)[:1]), None)


def _kept(subscription: Subscription) -> str:
    method = subscription.payment_method
    if method is None or method.removed_at is not None:
        return ""
    year, _, month = method.expires_month.partition("-")
    return f"{method_name(method)}, expires {month}/{year}" if month else method_name(method)


def _due(subscription: Subscription, at: datetime, amount: Money, payment: Payment | None = None) -> Due:
    return Due(amount=amount, on=day(at, subscription.zone), payment=payment)
