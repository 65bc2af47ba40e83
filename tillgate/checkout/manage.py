"""What the customer's page shows of one recurring payment, worked out before any template sees it."""

from dataclasses import dataclass

from tillgate.checkout.actions import ACTIONS, Action
from tillgate.checkout.brand import Brand, brand_of
from tillgate.checkout.page import Amount, amount_of
from tillgate.checkout.recurring import rhythm_line
from tillgate.checkout.standing import Due, Standing, standing_of
from tillgate.checkout.states import Face
from tillgate.common.errors import PayError
from tillgate.payments.models import Payment
from tillgate.payments.states import PaymentStatus
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.states import COLLECTING, SubscriptionStatus
from tillgate.subscriptions.words import day

PAYMENTS_SHOWN = 6
CHANGED = "Nothing was done: this is not possible just now. Here is where your recurring payment stands."

_S, _P = SubscriptionStatus, PaymentStatus

FACES: dict[SubscriptionStatus, Face] = {
    _S.INCOMPLETE: Face(
        tab="Not started",
        heading="It starts with your first payment",
        sentence="Nothing is charged before you have paid once yourself.",
        icon="clock",
    ),
    _S.ACTIVE: Face(tab="Active", heading="Your recurring payment is active", tone="good", icon="check"),
    _S.PAST_DUE: Face(
        tab="Payment open",
        heading="A payment is still open",
        tone="bad",
        icon="alert",
    ),
    _S.PAUSED: Face(
        tab="Paused",
        heading="Paused",
        sentence="Nothing is charged until you resume it.",
        tone="busy",
        icon="clock",
    ),
    _S.CANCELED: Face(
        tab="Stopped", heading="Stopped", sentence="Nothing more will be charged.", tone="good", icon="check"
    ),
    _S.COMPLETED: Face(
        tab="Completed",
        heading="All payments are made",
        sentence="Nothing more will be charged. Thank you.",
        tone="good",
        icon="check",
    ),
    _S.EXPIRED: Face(
        tab="Expired",
        heading="It never started",
        sentence="The first payment was not made in time. Nothing will be charged.",
        icon="clock",
    ),
}
BY_CHARGE = "The next payment is made by itself; you do not need to do anything."
BY_LINK = "You get a link to pay by mail before each payment. Nothing is charged by itself."
OWED = "It could not be collected so far. You can pay it here."
COLLECTED_NOW = "It is being collected just now."
GIVEN_UP = "It could not be collected."
NOTHING_SAVED = "Nothing is saved to pay the next time with. Use another card or account before then."

OUTCOMES: dict[PaymentStatus, str] = {
    _P.PENDING: "Open",
    _P.PROCESSING: "On its way",
    _P.COMPLETED: "Paid",
    _P.FAILED: "Declined",
    _P.REVIEW: "Being checked",
    _P.EXPIRED: "Not paid",
    _P.CANCELED: "Canceled",
    _P.PARTIALLY_REFUNDED: "Refunded in part",
    _P.REFUNDED: "Refunded",
    _P.DISPUTED: "Disputed",
    _P.CHARGED_BACK: "Returned",
}
ENDED_BY = {"customer": "by you", "merchant": "by the shop", "unpaid": "because a payment was not made"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One of the last payments, and its page."""

    on: str
    amount: str
    outcome: str
    token: str


@dataclass(frozen=True, kw_only=True)
class ManagePage:
    """All that the templates may know."""

    subscription: Subscription
    brand: Brand
    face: Face
    sentence: str
    amount: Amount
    rhythm: str
    owed: Due | None
    moving: Payment | None
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    actions: tuple[Action, ...]
    alert: str = ""


@dataclass(frozen=True, kw_only=True)
class ConfirmPage:
    """What will happen, before it does."""

    subscription: Subscription
    brand: Brand
    amount: Amount
    rhythm: str
    action: Action
    says: tuple[str, ...]


def build_manage_page(subscription: Subscription, *, error: PayError | None = None) -> ManagePage:
    """Work out the page of a recurring payment; `error` when what its customer asked for was refused."""
    standing = standing_of(subscription)
    face = FACES[SubscriptionStatus(subscription.status)]
    return ManagePage(
        subscription=subscription,
        brand=brand_of(subscription.merchant),
        face=face,
        sentence=face.sentence or _sentence(standing),
        amount=amount_of(subscription.amount),
        rhythm=rhythm_line(subscription),
        owed=standing.owed,
        moving=standing.moving,
        facts=tuple((name, value) for name, value in _facts(standing).items() if value),
        lines=_lines(subscription),
        actions=tuple(action for action in ACTIONS if action.is_offered(standing)),
        alert=CHANGED if error else "",
    )


def build_confirm_page(subscription: Subscription, action: Action) -> ConfirmPage | None:
    """Work out what an action will do; None where it is not possible as things stand."""
    standing = standing_of(subscription)
    if not action.is_offered(standing):
        return None
    return ConfirmPage(
        subscription=subscription,
        brand=brand_of(subscription.merchant),
        amount=amount_of(subscription.amount),
        rhythm=rhythm_line(subscription),
        action=action,
        says=tuple(action.says(standing)),
    )


def _sentence(standing: Standing) -> str:
    if standing.subscription.status == SubscriptionStatus.PAST_DUE:
        return COLLECTED_NOW if standing.moving else OWED if standing.owed else GIVEN_UP
    if standing.by_link:
        return BY_LINK
    return BY_CHARGE if standing.method else NOTHING_SAVED


def _facts(standing: Standing) -> dict[str, str]:
    subscription = standing.subscription
    upcoming = standing.upcoming if subscription.status in COLLECTING else None
    left = subscription.cycles_left if subscription.status in COLLECTING else None
    return {
        "Next payment": f"{upcoming.amount} on {upcoming.on}" if upcoming else "",
        "Tried again": standing.retried_on,
        "Paid with": _paid_with(standing),
        "Still to come": f"{left} of {subscription.cycles} payments" if left and subscription.cycles else "",
        "Since": _day(subscription, "activated_at"),
        "Ended": _ended(subscription),
        "Reference": subscription.reference,
    }


def _paid_with(standing: Standing) -> str:
    if not standing.is_live:
        return standing.kept
    return "a link that you get by mail" if standing.by_link else standing.method or "nothing saved"


def _ended(subscription: Subscription) -> str:
    told = _day(subscription, "ended_at")
    who = (
        ENDED_BY.get(subscription.end_reason, "")
        if subscription.status == SubscriptionStatus.CANCELED
        else ""
    )
    return f"{told}, {who}" if told and who else told


def _day(subscription: Subscription, name: str) -> str:
    moment = getattr(subscription, name)
    return day(moment, subscription.zone) if moment else ""


def _lines(subscription: Subscription) -> tuple[Line, ...]:
    cycles = subscription.all_cycles.filter(payment__isnull=False).select_related("payment")
    return tuple(
        Line(
            on=day(payment.completed_at or cycle.due_at, subscription.zone),
            amount=str(payment.amount),
            outcome=OUTCOMES[PaymentStatus(payment.status)],
            token=payment.checkout_token,
        )
        for cycle in cycles.order_by("-index")[:PAYMENTS_SHOWN]
        if (payment := cycle.payment)
    )
