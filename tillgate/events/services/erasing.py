"""Taking a person out of what was told of them; that it was told, and of which payment, stays."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection

from tillgate.events.models import Delivery, DeliveryState, OutboxEvent

CARD: dict[str, str | None] = dict.fromkeys(("brand", "last4", "expires_month"))
_read = msgspec.json.Decoder(float_hook=Decimal).decode
_write = msgspec.json.Encoder(decimal_format="number").encode


def erase_told(subjects: Collection[str], *, name: str, email: str) -> None:
    """Put another name and address into the events about these payments and subscriptions, and no card.

    One that a receiver has not taken yet stays, since each try sends the same bytes; it goes with its age.
    """
    assert connection.in_atomic_block, "a person is taken out as a whole"
    tried = Delivery.objects.filter(state=DeliveryState.PENDING, tries__gt=0).values("event")
    told = OutboxEvent.objects.filter(subject__in=subjects).exclude(pk__in=tried)
    for event in told.order_by("pk"):
        letter = _replaced(_read(event.body), {"customer_name": name, "customer_email": email, **CARD})
        OutboxEvent.objects.filter(pk=event.pk).update(body=_write(letter).decode())


def _replaced(node: Any, words: dict[str, str | None]) -> Any:
    if isinstance(node, list):
        return [_replaced(one, words) for one in node]
    if not isinstance(node, dict):
        return node
    return {key: words.get(key, _replaced(value, words)) for key, value in node.items()}
