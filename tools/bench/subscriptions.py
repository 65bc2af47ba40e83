"""Subscriptions in bulk, each with a saved card, and all due at the same moment."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tillgate.common import clock
from tillgate.common.crypto import encrypt
from tillgate.common.references import new_reference, new_token
from tillgate.customers.models import Customer, PaymentMethod
from tillgate.merchants.models import Merchant
from tillgate.subscriptions.models import Subscription

AT_ONCE = 500


def save_methods(merchant: Merchant, tokens: Sequence[tuple[str, str]]) -> list[PaymentMethod]:
    """Store customers with a card each, from pairs of e-mail and token."""
    now = clock.now()
    customers = [
        Customer(
            reference=new_reference("CUS"),
            merchant=merchant,
            mode="test",
            email=email,
            name="John Doe",
            created_at=now,
        )
        for email, _ in tokens
    ]
    Customer.objects.bulk_create(customers, batch_size=AT_ONCE)
    methods = [
        PaymentMethod(
            reference=new_reference("PM"),
            customer=customer,
            gateway="paystack",
            kind="card",
            brand="visa",
            last4="4081",
            expires_month="2099-12",
            token=encrypt(token),
            charged_as=customer.email,
            created_at=now,
        )
        for customer, (_, token) in zip(customers, tokens, strict=True)
    ]
    return PaymentMethod.objects.bulk_create(methods, batch_size=AT_ONCE)


def subscribe(methods: Sequence[PaymentMethod], count: int, due_at: datetime) -> list[str]:
    """Store so many monthly subscriptions of NGN 50.00, the second cycle of each due at `due_at`; return
    their references."""
    rows = list(_rows(methods, count, due_at))
    Subscription.objects.bulk_create(rows, batch_size=AT_ONCE)
    return [row.reference for row in rows]


def _rows(methods: Sequence[PaymentMethod], count: int, due_at: datetime) -> Iterator[Subscription]:
    anchor = due_at - timedelta(days=28)
    for number in range(count):
        method = methods[number % len(methods)]
        yield Subscription(
            reference=new_reference("SUB"),
            merchant=method.customer.merchant,
            mode="test",
            status="active",
            customer_name="John Doe",
            customer_email=method.customer.email,
            description="Membership",
            created_by="key",
            amount_minor=5_000,
            currency="NGN",
            interval="weekly",
            interval_count=4,
            zone="Africa/Lagos",
            payment_method=method,
            anchor_at=anchor,
            next_index=1,
            next_opens_at=due_at,
            manage_token=new_token(),
            created_at=anchor,
            activated_at=anchor,
        )
