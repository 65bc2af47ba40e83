"""Tell customers of cards that expire."""

from django.db import transaction

from tillgate.common import clock
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.methods import methods_expiring, note_expiry_told
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.mails import GOING_ON, Mail, tell
from tillgate.subscriptions.states import Collection


def tell_of_expiring_methods() -> None:
    """Queue a mail for each recurring payment whose card expires in 30 or 7 days; a repeat queues none."""
    for method, days in methods_expiring(clock.now().date()):
        _tell(method, days)


@transaction.atomic
def _tell(method: PaymentMethod, days: int) -> None:
    if not note_expiry_told(method, days):
        return
    charged = Subscription.objects.filter(payment_method=method, collection=Collection.CHARGE)
    for subscription in charged.filter(status__in=GOING_ON).exclude(cycles_left=0):
        tell(subscription, Mail.CARD_EXPIRES)
