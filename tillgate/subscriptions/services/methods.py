"""Forget a saved method that nothing is charged by any more."""

from django.db import transaction

from tillgate.customers.services.methods import hold_method, remove_method
from tillgate.payments.states import UNANSWERED
from tillgate.subscriptions.errors import MethodInUse
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.states import LIVE, Collection


@transaction.atomic
def remove_unused(method_id: int) -> None:
    """Let nobody charge a method any more, and have its gateway told; a repeat changes nothing.

    Raises MethodInUse, which names the subscription, while one is charged by it.
    """
    method = hold_method(method_id)
    live = Subscription.objects.filter(payment_method=method, status__in=LIVE)
    charged = live.filter(collection=Collection.CHARGE).order_by("pk").first()
    if charged is not None:
        raise MethodInUse(
            f"{charged.reference} is {charged.status} and charged by {method.reference}. Cancel it or give "
            "it another method first."
        )
    if method.attempts.filter(status__in=UNANSWERED).exists():
        raise MethodInUse(f"{method.reference} is being charged just now. Try again when that has an answer.")
    remove_method(method_id)
