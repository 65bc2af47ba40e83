"""The Dukka API: its requests and answers."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tillgate.api.shapes.common import Amount, AmountIn, Time, one_of
from tillgate.api.shapes.payments import PaymentOut
from tillgate.payments.states import PaymentStatus
from tillgate.subscriptions.states import SubscriptionStatus

RowNumber = Annotated[int, Meta(ge=0, lt=2**40, description="The number for stop-payment.")]


class InitializeIn(msgspec.Struct, forbid_unknown_fields=True):
    """What is paid, and whether it is paid again and again: with a plan, its interval."""

    email: str
    amount: AmountIn
    subscription_plan: bool = False
    payment_interval: Literal["weekly", "monthly", "yearly"] | None = None


class InitializedOut(msgspec.Struct, kw_only=True):
    """Paystack's open page. `reference` is our name for it there, and a row's `reference` in the history."""

    access_code: str | None
    authorization_url: str | None
    reference: str
    payment: PaymentOut
    status: str
    message: str


class DukkaPaymentOut(msgspec.Struct, kw_only=True):
    """One row of the history. `payment` is the public id, `reference` that of its newest try at a gateway.

    The members from `payment_interval` on tell of the recurring payment that it belongs to.
    """

    id: RowNumber
    payment: str
    reference: str | None
    email: str
    customer_name: str
    amount: Amount
    currency: str
    status: Annotated[str, one_of(PaymentStatus)]
    gateway: str | None
    checkout_url: str
    test: bool
    created_at: Time
    completed_at: Time | None
    subscription_plan: bool
    payment_interval: str | None
    interval_count: int | None
    subscription: str | None
    subscription_status: Annotated[str | None, one_of(SubscriptionStatus)]
