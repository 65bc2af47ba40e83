"""Change what is to come: the next cycle is the first with the new amount, rhythm or method."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from tillgate.common import clock
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.methods import hold_method
from tillgate.money import Money
from tillgate.payments.models import Payment
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.states import PAYABLE, MethodSaving, PaymentStatus
from tillgate.subscriptions.errors import MethodNotUsable, NotPossible
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.schedule import Rhythm
from tillgate.subscriptions.services.create import require_takeable, require_usable
from tillgate.subscriptions.services.cycles import advance, open_next, skip_to_ahead
from tillgate.subscriptions.services.follow import use_method
from tillgate.subscriptions.services.mails import Mail, tell
from tillgate.subscriptions.services.moves import lock_subscription, note
from tillgate.subscriptions.states import (
    COLLECTING,
    LIVE,
    Collection,
    CycleStatus,
    Interval,
    SubscriptionStatus,
)

PREVIEWED = 12
A_DAY = timedelta(days=1)
CHANGEABLE = COLLECTING | {SubscriptionStatus.PAUSED}
CHANGING = ("amount_minor", "interval", "interval_count", "collection", "payment_method_id")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What shall be different; None leaves as it is."""

    amount: Money | None = None
    interval: Interval | None = None
    interval_count: int | None = None
    payment_method: PaymentMethod | None = None
    collection: Collection | None = None


@dataclass(frozen=True, kw_only=True)
class Upcoming:
    """A cycle that was not opened yet. `index` counts from 0."""

    index: int
    due_at: datetime
    amount: Money


def preview(subscription: Subscription, change: Change = Change()) -> list[Upcoming]:
    """Return the next twelve due dates and amounts, as they are or as they would be after a change.

    Empty for one that has ended, or has no anchor yet. No row is written.
    """
    if subscription.status not in LIVE or subscription.anchor_at is None:
        return []
    left = subscription.cycles_left
    first = subscription.next_index
    if subscription.status == SubscriptionStatus.PAUSED:
        resumed = copy(subscription)  # As it would go on now; nothing of it is saved.
        skip_to_ahead(resumed)
        first = resumed.next_index
    count = PREVIEWED if left is None else min(PREVIEWED, left)
    rhythm, amount = _rhythm_after(subscription, change, first), change.amount or subscription.amount
    indexes = range(first, first + count)
    return [Upcoming(index=index, due_at=rhythm.due_at(index), amount=amount) for index in indexes]


@transaction.atomic
def change_subscription(subscription_id: int, change: Change) -> Subscription:
    """Change a subscription from its next cycle on; cycles that are open keep what was agreed.

    A new interval counts from the next due date. The customer is told by mail. Raises NotPossible for one
    that has ended or waits for its first payment, MethodNotUsable, NoGateway where the new amount cannot
    be taken.
    """
    subscription = lock_subscription(subscription_id)
    if subscription.status not in CHANGEABLE:
        raise NotPossible(
            f"{subscription.reference} is {subscription.status}; only one that is active, past due or paused "
            "can be changed."
        )
    _require_possible(subscription, change)
    changed = _apply(subscription, change)
    if changed:
        note(subscription, "subscription.changed", {"changed": sorted(changed)})
    if changed & {"amount_minor", "interval", "interval_count"}:
        tell(subscription, Mail.CHANGED)
    return subscription


@transaction.atomic
def payment_to_make(subscription_id: int) -> Payment | None:
    """Return the payment that the customer can make now by hand, with this or another method.

    What is owed first; else the next cycle, before its due date (its payment is made here, and its due
    date stays). If they let us, what they pay with is charged from then on. None when nothing is to come,
    or while a charge is on its way.
    """
    subscription = lock_subscription(subscription_id)
    if subscription.status not in LIVE:
        return None
    collectable = [CycleStatus.OPEN, CycleStatus.UNPAID]  # A customer may pay what we gave up.
    owed = Cycle.objects.filter(subscription=subscription, status__in=collectable)
    waiting = owed.exclude(status=CycleStatus.UNPAID, payment__status__in=set(PaymentStatus) - PAYABLE)
    cycle = waiting.order_by("index").first()
    if cycle is None and subscription.status in COLLECTING and subscription.next_opens_at is not None:
        cycle = open_next(subscription)
    if cycle is None or cycle.payment_id is None:
        return None
    payment = lock_payment(cycle.payment_id)
    if payment.status not in PAYABLE or payment.expires_at <= clock.now():
        return None
    if payment.method_saving == MethodSaving.NO:  # A link was sent; who asks for it here may save a card.
        payment.method_saving = MethodSaving.OFFERED
        payment.save(update_fields=["method_saving"])
    return payment


def _rhythm_after(subscription: Subscription, change: Change, first: int) -> Rhythm:
    rhythm = subscription.rhythm
    interval, count = change.interval or rhythm.interval, change.interval_count or rhythm.count
    if (interval, count) == (rhythm.interval, rhythm.count):
        return rhythm
    return rhythm.changed(first, interval=interval, count=count)


def _require_possible(subscription: Subscription, change: Change) -> None:
    amount = change.amount or subscription.amount
    if amount.currency != subscription.currency:
        raise NotPossible(f"{subscription.reference} is in {subscription.currency}, and stays so.")
    collection = change.collection or subscription.collection
    method = change.payment_method or subscription.payment_method
    if change.payment_method is not None:
        collection = Collection.CHARGE
    if collection != Collection.CHARGE:
        require_takeable(subscription, amount, only=subscription.gateway)
    elif method is None:
        raise MethodNotUsable(f"{subscription.reference} has no saved method. Send payment_method with it.")
    elif change.payment_method or change.amount or change.collection:
        require_usable(hold_method(method.pk), subscription, amount)


def _apply(subscription: Subscription, change: Change) -> set[str]:
    before = {name: getattr(subscription, name) for name in CHANGING}
    if subscription.status == SubscriptionStatus.PAUSED:
        Cycle.objects.bulk_create(skip_to_ahead(subscription))
        subscription.next_opens_at = None
    if change.interval or change.interval_count:
        rhythm = _rhythm_after(subscription, change, subscription.next_index)
        subscription.interval, subscription.interval_count = rhythm.interval, rhythm.count
        subscription.anchor_at, subscription.anchor_index = rhythm.anchor_at, rhythm.anchor_index
    subscription.amount_minor = (change.amount or subscription.amount).minor
    subscription.collection = change.collection or subscription.collection
    if subscription.next_opens_at is not None:
        advance(subscription, subscription.next_index, opened=False)
    if change.payment_method is not None:
        use_method(subscription, change.payment_method.pk)
    subscription.save(update_fields=[*CHANGING, "anchor_at", "anchor_index", "next_index", "next_opens_at"])
    if subscription.collection == Collection.SEND_LINK != before["collection"]:
        _send_links(subscription)
    return {name for name, value in before.items() if getattr(subscription, name) != value}


def _send_links(subscription: Subscription) -> None:
    """What is open by now was to be charged: its customer gets a link, and a day for it."""
    for cycle in Cycle.objects.filter(subscription=subscription, status=CycleStatus.OPEN):
        cycle.next_try_at = max(cycle.due_at, clock.now() + A_DAY)
        cycle.save(update_fields=["next_try_at"])
        tell(subscription, Mail.PAY_LINK, cycle)
