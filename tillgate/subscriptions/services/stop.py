"""Stop, pause and resume: after the answer no new charge starts.

The next charge reads the status under the lock that these take, so it is either written down before, and
shown as in flight, or never made.
"""

from django.db import transaction
from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest

from tillgate.common import clock
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Payment
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.states import PaymentStatus
from tillgate.subscriptions.errors import NotPossible
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.cycles import POINTER, skip_to_ahead
from tillgate.subscriptions.services.mails import Mail, tell
from tillgate.subscriptions.services.moves import lock_subscription, move_cycle, move_subscription
from tillgate.subscriptions.states import COLLECTING, CycleStatus, SubscriptionStatus


@transaction.atomic
def cancel_subscription(subscription_id: int, *, reason: str) -> Subscription:
    """Stop a subscription for good; a repeat returns it unchanged. `reason` is `customer` or `merchant`.

    Payments that wait for the customer are canceled with it. A charge that is with the gateway already
    cannot be called back: `in_flight` names it, and it can be refunded as soon as it has come in.
    Raises NotPossible for one that has ended another way.
    """
    subscription = lock_subscription(subscription_id)
    if subscription.status != SubscriptionStatus.CANCELED:
        end(subscription, reason=reason)
        tell(subscription, Mail.CANCELED)
    return subscription


@transaction.atomic
def pause_subscription(subscription_id: int) -> Subscription:
    """Charge nothing until it is resumed, neither what is to come nor what is owed.

    Raises NotPossible unless it is active or past due; a repeat returns it unchanged.
    """
    subscription = lock_subscription(subscription_id)
    if subscription.status == SubscriptionStatus.PAUSED:
        return subscription
    _mark_in_flight(subscription)
    move_subscription(subscription, SubscriptionStatus.PAUSED, "subscription.paused", next_opens_at=None)
    tell(subscription, Mail.PAUSED)
    return subscription


@transaction.atomic
def resume_subscription(subscription_id: int) -> Subscription:
    """Go on with the next due date that lies ahead; those that passed in the pause are skipped, and do
    not count. What was owed before is collected when its next try is due.

    Raises NotPossible unless it is paused; a repeat returns it unchanged.
    """
    subscription = lock_subscription(subscription_id)
    if subscription.status in COLLECTING:
        return subscription
    if subscription.status != SubscriptionStatus.PAUSED:
        raise NotPossible(f"{subscription.reference} is {subscription.status}; only a paused one can go on.")
    if subscription.import_unfinished:
        raise NotPossible(f"{subscription.reference} is still collected by the gateway: finish its import.")
    Cycle.objects.bulk_create(skip_to_ahead(subscription))
    pointer = {name: getattr(subscription, name) for name in POINTER}
    move_subscription(subscription, SubscriptionStatus.ACTIVE, "subscription.resumed", **pointer)
    due = Greatest(F("due_at"), Value(clock.now(), output_field=DateTimeField()))  # Some are opened before.
    waiting = Cycle.objects.filter(subscription=subscription, status=CycleStatus.OPEN)
    waiting.filter(next_try_at__isnull=True).update(next_try_at=due)  # Others keep their ladder's day.
    complete_if_last(subscription)
    tell(subscription, Mail.RESUMED)
    return subscription


def in_flight(subscription: Subscription) -> Payment | None:
    """Return the payment of this subscription that a gateway is charging just now, if any."""
    charged = Payment.objects.filter(cycle__subscription=subscription, status=PaymentStatus.PROCESSING)
    return charged.order_by("pk").first()


def end(subscription: Subscription, *, reason: str) -> None:
    """Cancel a locked subscription, and every payment of it that still waits."""
    _mark_in_flight(subscription)
    changes = {"ended_at": clock.now(), "end_reason": reason, "next_opens_at": None}
    canceled = SubscriptionStatus.CANCELED
    move_subscription(subscription, canceled, "subscription.canceled", {"reason": reason}, **changes)
    Cycle.objects.filter(subscription=subscription).update(next_try_at=None)
    waiting = Cycle.objects.filter(subscription=subscription).exclude(status=CycleStatus.PAID)
    for cycle in waiting.exclude(payment=None).select_related("payment"):
        _withdraw(cycle)


def complete_if_last(subscription: Subscription) -> None:
    """Complete a locked subscription of which nothing is to come and nothing is owed."""
    if subscription.status != SubscriptionStatus.ACTIVE or subscription.cycles_left != 0:
        return
    if Cycle.objects.filter(subscription=subscription, status=CycleStatus.OPEN).exists():
        return
    completed = SubscriptionStatus.COMPLETED
    move_subscription(subscription, completed, "subscription.completed", ended_at=clock.now())
    tell(subscription, Mail.COMPLETED)


def _withdraw(cycle: Cycle) -> None:
    assert cycle.payment_id is not None
    try:
        cancel_payment(cycle.payment_id)
    except NotInThisState:
        return  # Its money is on its way, or came in this moment, or it has expired.
    move_cycle(cycle, CycleStatus.UNPAID)


def _mark_in_flight(subscription: Subscription) -> None:
    open_cycles = Cycle.objects.filter(subscription=subscription, status=CycleStatus.OPEN)
    open_cycles.filter(payment__status=PaymentStatus.PROCESSING).update(in_flight_at_stop=True)
