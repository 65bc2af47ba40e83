"""Want money to go back: a merchant's refund, a surplus, or the money of a payment in review.

Each reserves a row under the payment's lock, and queues the call; `refund_calls` makes it.
"""

from dataclasses import dataclass

from django.db import transaction

from tillgate.money import Money
from tillgate.payments.errors import KeyReused, NotInThisState, RefundTooLarge
from tillgate.payments.models import Attempt, Payment, Refund, Surplus
from tillgate.payments.services.money_back import left_of, new_refund, succeed_refund
from tillgate.payments.services.moves import lock_payment, move_payment
from tillgate.payments.states import OPEN_DISPUTES, OPEN_REFUNDS, REFUNDABLE, PaymentStatus, RefundOrigin

WHY_NOT = {
    PaymentStatus.REVIEW: "POST …/resolve decides about its money.",
    PaymentStatus.DISPUTED: "wait until the customer's bank has decided.",
    PaymentStatus.REFUNDED: "nothing is left to refund.",
    PaymentStatus.CHARGED_BACK: "the customer's bank has sent the money back already.",
}
ELSE = "only a completed or partially refunded payment can be refunded."


@dataclass(frozen=True, kw_only=True)
class RefundOrder:
    """What a caller wants back; `amount` None is all that is left.

    `idempotency_hash` covers scope and key, `request_hash` the body.
    """

    amount: Money | None
    reason: str
    idempotency_hash: str
    request_hash: str


@transaction.atomic
def create_refund(payment_id: int, order: RefundOrder) -> tuple[Refund, bool]:
    """Reserve a refund and queue it; return it and whether it is new. The money moves in `refund_calls`.

    The same key and body return the first refund as it is now. Raises KeyReused for another body under
    the key, NotInThisState, and RefundTooLarge for more than is left.
    """
    payment = lock_payment(payment_id)
    if first := Refund.objects.filter(idempotency_hash=order.idempotency_hash).first():
        return _under_key(first, order), False
    if payment.status not in REFUNDABLE:
        why = WHY_NOT.get(PaymentStatus(payment.status), ELSE)
        raise NotInThisState(f"{payment.reference} is {payment.status}: {why}")
    attempt = payment.attempts.get(settles=True)
    left = left_of(attempt)
    amount = left if order.amount is None else order.amount
    if left < amount or not left.minor:
        raise RefundTooLarge(f"{left} of {payment.reference} is left to refund, and not already on its way.")
    claim = {"idempotency_hash": order.idempotency_hash, "request_hash": order.request_hash}
    return _reserve(payment, attempt, amount, reason=order.reason, **claim), True


@transaction.atomic
def refund_surplus(surplus: Surplus) -> tuple[Refund, bool]:
    """Reserve the refund of all that is left of a surplus; return it and whether it is new.

    While a refund counts, a repeat returns it; after one that failed, it is tried again. Raises
    NotInThisState while the customer's bank contests the transaction, or when it took the money.
    """
    payment = lock_payment(surplus.payment_id)
    left = left_of(surplus.attempt, surplus)
    made = surplus.refunds.counted().order_by("pk").last()
    if made is not None and not left.minor:
        return made, False
    if surplus.disputes.filter(status__in=OPEN_DISPUTES).exists():
        raise NotInThisState(f"{surplus.reference} is disputed: {WHY_NOT[PaymentStatus.DISPUTED]}")
    if not left.minor:
        raise NotInThisState(f"{surplus.reference}: {WHY_NOT[PaymentStatus.CHARGED_BACK]}")
    return _reserve(payment, surplus.attempt, left, surplus=surplus), True


def send_back(payment: Payment, attempt: Attempt) -> None:
    """Send back what is left of the money of a locked payment in review; a refund under way goes on.

    What the gateway has sent back by itself is booked as refunded, and nothing is called.
    """
    if Refund.objects.of(attempt, None).filter(status__in=OPEN_REFUNDS).exists():
        return  # It may be what the gateway sent back, and goes on being asked.
    left = left_of(attempt)
    if not left.minor:
        move_payment(payment, PaymentStatus.REFUNDED, event={"decision": "refund"})
    elif attempt.reversed_at is not None:
        succeed_refund(payment, new_refund(payment, attempt, left, origin=RefundOrigin.GATEWAY))
    else:
        _reserve(payment, attempt, left, origin=RefundOrigin.REVIEW)


def _under_key(first: Refund, order: RefundOrder) -> Refund:
    if first.request_hash != order.request_hash:
        raise KeyReused("This Idempotency-Key was used with another body. Send a new key for a new refund.")
    return first


def _reserve(payment: Payment, attempt: Attempt, amount: Money, **fields: object) -> Refund:
    from tillgate.payments.jobs import submit_refund  # The job's service needs this module's tables only.

    refund = new_refund(payment, attempt, amount, **fields)
    submit_refund.using(unique_key=refund.submit_key).enqueue(refund.pk)
    return refund
