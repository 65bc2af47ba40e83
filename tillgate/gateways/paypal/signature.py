"""Verify and read PayPal's webhooks.

Source: https://developer.paypal.com/api/rest/webhooks/rest/
"""

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tillgate.common.references import is_reference
from tillgate.gateways import certificates
from tillgate.gateways.paypal.wire import captured_of, read_id
from tillgate.gateways.protocol import EventSubject, GatewayAccount, GatewayEvent, Mode
from tillgate.gateways.reading import below, by_start, clean, first, json_object, moment, text

FORMS = {
    # What each header can be, by its name in PayPal's API; `|` parts the words that are signed, so it is
    # in none of them.
    "transmission_id": re.compile(r"[!-{}~]{1,100}"),
    "transmission_time": re.compile(r"[0-9T:.Z+-]{20,40}"),
    "transmission_sig": re.compile(r"[A-Za-z0-9+/]{300,1400}={0,2}"),
    "cert_url": re.compile(r"[!-~]{1,500}"),
    "auth_algo": re.compile(r"SHA256withRSA"),
}
# "WEBHOOK_ID" is none: PayPal signs whatever anybody makes in its simulator with those very letters.
WEBHOOK_ID = re.compile(r"[A-Za-z0-9]{1,50}")
CERTIFICATE = r"/v1/notifications/certs/CERT-[A-Za-z0-9-]{1,100}"
ADDRESSES: dict[Mode, re.Pattern[str]] = {
    "live": re.compile(rf"https://api(-m)?\.paypal\.com{CERTIFICATE}"),
    "test": re.compile(rf"https://api(-m)?(\.sandbox)?\.paypal\.com{CERTIFICATE}"),
}
NAMES = re.compile(r"([a-z0-9-]+\.)+paypal\.com")  # messageverificationcerts.paypal.com and its like.
SUBJECTS = {  # The first beginning that fits.
    "CHECKOUT.": EventSubject.PAYMENT,
    "PAYMENT.CAPTURE.REFUNDED": EventSubject.REFUND,
    "PAYMENT.CAPTURE.": EventSubject.PAYMENT,
    "PAYMENT.REFUND.": EventSubject.REFUND,
    "PAYMENT.SALE.": EventSubject.PAYMENT,
    "CUSTOMER.DISPUTE.": EventSubject.DISPUTE,
    "BILLING.": EventSubject.PLAN,
}
NAMELESS = (EventSubject.OTHER, EventSubject.PLAN)  # They are about no payment of ours.
CLAIMS = ("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.SALE.COMPLETED")


@dataclass(frozen=True, kw_only=True)
class Transmission:
    """What came with an event beside its body, each header of the form that it must have."""

    told: Mapping[str, str]
    signature: bytes
    certificate: certificates.Source


def transmission_of(headers: Mapping[str, str], account: GatewayAccount) -> Transmission | None:
    """Return what an event's headers say; None for what PayPal would not send to this account.

    `headers` have lower-case names. There is no window of time: a retry keeps the first time for days, and
    a second delivery changes nothing.
    """
    told = {name: headers.get(f"paypal-{name.replace('_', '-')}", "") for name in FORMS}
    if not all(form.fullmatch(told[name]) for name, form in FORMS.items()):
        return None
    certificate = certificates.source_at(
        told["cert_url"], account, own=ADDRESSES, beside=f"(/paypal)?{CERTIFICATE}", names=NAMES
    )
    signature = certificates.signature_of(told["transmission_sig"])
    if certificate is None or signature is None or moment(told["transmission_time"]) is None:
        return None
    return Transmission(told=told, signature=signature, certificate=certificate)


def is_signed(sent: Transmission, body: bytes, webhook_id: str) -> bool:
    """Say whether `body`, byte for byte, was signed by PayPal for this webhook. Raises Unreachable when
    the certificate cannot be had just now."""
    parts = (sent.told["transmission_id"], sent.told["transmission_time"], webhook_id, str(zlib.crc32(body)))
    return certificates.is_signed("|".join(parts).encode(), sent.signature, sent.certificate)


def question(sent: Transmission, body: bytes, webhook_id: str) -> bytes | None:
    """The body of POST /v1/notifications/verify-webhook-signature; None for what is no event at all.

    The event's own bytes stand in it: PayPal signed those, and JSON written anew has others.
    """
    if not json_object(body):
        return None  # Else its bytes could close our object and open another.
    parts = json.dumps({**sent.told, "webhook_id": webhook_id}).encode()
    return parts.removesuffix(b"}") + b', "webhook_event": ' + body + b"}"


def read_event(body: bytes) -> GatewayEvent:
    """Read a verified body. It only says what to ask about: no amount or status is read."""
    event = json_object(body)
    kind, resource = clean(event.get("event_type", ""), 80), below(event, "resource")
    about = by_start(SUBJECTS, kind) or EventSubject.OTHER
    reference, gateway_id = ("", None) if about in NAMELESS else _names(kind, resource)
    if kind.startswith("PAYMENT.SALE.") and not reference:
        about = EventSubject.PLAN  # A renewal of a subscription that PayPal itself keeps.
    return GatewayEvent(
        kind=kind,
        dedupe_key=read_id(event.get("id")) or hashlib.sha256(body).hexdigest(),
        gateway_reference=reference or None,
        gateway_id=gateway_id,
        claims_money=kind in CLAIMS and about == EventSubject.PAYMENT,
        about=about,
    )


def _names(kind: str, resource: dict[str, Any]) -> tuple[str, str | None]:
    if kind.startswith("CUSTOMER.DISPUTE."):
        transaction = first(resource, "disputed_transactions")
        return text(transaction.get("custom"), 120), read_id(transaction.get("seller_transaction_id"))
    if kind.startswith("PAYMENT.SALE."):
        custom = text(resource.get("custom"))
        return (custom if is_reference(custom, "ATT") else ""), None
    unit = first(resource, "purchase_units")
    reference = text(resource.get("custom_id"), 120) or text(unit.get("custom_id"), 120)
    # The resource of news about money that went back is a refund, whose link leads to the capture.
    is_capture = kind.startswith("PAYMENT.CAPTURE.") and kind != "PAYMENT.CAPTURE.REFUNDED"
    return reference, captured_of(resource) or (read_id(resource.get("id")) if is_capture else None)
