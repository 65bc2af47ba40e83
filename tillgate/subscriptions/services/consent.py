"""What the payer of a recurring payment agrees to, in plain words."""

import hashlib

from tillgate.common import clock
from tillgate.customers.services.consents import Agreement, give_consent
from tillgate.payments.errors import ConsentRequired
from tillgate.payments.models import Payment
from tillgate.payments.states import MethodSaving
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.schedule import Rhythm
from tillgate.subscriptions.states import COLLECTING, Interval, SubscriptionStatus
from tillgate.subscriptions.words import day, rhythm

TEXT_VERSION = "2026-11"
OFFERED = "Use this for the next payments, too: "
STOPPING = "I can stop it at any time, without a login, by the link in every mail."


def agreement_for(payment: Payment, *, given_by: str, address: str | None = None) -> Agreement:
    """Return what the checkout page shows beside its tick: amount, rhythm, how many times, how to stop."""
    subscription = Subscription.objects.get(reference=payment.subscription_reference)
    return Agreement(
        text=_text(payment, subscription), text_version=TEXT_VERSION, given_by=given_by, address=address
    )


def agree(payment: Payment, *, given_by: str, wording: str, address: str | None = None) -> None:
    """Store that the payer ticked it.

    `wording` is `wording_of` the text that they have read: raises ConsentRequired (`consent_outdated`)
    where amount, rhythm or dates have changed since, so that nobody agrees to what they did not see.
    """
    agreement = agreement_for(payment, given_by=given_by, address=address)
    if wording != wording_of(agreement.text):
        raise ConsentRequired("The agreement has changed since it was read.", code="consent_outdated")
    give_consent(payment.reference, agreement)


def agree_signed_in(payment: Payment, address: str | None) -> None:
    """Store that whoever is signed in agreed by asking for it, in the transaction of the first payment.

    It speaks for them alone: the payment's page, which is made to be shared, has its tick all the same.
    """
    if payment.method_saving == MethodSaving.NO:
        return
    give_consent(payment.subscription_reference, agreement_for(payment, given_by="account", address=address))


def wording_of(text: str) -> str:
    """Return a short name of exactly this text, for a form to carry."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _text(payment: Payment, subscription: Subscription) -> str:
    offered = OFFERED if payment.method_saving == MethodSaving.OFFERED else ""
    often = rhythm(subscription.interval, subscription.interval_count)
    charge = f"I let {payment.merchant.name} charge me {subscription.amount} {often}"
    dates = _dates(subscription)
    return f"{offered}{charge}, {_times(subscription)}, with what I pay with now. {dates}{STOPPING}"


def _times(subscription: Subscription) -> str:
    if subscription.cycles is None:
        return "until I stop it"
    if subscription.status == SubscriptionStatus.INCOMPLETE:
        return f"{subscription.cycles} times in all"
    left = subscription.cycles_left or 0
    return "once more" if left == 1 else f"{left} more times"


def _dates(subscription: Subscription) -> str:
    if subscription.cycles_left == 0:
        return ""
    starts_at, zone = subscription.anchor_at, subscription.zone
    schedule = subscription.rhythm if starts_at else _as_if_paid_now(subscription)
    following = day(schedule.due_at(_next_index(subscription, schedule)), zone)
    if subscription.status == SubscriptionStatus.INCOMPLETE and starts_at and starts_at > clock.now():
        return f"What I pay now is for {day(starts_at, zone)}; the next time is {following}. "
    return f"The next time is {following}. "


def _next_index(subscription: Subscription, schedule: Rhythm) -> int:
    first = max(subscription.next_index, 1)
    if subscription.status in COLLECTING:
        return first
    # What falls due before the first payment, or in a pause, is never collected.
    last = schedule.last_due(first, clock.now())
    return first if last is None else last + 1


def _as_if_paid_now(subscription: Subscription) -> Rhythm:
    return Rhythm(
        interval=Interval(subscription.interval),
        count=subscription.interval_count,
        anchor_at=clock.now(),
        zone=subscription.zone,
    )
