"""What a mail about a recurring payment can say, in words, as it is in the moment of sending."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from tillgate.common import clock
from tillgate.common.mail import one_line
from tillgate.customers.models import PaymentMethod
from tillgate.payments.models import Payment
from tillgate.payments.services.sessions import checkout_url
from tillgate.payments.states import PAYABLE, PaymentStatus
from tillgate.subscriptions import words
from tillgate.subscriptions.dunning import REACTIONS, Reaction
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.schedule import add_months
from tillgate.subscriptions.states import COLLECTING, LIVE, Collection, CycleStatus

DESCRIPTION_SHOWN = 200
# What the customer can do something about. Of other refusals the bank alone knows more.
REASONS = {
    "insufficient_funds": "There was not enough money for it.",
    "limit_exceeded": "It is above the limit of the card or account.",
    "expired_card": "The card has expired.",
}


@dataclass(frozen=True, kw_only=True)
class Letter:
    """All that the templates may know; what does not apply is empty.

    `amount` is the payment's that the mail is about, `each` what the payments to come collect.
    `in_flight` is what was with the gateway already when it was stopped or paused, `went_through` such
    money that has come in.
    """

    shop: str
    customer: str
    description: str
    reference: str
    amount: str
    each: str
    rhythm: str
    often: str
    cycles: int | None
    charges: bool
    is_over: bool
    is_test: bool
    method: str
    method_ends: str
    due_day: str
    paid_day: str
    paid_with: str
    retry_day: str
    next_day: str
    reason: str
    bank_knows: bool
    setbacks: int
    in_flight: str
    went_through: str
    pay_url: str
    manage_url: str
    stop_url: str


def letter_about(subscription: Subscription, cycle: Cycle | None) -> Letter:
    """Read what is so now."""
    payment = cycle.payment if cycle else None
    is_paid = cycle is not None and cycle.status == CycleStatus.PAID
    page = manage_url(subscription)
    pending, settled = _caught_by_stop(subscription)
    return Letter(
        shop=one_line(subscription.merchant.name),
        customer=one_line(subscription.customer_name),
        description=one_line(subscription.description)[:DESCRIPTION_SHOWN],
        reference=payment.reference if payment else subscription.reference,
        amount=str(payment.amount if payment else subscription.amount),
        each=str(subscription.amount),
        rhythm=words.rhythm(subscription.interval, subscription.interval_count),
        often=_often(subscription),
        cycles=subscription.cycles,
        charges=subscription.collection == Collection.CHARGE,
        is_over=subscription.status not in LIVE,
        is_test=subscription.mode == "test",
        method=_method(subscription),
        method_ends=_method_ends(subscription),
        due_day=_day(subscription, cycle.due_at if cycle else None),
        paid_day=_day(subscription, payment.completed_at if payment and is_paid else None),
        paid_with=_paid_with(subscription, payment) if payment and is_paid else "",
        retry_day=_day(subscription, cycle.next_try_at if cycle else None),
        next_day=_day(subscription, next_due_at(subscription)) if cycle is None or is_paid else "",
        reason=_reason(payment) if payment else "",
        bank_knows=payment is not None and not _is_fault(payment),
        setbacks=cycle.setbacks if cycle else 0,
        in_flight=pending,
        went_through=settled,
        pay_url=checkout_url(payment) if payment and can_be_paid(payment) else "",
        manage_url=page,
        stop_url=f"{page}/stop" if subscription.status in LIVE else "",
    )


def manage_url(subscription: Subscription) -> str:
    """Return the customer's page: what is to come, and the way to stop it. No login."""
    return f"{settings.TILLGATE_PUBLIC_URL}/subscription/{subscription.manage_token}"


def next_due_at(subscription: Subscription) -> datetime | None:
    """Return when the first cycle is due that was not opened yet; None when nothing is to come."""
    if subscription.status not in COLLECTING or subscription.next_opens_at is None:
        return None
    return subscription.rhythm.due_at(subscription.next_index)


def next_try_at(subscription: Subscription, cycles: Iterable[Cycle]) -> datetime | None:
    """Return when what could not be charged is charged again by itself; None where only the customer can
    pay, and where nothing is owed."""
    if subscription.status not in COLLECTING or subscription.collection != Collection.CHARGE:
        return None
    owed = [cycle for cycle in cycles if cycle.status == CycleStatus.OPEN and cycle.setbacks]
    return min((c.next_try_at for c in owed if c.next_try_at and not c.needs_customer), default=None)


def can_be_paid(payment: Payment) -> bool:
    """Say whether its page takes money just now."""
    return payment.status in PAYABLE and payment.expires_at > clock.now()


def method_ends_on(subscription: Subscription) -> date | None:
    """Return the last day of the card that is charged; None where there is none, or it has no end."""
    method = subscription.payment_method
    if subscription.collection != Collection.CHARGE or method is None or method.removed_at:
        return None
    if not method.expires_month:
        return None
    return add_months(date.fromisoformat(f"{method.expires_month}-01"), 1) - timedelta(days=1)


def _often(subscription: Subscription) -> str:
    how_often = words.rhythm(subscription.interval, subscription.interval_count)
    if subscription.cycles is None:
        return f"{how_often}, {words.times(None)}" if subscription.status in LIVE else how_often
    return f"{how_often}, {words.times(subscription.cycles)} in all"


def _method(subscription: Subscription) -> str:
    method = subscription.payment_method
    if subscription.collection != Collection.CHARGE or method is None or method.removed_at:
        return ""
    return one_line(words.method_name(method))


def _method_ends(subscription: Subscription) -> str:
    last = method_ends_on(subscription)
    return f"{last:%B %Y}" if last else ""


def _day(subscription: Subscription, moment: datetime | None) -> str:
    return words.day(moment, subscription.zone) if moment else ""


def _paid_with(subscription: Subscription, payment: Payment) -> str:
    paid_by = payment.attempts.filter(settles=True).values_list("payment_method_id", flat=True).first()
    if paid_by is None:
        return ""
    own = subscription.payment_method
    method = own if own is not None and own.pk == paid_by else PaymentMethod.objects.get(pk=paid_by)
    return one_line(words.method_name(method))


def _reason(payment: Payment) -> str:
    return REASONS.get(_failure_code(payment), "")


def _is_fault(payment: Payment) -> bool:
    return REACTIONS.get(_failure_code(payment)) == Reaction.FAULT


def _failure_code(payment: Payment) -> str:
    return str((payment.failure or {}).get("code", "unknown"))


def _caught_by_stop(subscription: Subscription) -> tuple[str, str]:
    """Return what a stop came too late for: the amount that is on its way, and the one that has come in."""
    if subscription.status in COLLECTING:
        return "", ""
    cycles = subscription.all_cycles.filter(payment__isnull=False).select_related("payment").order_by("index")
    on_its_way = cycles.filter(payment__status=PaymentStatus.PROCESSING).last()
    # The mark of an earlier pause stays, and its money came in before the end.
    since = subscription.ended_at
    caught = cycles.filter(in_flight_at_stop=True, payment__completed_at__gte=since).last() if since else None
    return _amount(on_its_way), _amount(caught)


def _amount(cycle: Cycle | None) -> str:
    return str(cycle.payment.amount) if cycle and cycle.payment else ""
