"""Webhooks, as the account's dashboard has them. Source: https://developer.flutterwave.com/docs/webhooks"""

from __future__ import annotations

import base64
import hashlib
import hmac

from sandbox.events import Event
from sandbox.flutterwave import wire
from sandbox.flutterwave.answers import as_json
from sandbox.flutterwave.models import Refund, Transaction
from sandbox.flutterwave.settings import Settings
from sandbox.web import Json
from sandbox.world import World

HASH_HEADER = "verif-hash"
HMAC_HEADER = "flutterwave-signature"
RETRY_S = [1_800] * 3


class Courier:
    def __init__(self, world: World, settings: Settings) -> None:
        self._world, self._settings = world, settings

    def tell_charge(self, transaction: Transaction) -> None:
        """Tell the merchant how a payment ended: one event for success and failure."""
        legacy = self._settings.webhook_shape == "legacy"
        body = wire.legacy_event(transaction) if legacy else wire.charge_event(transaction)
        self._send("charge.completed", transaction, body)

    def tell_refund(self, transaction: Transaction, refund: Refund) -> None:
        """Tell of a refund, which an account only does once support has switched it on."""
        if self._settings.refund_webhooks:
            self._send("refund", transaction, wire.refund_event(transaction, refund))

    def _send(self, event_type: str, transaction: Transaction, told: Json) -> None:
        body = as_json(told)
        event = Event(
            gateway="flutterwave",
            mode=transaction.mode,
            type=event_type,
            reference=transaction.tx_ref,
            url=self._settings.webhook_url,
            body=body,
            headers=self._headers(body, self._settings.webhook_hash),
            forged_headers=self._headers(body, f"not-{self._settings.webhook_hash}"),
            retry_s=RETRY_S,
        )
        self._world.emit(event)

    def _headers(self, body: str, secret_hash: str) -> dict[str, str]:
        headers = {HASH_HEADER: secret_hash, HMAC_HEADER: sign(body, secret_hash)}
        unwanted = {"hash": HMAC_HEADER, "hmac": HASH_HEADER}.get(self._settings.signature)
        if not self._settings.webhook_hash:
            return {}
        return {name: value for name, value in headers.items() if name != unwanted}


def sign(body: str, secret_hash: str) -> str:
    return base64.b64encode(hmac.new(secret_hash.encode(), body.encode(), hashlib.sha256).digest()).decode()
