"""Signed webhooks. Source: https://developer.paypal.com/api/rest/webhooks/rest/"""

from __future__ import annotations

import json
import time
import uuid
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox.clock import iso
from sandbox.events import Event
from sandbox.paypal.books import new_id
from sandbox.paypal.settings import Settings
from sandbox.paypal.wire import moment
from sandbox.web import Json
from sandbox.world import World

if TYPE_CHECKING:
    from sandbox.paypal.certificates import Certificates

TRIES, DAYS = 25, 3
RETRY_S = [DAYS * 86_400 // TRIES] * TRIES  # The number and the time are documented, the spacing is not.
CERTS_PATH = "/paypal/v1/notifications/certs"
KINDS = {
    "CHECKOUT.ORDER": ("checkout-order", "2.0"),
    "PAYMENT.CAPTURE": ("capture", "2.0"),
    "VAULT.PAYMENT-TOKEN": ("payment_token", "3.0"),
    "CUSTOMER.DISPUTE": ("dispute", "1.0"),
}
OF_REFUNDS = frozenset({"PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"})


class Courier:
    def __init__(self, world: World, settings: Settings, certificates: Certificates) -> None:
        self._world, self._settings, self._certificates = world, settings, certificates

    def send(self, event_type: str, reference: str, resource: Json) -> None:
        """Tell the merchant; `reference` is what the control API shows beside the event."""
        body = json.dumps(self._envelope(event_type, resource), separators=(",", ":"))
        headers = self._transmission()
        message = signed_message(headers, self._settings.webhook_id, body.encode())
        event = Event(
            gateway="paypal",
            mode="test",
            type=event_type,
            reference=reference,
            url=self._settings.webhook_url,
            body=body,
            headers={**headers, "PAYPAL-TRANSMISSION-SIG": self._certificates.sign(message)},
            forged_headers={**headers, "PAYPAL-TRANSMISSION-SIG": self._certificates.forge(message)},
            retry_s=RETRY_S,
            any_2xx=True,
        )
        self._world.emit(event)

    def cert_url(self) -> str:
        return f"{self._world.base_url}{CERTS_PATH}/{self._certificates.id}"

    def _envelope(self, event_type: str, resource: Json) -> Json:
        event_id = f"WH-{new_id()}-{new_id()}"
        kind, version = ("refund", "2.0") if event_type in OF_REFUNDS else _kind(event_type)
        self_url = f"{self._world.base_url}/paypal/v1/notifications/webhooks-events/{event_id}"
        return {
            "id": event_id,
            "event_version": "1.0",
            "create_time": iso(self._world.clock.now()),
            "resource_type": kind,
            "resource_version": version,
            "event_type": event_type,
            "summary": event_type.replace(".", " ").replace("-", " ").capitalize(),
            "resource": resource,
            "links": [
                {"href": self_url, "rel": "self", "method": "GET"},
                {"href": f"{self_url}/resend", "rel": "resend", "method": "POST"},
            ],
        }

    def _transmission(self) -> dict[str, str]:
        return {
            "PAYPAL-TRANSMISSION-ID": str(uuid.uuid4()),
            # Real time, for receivers judge it by their own clock.
            "PAYPAL-TRANSMISSION-TIME": moment(time.time()),
            "PAYPAL-CERT-URL": self.cert_url(),
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "PAYPAL-AUTH-VERSION": "v2",
        }


def signed_message(headers: Mapping[str, str], webhook_id: str, body: bytes) -> bytes:
    """What the signature is over: the checksum stands for the raw body."""
    sent = headers["PAYPAL-TRANSMISSION-ID"], headers["PAYPAL-TRANSMISSION-TIME"]
    return "|".join((*sent, webhook_id, str(zlib.crc32(body)))).encode()


def _kind(event_type: str) -> tuple[str, str]:
    return KINDS[event_type.rpartition(".")[0]]
