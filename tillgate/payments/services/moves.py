"""The only writer of a status, of payments and what hangs below. Callers hold the payment's row lock."""

from collections.abc import Collection
from typing import Any

from django.db import connection

from tillgate.events.models import Event
from tillgate.events.services import record_event
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Dispute, Payment, Refund
from tillgate.payments.states import (
    ATTEMPT_MOVES,
    DISPUTE_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    AttemptStatus,
    DisputeStatus,
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


def stand(
    payment: Payment, to: PaymentStatus, event: dict[str, object], *, unmoved: str, **changes: Any
) -> None:
    """Move a locked payment to where it stands now; where it stands there already, note the `changes`
    on its timeline as `unmoved`."""
    if to == payment.status:
        note(payment, unmoved, event, **changes)
    else:
        move_payment(payment, to, event=event, **changes)


def note(payment: Payment, type: str, data: dict[str, object] | None = None, **changes: Any) -> None:
    """Write a line on a locked payment's timeline, together with `changes` to its fields."""
    for name, value in changes.items():
        setattr(payment, name, value)
    payment.sequence += 1
    payment.save(update_fields=["sequence", *changes])
    if payment.subscription_reference:
        data = {**(data or {}), "subscription": payment.subscription_reference}
    record_event(payment, type, sequence=payment.sequence, data=data)


def tell_once(payment: Payment, type: str, data: dict[str, object]) -> None:
    """Write a line that a person has to read on a locked payment's timeline, unless it is there already."""
    if not Event.objects.filter(subject=payment.reference, type=type, data=data).exists():
        note(payment, type, data)


def move_attempt(attempt: Attempt, to: AttemptStatus, **changes: Any) -> bool:
    """Move an attempt, with `changes` to its other fields; say whether the table has the move.

    Late news that says less than we know has no move: it is dropped, and `changes` with it.
    """
    return _move(attempt, to, ATTEMPT_MOVES.get(AttemptStatus(attempt.status), frozenset()), changes)


def move_refund(refund: Refund, to: RefundStatus, **changes: Any) -> bool:
    """Move a refund of a locked payment, as `move_attempt` does."""
    return _move(refund, to, REFUND_MOVES.get(RefundStatus(refund.status), frozenset()), changes)


def move_dispute(dispute: Dispute, to: DisputeStatus, **changes: Any) -> bool:
    """Move a dispute of a locked payment, as `move_attempt` does."""
    return _move(dispute, to, DISPUTE_MOVES.get(DisputeStatus(dispute.status), frozenset()), changes)


def _move(
    row: Attempt | Refund | Dispute, to: str, possible: Collection[str], changes: dict[str, Any]
) -> bool:
    if to != row.status and to not in possible:
        return False
    row.status = to
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=["status", *changes])
    return True
