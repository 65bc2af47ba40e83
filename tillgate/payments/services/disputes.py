"""The customer's bank contests a transaction: what the gateway says of it, and what the merchant keeps.

Everything but `keep_evidence` runs under the payment's row lock.
"""

from typing import Any

import structlog
from django.db import transaction

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.events.models import Event
from tillgate.events.services import record_event
from tillgate.gateways.protocol import DisputeSnapshot
from tillgate.ledger.models import Account
from tillgate.ledger.services import post
from tillgate.payments.models import Attempt, Dispute, Payment, Surplus
from tillgate.payments.services.money_back import by_refunds, call_next, came_in, owner_of
from tillgate.payments.services.moves import lock_payment, move_dispute, note, stand, tell_once
from tillgate.payments.services.settle import movement
from tillgate.payments.states import OPEN_DISPUTES, DisputeStatus, PaymentStatus

log = structlog.get_logger(__name__)
CONTRADICTED = "dispute.contradicted"
NOTED = "dispute.noted"  # On the payment's timeline, where its status stays as it is.


def apply_dispute(payment: Payment, attempt: Attempt, surplus: Surplus | None, said: DisputeSnapshot) -> None:
    """Apply what the gateway says of a dispute; what is known already changes nothing.

    An amount of nothing is none told: it is the one known, or else all of the transaction's. Other news
    about one that has ended moves nothing, and is for a person.
    """
    dispute = attempt.disputes.filter(gateway_id=said.gateway_id).first()
    if dispute is None:
        dispute = _open(payment, attempt, surplus, said)
    dispute.payment, dispute.attempt, dispute.surplus = payment, attempt, surplus
    to = _ahead(dispute, DisputeStatus(said.state))
    changes = _changes(dispute, said)
    if dispute.status not in OPEN_DISPUTES:
        _hold_against(payment, dispute, to)
    elif to in OPEN_DISPUTES:
        _update(payment, dispute, to, changes)
    else:
        _close(payment, dispute, to, changes)


@transaction.atomic
def keep_evidence(dispute: Dispute, text: str) -> Dispute:
    """Keep what the merchant writes down about a dispute. It goes nowhere: the gateway has its own form."""
    payment = lock_payment(dispute.payment_id)
    dispute = Dispute.objects.get(pk=dispute.pk)
    if dispute.evidence != text:
        dispute.evidence = text
        dispute.save(update_fields=["evidence"])
        dispute.payment = payment
        _tell(dispute, "dispute.updated")
        note(payment, NOTED, {"dispute": dispute.reference})
    return dispute


def _open(payment: Payment, attempt: Attempt, surplus: Surplus | None, said: DisputeSnapshot) -> Dispute:
    amount = said.amount if said.amount.minor else came_in(attempt, surplus)
    dispute = Dispute.objects.create(
        reference=new_reference("DIS"),
        payment=payment,
        attempt=attempt,
        surplus=surplus,
        gateway_id=said.gateway_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=said.reason[:200],
        respond_by=said.respond_by,
        created_at=clock.now(),
    )
    _tell(dispute, "dispute.opened")
    _show(payment, dispute, has_incidents=True)
    return dispute


def _ahead(dispute: Dispute, to: DisputeStatus) -> DisputeStatus:
    """A dispute goes back and forth between merchant and bank; that it is open still is no news."""
    is_open = dispute.status in OPEN_DISPUTES
    return DisputeStatus(dispute.status) if is_open and to == DisputeStatus.OPEN else to


def _changes(dispute: Dispute, said: DisputeSnapshot) -> dict[str, Any]:
    told: dict[str, Any] = {"reason": said.reason[:200], "respond_by": said.respond_by}
    if said.amount.minor:
        told |= {"amount_minor": said.amount.minor, "currency": said.amount.currency}
    return {name: value for name, value in told.items() if getattr(dispute, name) != value}


def _hold_against(payment: Payment, dispute: Dispute, to: DisputeStatus) -> None:
    if to != dispute.status:
        log.error("gateway_contradicts_itself", dispute=dispute.reference, says=to)
        tell_once(payment, CONTRADICTED, {"dispute": dispute.reference, "says": to.value})


def _update(payment: Payment, dispute: Dispute, to: DisputeStatus, changes: dict[str, Any]) -> None:
    if to == dispute.status and not changes:
        return
    move_dispute(dispute, to, **changes)
    _tell(dispute, "dispute.updated")
    _show(payment, dispute)


def _close(payment: Payment, dispute: Dispute, to: DisputeStatus, changes: dict[str, Any]) -> None:
    move_dispute(dispute, to, closed_at=clock.now(), **changes)
    _tell(dispute, f"dispute.{to}")
    if to == DisputeStatus.WON:
        _show(payment, dispute)
    else:
        name, owner = f"dispute:{dispute.reference}", owner_of(dispute.attempt, dispute.surplus)
        post(movement(dispute.attempt, name, dispute.amount, source=Account.GATEWAY, target=owner))
        minor = dispute.amount_minor if dispute.currency == payment.currency else 0
        _show(payment, dispute, charged_back_minor=payment.charged_back_minor + minor)
    call_next(payment)  # A refund that waited for the bank's word is made now, or ends.


def _show(payment: Payment, dispute: Dispute, **changes: Any) -> None:
    """Let the payment stand where its disputes put it."""
    event: dict[str, object] = {"dispute": dispute.reference, "status": dispute.status}
    stand(payment, _standing(payment, dispute), event, unmoved=NOTED, **changes)


def _standing(payment: Payment, dispute: Dispute) -> PaymentStatus:
    attempt = dispute.attempt
    if not attempt.settles or dispute.surplus is not None:
        return PaymentStatus(payment.status)
    statuses = set(attempt.disputes.filter(surplus=None).values_list("status", flat=True))
    if DisputeStatus.LOST in statuses:
        return PaymentStatus.CHARGED_BACK
    if statuses & OPEN_DISPUTES:
        return PaymentStatus.DISPUTED
    return by_refunds(payment.received_minor, payment.refunded_minor)


def _tell(dispute: Dispute, type: str) -> None:
    payment = dispute.payment
    amount = {"amount": str(dispute.amount.to_major), "currency": dispute.currency}
    told = {"payment": payment.reference, **amount, "status": dispute.status, "reason": dispute.reason}
    sequence = Event.objects.filter(subject=dispute.reference).count() + 1
    record_event(dispute, type, sequence=sequence, data=told)
