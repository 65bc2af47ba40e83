"""What customers of recurring payments are told by mail."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum

import structlog
from django.db import transaction

from tillgate.common import clock
from tillgate.common.mail import Message, deliver
from tillgate.customers.services.erasing import is_erased
from tillgate.events.models import Event
from tillgate.payments.states import PAYABLE
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.letters import can_be_paid, letter_about, method_ends_on
from tillgate.subscriptions.services.moves import lock_subscription, note
from tillgate.subscriptions.states import COLLECTING, Collection, CycleStatus, SubscriptionStatus

log = structlog.get_logger(__name__)
NAMES = ("shop", "customer", "description")  # Written by anyone, in any script.
ENDS_SOON = timedelta(days=31)
GOING_ON = COLLECTING | {SubscriptionStatus.PAUSED}
LINK_SENT, LINK_EVERY = "subscription.link_sent", timedelta(days=1)
UNPAID = "unpaid"  # Why a subscription was given up; see `stop.cancel_subscription`.


class Mail(StrEnum):
    """The occasions; each has a row in `OCCASIONS` and a template of this name, read for both parts."""

    SET_UP = "set_up"  # It is active: amount, rhythm, next date, how to stop. With a cycle: its receipt, too.
    RENEWED = "renewed"  # Receipt of a cycle, with the next date.
    DECLINED = "declined"  # A soft decline: when it is tried again; from the second on, pay another way.
    METHOD_NEEDED = "method_needed"  # A hard decline, or no method: pay, or give another one.
    PAY_LINK = "pay_link"  # send_link: this is due on …, pay here.
    PAY_REMINDER = "pay_reminder"  # send_link: this was due on ….
    CARD_EXPIRES = "card_expires"  # 30 and 7 days before.
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANGED = "changed"  # Amount or rhythm, from which date on.
    CANCELED = "canceled"  # By the customer or the merchant: nothing more is charged; what is in flight.
    GIVEN_UP = "given_up"  # Canceled because it was not paid.
    COMPLETED = "completed"  # All cycles are paid.
    MANAGE_LINK = "manage_link"  # The link to see or stop it, once more.


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """A mail's subject, with the members of a letter as its only names, and whether it still means anything
    by the time it is sent."""

    subject: str
    still_so: Callable[[Subscription, Cycle | None], bool]


def tell(subscription: Subscription, mail: Mail, cycle: Cycle | None = None) -> None:
    """Queue a mail in the caller's transaction; what it says is read when it is sent."""
    from tillgate.subscriptions.jobs import send_mail  # The job calls this module.

    # One that waits already will say what is new, too.
    key = f"mail-{mail}-{subscription.pk}-{cycle.pk if cycle else ''}"
    send_mail.using(unique_key=key).enqueue(subscription.pk, mail.value, cycle.pk if cycle else None)


@transaction.atomic
def send_manage_link(subscription_id: int) -> None:
    """Queue the mail with the link to see or stop a recurring payment, at most once in a day: anybody who
    has a receipt may ask for it."""
    subscription = lock_subscription(subscription_id)
    if not is_link_sent(subscription):
        note(subscription, LINK_SENT)
        tell(subscription, Mail.MANAGE_LINK)


def is_link_sent(subscription: Subscription) -> bool:
    """Say whether the last day has seen a mail with the link that somebody has asked for."""
    asked = Event.objects.filter(subject=subscription.reference, type=LINK_SENT)
    return asked.filter(created_at__gt=clock.now() - LINK_EVERY).exists()


def send(subscription_id: int, mail: str, cycle_id: int | None) -> None:
    """Send one queued mail, unless it has lost its meaning since.

    Raises what the mail server's refusal is, so that the job is tried again.
    """
    subscription, cycle = _read(subscription_id, cycle_id)
    occasion = OCCASIONS[Mail(mail)]
    if is_erased(subscription.customer_email) or not occasion.still_so(subscription, cycle):
        log.info("mail_not_sent", mail=mail, subscription=subscription.reference, status=subscription.status)
        return
    letter = letter_about(subscription, cycle)
    deliver(
        Message(
            to=subscription.customer_email,
            subject=occasion.subject,
            layout="subscriptions/mail",
            body=f"subscriptions/mails/{mail}.txt",
            words=asdict(letter),
            names=NAMES,
            news=_news(subscription, cycle, mail),
            mark="[Test] " if letter.is_test else "",
            # A link to the page that asks, and no one-click header: a mail reader's own button must stop
            # no payment unasked.
            headers={"List-Unsubscribe": f"<{letter.stop_url}>"} if letter.stop_url else {},
        )
    )
    log.info("mail_sent", mail=mail, subscription=subscription.reference)


def _read(subscription_id: int, cycle_id: int | None) -> tuple[Subscription, Cycle | None]:
    """Read what a mail is about by one statement."""
    if cycle_id is None:
        subscriptions = Subscription.objects.select_related("merchant", "payment_method")
        return subscriptions.get(pk=subscription_id), None
    about = ("payment", "subscription__merchant", "subscription__payment_method")
    cycle = Cycle.objects.select_related(*about).get(pk=cycle_id)
    return cycle.subscription, cycle


def _is_set_up(subscription: Subscription, cycle: Cycle | None) -> bool:
    # As a receipt it is sent in any case.
    return subscription.status in COLLECTING or _is_paid(subscription, cycle)


def _is_paid(subscription: Subscription, cycle: Cycle | None) -> bool:
    return cycle is not None and cycle.status == CycleStatus.PAID


def _is_declined(subscription: Subscription, cycle: Cycle | None) -> bool:
    # By now it may have been paid, sent again or given up; other mails tell of that.
    if cycle is None or cycle.payment is None or cycle.needs_customer:
        return False
    is_waiting = cycle.status == CycleStatus.OPEN and cycle.payment.status in PAYABLE
    return is_waiting and subscription.status in COLLECTING


def _needs_method(subscription: Subscription, cycle: Cycle | None) -> bool:
    if subscription.status not in COLLECTING:
        return False
    if cycle is None or cycle.payment is None:
        return subscription.payment_method is None or subscription.payment_method.removed_at is not None
    is_asked_for = cycle.needs_customer or cycle.status == CycleStatus.UNPAID
    return is_asked_for and cycle.status != CycleStatus.PAID and cycle.payment.status in PAYABLE


def _awaits_customer(subscription: Subscription, cycle: Cycle | None) -> bool:
    if cycle is None or cycle.payment is None or subscription.collection != Collection.SEND_LINK:
        return False
    is_wanted = subscription.status in COLLECTING or subscription.status == SubscriptionStatus.INCOMPLETE
    return is_wanted and can_be_paid(cycle.payment)


def _method_ends_soon(subscription: Subscription, cycle: Cycle | None) -> bool:
    last = method_ends_on(subscription)
    if last is None or subscription.status not in GOING_ON or subscription.cycles_left == 0:
        return False
    return timedelta(0) <= last - clock.now().date() <= ENDS_SOON


def _in_any_case(subscription: Subscription, cycle: Cycle | None) -> bool:
    return True


def _is_canceled(subscription: Subscription, cycle: Cycle | None) -> bool:
    return subscription.status == SubscriptionStatus.CANCELED and subscription.end_reason != UNPAID


def _is_given_up(subscription: Subscription, cycle: Cycle | None) -> bool:
    return subscription.status == SubscriptionStatus.CANCELED and subscription.end_reason == UNPAID


def _is_in(statuses: frozenset[SubscriptionStatus]) -> Callable[[Subscription, Cycle | None], bool]:
    return lambda subscription, cycle: subscription.status in statuses


OCCASIONS: dict[Mail, Occasion] = {
    Mail.SET_UP: Occasion(subject="Your recurring payment to {shop} is set up", still_so=_is_set_up),
    Mail.RENEWED: Occasion(subject="You paid {amount} to {shop}", still_so=_is_paid),
    Mail.DECLINED: Occasion(
        subject="Your payment of {amount} to {shop} did not go through", still_so=_is_declined
    ),
    Mail.METHOD_NEEDED: Occasion(subject="{shop} needs another way to charge you", still_so=_needs_method),
    Mail.PAY_LINK: Occasion(subject="{amount} to {shop} is due on {due_day}", still_so=_awaits_customer),
    Mail.PAY_REMINDER: Occasion(subject="Not paid yet: {amount} to {shop}", still_so=_awaits_customer),
    Mail.CARD_EXPIRES: Occasion(subject="Your {method} expires soon", still_so=_method_ends_soon),
    Mail.PAUSED: Occasion(
        subject="Your recurring payment to {shop} is paused",
        still_so=_is_in(frozenset({SubscriptionStatus.PAUSED})),
    ),
    Mail.RESUMED: Occasion(subject="Your recurring payment to {shop} goes on", still_so=_is_in(COLLECTING)),
    Mail.CHANGED: Occasion(subject="Your recurring payment to {shop} changes", still_so=_is_in(GOING_ON)),
    Mail.CANCELED: Occasion(subject="Stopped: your recurring payment to {shop}", still_so=_is_canceled),
    Mail.GIVEN_UP: Occasion(subject="Your recurring payment to {shop} has ended", still_so=_is_given_up),
    Mail.COMPLETED: Occasion(
        subject="Your recurring payment to {shop} is complete",
        still_so=_is_in(frozenset({SubscriptionStatus.COMPLETED})),
    ),
    Mail.MANAGE_LINK: Occasion(subject="The link to your recurring payment to {shop}", still_so=_in_any_case),
}


def _news(subscription: Subscription, cycle: Cycle | None, mail: str) -> tuple[object, ...]:
    """Return what makes a mail this one: a mail server recognises it when it is sent again."""
    method = subscription.payment_method
    news: list[object] = [mail, subscription.reference, subscription.sequence]
    news += [cycle.index, cycle.tries, cycle.setbacks, cycle.next_try_at] if cycle else []
    news += [method.reference, method.expiry_told_days] if method else []
    return tuple(news)
