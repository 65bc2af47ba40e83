"""Send money back: reserve the call, commit, call once, and after a lost answer look before anything else.

Some gateways have no refund key. So the refunds that one lists already are stored before the call; after
a lost answer, the refund with our note, or exactly one new one of that amount, is ours. Where the gateway
keeps our key, the same call may be made again. Anything else goes to a person: there is never a second
call on a guess.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from tillgate.common import clock, restoration
from tillgate.common.references import is_reference
from tillgate.gateways.errors import GatewayError, Rejected, Unreachable
from tillgate.gateways.protocol import Gateway, RefundRef, RefundSnapshot, RefundState, RepeatsRefunds
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Payment, Refund
from tillgate.payments.services.money_back import apply_refund, call_next, fail_refund, park_refund
from tillgate.payments.services.moves import lock_payment, move_refund
from tillgate.payments.services.sync import KEY_MARGIN, gateway_of, next_question
from tillgate.payments.states import OPEN_DISPUTES, OPEN_REFUNDS, DisputeStatus, RefundStatus

log = structlog.get_logger(__name__)
LOOKS_BEFORE_REPEAT = 2
LOOKS_BEFORE_PARKED = 5
CLOCKS_DIFFER = timedelta(days=1)  # The gateway's and ours.
LISTED_AFTER = timedelta(hours=24)  # What has not ended by then is for a person, too.


def submit(refund_id: int) -> None:
    """Make the one call that moves the money. A repeat after a crash looks instead of calling again."""
    refund = _load(refund_id)
    if refund.status != RefundStatus.PENDING or refund.gateway_id is not None:
        return
    if refund.listed_before is not None:
        _store_lost(refund)
        return
    if known := restoration.missed(refund.created_at):
        _store_maybe_made(refund, known.backed_up_at)
        return
    if refund.payment.refunds.unanswered().exists():
        _wait(refund)
        return
    gateway = gateway_of(refund.attempt)
    listed = gateway.list_refunds(refund.transaction, since=_since(refund))
    if restoration.missed(refund.attempt.created_at) and _of_nobody(refund, listed):
        _store_maybe_made(refund, None)
        return
    if _claim_call(refund, [known.gateway_id for known in listed]):
        _call(refund, gateway)


def look(refund_id: int, rung: int) -> None:
    """Ask what became of a refund; one with a lost answer is looked for among the gateway's refunds."""
    refund = _load(refund_id)
    if refund.questions != rung or refund.status not in OPEN_REFUNDS:
        return
    try:
        gateway = gateway_of(refund.attempt)
        answer = _find(refund, gateway) or _repeat(refund, gateway)
    except GatewayError as error:
        log.warning("refund_question_failed", refund=refund.reference, reason=str(error))
        _store_silence(refund)
        return
    if answer is None:
        _store_not_found(refund)
    else:
        _store_answer(refund, answer)


def resolve_parked(refund: Refund, *, made_as: str | None) -> Refund:
    """A person has looked into the gateway's dashboard: a refund that is for a person is there under that
    id, or was never made (None), and then its money can be refunded anew.

    The gateway is asked first, and without its word the refund stays as it is. Raises NotInThisState for
    a refund that waits for nobody, one that the gateway has made already, and an id that is not this
    refund's; a GatewayError when the gateway gives no usable answer.
    """
    refund = _load(refund.pk)
    _require_resolvable(refund, made_as)
    if made_as is None:
        return _store_never_made(refund)
    return _store_confirmed(refund, _confirmed(refund, made_as))


def look_later(refund: Refund) -> None:
    """Put the next question about a refund on its ladder, in the transaction of the answer to this one."""
    from tillgate.payments.jobs import look_for_refund  # The job calls this module.

    refund.questions += 1
    refund.save(update_fields=["questions"])
    key = f"refund-{refund.pk}-{refund.questions}"
    due = next_question(refund.created_at)
    look_for_refund.using(run_after=due, unique_key=key).enqueue(refund.pk, refund.questions)


def _call(refund: Refund, gateway: Gateway) -> None:
    try:
        answer = gateway.refund(refund.transaction, refund.amount, key=refund.reference)
    except Unreachable:
        # Nothing was sent: the call may be made again, by this same job.
        claimed = Refund.objects.filter(pk=refund.pk, status=RefundStatus.PENDING)
        claimed.update(listed_before=None, called_at=None)
        raise
    except Rejected as error:
        _store_rejected(refund, error)
    except GatewayError as error:
        log.error("refund_answer_lost", refund=refund.reference, reason=str(error))
        _store_lost(refund)
    else:
        _store_answer(refund, answer)


def _load(refund_id: int) -> Refund:
    rows = Refund.objects.select_related("payment", "attempt__payment__merchant", "surplus__attempt")
    return rows.get(pk=refund_id)


def _lock(refund: Refund) -> tuple[Payment, Refund]:
    """Return the payment, locked, and the refund as it is now."""
    payment = lock_payment(refund.payment_id)
    refund = _load(refund.pk)
    refund.payment = refund.attempt.payment = payment
    return payment, refund


@transaction.atomic
def _claim_call(refund: Refund, listed: list[str]) -> bool:
    """Store what the gateway lists before the call; say whether this process may make it, now."""
    payment, refund = _lock(refund)
    disputes = _disputes_of(refund)
    if refund.status != RefundStatus.PENDING or refund.gateway_id is not None:
        return False
    if refund.listed_before is not None:
        _lost(refund)
        return False
    if DisputeStatus.LOST in disputes:
        fail_refund(payment, refund, "the customer's bank has sent the money back already")
        call_next(payment)
        return False
    if payment.refunds.unanswered().exists() or disputes & OPEN_DISPUTES:
        _wait(refund)
        return False
    refund.listed_before, refund.called_at = listed, clock.now()
    refund.save(update_fields=["listed_before", "called_at"])
    return True


def _disputes_of(refund: Refund) -> set[str]:
    """Return what the customer's bank says of its transaction; one that it contests is not refunded."""
    disputes = refund.attempt.disputes.filter(surplus=refund.surplus)
    return set(disputes.values_list("status", flat=True))


def _wait(refund: Refund) -> None:
    """Try again later; whoever has the answer that this waits for makes it due at once."""
    from tillgate.payments.jobs import submit_refund  # The job calls this module.

    due = next_question(refund.created_at)
    submit_refund.using(run_after=due, unique_key=refund.submit_key).enqueue(refund.pk)


def _find(refund: Refund, gateway: Gateway) -> RefundSnapshot | None:
    if refund.gateway_id is not None:
        return gateway.fetch_refund(_named(refund, refund.gateway_id))
    listed = gateway.list_refunds(refund.transaction, since=_since(refund))
    ours = [row for row in listed if row.note == refund.reference] or _unclaimed(refund, listed)
    return ours[0] if len(ours) == 1 else None


def _named(refund: Refund, gateway_id: str) -> RefundRef:
    return RefundRef(
        attempt=refund.transaction,
        amount=refund.amount,
        gateway_reference=refund.reference,
        gateway_id=gateway_id,
    )


def _of_nobody(refund: Refund, listed: Sequence[RefundSnapshot]) -> bool:
    """Say whether the gateway lists a refund of this transaction which no row of ours names."""
    known = Refund.objects.filter(attempt=refund.attempt, gateway_id__isnull=False)
    made = {row.gateway_id for row in listed if row.state != RefundState.FAILED}
    return not made <= set(known.values_list("gateway_id", flat=True))


def _unclaimed(refund: Refund, listed: Sequence[RefundSnapshot]) -> list[RefundSnapshot]:
    """Return what may be this refund: of its amount, not there before the call, and no other's."""
    if refund.listed_before is None:
        return []  # Without what was there before, none can be told apart.
    known = Refund.objects.filter(attempt=refund.attempt, gateway_id__isnull=False)
    taken = {*refund.listed_before, *known.values_list("gateway_id", flat=True)}
    new = [row for row in listed if row.gateway_id not in taken and row.amount == refund.amount]
    return [row for row in new if not is_reference(row.note, "REF")]


def _repeat(refund: Refund, gateway: Gateway) -> RefundSnapshot | None:
    """Make the same call again where the gateway keeps our key: it returns the first answer, or acts once."""
    if refund.gateway_id is not None or refund.called_at is None or refund.questions < LOOKS_BEFORE_REPEAT:
        return None
    if not isinstance(gateway, RepeatsRefunds):
        return None
    if clock.now() >= refund.called_at + gateway.refund_key_kept - KEY_MARGIN:
        return None
    if not _may_repeat(refund):
        return None
    return gateway.refund(refund.transaction, refund.amount, key=refund.reference)


@transaction.atomic
def _may_repeat(refund: Refund) -> bool:
    """Where the bank has a word in it, the first call may have been made all the same: it is looked for,
    and neither made again nor given up."""
    refund = _lock(refund)[1]
    is_unanswered = refund.status in OPEN_REFUNDS and refund.gateway_id is None
    return is_unanswered and not _disputes_of(refund) & {*OPEN_DISPUTES, DisputeStatus.LOST}


def _require_resolvable(refund: Refund, made_as: str | None) -> None:
    is_late = refund.created_at < clock.now() - LISTED_AFTER
    if refund.status != RefundStatus.UNKNOWN or not (refund.explanation or is_late):
        raise NotInThisState(f"{refund.reference} is {refund.status} and waits for no person.")
    if refund.gateway_id not in (None, made_as):
        raise NotInThisState(f"The gateway has made {refund.reference}: there it is {refund.gateway_id}.")
    others = Refund.objects.filter(attempt=refund.attempt, gateway_id=made_as).exclude(pk=refund.pk)
    if made_as is not None and others.exists():
        raise NotInThisState(f"{made_as} is another refund of {refund.payment.reference}.")


def _confirmed(refund: Refund, made_as: str) -> RefundSnapshot:
    answer = gateway_of(refund.attempt).fetch_refund(_named(refund, made_as))
    if answer is None:
        raise NotInThisState(f"{refund.attempt.gateway} knows no refund {made_as}.")
    if answer.amount != refund.amount:
        raise NotInThisState(f"{made_as} is over {answer.amount}, {refund.reference} over {refund.amount}.")
    return answer


def _since(refund: Refund) -> datetime:
    known = restoration.missed(refund.attempt.created_at)
    return (min(refund.created_at, known.backed_up_at) if known else refund.created_at) - CLOCKS_DIFFER


@transaction.atomic
def _store_answer(refund: Refund, answer: RefundSnapshot) -> None:
    payment, refund = _lock(refund)
    apply_refund(payment, refund, answer)
    if refund.status in OPEN_REFUNDS:
        look_later(refund)


@transaction.atomic
def _store_confirmed(refund: Refund, answer: RefundSnapshot) -> Refund:
    payment, refund = _lock(refund)
    _require_resolvable(refund, answer.gateway_id)
    apply_refund(payment, refund, answer)
    if refund.status in OPEN_REFUNDS:
        look_later(refund)
    return refund


@transaction.atomic
def _store_never_made(refund: Refund) -> Refund:
    payment, refund = _lock(refund)
    _require_resolvable(refund, None)
    fail_refund(payment, refund, "the gateway never made it, says who looked into its dashboard")
    call_next(payment)
    return refund


@transaction.atomic
def _store_rejected(refund: Refund, error: GatewayError) -> None:
    payment, refund = _lock(refund)
    fail_refund(payment, refund, str(error))
    call_next(payment)


@transaction.atomic
def _store_lost(refund: Refund) -> None:
    _lost(_lock(refund)[1])


@transaction.atomic
def _store_maybe_made(refund: Refund, since: datetime | None) -> None:
    """It may have been called since the backup that was restored: what no row of ours names may be it.

    `since` is None where it could only have been called under another name than it has now: then it is not
    called again under this one, either.
    """
    _, refund = _lock(refund)
    if refund.status != RefundStatus.PENDING or refund.listed_before is not None:
        return
    refund.listed_before, refund.called_at = [], since
    refund.save(update_fields=["listed_before", "called_at"])
    _lost(refund)


def _lost(refund: Refund) -> None:
    if refund.status in OPEN_REFUNDS and move_refund(refund, RefundStatus.UNKNOWN):
        look_later(refund)


@transaction.atomic
def _store_silence(refund: Refund) -> None:
    _, refund = _lock(refund)
    if refund.status in OPEN_REFUNDS:
        look_later(refund)


@transaction.atomic
def _store_not_found(refund: Refund) -> None:
    _, refund = _lock(refund)
    if refund.status not in OPEN_REFUNDS:
        return
    if refund.questions + 1 >= LOOKS_BEFORE_PARKED and not refund.explanation:
        park_refund(refund, "The gateway lists no refund that is certainly this one. Look in its dashboard.")
    look_later(refund)
