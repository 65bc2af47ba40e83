"""Withdraw a payment. Money that comes all the same goes to review."""

from django.db import transaction

from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Payment
from tillgate.payments.services.moves import lock_payment, move_attempt, move_payment
from tillgate.payments.states import PAYABLE, AttemptStatus, PaymentStatus


@transaction.atomic
def cancel_payment(payment_id: int) -> Payment:
    """Cancel a pending or failed payment; a repeat returns it unchanged.

    Its open sessions are superseded: gateways cannot close them everywhere, so they are still asked.
    Raises NotInThisState once money is on its way or has arrived.
    """
    payment = lock_payment(payment_id)
    if payment.status == PaymentStatus.CANCELED:
        return payment
    if payment.status not in PAYABLE:
        raise NotInThisState(
            f"{payment.reference} is {payment.status}; only a pending or failed payment can be canceled."
        )
    for attempt in payment.attempts.filter(status=AttemptStatus.PENDING):
        move_attempt(attempt, AttemptStatus.SUPERSEDED)
    return move_payment(payment, PaymentStatus.CANCELED)
