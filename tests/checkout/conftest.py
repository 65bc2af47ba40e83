"""Pages as a customer's browser gets them, and payments in every state."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.builders import make_attempt, make_new_payment, make_payment
from tillgate.common import clock
from tillgate.merchants.models import Merchant
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.create import Plan, create_with_first_payment
from tillgate.subscriptions.states import Interval

RECEIVED = {"received_minor": 5_000, "gateway": "paystack"}
SETTLED = ("completed", "partially_refunded", "refunded", "disputed", "charged_back")

Look = Callable[..., Any]
MakePaid = Callable[..., Payment]


@pytest.fixture
def look(client: Client) -> Look:
    """GET the page of a payment, or something below it."""

    def get(payment: Payment, below: str = "", **extra: Any) -> Any:
        return client.get(f"/pay/{payment.checkout_token}{below}", **extra)

    return get


@pytest.fixture
def paid(merchant: Merchant) -> MakePaid:
    """Make a payment that was paid, with the attempt that did it."""

    def make(**fields: Any) -> Payment:
        defaults: dict[str, Any] = {"status": "completed", "completed_at": clock.now(), **RECEIVED}
        payment = make_payment(merchant, **{**defaults, **fields})
        proof = {"gateway_id": str(payment.pk), "verified_at": clock.now(), "received_minor": 5_000}
        make_attempt(payment, status="succeeded", settles=True, channel="card", **proof)
        return payment

    return make


@pytest.fixture
def tried(merchant: Merchant) -> MakePaid:
    """Make a payment for which a gateway's page is open."""

    def make(**fields: Any) -> Payment:
        attempt = fields.pop("attempt", {})
        payment = make_payment(merchant, **{"asked_at": clock.now(), **fields})
        make_attempt(payment, **attempt)
        return payment

    return make


@pytest.fixture
def first(merchant: Merchant) -> MakePaid:
    """Make the first payment of a recurring one, as the API does."""

    def make(**plan: Any) -> Payment:
        wanted = Plan(**{"interval": Interval.MONTHLY, "cycles": 12, **plan})
        payment, _ = create_with_first_payment(make_new_payment(merchant), wanted)
        return payment

    return make


@pytest.fixture
def see(client: Client) -> Look:
    """GET the customer's page of a recurring payment, or something below it."""

    def get(subscription: Subscription, below: str = "", **extra: Any) -> Any:
        return client.get(f"/subscription/{subscription.manage_token}{below}", **extra)

    return get


@pytest.fixture
def do(client: Client) -> Look:
    """Press the button of one of its actions."""

    def post(subscription: Subscription, action: str) -> Any:
        return client.post(f"/subscription/{subscription.manage_token}/{action}")

    return post
