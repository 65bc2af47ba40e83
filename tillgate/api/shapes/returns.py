"""What goes back, what came on top, and what is contested."""

from typing import Annotated

import msgspec

from tillgate.api.shapes.common import Amount, AmountOrNone, Time, instant, instant_or_none, one_of
from tillgate.payments import states
from tillgate.payments.models import Dispute, Refund, Surplus


class RefundIn(msgspec.Struct, forbid_unknown_fields=True):
    """How much goes back; all that is left where no amount is named."""

    amount: AmountOrNone = None  # In the payment's currency.
    reason: str = ""


class SurplusRefundIn(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing: a surplus goes back as a whole."""


class EvidenceIn(msgspec.Struct, forbid_unknown_fields=True):
    """What the merchant keeps about a dispute, at most 10,000 characters."""

    text: str


class SurplusOut(msgspec.Struct, kw_only=True):
    """Money that came in beyond the payment; `refund` is the id of what sends it back."""

    id: str
    amount: Amount
    currency: str
    gateway: str
    refund: str | None
    created_at: Time


class DisputeOut(msgspec.Struct, kw_only=True):
    """The customer's bank contests a transaction; `reason` is the gateway's word."""

    id: str
    status: Annotated[str, one_of(states.DisputeStatus)]
    amount: Amount
    currency: str
    gateway: str
    gateway_id: str
    reason: str
    respond_by: Time | None
    evidence: str
    created_at: Time
    closed_at: Time | None


class RefundFailureOut(msgspec.Struct):
    """Why a refund failed, or why a person has to look at it."""

    code: str
    message: str


class RefundOut(msgspec.Struct, kw_only=True):
    """Money on its way back. `origin` says who wanted it: `key`, `review`, or `gateway` (its dashboard)."""

    id: str
    payment: str
    amount: Amount
    currency: str
    status: Annotated[
        str,
        one_of(
            states.RefundStatus,
            "`unknown`: the answer was lost, and is looked for; `failure` says when a person has to.",
        ),
    ]
    gateway: str
    gateway_id: str | None
    reason: str
    origin: str
    surplus: str | None
    failure: RefundFailureOut | None
    created_at: Time
    finished_at: Time | None


def refund_out(refund: Refund) -> RefundOut:
    """A refund; of its payment only the id is read."""
    return RefundOut(
        id=refund.reference,
        payment=refund.payment.reference,
        amount=refund.amount.to_major,
        currency=refund.currency,
        status=refund.status,
        gateway=refund.attempt.gateway,
        gateway_id=refund.gateway_id,
        reason=refund.reason,
        origin=refund.origin,
        surplus=None if refund.surplus is None else refund.surplus.reference,
        failure=_refund_failure(refund),
        created_at=instant(refund.created_at),
        finished_at=instant_or_none(refund.finished_at),
    )


def dispute_out(dispute: Dispute) -> DisputeOut:
    """A dispute."""
    return DisputeOut(
        id=dispute.reference,
        status=dispute.status,
        amount=dispute.amount.to_major,
        currency=dispute.currency,
        gateway=dispute.attempt.gateway,
        gateway_id=dispute.gateway_id,
        reason=dispute.reason,
        respond_by=instant_or_none(dispute.respond_by),
        evidence=dispute.evidence,
        created_at=instant(dispute.created_at),
        closed_at=instant_or_none(dispute.closed_at),
    )


def surplus_out(surplus: Surplus) -> SurplusOut:
    # In Python, since lists have read all the refunds at once.
    counted = [refund for refund in surplus.refunds.all() if refund.status in states.COUNTED_REFUNDS]
    return SurplusOut(
        id=surplus.reference,
        amount=surplus.amount.to_major,
        currency=surplus.currency,
        gateway=surplus.gateway,
        refund=max(counted, key=lambda refund: refund.pk).reference if counted else None,
        created_at=instant(surplus.created_at),
    )


def _refund_failure(refund: Refund) -> RefundFailureOut | None:
    if not refund.explanation:
        return None
    code = "refund_failed" if refund.status == states.RefundStatus.FAILED else "needs_a_person"
    return RefundFailureOut(code=code, message=refund.explanation)
