"""The only writer of a status, of payments, attempts and refunds. Callers hold the payment's row lock."""

from typing import Any

from django.db import connection

from tillgate.events.services import record_event
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Payment, Refund
from tillgate.payments.states import (
    ATTEMPT_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    AttemptStatus,
    PaymentStatus,
    RefundStatus,
)


def lock_payment(payment_id: int) -> Payment:
    """Return the payment with its row locked until the transaction ends; whoever writes starts here."""
    assert connection.in_atomic_block, "a lock lives in a transaction"
    return Payment.objects.select_for_update().get(pk=payment_id)


def move_payment(
    payment: Payment, to: PaymentStatus, *, event: dict[str, object] | None = None, **changes: Any
) -> Payment:
    """Move a locked payment, with `changes` to its other fields and its event; a repeat changes nothing.

    Raises NotInThisState for a move that the table does not have.
    """
    current = PaymentStatus(payment.status)
    if current == to:
        return payment  # Gateways report the same outcome more than once.
    if to not in PAYMENT_MOVES.get(current, frozenset()):
        raise NotInThisState(f"{payment.reference} is {current} and cannot become {to}.")
    note(payment, f"payment.{to}", event, status=to, **changes)
    return payment


def note(payment: Payment, type: str, data: dict[str, object] | None = None, **changes: Any) -> None:
    """Write a line on a locked payment's timeline, together with `changes` to its fields."""
    for name, value in changes.items():
        setattr(payment, name, value)
    payment.sequence += 1
    payment.save(update_fields=["sequence", *changes])
    record_event(payment.merchant_id, type, payment.reference, sequence=payment.sequence, data=data)


def move_attempt(attempt: Attempt, to: AttemptStatus, **changes: Any) -> bool:
    """Move an attempt, with `changes` to its other fields; say whether the table has the move.

    Late news that says less than we know has no move: it is dropped, and `changes` with it.
    """
    current = AttemptStatus(attempt.status)
    if to != current and to not in ATTEMPT_MOVES.get(current, frozenset()):
        return False
    attempt.status = to
    for name, value in changes.items():
        setattr(attempt, name, value)
    attempt.save(update_fields=["status", *changes])
    return True


def move_refund(refund: Refund, to: RefundStatus, **changes: Any) -> bool:
    """Move a refund of a locked payment; say whether the table has the move."""
    current = RefundStatus(refund.status)
    if to != current and to not in REFUND_MOVES.get(current, frozenset()):
        return False
    refund.status = to
    for name, value in changes.items():
        setattr(refund, name, value)
    refund.save(update_fields=["status", *changes])
    return True
