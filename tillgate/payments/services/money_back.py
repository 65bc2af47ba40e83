"""What money that went back does to its payment, and a refund that failed after all.

Everything here runs under the payment's row lock, with what the gateway answered to our own question.
"""

from typing import Any

import structlog
from django.db.models import Sum

from tillgate.common import clock
from tillgate.common.jobs import make_due
from tillgate.common.references import new_reference
from tillgate.events.services import record_event
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.ledger.models import Account
from tillgate.ledger.services import post
from tillgate.money import Money
from tillgate.payments.models import Attempt, Dispute, Payment, Refund, Surplus
from tillgate.payments.services.moves import move_refund, note, stand, tell_once
from tillgate.payments.services.settle import movement
from tillgate.payments.states import FOLLOWS_REFUNDS, OPEN_REFUNDS, DisputeStatus, PaymentStatus, RefundStatus

log = structlog.get_logger(__name__)
CONTRADICTED = "refund.contradicted"


def new_refund(payment: Payment, attempt: Attempt, amount: Money, **fields: Any) -> Refund:
    """Write down a refund of a locked payment; nothing is called and nothing booked yet."""
    refund = Refund.objects.create(
        reference=new_reference("REF"),
        payment=payment,
        attempt=attempt,
        amount_minor=amount.minor,
        currency=amount.currency,
        created_at=clock.now(),
        **fields,
    )
    _tell(refund, "refund.pending", sequence=1)
    if refund.surplus is not None:
        _show_surplus(payment, refund)
    return refund


def apply_refund(payment: Payment, refund: Refund, said: RefundSnapshot) -> None:
    """Apply what the gateway says of a refund; what is known already changes nothing.

    What contradicts the refund, in its amount or after its end, books nothing and is for a person.
    """
    if refund.gateway_id is None:
        # Whatever was unclear, the gateway names it now.
        refund.gateway_id, refund.explanation = said.gateway_id, ""
        refund.save(update_fields=["gateway_id", "explanation"])
        call_next(payment)
    if said.state == refund.status == RefundStatus.FAILED:
        return
    if said.amount != refund.amount or refund.status == RefundStatus.FAILED:
        _contradict(payment, refund, said)
    elif said.state == RefundState.SUCCEEDED:
        succeed_refund(payment, refund)
    elif said.state == RefundState.FAILED:
        fail_refund(payment, refund, "the gateway could not refund it")


def succeed_refund(payment: Payment, refund: Refund) -> None:
    """Book a refund that the gateway confirmed, once. More than came in is never booked, but parked."""
    if refund.status == RefundStatus.SUCCEEDED:
        return
    came = came_in(refund.attempt, refund.surplus)
    with_this = _returned_minor(refund.attempt, refund.surplus) + refund.amount_minor
    if with_this > came.minor or refund.currency != came.currency:
        park_refund(refund, "With this refund more went back than came in. Look in the gateway's dashboard.")
        return
    move_refund(refund, RefundStatus.SUCCEEDED, finished_at=clock.now(), explanation="")
    _tell(refund, "refund.succeeded", sequence=2)
    name, owner = f"refund:{refund.reference}", owner_of(refund.attempt, refund.surplus)
    post(movement(refund.attempt, name, refund.amount, source=Account.GATEWAY, target=owner))
    _count(payment, refund, sign=1)


def fail_refund(payment: Payment, refund: Refund, reason: str) -> None:
    """End a refund that brought nothing back. One that had succeeded is taken out of the books again."""
    had_succeeded = refund.status == RefundStatus.SUCCEEDED
    move_refund(refund, RefundStatus.FAILED, finished_at=clock.now(), explanation=reason[:200])
    _tell(refund, "refund.failed", sequence=3 if had_succeeded else 2, reason=reason[:200])
    if had_succeeded:
        name, owner = f"refund-failed:{refund.reference}", owner_of(refund.attempt, refund.surplus)
        post(movement(refund.attempt, name, refund.amount, source=owner, target=Account.GATEWAY))
        _count(payment, refund, sign=-1)
    elif refund.surplus is not None:
        _show_surplus(payment, refund)


def park_refund(refund: Refund, reason: str) -> None:
    """Leave a refund to a person: what became of it is not certain."""
    if refund.explanation != reason:
        log.error("refund_parked", refund=refund.reference, reason=reason)
    move_refund(refund, RefundStatus.UNKNOWN, explanation=reason)


def call_next(payment: Payment) -> None:
    """Let the oldest refund that waits for its turn be called at once: the one before it has its answer."""
    from tillgate.payments.jobs import submit_refund  # The job calls this module.

    waiting = payment.refunds.uncalled().first()
    if waiting is not None and not make_due(waiting.submit_key):
        submit_refund.using(unique_key=waiting.submit_key).enqueue(waiting.pk)


def left_of(attempt: Attempt, surplus: Surplus | None = None) -> Money:
    """Return what may still be refunded of a transaction: not what went back, nor what is on its way."""
    came = came_in(attempt, surplus)
    gone = Refund.objects.of(attempt, surplus).counted().total_minor() + _lost_minor(attempt, surplus)
    return Money(max(came.minor - gone, 0), came.currency)


def came_in(attempt: Attempt, surplus: Surplus | None = None) -> Money:
    """Return what a transaction brought."""
    return attempt.received if surplus is None else surplus.amount


def went_back_minor(attempt: Attempt, surplus: Surplus | None) -> int:
    """Return what went back of a transaction, by refunds and by its bank: the same money may go twice."""
    return _returned_minor(attempt, surplus) + _lost_minor(attempt, surplus)


def owner_of(attempt: Attempt, surplus: Surplus | None) -> Account:
    """Return whose money of a transaction it is: earned where it settled a payment, only held elsewhere."""
    return Account.SALES if attempt.settles and surplus is None else Account.HELD


def by_refunds(received_minor: int, refunded_minor: int) -> PaymentStatus:
    """Return what its succeeded refunds say of a settled payment."""
    if refunded_minor == 0:
        return PaymentStatus.COMPLETED
    is_all = refunded_minor >= received_minor
    return PaymentStatus.REFUNDED if is_all else PaymentStatus.PARTIALLY_REFUNDED


def _contradict(payment: Payment, refund: Refund, said: RefundSnapshot) -> None:
    says = f"{said.amount} is {said.state}"
    if refund.status in OPEN_REFUNDS:
        park_refund(refund, f"The gateway says that {says}. Look in its dashboard.")
        return
    log.error("gateway_contradicts_itself", refund=refund.reference, says=says)
    tell_once(payment, CONTRADICTED, {"refund": refund.reference, "says": says})


def _count(payment: Payment, refund: Refund, *, sign: int) -> None:
    """Let the payment show what went back, or came back after all."""
    minor = sign * refund.amount_minor if refund.currency == payment.currency else 0
    if refund.surplus is not None:
        _show_surplus(payment, refund, surplus_minor=payment.surplus_minor - minor)
        return
    event: dict[str, object] = {"refund": refund.reference, "amount": str(refund.amount.to_major)}
    refunded_minor = payment.refunded_minor + minor
    to = _standing(payment, refund, refunded_minor)
    is_partial = to == PaymentStatus.PARTIALLY_REFUNDED
    unmoved = "payment.partially_refunded" if is_partial else "refund.noted"
    stand(payment, to, event, unmoved=unmoved, refunded_minor=refunded_minor)


def _show_surplus(payment: Payment, refund: Refund, **changes: int) -> None:
    assert refund.surplus is not None
    event: dict[str, object] = {"surplus": refund.surplus.reference, "refund": refund.reference}
    note(payment, "payment.surplus", {**event, "status": refund.status}, **changes)


def _standing(payment: Payment, refund: Refund, refunded_minor: int) -> PaymentStatus:
    status = PaymentStatus(payment.status)
    if status in FOLLOWS_REFUNDS and refund.attempt.settles:
        return by_refunds(payment.received_minor, refunded_minor)
    if status == PaymentStatus.REVIEW:
        is_all = _returned_minor(refund.attempt, None) >= came_in(refund.attempt).minor
        return PaymentStatus.REFUNDED if is_all else status
    return status  # What is contested or charged back stays so, whatever else goes back.


def _returned_minor(attempt: Attempt, surplus: Surplus | None) -> int:
    return Refund.objects.of(attempt, surplus).filter(status=RefundStatus.SUCCEEDED).total_minor()


def _lost_minor(attempt: Attempt, surplus: Surplus | None) -> int:
    lost = Dispute.objects.filter(attempt=attempt, surplus=surplus, status=DisputeStatus.LOST)
    return lost.aggregate(total=Sum("amount_minor"))["total"] or 0


def _tell(refund: Refund, type: str, *, sequence: int, **data: object) -> None:
    amount = {"amount": str(refund.amount.to_major), "currency": refund.currency}
    told = {"payment": refund.payment.reference, **amount, **data}
    record_event(refund, type, sequence=sequence, data=told)
