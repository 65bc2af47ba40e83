"""How much of a payment one person may send back alone, and the refund that a second one agreed to."""

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

from tillgate.merchants.errors import ApprovalEnded
from tillgate.merchants.models import Approval, User
from tillgate.merchants.services.approvals import (
    ApprovalRequest,
    decide,
    earlier_request,
    lock_pending,
    standing,
    store_request,
)
from tillgate.money import Money
from tillgate.payments.errors import ApprovalOutdated, ApprovalRequired, KeyReused
from tillgate.payments.models import Payment, Refund, Surplus
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.refunds import RefundOrder, create_refund, refund_surplus
from tillgate.payments.services.review import resolve_review
from tillgate.payments.states import RefundOrigin

T = TypeVar("T")
REVIEW = "review"  # The subject of an approval that is about the money of a payment in review.
Status = Approval.Status


class _OverLimitError(Exception):
    """Takes back, with its savepoint, the refund that was over the limit."""

    def __init__(self, refund: Refund) -> None:
        super().__init__(refund.reference)
        self.refund = refund


def within_limit(payment_id: int, request: ApprovalRequest, make: Callable[[], T]) -> T:
    """Let somebody of the staff send money of a payment back, by `make`, as far as one person may.

    What `make` refuses is refused, as ever; where it makes a refund over the merchant's limit, that is taken
    back, and a second person asked for. All that has gone back of the payment counts, and is on its way:
    many small refunds are a large one, whoever makes them. Raises ApprovalRequired, under the same key or
    for the same subject with the same approval; KeyReused, ApprovalEnded.
    """
    with transaction.atomic():
        payment = lock_payment(payment_id)
        approval = earlier_request(request, payment.reference)
        is_new = approval is None
        if approval is None:
            try:
                with transaction.atomic():
                    return _held_against_limit(payment, make)
            except _OverLimitError as over:
                approval = _ask(request, payment, over.refund.amount)
        elif _is_approved(approval, request):
            return make()  # It finds the refund that was made of it.
    raise ApprovalRequired(
        f"{approval.amount} is more than one person may refund alone: another owner has to approve "
        f"{approval.reference} by {approval.expires_at:%Y-%m-%d %H:%M} UTC.",
        approval=approval.reference,
        is_new=is_new,
    )


@transaction.atomic
def approve(approval_id: int, by: User) -> tuple[Approval, bool]:
    """Make the refund that was asked for; return the approval and whether it was decided about just now.

    Raises ApprovalEnded, ApprovalOutdated where something else has become of the money, and what the refund
    itself raises: the payment may have been refunded meanwhile.
    """
    approval = lock_pending(approval_id, unless=Status.APPROVED)
    if approval.status == Status.APPROVED:
        return approval, False
    payment = lock_payment(
        Payment.objects.values_list("pk", flat=True).get(reference=approval.payment_reference)
    )
    made = _new_refund(payment, lambda: _make(approval, payment))[0]
    if made is None or made.amount != approval.amount:
        raise ApprovalOutdated(
            f"{payment.reference} has not {approval.amount} to send back any more: "
            f"reject {approval.reference}."
        )
    decide(approval, Status.APPROVED, by, refund_reference=made.reference)
    return approval, True


@transaction.atomic
def reject(approval_id: int, by: User) -> tuple[Approval, bool]:
    """Make no refund of it; returns as `approve` does. Raises ApprovalEnded."""
    approval = lock_pending(approval_id, unless=Status.REJECTED)
    if approval.status == Status.REJECTED:
        return approval, False
    decide(approval, Status.REJECTED, by)
    return approval, True


def _held_against_limit(payment: Payment, make: Callable[[], T]) -> T:
    refund, made = _new_refund(payment, make)
    if refund is not None and _is_over(payment, refund):
        raise _OverLimitError(refund)
    return made


def _new_refund(payment: Payment, make: Callable[[], T]) -> tuple[Refund | None, T]:
    """Return the refund that `make` makes of a locked payment, if any, and what it returns."""
    newest = payment.refunds.order_by("-pk").first()
    made = make()
    # What the gateway had sent back by itself is only written down.
    ours = payment.refunds.filter(pk__gt=newest.pk if newest else 0).exclude(origin=RefundOrigin.GATEWAY)
    return ours.first(), made


def _is_over(payment: Payment, refund: Refund) -> bool:
    limit = payment.merchant.refund_limits.get(refund.currency)
    counted = payment.refunds.counted().filter(currency=refund.currency)
    return limit is not None and counted.total_minor() > limit


def _ask(request: ApprovalRequest, payment: Payment, amount: Money) -> Approval:
    return store_request(request, payment.merchant, payment.mode, payment.reference, amount)


def _is_approved(approval: Approval, request: ApprovalRequest) -> bool:
    if approval.request_hash != request.request_hash:
        raise KeyReused("This Idempotency-Key was used with another body. Send a new key for a new refund.")
    now = standing(approval)
    if now in (Status.REJECTED, Status.EXPIRED):
        raise ApprovalEnded(f"{approval.reference} is {now}. Ask anew with a new Idempotency-Key.")
    return now == Status.APPROVED


def _make(approval: Approval, payment: Payment) -> None:
    """As the one who asked would have: there is one way of each."""
    if approval.subject == REVIEW:
        resolve_review(payment.pk, "refund")
    elif approval.subject:
        refund_surplus(Surplus.objects.select_related("attempt").get(reference=approval.subject))
    else:
        order = RefundOrder(
            amount=approval.amount,
            reason=approval.reason,
            idempotency_hash=approval.idempotency_hash,
            request_hash=approval.request_hash,
        )
        create_refund(payment.pk, order)
