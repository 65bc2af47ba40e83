"""A person decides about money that did not match."""

from typing import Literal

from django.db import transaction

from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.refunds import book_reversal, reserve_refund
from tillgate.payments.services.settle import accept_reviewed
from tillgate.payments.states import AttemptStatus, PaymentStatus

Decision = Literal["accept", "refund"]


@transaction.atomic
def resolve_review(payment_id: int, decision: Decision) -> Payment:
    """Accept what came as the payment, or send it back; a repeat of the same decision changes nothing.

    A refund leaves the payment in review until the gateway confirms it. Raises NotInThisState when
    the payment is not in review, or its money can only go back: it is in another currency, or on its
    way back already.
    """
    payment = lock_payment(payment_id)
    if payment.review_reason and payment.status == _decided(decision):
        return payment
    if payment.status != PaymentStatus.REVIEW:
        raise NotInThisState(
            f"{payment.reference} is {payment.status}; only a payment in review can be resolved."
        )
    attempt = _reviewed_attempt(payment)
    if decision == "refund":
        send_back = book_reversal if attempt.reversed_at else reserve_refund
        send_back(payment, attempt)
        return payment
    if attempt.received_currency != payment.currency:
        raise NotInThisState(f"The money came in {attempt.received_currency}; it can only be refunded.")
    if attempt.reversed_at is not None:
        raise NotInThisState("The gateway took the money back; there is nothing to accept.")
    if payment.refunds.exclude(status="failed").exists():
        raise NotInThisState("The money is on its way back to the customer; it cannot be accepted any more.")
    accept_reviewed(payment, attempt)
    return payment


def _decided(decision: Decision) -> PaymentStatus:
    return PaymentStatus.COMPLETED if decision == "accept" else PaymentStatus.REFUNDED


def _reviewed_attempt(payment: Payment) -> Attempt:
    # The first money is what is reviewed; what came after it is surplus and has a row of its own.
    first = payment.attempts.filter(status=AttemptStatus.SUCCEEDED).order_by("verified_at", "pk").first()
    assert first is not None, f"{payment.reference} is in review without money"
    return first
