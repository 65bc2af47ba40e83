"""Requests for a second person: asked for, decided about once, and past after a week."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.merchants.errors import ApprovalEnded, SecondPersonRequired
from tillgate.merchants.models import Approval, Merchant, User
from tillgate.merchants.services.staff import owners_of
from tillgate.money import Money

OPEN_FOR = timedelta(days=7)
Status = Approval.Status


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest:
    """What somebody of the staff wants to go back.

    `subject` is as in the model. `idempotency_hash` covers scope and key; without one, there is one
    request at a time of a payment and subject, whoever asks.
    """

    by: User
    subject: str = ""
    reason: str = ""
    idempotency_hash: str | None = None
    request_hash: str = ""


def earlier_request(request: ApprovalRequest, payment_reference: str) -> Approval | None:
    """Return the approval that this request, sent before, has led to; one that ended counts only under
    its key. Asked under the payment's lock."""
    if request.idempotency_hash is not None:
        return Approval.objects.filter(idempotency_hash=request.idempotency_hash).first()
    same = Approval.objects.filter(payment_reference=payment_reference, subject=request.subject)
    return same.filter(status=Status.PENDING, expires_at__gt=clock.now()).order_by("pk").first()


def store_request(
    request: ApprovalRequest, merchant: Merchant, mode: str, payment_reference: str, amount: Money
) -> Approval:
    """Write down that somebody else has to agree."""
    now = clock.now()
    return Approval.objects.create(
        reference=new_reference("APR"),
        merchant=merchant,
        mode=mode,
        payment_reference=payment_reference,
        subject=request.subject,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=request.reason,
        idempotency_hash=request.idempotency_hash or secrets.token_hex(32),
        request_hash=request.request_hash,
        requested_by=request.by,
        created_at=now,
        expires_at=now + OPEN_FOR,
    )


def standing(approval: Approval) -> Status:
    """Return where an approval stands: nobody writes down that its time has passed."""
    if approval.status == Status.PENDING and approval.expires_at <= clock.now():
        return Status.EXPIRED
    return Status(approval.status)


def needs_proof(approval: Approval, by: User) -> bool:
    """Say whether an owner has to show anew that it is them before they decide: the only owner of all, about
    what they asked for themselves. Raises SecondPersonRequired where there is another owner."""
    if by.pk != approval.requested_by_id:
        return False
    if len(owners_of(approval.merchant)) > 1:
        raise SecondPersonRequired(
            "You asked for this refund yourself: another owner has to decide about it."
        )
    return True


def lock_pending(approval_id: int, *, unless: Status) -> Approval:
    """Return an approval with its row locked, which waits, or has been decided as in `unless` before.

    Raises ApprovalEnded for any other.
    """
    rows = Approval.objects.select_for_update(of=("self",)).select_related("requested_by", "merchant")
    approval = rows.get(pk=approval_id)
    now = standing(approval)
    if now not in (Status.PENDING, unless):
        raise ApprovalEnded(f"{approval.reference} is {now}. The refund can be asked for anew.")
    return approval


def decide(approval: Approval, status: Status, by: User, *, refund_reference: str = "") -> None:
    """Write down what was decided about a locked approval."""
    approval.status, approval.decided_by, approval.decided_at = status, by, clock.now()
    approval.refund_reference = refund_reference
    approval.save(update_fields=["status", "decided_by", "decided_at", "refund_reference"])
