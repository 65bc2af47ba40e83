"""Payments and attempts."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from django.conf import settings
from msgspec import UNSET, Meta, UnsetType

from tillgate.api.shapes.common import (
    DAY_S,
    Amount,
    AmountIn,
    EventOut,
    GatewayName,
    PageFilter,
    Time,
    Word,
    instant,
    instant_or_none,
    one_of,
)
from tillgate.api.shapes.returns import DisputeOut, SurplusOut, dispute_out, surplus_out
from tillgate.api.shapes.subscriptions import RecurringIn
from tillgate.money import Money
from tillgate.payments import states
from tillgate.payments.models import Attempt, Payment


class PaymentIn(msgspec.Struct, forbid_unknown_fields=True):
    """What may be sent to create a payment; the first three are all that must be."""

    customer_name: str
    customer_email: str
    amount: AmountIn
    currency: str | None = None
    description: str = ""
    gateway: GatewayName | None = None
    merchant_reference: str | None = None
    metadata: dict[str, str] = {}
    return_url: str | None = None
    expires_in: Annotated[int, Meta(ge=300, le=30 * DAY_S, description="Seconds.")] = DAY_S
    recurring: RecurringIn | None = None


class AttemptIn(msgspec.Struct, forbid_unknown_fields=True):
    """Which gateway the customer pays with; the first usable one where none is named."""

    gateway: GatewayName | None = None


class CancelIn(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing: a payment is canceled as a whole."""


class ResolveIn(msgspec.Struct, forbid_unknown_fields=True):
    """What a person decided about money that did not match."""

    decision: Literal["accept", "refund"]


class HistoryFilter(PageFilter, forbid_unknown_fields=True):
    """The query of GET /me/payments."""

    # Not None: in a query, "null" would be read as that, and be no filter at all.
    status: Literal[tuple(status.value for status in states.PaymentStatus)] | UnsetType = UNSET  # type: ignore[valid-type]
    gateway: Word | None = None
    currency: Word | None = None
    created_after: datetime | UnsetType = UNSET
    created_before: datetime | UnsetType = UNSET


class PaymentFilter(HistoryFilter, forbid_unknown_fields=True):
    """The query of GET /payments."""

    customer_email: Word | None = None
    merchant_reference: Word | None = None


class FailureOut(msgspec.Struct):
    """Why the last attempt failed, and whether trying again can help."""

    code: str
    message: str
    retryable: bool


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
        subscription=payment.subscription_reference or None,
        late=payment.late,
        test=payment.mode == "test",
        created_by=payment.created_by,
        created_at=instant(payment.created_at),
        expires_at=instant(payment.expires_at),
        completed_at=instant_or_none(payment.completed_at),
    )
    if with_key:
        out.merchant_reference = payment.merchant_reference
        out.metadata = payment.metadata
        out.amount_received = _major(payment, payment.received_minor)
        out.amount_surplus = _major(payment, payment.surplus_minor)
        out.fee = None if payment.fee_minor is None else _major(payment, payment.fee_minor)
        out.net = None if payment.net_minor is None else _major(payment, payment.net_minor)
        out.surpluses = list(map(surplus_out, payment.surpluses.all())) if payment.has_incidents else []
        out.disputes = list(map(dispute_out, payment.disputes.all())) if payment.has_incidents else []
    return out


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


def created_out(payment: Payment) -> EventOut:
    """The first line of the timeline, which is the payment's row itself."""
    data = {"amount": str(payment.amount.to_major), "currency": payment.currency}
    return EventOut(type="payment.created", sequence=1, timestamp=instant(payment.created_at), data=data)


def _major(payment: Payment, minor: int) -> Decimal:
    return Money(minor, payment.currency).to_major
