"""What is told of an event: its object as the API shows it to a key.

`tillgate.events`, which writes it down, is below this package and knows no shapes: so they are registered
there when the product starts (`tillgate.api.apps`). Loaded by the first event that somebody subscribes to.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tillgate.api.shapes.endpoints import endpoint_out
from tillgate.api.shapes.payments import payment_out
from tillgate.api.shapes.returns import dispute_out, refund_out
from tillgate.api.shapes.subscriptions import current_cycles, subscription_out
from tillgate.common.web import json_encoder
from tillgate.events.models import Endpoint
from tillgate.payments.models import Dispute, Payment, Refund
from tillgate.subscriptions.models import Subscription

ROWS: dict[str, Any] = {
    "PAY": Payment.objects,
    "REF": Refund.objects.select_related("payment", "attempt", "surplus"),
    "DIS": Dispute.objects.select_related("payment", "attempt"),
    "SUB": Subscription.objects.select_related("payment_method__customer"),
    "WHE": Endpoint.objects,
}


def find(reference: str) -> Any:
    """Return the row that an event was about."""
    return ROWS[reference.partition("-")[0]].get(reference=reference)


def made_since(merchant_id: int, mode: str, since: datetime) -> Iterable[Payment]:
    """Return a merchant's payments that were made since then: no event says so of them."""
    made = Payment.objects.filter(merchant_id=merchant_id, mode=mode, created_at__gte=since)
    return made.order_by("created_at", "pk").iterator()


def show(row: Any) -> bytes:
    """Return an object's JSON, as it is in this moment."""
    return json_encoder.encode(SHAPES[type(row)](row))


def _payment(payment: Payment) -> object:
    return payment_out(payment, with_key=True)


def _subscription(subscription: Subscription) -> object:
    return subscription_out(subscription, current_cycles([subscription])[subscription.pk])


SHAPES: dict[type, Callable[[Any], object]] = {
    Payment: _payment,
    Refund: refund_out,
    Dispute: dispute_out,
    Subscription: _subscription,
    Endpoint: endpoint_out,
}
