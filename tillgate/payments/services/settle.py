"""What verified money does to a payment. `settle` is the only way to `completed`.

Webhook, browser return, poller and GET all end here, under one row lock, with an answer that the
gateway gave to our own question.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.ledger.models import Account
from tillgate.ledger.services import Movement, post
from tillgate.money import Money
from tillgate.payments.models import Attempt, Payment, Surplus
from tillgate.payments.services.moves import move_attempt, move_payment, note, tell_once
from tillgate.payments.states import UNSETTLED, AttemptStatus, PaymentStatus

log = structlog.get_logger(__name__)
PAID_LATE = "paid_late"
CONTRADICTED = "attempt.contradicted"
FIRST_LOOK_BACK = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Money that the gateway confirmed: what it calls the transaction, and how much came."""

    gateway_id: str
    amount: Money
    fee_minor: int | None


def settle(payment: Payment, attempt: Attempt, snapshot: PaymentSnapshot) -> None:
    """Apply confirmed money to a locked payment: completed, review, or a surplus row; never dropped.

    A repeat of the same transaction changes nothing.
    """
    receipt = _receipt(snapshot)
    if attempt.status == AttemptStatus.SUCCEEDED:
        if attempt.gateway_id != receipt.gateway_id:
            _record_surplus(payment, attempt, receipt, reason="second_transaction")
        elif receipt.amount != attempt.received:
            _record_contradiction(payment, attempt, receipt)
        return
    reason = _reason_for_review(payment, snapshot)
    settles = reason is None and payment.status in UNSETTLED
    moved = move_attempt(attempt, AttemptStatus.SUCCEEDED, **_proof(receipt, snapshot, settles=settles))
    assert moved, f"{attempt.reference} is {attempt.status} and money arrived: the table must have this move"
    if settles:
        _complete(payment, attempt, receipt)
    elif payment.status in UNSETTLED or payment.status == PaymentStatus.CANCELED:
        _to_review(payment, attempt, receipt, reason or "paid_after_cancel")
    else:
        _record_surplus(payment, attempt, receipt, reason="second_attempt")


def accept_reviewed(payment: Payment, attempt: Attempt) -> None:
    """A person takes what came as the payment: it settles, with the amount that was received."""
    attempt.settles = True
    attempt.save(update_fields=["settles"])
    journal = f"accept:{attempt.reference}"
    post(movement(attempt, journal, attempt.received, source=Account.SALES, target=Account.HELD))
    move_payment(
        payment,
        PaymentStatus.COMPLETED,
        event={"decision": "accept"},
        completed_at=clock.now(),
        late=payment.review_reason == PAID_LATE,
    )


def movement(attempt: Attempt, journal: str, amount: Money, *, source: Account, target: Account) -> Movement:
    """Return the movement of an attempt's money; the payment is its subject."""
    return Movement(
        journal=journal,
        merchant_id=attempt.payment.merchant_id,
        gateway=attempt.gateway,
        subject=attempt.payment.reference,
        source=source,
        target=target,
        amount=amount,
    )


def _complete(payment: Payment, attempt: Attempt, receipt: Receipt) -> None:
    post(_received(attempt, receipt, Account.SALES))
    move_payment(
        payment,
        PaymentStatus.COMPLETED,
        event={"attempt": attempt.reference, "gateway": attempt.gateway, **_told(receipt.amount)},
        completed_at=clock.now(),
        gateway=attempt.gateway,
        received_minor=receipt.amount.minor,
        fee_minor=receipt.fee_minor,
        late=payment.status == PaymentStatus.EXPIRED,
        failure=None,
    )


def _to_review(payment: Payment, attempt: Attempt, receipt: Receipt, reason: str) -> None:
    log.warning("payment_in_review", payment=payment.reference, attempt=attempt.reference, reason=reason)
    post(_received(attempt, receipt, Account.HELD))
    same_currency = receipt.amount.currency == payment.currency
    move_payment(
        payment,
        PaymentStatus.REVIEW,
        event={"attempt": attempt.reference, "reason": reason, **_told(receipt.amount)},
        review_reason=reason,
        gateway=attempt.gateway,
        received_minor=receipt.amount.minor if same_currency else 0,
        fee_minor=receipt.fee_minor if same_currency else None,
        failure=None,
    )


def _record_surplus(payment: Payment, attempt: Attempt, receipt: Receipt, *, reason: str) -> None:
    if Surplus.objects.filter(
        gateway=attempt.gateway, mode=attempt.mode, gateway_id=receipt.gateway_id
    ).exists():
        return
    surplus = Surplus.objects.create(
        reference=new_reference("SUR"),
        payment=payment,
        attempt=attempt,
        gateway=attempt.gateway,
        mode=attempt.mode,
        gateway_id=receipt.gateway_id,
        amount_minor=receipt.amount.minor,
        currency=receipt.amount.currency,
        created_at=clock.now(),
    )
    post(_received(attempt, receipt, Account.HELD))
    counted = receipt.amount.minor if receipt.amount.currency == payment.currency else 0
    note(
        payment,
        "payment.surplus",
        {"surplus": surplus.reference, "reason": reason, **_told(receipt.amount)},
        surplus_minor=payment.surplus_minor + counted,
        has_incidents=True,
    )


def _record_contradiction(payment: Payment, attempt: Attempt, receipt: Receipt) -> None:
    """The gateway says another amount of what it had confirmed: nothing moves, and a person is told."""
    log.error("gateway_contradicts_itself", attempt=attempt.reference, says=str(receipt.amount))
    tell_once(payment, CONTRADICTED, {"attempt": attempt.reference, **_told(receipt.amount)})


def _told(amount: Money) -> dict[str, object]:
    return {"received": str(amount.to_major), "currency": amount.currency}


def _reason_for_review(payment: Payment, snapshot: PaymentSnapshot) -> str | None:
    """Why confirmed money must not settle this payment, or None when it is exactly what was asked for."""
    amount, requested, fee = snapshot.amount, snapshot.requested or payment.amount, snapshot.fee
    assert amount is not None
    if amount.currency != payment.currency or requested.currency != payment.currency:
        return "wrong_currency"
    on_top = amount.minor - payment.amount_minor
    # Where the customer bears the fee, the amount is what we asked for plus that fee and nothing else.
    if requested != payment.amount or (on_top and (fee is None or on_top != fee.minor)):
        return "wrong_amount"
    if snapshot.state != GatewayState.SUCCEEDED:
        return "reversed"
    if payment.status == PaymentStatus.EXPIRED and settings.TILLGATE_LATE_PAYMENT == "review":
        return PAID_LATE
    return None


def _receipt(snapshot: PaymentSnapshot) -> Receipt:
    assert snapshot.amount is not None and snapshot.gateway_id is not None, "the adapter reads both or raises"
    return Receipt(
        gateway_id=snapshot.gateway_id,
        amount=snapshot.amount,
        fee_minor=None if snapshot.fee is None else snapshot.fee.minor,
    )


def _proof(receipt: Receipt, snapshot: PaymentSnapshot, *, settles: bool) -> dict[str, object]:
    return {
        "settles": settles,
        "processing": False,
        "gateway_id": receipt.gateway_id,
        "received_minor": receipt.amount.minor,
        "received_currency": receipt.amount.currency,
        "fee_minor": receipt.fee_minor,
        "channel": snapshot.channel,
        "paid_at": snapshot.paid_at,
        "verified_at": clock.now(),
        "answered_at": clock.now(),
        "look_back_at": clock.now() + FIRST_LOOK_BACK,
        "failure": None,
    }


def _received(attempt: Attempt, receipt: Receipt, source: Account) -> Movement:
    name = f"receive:{attempt.gateway}:{attempt.mode}:{receipt.gateway_id}"
    return movement(attempt, name, receipt.amount, source=source, target=Account.GATEWAY)
