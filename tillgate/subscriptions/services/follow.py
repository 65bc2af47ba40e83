"""What becomes of a subscription when one of its payments has news, or when a customer lets it wait."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from tillgate.common import clock, restoration
from tillgate.customers.models import PaymentMethod
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.charges import NOT_SENT, try_number
from tillgate.payments.states import PAYABLE, SETTLED, AttemptStatus, PaymentStatus
from tillgate.subscriptions.dunning import (
    REST,
    Reaction,
    fault_retry_at,
    reaction_to,
    retry_at,
    working_time,
)
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.cycles import advance, skip_to_ahead
from tillgate.subscriptions.services.mails import Mail, tell
from tillgate.subscriptions.services.moves import lock_subscription, move_cycle, move_subscription, note
from tillgate.subscriptions.services.stop import complete_if_last, end
from tillgate.subscriptions.states import COLLECTING, Collection, CycleStatus, SubscriptionStatus

ASKED_AGAIN = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
# REFUNDED only without ever having been completed: out of review.
CLOSED = frozenset({PaymentStatus.EXPIRED, PaymentStatus.CANCELED, PaymentStatus.REFUNDED})
ENDED = frozenset({SubscriptionStatus.CANCELED, SubscriptionStatus.COMPLETED, SubscriptionStatus.EXPIRED})


def follow_payment(payment_reference: str) -> None:
    """Apply what has become of a payment to its cycle and subscription; a repeat changes nothing."""
    known = Cycle.objects.filter(payment__reference=payment_reference)
    found = known.values_list("pk", "subscription_id").first()
    if found is None:
        return
    with transaction.atomic():
        subscription = lock_subscription(found[1])
        cycle = Cycle.objects.select_related("payment").get(pk=found[0])
        payment = cycle.payment
        assert payment is not None
        if payment.status in SETTLED and payment.completed_at is not None:
            _paid(subscription, cycle, payment)
        elif subscription.status in ENDED:
            _give_back(cycle, payment)
        elif payment.status == PaymentStatus.FAILED:
            _failed(subscription, cycle, payment)
        elif payment.status in CLOSED:
            _closed(subscription, cycle, payment)


@transaction.atomic
def remind(cycle_id: int) -> None:
    """Remind a customer of a cycle that only they can pay, or give it up when they were reminded enough."""
    subscription = lock_subscription(Cycle.objects.get(pk=cycle_id).subscription_id)
    cycle = Cycle.objects.select_related("payment").get(pk=cycle_id)
    now = clock.now()
    if cycle.status != CycleStatus.OPEN or cycle.next_try_at is None or cycle.next_try_at > now:
        return
    if subscription.status not in COLLECTING or cycle.payment is None or cycle.payment.status not in PAYABLE:
        cycle.next_try_at = None  # Its money is on its way, or nobody collects it now: news will come.
        cycle.save(update_fields=["next_try_at"])
        return
    _set_back(subscription, cycle, None)
    if cycle.status == CycleStatus.OPEN:
        tell(subscription, Mail.METHOD_NEEDED if cycle.needs_customer else Mail.PAY_REMINDER, cycle)


def _paid(subscription: Subscription, cycle: Cycle, payment: Payment) -> None:
    paid_now = move_cycle(cycle, CycleStatus.PAID)
    if subscription.status not in ENDED and (paid_now or subscription.payment_method_id is None):
        _take_method(subscription, payment)
    if not paid_now:
        return
    data: dict[str, object] = {"payment": payment.reference, "cycle": cycle.index + 1}
    if subscription.status in ENDED:
        # It was with the gateway when somebody said stop: shown, and refundable.
        note(subscription, "subscription.paid_after_end", data)
        tell(subscription, Mail.RENEWED, cycle)
        return
    if subscription.status == SubscriptionStatus.INCOMPLETE:
        _activate(subscription, payment, data)
        tell(subscription, Mail.SET_UP, cycle)
    elif subscription.status == SubscriptionStatus.PAST_DUE and not _is_owed(subscription):
        move_subscription(subscription, SubscriptionStatus.ACTIVE, "subscription.renewed", data)
        tell(subscription, Mail.RENEWED, cycle)
    else:
        note(subscription, "subscription.renewed", data)
        tell(subscription, Mail.RENEWED, cycle)
    complete_if_last(subscription)


def _activate(subscription: Subscription, payment: Payment, data: dict[str, object]) -> None:
    subscription.anchor_at = subscription.anchor_at or payment.completed_at or clock.now()
    Cycle.objects.bulk_create(skip_to_ahead(subscription))  # It may be paid later than the next was due.
    move_subscription(
        subscription,
        SubscriptionStatus.ACTIVE,
        "subscription.activated",
        {**data, "collection": subscription.collection},
        activated_at=clock.now(),
        anchor_at=subscription.anchor_at,
        next_index=subscription.next_index,
        next_opens_at=subscription.next_opens_at,
    )


def _take_method(subscription: Subscription, payment: Payment) -> None:
    """Charge from now on what a customer has just paid with, where they let us; without any, send links."""
    by_hand = payment.attempts.filter(settles=True, initiated_by="customer")
    paid_by = by_hand.values_list("pk", "payment_method_id").first()
    attempt_id, method_id = paid_by or (None, None)
    if method_id is not None and method_id != subscription.payment_method_id:
        if PaymentMethod.objects.usable().filter(pk=method_id).exists():
            use_method(subscription, method_id)
    elif subscription.payment_method_id is None and subscription.collection == Collection.CHARGE:
        subscription.collection = Collection.SEND_LINK
        _save_collection(subscription)
        if attempt_id is not None:
            _ask_again(attempt_id)


def _ask_again(attempt_id: int) -> None:
    """Some gateways save what was paid with a moment after the payment, and tell it only when asked."""
    from tillgate.subscriptions.jobs import look_for_method  # The job's module imports this one.

    for wait in ASKED_AGAIN:
        look_for_method.using(run_after=clock.now() + wait).enqueue(attempt_id)


def use_method(subscription: Subscription, method_id: int) -> None:
    """Let a locked subscription be charged by this method, and what is owed be tried with it now."""
    subscription.payment_method_id, subscription.collection = method_id, Collection.CHARGE
    _save_collection(subscription)
    if subscription.status in COLLECTING:
        owed = Cycle.objects.filter(subscription=subscription, status=CycleStatus.OPEN)
        owed.filter(due_at__lte=clock.now()).update(needs_customer=False, next_try_at=clock.now())


def _save_collection(subscription: Subscription) -> None:
    # A link is sent some days before the due date, a charge made on it.
    if subscription.next_opens_at is not None:
        advance(subscription, subscription.next_index, opened=False)
    subscription.save(update_fields=["payment_method", "collection", "next_opens_at"])


def _failed(subscription: Subscription, cycle: Cycle, payment: Payment) -> None:
    """Act on the failure of our newest charge, once; what a customer tried by hand changes no schedule."""
    tries = list(payment.attempts.filter(initiated_by="merchant").order_by("-pk"))
    attempt = tries[0] if tries else None
    if cycle.status != CycleStatus.OPEN:
        return
    # Not what the cycle says: after a restoration some may be of another installation.
    number = max(map(try_number, tries), default=0)
    if attempt is None or attempt.status != AttemptStatus.FAILED or cycle.tries_judged >= number:
        _go_on(cycle)
        return
    cycle.tries = cycle.tries_judged = number
    cycle.save(update_fields=["tries", "tries_judged"])
    if restoration.is_assumed(attempt.created_at) and _code(attempt) != NOT_SENT.code:
        # The lost installation has reacted to that, and may have been paid since: the next try says it.
        cycle.next_try_at = clock.now()
        cycle.save(update_fields=["next_try_at"])
        return
    reaction = reaction_to(_code(attempt))
    if reaction == Reaction.FAULT and _wait_out(cycle):
        return
    cycle.needs_customer = reaction == Reaction.HARD
    _set_back(subscription, cycle, attempt)
    if cycle.status == CycleStatus.OPEN:
        tell(subscription, Mail.METHOD_NEEDED if cycle.needs_customer else Mail.DECLINED, cycle)


def _go_on(cycle: Cycle) -> None:
    """While a customer's own money was on its way, the cycle was left alone; that has come to nothing."""
    if cycle.next_try_at is None:
        cycle.next_try_at = max(cycle.due_at, clock.now())
        cycle.save(update_fields=["next_try_at"])


def _wait_out(cycle: Cycle) -> bool:
    """Put the next try on the short ladder of a gateway's faults; False when that has ended."""
    cycle.faults += 1
    at = fault_retry_at(clock.now(), cycle.faults, key=str(cycle.pk))
    cycle.next_try_at = at
    cycle.save(update_fields=["faults", "next_try_at"])
    return at is not None


def _set_back(subscription: Subscription, cycle: Cycle, attempt: Attempt | None) -> None:
    """A bank's decline, or a customer who was reminded: some days later again, or given up."""
    cycle.setbacks += 1
    cycle.first_setback_at = cycle.first_setback_at or clock.now()
    lacks_money = attempt is not None and _code(attempt) == "insufficient_funds"
    where = {"zone": subscription.zone, "key": subscription.reference}
    around_paydays = lacks_money and settings.TILLGATE_RETRY_AROUND_PAYDAYS == "on"
    at = retry_at(cycle.first_setback_at, cycle.setbacks, around_paydays=around_paydays, **where)
    # After a downtime the ladder's next day may be past; no bank is asked twice in a day.
    next_day = working_time(clock.now() + REST, **where)
    is_paused = subscription.status == SubscriptionStatus.PAUSED
    cycle.next_try_at = max(at, next_day) if at else next_day if is_paused else None
    cycle.save(update_fields=["setbacks", "first_setback_at", "next_try_at", "needs_customer"])
    if subscription.status == SubscriptionStatus.ACTIVE:
        data: dict[str, object] = {"cycle": cycle.index + 1, "next_try_at": str(cycle.next_try_at)}
        move_subscription(subscription, SubscriptionStatus.PAST_DUE, "subscription.past_due", data)
    if cycle.next_try_at is None:
        _give_up(subscription, cycle)


def _give_up(subscription: Subscription, cycle: Cycle) -> None:
    move_cycle(cycle, CycleStatus.UNPAID)
    if settings.TILLGATE_PAST_DUE == "cancel" or _is_over(subscription):
        end(subscription, reason="unpaid")
        tell(subscription, Mail.GIVEN_UP, cycle)
    else:
        tell(subscription, Mail.METHOD_NEEDED, cycle)


def _closed(subscription: Subscription, cycle: Cycle, payment: Payment) -> None:
    """Its payment can no longer be paid: it was not in time, or the merchant has withdrawn it."""
    if not move_cycle(cycle, CycleStatus.UNPAID):
        return
    is_expired = payment.status == PaymentStatus.EXPIRED
    if subscription.status == SubscriptionStatus.INCOMPLETE:
        _never_begun(subscription, is_expired=is_expired)
    elif is_expired and settings.TILLGATE_PAST_DUE == "cancel" and subscription.status in COLLECTING:
        end(subscription, reason="unpaid")
        tell(subscription, Mail.GIVEN_UP, cycle)
    elif subscription.status == SubscriptionStatus.PAST_DUE and not _is_owed(subscription):
        move_subscription(subscription, SubscriptionStatus.ACTIVE, "subscription.waived")
    complete_if_last(subscription)


def _never_begun(subscription: Subscription, *, is_expired: bool) -> None:
    if is_expired:
        expired = SubscriptionStatus.EXPIRED
        move_subscription(subscription, expired, "subscription.expired", ended_at=clock.now())
    else:
        end(subscription, reason="merchant")


def _give_back(cycle: Cycle, payment: Payment) -> None:
    """The subscription has ended: what came to nothing afterwards shall not be paid by hand either."""
    if payment.status in PAYABLE:
        try:
            cancel_payment(payment.pk)
        except NotInThisState:
            return  # Paid in this moment: that news follows.
    move_cycle(cycle, CycleStatus.UNPAID)


def _is_over(subscription: Subscription) -> bool:
    open_cycles = Cycle.objects.filter(subscription=subscription, status=CycleStatus.OPEN)
    return subscription.cycles_left == 0 and not open_cycles.exists()


def _is_owed(subscription: Subscription) -> bool:
    open_cycles = Cycle.objects.filter(subscription=subscription, status=CycleStatus.OPEN)
    return open_cycles.filter(first_setback_at__isnull=False).exists()


def _code(attempt: Attempt) -> str:
    return str((attempt.failure or {}).get("code", "unknown"))
