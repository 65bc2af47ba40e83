"""What a payment that is one of several adds to its page: the rhythm, and what its payer is asked for."""

from dataclasses import dataclass

from tillgate.customers.models import Consent
from tillgate.payments.models import Payment
from tillgate.payments.states import PAYABLE, SETTLED, MethodSaving
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.consent import agree, agreement_for, wording_of
from tillgate.subscriptions.services.mails import is_link_sent, send_manage_link
from tillgate.subscriptions.words import day, rhythm


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What the payer is to tick, or has ticked on the day `agreed_on`; `wording` names its text."""

    text: str
    wording: str = ""
    required: bool = False
    agreed_on: str = ""


@dataclass(frozen=True, kw_only=True)
class Recurring:
    """How often the payment comes, and what is asked before paying, if anything. On a receipt `sent_to` is
    the address, masked, that has the link to stop it; `is_sent_again` when it was sent there once more."""

    rhythm: str
    ask: Ask | None
    sent_to: str
    is_sent_again: bool


def recurring_of(payment: Payment) -> Recurring | None:
    """Return what is said of the recurring payment that a payment belongs to; no statement for others."""
    subscription = _subscription_of(payment)
    if subscription is None:
        return None
    has_receipt = payment.status in SETTLED
    return Recurring(
        rhythm=rhythm_line(subscription),
        ask=_ask(payment, subscription),
        sent_to=_masked(subscription.customer_email) if has_receipt else "",
        is_sent_again=has_receipt and is_link_sent(subscription),
    )


def rhythm_line(subscription: Subscription) -> str:
    """Return how often it comes, and how many times: `every month, 12 payments`."""
    often = rhythm(subscription.interval, subscription.interval_count)
    return (
        f"{often}, {subscription.cycles} payments" if subscription.cycles else f"{often}, until you stop it"
    )


def take_consent(payment: Payment, wording: str, address: str | None) -> None:
    """Store what the payer ticked, before anything is opened; empty where they did not.

    Raises ConsentRequired where they read another text. That it is missing is for `open_session` to refuse.
    """
    if not wording or payment.method_saving == MethodSaving.NO or payment.status not in PAYABLE:
        return
    if not Consent.objects.filter(subject=payment.reference).exists():
        agree(payment, given_by="checkout", address=address, wording=wording)


def send_link_again(payment: Payment) -> None:
    """Mail the link to see or stop what a payment belongs to, to whoever pays it. The page never shows it:
    a payment's own link is made to be shared, and must not stop anything."""
    subscription = _subscription_of(payment)
    if subscription is not None and payment.status in SETTLED:
        send_manage_link(subscription.pk)


def _subscription_of(payment: Payment) -> Subscription | None:
    if not payment.subscription_reference:
        return None
    mine = Subscription.objects.filter(merchant_id=payment.merchant_id, mode=payment.mode)
    return mine.filter(reference=payment.subscription_reference).first()


def _masked(address: str) -> str:
    """Return enough of an address for its owner to know it: `j…@example.com`."""
    name, _, host = address.rpartition("@")
    return f"{name[:1]}…@{host}"


def _ask(payment: Payment, subscription: Subscription) -> Ask | None:
    if payment.method_saving == MethodSaving.NO or payment.status not in PAYABLE:
        return None
    if consent := Consent.objects.filter(subject=payment.reference).first():
        return Ask(text=consent.text, agreed_on=day(consent.given_at, subscription.zone))
    required = payment.method_saving == MethodSaving.REQUIRED
    if subscription.cycles_left == 0 and not required:
        return None  # It is the last one.
    text = agreement_for(payment, given_by="checkout").text
    return Ask(text=text, wording=wording_of(text), required=required)
