"""Send money back: reserve, commit, call once, and after a lost answer look before anything else.

Paystack has no refund key. So the refunds that it lists already are stored before the call; after a
lost answer, exactly one new one of that amount is ours. Anything else goes to a person: there is
never a second call on a guess.
"""

from typing import TypeGuard

import structlog
from django.db import transaction

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.events.services import record_event
from tillgate.gateways.errors import GatewayError, Rejected, Unreachable
from tillgate.gateways.http import IN_WORKER
from tillgate.gateways.protocol import Gateway, ListsRefunds, RefundRef, RefundSnapshot, RefundState
from tillgate.ledger.models import Account
from tillgate.ledger.services import Movement, post
from tillgate.merchants.services import account_for, connect
from tillgate.payments.models import Attempt, Payment, Refund
from tillgate.payments.services.moves import lock_payment, move_payment, move_refund
from tillgate.payments.services.sync import next_question
from tillgate.payments.states import OPEN_REFUNDS, PaymentStatus, RefundStatus

log = structlog.get_logger(__name__)
LOOKS_BEFORE_PARKED = 5


def reserve_refund(payment: Payment, attempt: Attempt) -> Refund:
    """Reserve the refund of all that an attempt brought to a locked payment in review, and queue it.

    A refund that is already open is returned again.
    """
    from tillgate.payments.jobs import submit_refund  # The job calls this module.

    if existing := payment.refunds.filter(status__in=OPEN_REFUNDS).first():
        return existing
    refund = _new_refund(payment, attempt)
    submit_refund.enqueue(refund.pk)
    return refund


def book_reversal(payment: Payment, attempt: Attempt) -> Refund:
    """Book what the gateway has sent back by itself as refunded; nothing is called.

    A refund of ours that is still open may be what it sent back: it is returned, and goes on being asked.
    """
    if existing := payment.refunds.filter(status__in=OPEN_REFUNDS).first():
        return existing
    refund = _new_refund(payment, attempt)
    _succeed(payment, refund)
    return refund


def submit(refund_id: int) -> None:
    """Make the one call that moves the money. A repeat after a crash looks instead of calling again."""
    refund = Refund.objects.select_related("payment__merchant", "attempt").get(pk=refund_id)
    if refund.status != RefundStatus.PENDING or refund.gateway_id is not None:
        return
    gateway = _gateway_of(refund)
    if refund.listed_before is not None or not _reserve_call(refund, gateway):
        _store_lost(refund)
        return
    try:
        answer = gateway.refund(refund.attempt.ref, refund.amount, key=refund.reference)
    except Unreachable:
        # Nothing was sent: the call may be made again, by this same job.
        Refund.objects.filter(pk=refund.pk, status=RefundStatus.PENDING).update(listed_before=None)
        raise
    except Rejected as error:
        _store_rejected(refund, error)
    except GatewayError as error:
        log.error("refund_answer_lost", refund=refund.reference, reason=str(error))
        _store_lost(refund)
    else:
        _apply(refund, answer)


def look(refund_id: int, rung: int) -> None:
    """Ask what became of a refund; one with a lost answer is looked for among the gateway's refunds."""
    refund = Refund.objects.select_related("payment__merchant", "attempt").get(pk=refund_id)
    if refund.questions != rung or refund.status not in OPEN_REFUNDS:
        return
    try:
        answer = _find(refund, _gateway_of(refund))
    except GatewayError as error:
        log.warning("refund_question_failed", refund=refund.reference, reason=str(error))
        _store_silence(refund)
        return
    if answer is None:
        _store_not_found(refund)
    else:
        _apply(refund, answer)


def _new_refund(payment: Payment, attempt: Attempt) -> Refund:
    refund = Refund.objects.create(
        reference=new_reference("REF"),
        payment=payment,
        attempt=attempt,
        amount_minor=attempt.received_minor or 0,
        currency=attempt.received_currency,
        created_at=clock.now(),
    )
    _tell(refund, "refund.pending")
    return refund


def _gateway_of(refund: Refund) -> Gateway:
    account = account_for(refund.payment.merchant, refund.attempt.gateway, refund.attempt.mode)
    return connect(account, IN_WORKER)


def _reserve_call(refund: Refund, gateway: Gateway) -> bool:
    """Store what the gateway lists before the call; say whether this process may make it."""
    listed = (
        [known.gateway_id for known in gateway.list_refunds(refund.attempt.ref)] if _lists(gateway) else []
    )
    claimed = Refund.objects.filter(pk=refund.pk, listed_before__isnull=True, status=RefundStatus.PENDING)
    return claimed.update(listed_before=listed) == 1


def _find(refund: Refund, gateway: Gateway) -> RefundSnapshot | None:
    if refund.gateway_id is not None:
        ref = RefundRef(
            attempt=refund.attempt.ref,
            amount=refund.amount,
            gateway_reference=refund.reference,
            gateway_id=refund.gateway_id,
        )
        return gateway.fetch_refund(ref)
    if refund.listed_before is None:
        return None  # Without what was there before, none can be told apart.
    listed = gateway.list_refunds(refund.attempt.ref) if _lists(gateway) else ()
    new = [r for r in listed if r.gateway_id not in refund.listed_before and r.amount == refund.amount]
    ours = [r for r in new if r.note == refund.reference] or new
    return ours[0] if len(ours) == 1 else None


def _lists(gateway: Gateway) -> TypeGuard[ListsRefunds]:
    return isinstance(gateway, ListsRefunds)


@transaction.atomic
def _apply(refund: Refund, answer: RefundSnapshot) -> None:
    payment = lock_payment(refund.payment_id)
    refund.refresh_from_db()
    if refund.status not in OPEN_REFUNDS:
        return
    refund.gateway_id = answer.gateway_id
    refund.save(update_fields=["gateway_id"])
    if answer.amount != refund.amount:
        _park(refund, f"The gateway says that {answer.amount} went back. Look in its dashboard.")
        _climb(refund)
    elif answer.state == RefundState.SUCCEEDED:
        _succeed(payment, refund)
    elif answer.state == RefundState.FAILED:
        _fail(refund, "the gateway could not refund it")
    else:
        _climb(refund)


def _succeed(payment: Payment, refund: Refund) -> None:
    move_refund(refund, RefundStatus.SUCCEEDED, finished_at=clock.now(), parked_reason="")
    _tell(refund, "refund.succeeded")
    post(
        Movement(
            journal=f"refund:{refund.reference}",
            merchant_id=payment.merchant_id,
            gateway=refund.attempt.gateway,
            subject=payment.reference,
            source=Account.GATEWAY,
            target=Account.HELD,
            amount=refund.amount,
        )
    )
    counted = refund.amount_minor if refund.currency == payment.currency else 0
    event: dict[str, object] = {"refund": refund.reference}
    move_payment(
        payment, PaymentStatus.REFUNDED, event=event, refunded_minor=payment.refunded_minor + counted
    )


def _fail(refund: Refund, reason: str) -> None:
    move_refund(refund, RefundStatus.FAILED, finished_at=clock.now(), parked_reason=reason[:200])
    _tell(refund, "refund.failed", reason=reason[:200])


@transaction.atomic
def _store_rejected(refund: Refund, error: GatewayError) -> None:
    lock_payment(refund.payment_id)
    refund.refresh_from_db()
    _fail(refund, str(error))


@transaction.atomic
def _store_lost(refund: Refund) -> None:
    lock_payment(refund.payment_id)
    refund.refresh_from_db()
    if move_refund(refund, RefundStatus.UNKNOWN):
        _climb(refund)


@transaction.atomic
def _store_silence(refund: Refund) -> None:
    lock_payment(refund.payment_id)
    refund.refresh_from_db()
    if refund.status in OPEN_REFUNDS:
        _climb(refund)


@transaction.atomic
def _store_not_found(refund: Refund) -> None:
    lock_payment(refund.payment_id)
    refund.refresh_from_db()
    if refund.status not in OPEN_REFUNDS:
        return
    if refund.questions + 1 == LOOKS_BEFORE_PARKED:
        _park(refund, "The gateway lists no refund that is certainly this one. Look in its dashboard.")
    _climb(refund)


def _park(refund: Refund, reason: str) -> None:
    move_refund(refund, RefundStatus.UNKNOWN, parked_reason=reason)
    log.error("refund_parked", refund=refund.reference, reason=reason)


def _climb(refund: Refund) -> None:
    from tillgate.payments.jobs import look_for_refund  # The job calls this module.

    refund.questions += 1
    refund.save(update_fields=["questions"])
    due = next_question(refund.created_at)
    key = f"refund-{refund.pk}-{refund.questions}"
    look_for_refund.using(run_after=due, unique_key=key).enqueue(refund.pk, refund.questions)


def _tell(refund: Refund, type: str, **data: object) -> None:
    sequence = {"refund.pending": 1}.get(type, 2)
    amount = {"amount": str(refund.amount.to_major), "currency": refund.currency}
    told = {"payment": refund.payment.reference, **amount, **data}
    record_event(refund.payment.merchant_id, type, refund.reference, sequence=sequence, data=told)
