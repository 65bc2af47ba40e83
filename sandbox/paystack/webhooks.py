"""Signed webhooks. Source: https://paystack.com/docs/payments/webhooks/"""

from __future__ import annotations

import hashlib
import hmac
import json

from sandbox.events import Event
from sandbox.paystack.models import Transaction
from sandbox.paystack.settings import Settings
from sandbox.web import Json
from sandbox.world import World

SIGNATURE_HEADER = "x-paystack-signature"
HOUR_S = 3_600
RETRY_S = {"test": [HOUR_S] * 10, "live": [180] * 4 + [HOUR_S] * 72}


class Courier:
    def __init__(self, world: World, settings: Settings) -> None:
        self._world, self._settings = world, settings

    def send(self, event_type: str, transaction: Transaction, data: Json) -> None:
        """Tell the merchant about a transaction, signed with the key it was made with."""
        body = json.dumps({"event": event_type, "data": data}, separators=(",", ":"))
        key = self._settings.signing_key(transaction, key_name=transaction.key_name)
        event = Event(
            gateway="paystack",
            mode=transaction.domain,
            type=event_type,
            reference=transaction.reference,
            url=self._settings.webhook_url,
            body=body,
            headers={SIGNATURE_HEADER: sign(body, key)},
            forged_headers={SIGNATURE_HEADER: sign(body, f"not {key}")},
            retry_s=RETRY_S[transaction.domain],
        )
        self._world.emit(event)


def sign(body: str, key: str) -> str:
    return hmac.new(key.encode(), body.encode(), hashlib.sha512).hexdigest()
