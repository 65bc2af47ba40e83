"""Look back at money that came in: what the gateway lists of refunds and disputes is applied.

Refunds are made in gateways' dashboards, too, and banks contest payments months later. An event makes us
look, and so does a slow ladder, for where no event comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from tillgate.common import clock
from tillgate.common.references import is_reference
from tillgate.gateways.errors import GatewayError
from tillgate.gateways.protocol import (
    AttemptRef,
    DisputeSnapshot,
    Gateway,
    ListsDisputes,
    RefundSnapshot,
    RefundState,
)
from tillgate.payments.models import Attempt, Payment, Refund, Surplus
from tillgate.payments.services.disputes import apply_dispute
from tillgate.payments.services.money_back import apply_refund, new_refund
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.refund_calls import CLOCKS_DIFFER, look_later
from tillgate.payments.services.settle import FIRST_LOOK_BACK
from tillgate.payments.services.sync import gateway_of, next_question
from tillgate.payments.states import OPEN_REFUNDS, AttemptStatus, RefundOrigin, RefundStatus

log = structlog.get_logger(__name__)
# How long after its success an attempt is looked back at; banks take up to half a year.
LOOKS = (FIRST_LOOK_BACK, *(timedelta(days=days) for days in (1, 3, 7, 14, 30, 60, 90, 120, 180)))
BATCH = 500
QUEUED_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a gateway lists of one transaction; `surplus` is None for the one the attempt stands for."""

    surplus: Surplus | None
    refunds: Sequence[RefundSnapshot]
    disputes: Sequence[DisputeSnapshot]


def queue_due() -> int:
    """Queue a job for each attempt that it is time to look back at; return how many."""
    from tillgate.payments.jobs import look_back as look  # The job calls this module.

    now = clock.now()
    due = Attempt.objects.filter(look_back_at__lte=now)
    first = list(due.order_by("look_back_at").values_list("pk", flat=True)[:BATCH])
    for attempt_id in first:
        look.using(unique_key=f"look-back-{attempt_id}").enqueue(attempt_id)
    # The look sets the time of the next one; those that crash shall not stand before all others till then.
    due.filter(pk__in=first).update(look_back_at=now + QUEUED_AGAIN)
    return len(first)


def look_back_soon() -> int:
    """Look back at everything that is still looked back at, from now on; return how much that is."""
    return Attempt.objects.filter(look_back_at__isnull=False).update(look_back_at=clock.now())


def look_back(attempt_id: int) -> bool:
    """Ask for refunds and disputes of an attempt that succeeded, and apply them; say whether it answered.

    Asked twice or late, it does no harm: what is known already changes nothing.
    """
    attempt = Attempt.objects.select_related("payment__merchant").get(pk=attempt_id)
    if attempt.status != AttemptStatus.SUCCEEDED:
        return False  # Nothing came in that could go back.
    found: list[Found] | None
    try:
        gateway, since = gateway_of(attempt), _since(attempt)
        found = [_list(gateway, surplus, ref, since) for surplus, ref in _transactions(attempt)]
    except GatewayError as error:
        log.warning("gateway_silent", attempt=attempt.reference, gateway=attempt.gateway, reason=str(error))
        found = None
    _store(attempt, found)
    return found is not None


def _since(attempt: Attempt) -> datetime:
    # What is known may have changed, and the gateway lists it under the day on which it began.
    is_clean = attempt.looked_back_at and not (attempt.refunds.exists() or attempt.disputes.exists())
    began = attempt.looked_back_at if is_clean else None
    return (began or attempt.created_at) - CLOCKS_DIFFER


def _transactions(attempt: Attempt) -> list[tuple[Surplus | None, AttemptRef]]:
    others = {surplus.gateway_id: surplus for surplus in attempt.surpluses.select_related("attempt")}
    own = others.pop(str(attempt.gateway_id), None)
    return [(own, attempt.ref), *((surplus, surplus.transaction) for surplus in others.values())]


def _list(gateway: Gateway, surplus: Surplus | None, ref: AttemptRef, since: datetime) -> Found:
    disputes = gateway.list_disputes(ref, since=since) if isinstance(gateway, ListsDisputes) else ()
    return Found(surplus=surplus, refunds=gateway.list_refunds(ref, since=since), disputes=disputes)


@transaction.atomic
def _store(attempt: Attempt, found: list[Found] | None) -> None:
    payment = lock_payment(attempt.payment_id)
    attempt = Attempt.objects.get(pk=attempt.pk)  # As it is now, under the payment's lock.
    attempt.payment = payment
    for one in found or ():
        for refund in reversed(one.refunds):  # The oldest first, as it happened.
            _apply_refund(payment, attempt, one.surplus, refund)
        for dispute in one.disputes:
            apply_dispute(payment, attempt, one.surplus, dispute)
    _climb(attempt, answered=found is not None)


def _apply_refund(payment: Payment, attempt: Attempt, surplus: Surplus | None, said: RefundSnapshot) -> None:
    known = refund = _known(attempt, surplus, said)
    if refund is None:
        if said.state == RefundState.FAILED or _may_be_ours(attempt, surplus, said):
            return
        origin = {"surplus": surplus, "origin": RefundOrigin.GATEWAY, "gateway_id": said.gateway_id}
        refund = new_refund(payment, attempt, said.amount, **origin)
    refund.payment, refund.attempt, refund.surplus = payment, attempt, surplus
    apply_refund(payment, refund, said)
    if known is None and refund.status in OPEN_REFUNDS:
        look_later(refund)


def _known(attempt: Attempt, surplus: Surplus | None, said: RefundSnapshot) -> Refund | None:
    """Find the refund that a gateway lists: by its id, by our note on it, or as what was booked unnamed."""
    named = attempt.refunds.filter(gateway_id=said.gateway_id).first()
    if named is not None:
        return named
    unnamed = Refund.objects.of(attempt, surplus).filter(gateway_id__isnull=True)
    noted = unnamed.filter(reference=said.note).first() if is_reference(said.note, "REF") else None
    if noted is not None:
        return noted
    booked = {"status": RefundStatus.SUCCEEDED, "amount_minor": said.amount.minor}
    return unnamed.filter(**booked, currency=said.amount.currency).first()


def _may_be_ours(attempt: Attempt, surplus: Surplus | None, said: RefundSnapshot) -> bool:
    """While a call of ours has no answer, a refund of its amount is left to whoever looks for that answer."""
    unanswered = Refund.objects.of(attempt, surplus).unanswered()
    return unanswered.filter(amount_minor=said.amount.minor, currency=said.amount.currency).exists()


def _climb(attempt: Attempt, *, answered: bool) -> None:
    """Set the time of the next look, in the transaction of this one."""
    if answered:
        attempt.looked_back_at = clock.now()
    attempt.look_back_at = _next_look(attempt, answered=answered)
    attempt.save(update_fields=["looked_back_at", "look_back_at"])


def _next_look(attempt: Attempt, *, answered: bool) -> datetime | None:
    assert attempt.verified_at is not None, f"{attempt.reference} succeeded, so it was verified"
    began, now = attempt.verified_at, clock.now()
    later = next((began + after for after in LOOKS if began + after > now), None)
    if answered:
        return later
    again = next_question(began)
    return again if later is None else min(later, again)
