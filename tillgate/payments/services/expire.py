"""Close payments that nobody paid in time. Verified money that comes later still completes them."""

from django.db import transaction

from tillgate.common import clock
from tillgate.payments.models import Payment
from tillgate.payments.services.moves import lock_payment, move_payment
from tillgate.payments.states import PAYABLE, PaymentStatus

BATCH = 200


def expire_due_payments() -> int:
    """Expire what is due, each in a transaction of its own; return how many."""
    due = Payment.objects.due_to_expire(clock.now()).order_by("expires_at").values_list("pk", flat=True)
    return sum(_expire(pk) for pk in list(due[:BATCH]))


@transaction.atomic
def _expire(payment_id: int) -> bool:
    payment = lock_payment(payment_id)
    if payment.status not in PAYABLE or payment.expires_at > clock.now():
        return False  # Paid between the list and the lock.
    move_payment(payment, PaymentStatus.EXPIRED)
    return True
