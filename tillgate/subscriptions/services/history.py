"""The recurring payments of somebody with an account, and how they stop one."""

from django.db import transaction

from tillgate.merchants.models import User
from tillgate.payments.services.history import attach
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.moves import lock_subscription
from tillgate.subscriptions.services.stop import cancel_subscription
from tillgate.subscriptions.states import LIVE


def attach_subscriptions(user: User) -> int:
    """Take the recurring payments of their confirmed e-mail that nobody has yet into somebody's account,
    as `attach_payments` does with payments; those of the cycles to come are theirs from the start."""
    return attach(Subscription.objects.all(), user, "subscriptions_seen")


@transaction.atomic
def stop_for_customer(subscription_id: int) -> Subscription:
    """Stop a recurring payment for good, for whom it belongs to; one that has ended is returned as it is."""
    subscription = lock_subscription(subscription_id)
    if subscription.status not in LIVE:
        return subscription
    return cancel_subscription(subscription_id, reason="customer")
