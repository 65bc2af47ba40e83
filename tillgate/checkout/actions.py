"""What a customer can do about a recurring payment; it is said before it is done, and one service does it."""

from collections.abc import Callable
from dataclasses import dataclass

from tillgate.checkout.standing import Standing, standing_of
from tillgate.payments.models import Payment
from tillgate.subscriptions.errors import NotPossible
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.change import payment_to_make
from tillgate.subscriptions.services.methods import remove_unused
from tillgate.subscriptions.services.stop import (
    cancel_subscription,
    pause_subscription,
    resume_subscription,
)
from tillgate.subscriptions.states import COLLECTING, LIVE, SubscriptionStatus


@dataclass(frozen=True, kw_only=True)
class Action:
    """One action: its words, when it can be chosen, what will happen, and the service that does it.

    `does` returns a payment where the customer goes on to its page. `is_final` colours the button.
    """

    name: str
    label: str
    heading: str
    button: str
    back: str
    is_offered: Callable[[Standing], bool]
    says: Callable[[Standing], list[str]]
    does: Callable[[Subscription], Payment | None]
    is_final: bool = False


def _stop(subscription: Subscription) -> None:
    cancel_subscription(subscription.pk, reason="customer")


def _pause(subscription: Subscription) -> None:
    pause_subscription(subscription.pk)


def _resume(subscription: Subscription) -> None:
    resume_subscription(subscription.pk)


def _pay(subscription: Subscription) -> Payment:
    payment = payment_to_make(subscription.pk)
    if payment is None:
        raise NotPossible(f"{subscription.reference} has nothing to pay now.")
    return payment


def _forget(subscription: Subscription) -> None:
    standing = standing_of(subscription)
    if not standing.kept:
        return  # A repeat: it was forgotten already.
    if not _can_forget(standing):
        raise NotPossible(f"what {subscription.reference} is paid with is still in use")
    assert subscription.payment_method_id is not None, "only what is there is forgotten"
    remove_unused(subscription.payment_method_id)


def _stopping(standing: Standing) -> list[str]:
    says = ["Nothing more will be charged, from the moment you press the button. It cannot be taken back."]
    if standing.moving:
        says.append(
            f"A payment of {standing.moving.amount} is on its way just now and cannot be called back. "
            "The shop can refund it when it has come in."
        )
    elif standing.owed:
        says.append(f"The payment of {standing.owed.amount} that is still open will not be charged either.")
    return [*says, "What you have paid so far stays paid."]


def _pausing(standing: Standing) -> list[str]:
    says = ["Nothing is charged until you resume it. Payments that fall due in the pause are left out."]
    if standing.moving:
        says.append(
            f"A payment of {standing.moving.amount} is on its way just now and cannot be called back."
        )
    elif standing.owed:
        says.append(f"The payment of {standing.owed.amount} that is still open waits, too.")
    return says


def _resuming(standing: Standing) -> list[str]:
    says = ["Payments that fell due in the pause are left out: you do not pay for them."]
    if standing.owed:
        says.append(f"The payment of {standing.owed.amount} that is still open is collected from now on.")
    if standing.upcoming:
        says.append(f"The next payment is {standing.upcoming.amount} on {standing.upcoming.on}.")
    return says


def _paying(standing: Standing) -> list[str]:
    says = []
    if standing.owed:
        says = [
            f"You pay {standing.owed.amount} now: the payment of {standing.owed.on}, which is still open."
        ]
    elif standing.upcoming:
        says = [
            f"You pay {standing.upcoming.amount} now: the payment of {standing.upcoming.on}, ahead of time. "
            "You are not charged again on that day, and all later dates stay as they are."
        ]
    return [
        *says,
        "On the next page, tick the box and pay with the card or account that you want to use from now on. "
        "Without the tick it is used this once, and nothing else changes.",
    ]


def _forgetting(standing: Standing) -> list[str]:
    return [f"{standing.kept} is removed here and can never be charged again. What you have paid stays paid."]


def _is_collecting(standing: Standing) -> bool:
    return standing.subscription.status in COLLECTING


def _can_resume(standing: Standing) -> bool:
    subscription = standing.subscription
    return subscription.status == SubscriptionStatus.PAUSED and not subscription.import_unfinished


def _can_change_method(standing: Standing) -> bool:
    has_payment = standing.owed is not None or standing.upcoming is not None
    has_more = standing.subscription.cycles_left != 0
    return _is_collecting(standing) and has_payment and has_more and standing.moving is None


def _can_forget(standing: Standing) -> bool:
    method = standing.subscription.payment_method
    if standing.is_live or not standing.kept or method is None:
        return False
    return not method.subscriptions.filter(status__in=LIVE).exists()


ACTIONS = (
    Action(
        name="method",
        label="Use another card or account",
        heading="Use another card or account?",
        button="Go on to the payment",
        back="Change nothing",
        is_offered=_can_change_method,
        says=_paying,
        does=_pay,
    ),
    Action(
        name="pause",
        label="Pause",
        heading="Pause this recurring payment?",
        button="Pause it",
        back="Change nothing",
        is_offered=_is_collecting,
        says=_pausing,
        does=_pause,
    ),
    Action(
        name="resume",
        label="Resume",
        heading="Resume this recurring payment?",
        button="Resume it",
        back="Leave it paused",
        is_offered=_can_resume,
        says=_resuming,
        does=_resume,
    ),
    Action(
        name="stop",
        label="Stop",
        heading="Stop this recurring payment?",
        button="Stop it",
        back="Do not stop it",
        is_offered=lambda standing: standing.is_live,
        says=_stopping,
        does=_stop,
        is_final=True,
    ),
    Action(
        name="forget",
        label="Forget this card or account",
        heading="Forget this card or account?",
        button="Forget it",
        back="Keep it",
        is_offered=_can_forget,
        says=_forgetting,
        does=_forget,
        is_final=True,
    ),
)
