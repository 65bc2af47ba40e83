"""A recurring payment as whoever pays it sees it."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from tillgate.api.shapes.common import Amount, Time, one_of
from tillgate.api.shapes.subscriptions import subscription_out
from tillgate.customers.models import PaymentMethod
from tillgate.merchants.models import User
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.states import Collection, Interval, SubscriptionStatus


class PaidWithOut(msgspec.Struct, kw_only=True):
    """What is charged, as far as it is known."""

    gateway: str
    kind: str
    brand: str | None
    last4: str | None
    expires_month: Annotated[str, Meta(description="As 2028-09.")] | None


class MySubscriptionOut(msgspec.Struct, kw_only=True):
    """A recurring payment in somebody's account. Amount and rhythm are those of the payments to come.

    `paid_with` and `manage_url`, the page at which it can also be paused, are only there where
    `customer_email` is the account's confirmed one: whoever reads that mailbox may have paid by hand.
    """

    id: str
    status: Annotated[str, one_of(SubscriptionStatus)]
    customer_name: str
    customer_email: str
    amount: Amount
    currency: str
    description: str
    interval: Annotated[str, one_of(Interval)]
    interval_count: int
    cycles: int | None
    cycles_left: int | None
    collection: Annotated[str, one_of(Collection)]
    paid_with: PaidWithOut | None
    next_payment_at: Time | None
    next_try_at: Time | None
    first_payment: str | None
    checkout_url: str | None
    in_flight: str | None
    manage_url: str | None
    test: bool
    created_at: Time
    activated_at: Time | None
    ended_at: Time | None
    end_reason: str | None


def my_subscription_out(subscription: Subscription, cycles: Sequence[Cycle], user: User) -> MySubscriptionOut:
    """The subscription with what `subscriptions.current_cycles` has read of it, for its account's owner."""
    known = subscription_out(subscription, cycles)
    is_theirs = user.confirmed_email == subscription.customer_email.lower()
    method = subscription.payment_method if is_theirs else None
    own = {name: getattr(known, name) for name in MySubscriptionOut.__struct_fields__ if hasattr(known, name)}
    own["manage_url"] = known.manage_url if is_theirs else None
    return MySubscriptionOut(**own, paid_with=None if method is None else _paid_with(method))


def _paid_with(method: PaymentMethod) -> PaidWithOut:
    return PaidWithOut(
        gateway=method.gateway,
        kind=method.kind,
        brand=method.brand or None,
        last4=method.last4 or None,
        expires_month=method.expires_month or None,
    )
