"""What goes over the wire, as the schema shows it and as the code writes it."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from msgspec import UNSET, Meta, UnsetType

from tillgate.events.models import Event
from tillgate.money import Money
from tillgate.payments import states
from tillgate.payments.models import Attempt, Dispute, Payment, Refund, Surplus

Amount = Annotated[
    Decimal,
    Meta(
        description="Major units with exactly the currency's decimals.",
        extra_json_schema={"examples": [50.00]},
    ),
]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


def one_of(words: type[StrEnum], more: str = "") -> Meta:
    """Describe a status by its words of today; it is no closed list."""
    return Meta(description=f"One of {', '.join(words)}; more may come. {more}".strip())


DAY_S = 86_400
PAGE = 50
MAX_PAGE = 200
Word = Annotated[str, Meta(max_length=254, pattern=r"^[^\x00-\x1f]*$")]
GatewayName = Annotated[str, Meta(max_length=20, pattern=r"^[a-z_]*$", examples=["paystack"])]


class PaymentIn(msgspec.Struct, forbid_unknown_fields=True):
    """What may be sent to create a payment; the first three are all that must be."""

    customer_name: str
    customer_email: str
    # A number or a string in major units: read by `fields.amount`, exactly.
    amount: Annotated[Any, Meta(extra_json_schema={"type": ["number", "string"], "examples": [50.00]})]
    currency: str | None = None
    description: str = ""
    gateway: GatewayName | None = None
    merchant_reference: str | None = None
    metadata: dict[str, str] = {}
    return_url: str | None = None
    expires_in: Annotated[int, Meta(ge=300, le=30 * DAY_S, description="Seconds.")] = DAY_S


class AttemptIn(msgspec.Struct, forbid_unknown_fields=True):
    """Which gateway the customer pays with; the first usable one where none is named."""

    gateway: GatewayName | None = None


class CancelIn(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing: a payment is canceled as a whole."""


class ResolveIn(msgspec.Struct, forbid_unknown_fields=True):
    """What a person decided about money that did not match."""

    decision: Literal["accept", "refund"]


class RefundIn(msgspec.Struct, forbid_unknown_fields=True):
    """How much goes back; all that is left where no amount is named."""

    # A number or a string in major units, in the payment's currency: read by `fields.amount`, exactly.
    amount: Annotated[Any, Meta(extra_json_schema={"type": ["number", "string", "null"]})] = None
    reason: str = ""


class SurplusRefundIn(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing: a surplus goes back as a whole."""


class EvidenceIn(msgspec.Struct, forbid_unknown_fields=True):
    """What the merchant keeps about a dispute, at most 10,000 characters."""

    text: str


class PaymentFilter(msgspec.Struct, forbid_unknown_fields=True):
    """The query of GET /payments. `cursor` comes from a page's `next` or `previous`."""

    # Not None: in a query, "null" would be read as that, and be no filter at all.
    status: Literal[tuple(status.value for status in states.PaymentStatus)] | UnsetType = UNSET  # type: ignore[valid-type]
    gateway: Word | None = None
    currency: Word | None = None
    customer_email: Word | None = None
    merchant_reference: Word | None = None
    created_after: datetime | UnsetType = UNSET
    created_before: datetime | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = PAGE
    cursor: Word | None = None


class GatewayFilter(msgspec.Struct, forbid_unknown_fields=True):
    """The query of GET /gateways: both or neither."""

    # Read as at creation, by `fields.amount` and `fields.currency`.
    amount: Annotated[Word, Meta(description="Major units, such as 50.00.")] | UnsetType = UNSET
    currency: Word | UnsetType = UNSET


class ErrorOut(msgspec.Struct, kw_only=True):
    """Every refusal: a stable code, one sentence that says what to do, the members at fault."""

    status: str
    message: str
    code: str
    errors: dict[str, list[str]]
    request_id: str


class FailureOut(msgspec.Struct):
    """Why the last attempt failed, and whether trying again can help."""

    code: str
    message: str
    retryable: bool


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


class PaymentOut(msgspec.Struct, kw_only=True):
    """A payment. The members from `merchant_reference` on are only there with a key."""

    id: str
    customer_name: str
    customer_email: str
    amount: Amount
    currency: str
    status: Annotated[str, one_of(states.PaymentStatus)]
    description: str
    gateway: str | None
    checkout_url: str
    return_url: str | None
    amount_refunded: Amount
    failure: FailureOut | None
    subscription: str | None
    late: bool
    test: bool
    created_by: str
    created_at: Time
    expires_at: Time
    completed_at: Time | None
    merchant_reference: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    amount_received: Amount | UnsetType = UNSET
    amount_surplus: Amount | UnsetType = UNSET
    fee: Amount | UnsetType | None = UNSET
    net: Amount | UnsetType | None = UNSET
    surpluses: list[SurplusOut] | UnsetType = UNSET
    disputes: list[DisputeOut] | UnsetType = UNSET


class NextActionOut(msgspec.Struct):
    """What the customer has to do: follow a redirect."""

    type: str
    url: str


class AttemptOut(msgspec.Struct, kw_only=True):
    """One try at one gateway."""

    id: str
    gateway: str
    status: Annotated[str, one_of(states.AttemptStatus)]
    gateway_reference: str
    next_action: NextActionOut | None
    access_code: str | None
    failure: FailureOut | None
    created_at: Time


class EventOut(msgspec.Struct, kw_only=True):
    """One line of a timeline."""

    type: str
    sequence: int
    timestamp: Time
    data: dict[str, Any]


class EstimateOut(msgspec.Struct, kw_only=True):
    """What a gateway would keep and leave, by the fee table of that day: not what it will be charged."""

    fee: Amount
    net: Amount
    currency: str
    as_of: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    sentence: str


class GatewayOut(msgspec.Struct, kw_only=True):
    """A gateway that can be used; the last two members are only there with an amount and a key."""

    name: str
    title: str
    currencies: list[str]
    channels: list[str]
    healthy: bool | UnsetType = UNSET
    estimate: EstimateOut | UnsetType | None = UNSET


def payment_out(payment: Payment, *, with_key: bool) -> PaymentOut:
    """The payment as its holder sees it, or, with the merchant's key, as the merchant does."""
    out = PaymentOut(
        id=payment.reference,
        customer_name=payment.customer_name,
        customer_email=payment.customer_email,
        amount=_major(payment, payment.amount_minor),
        currency=payment.currency,
        status=payment.status,
        description=payment.description,
        gateway=payment.gateway,
        checkout_url=f"{settings.TILLGATE_PUBLIC_URL}/pay/{payment.checkout_token}",
        return_url=payment.return_url or None,
        amount_refunded=_major(payment, payment.refunded_minor),
        failure=None if payment.failure is None else FailureOut(**payment.failure),
        subscription=None,
        late=payment.late,
        test=payment.mode == "test",
        created_by=payment.created_by,
        created_at=instant(payment.created_at),
        expires_at=instant(payment.expires_at),
        completed_at=_instant(payment.completed_at),
    )
    if with_key:
        out.merchant_reference = payment.merchant_reference
        out.metadata = payment.metadata
        out.amount_received = _major(payment, payment.received_minor)
        out.amount_surplus = _major(payment, payment.surplus_minor)
        out.fee = None if payment.fee_minor is None else _major(payment, payment.fee_minor)
        out.net = None if payment.net_minor is None else _major(payment, payment.net_minor)
        out.surpluses = list(map(_surplus_out, payment.surpluses.all())) if payment.has_incidents else []
        out.disputes = list(map(dispute_out, payment.disputes.all())) if payment.has_incidents else []
    return out


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
        finished_at=_instant(refund.finished_at),
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
        respond_by=_instant(dispute.respond_by),
        evidence=dispute.evidence,
        created_at=instant(dispute.created_at),
        closed_at=_instant(dispute.closed_at),
    )


def attempt_out(attempt: Attempt) -> AttemptOut:
    """The attempt, with the redirect as long as it leads anywhere."""
    leads = attempt.status == states.AttemptStatus.PENDING and attempt.redirect_url
    return AttemptOut(
        id=attempt.reference,
        gateway=attempt.gateway,
        status=attempt.status,
        gateway_reference=attempt.gateway_reference,
        next_action=NextActionOut(type="redirect", url=attempt.redirect_url) if leads else None,
        access_code=attempt.access_code or None,
        failure=None if attempt.failure is None else FailureOut(**attempt.failure),
        created_at=instant(attempt.created_at),
    )


def event_out(event: Event) -> EventOut:
    """One stored line of the timeline."""
    return EventOut(
        type=event.type, sequence=event.sequence, timestamp=instant(event.created_at), data=event.data
    )


def created_out(payment: Payment) -> EventOut:
    """The first line of the timeline, which is the payment's row itself."""
    data = {"amount": str(payment.amount.to_major), "currency": payment.currency}
    return EventOut(type="payment.created", sequence=1, timestamp=instant(payment.created_at), data=data)


def instant(moment: datetime) -> str:
    """RFC 3339, UTC, with `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)


def _surplus_out(surplus: Surplus) -> SurplusOut:
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


def _major(payment: Payment, minor: int) -> Decimal:
    return Money(minor, payment.currency).to_major
