"""A person decides about money that did not match."""

from typing import Literal

from django.db import transaction

from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.money_back import left_of
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.refunds import send_back
from tillgate.payments.services.settle import accept_reviewed
from tillgate.payments.states import OPEN_DISPUTES, AttemptStatus, PaymentStatus, RefundStatus

Decision = Literal["accept", "refund"]


@transaction.atomic
def resolve_review(payment_id: int, decision: Decision) -> Payment:
    """Accept what came as the payment, or send it back; a repeat of the same decision changes nothing.

    A refund leaves the payment in review until the gateway confirms it. Raises NotInThisState when
    the payment is not in review, while the customer's bank contests the money, or when it can only go
    back: it is in another currency, or on its way back already.
    """
    payment = lock_payment(payment_id)
    is_open = payment.status == PaymentStatus.REVIEW or came_back(payment)
    if not is_open and payment.review_reason and payment.status == _decided(decision):
        return payment
    if not is_open:
        raise NotInThisState(
            f"{payment.reference} is {payment.status}; only a payment in review can be resolved."
        )
    attempt = _reviewed_attempt(payment)
    _require_uncontested(attempt)
    if decision == "refund":
        send_back(payment, attempt)
        return payment
    if attempt.received_currency != payment.currency:
        raise NotInThisState(f"The money came in {attempt.received_currency}; it can only be refunded.")
    if attempt.reversed_at is not None:
        raise NotInThisState("The gateway took the money back; there is nothing to accept.")
    if left_of(attempt) != attempt.received:
        raise NotInThisState("The money is on its way back to the customer; it cannot be accepted any more.")
    accept_reviewed(payment, attempt)
    return payment


def came_back(payment: Payment) -> bool:
    """Say whether a refund out of review failed after all, so that there is money to decide about again."""
    if payment.status != PaymentStatus.REFUNDED or not payment.review_reason:
        return False
    failed = payment.refunds.filter(surplus=None, status=RefundStatus.FAILED)
    return failed.exists() and left_of(_reviewed_attempt(payment)).minor > 0


def _require_uncontested(attempt: Attempt) -> None:
    if attempt.disputes.filter(surplus=None, status__in=OPEN_DISPUTES).exists():
        raise NotInThisState("The customer's bank contests the money; wait until it has decided.")


def _decided(decision: Decision) -> PaymentStatus:
    return PaymentStatus.COMPLETED if decision == "accept" else PaymentStatus.REFUNDED


def _reviewed_attempt(payment: Payment) -> Attempt:
    # The first money is what is reviewed; what came after it is surplus and has a row of its own.
    first = payment.attempts.filter(status=AttemptStatus.SUCCEEDED).order_by("verified_at", "pk").first()
    assert first is not None, f"{payment.reference} is in review without money"
    return first
