"""Verify and read Paystack's webhooks.

Source: https://paystack.com/docs/payments/webhooks/
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from tillgate.gateways.paystack.wire import read_id, transaction_of
from tillgate.gateways.protocol import EventSubject, GatewayEvent
from tillgate.gateways.reading import below, by_start, clean, json_object, text

HEADER = "x-paystack-signature"
# By the start of its name. Others tell of transfers and the like, whose references are not ours.
SUBJECTS = {
    "charge.dispute.": EventSubject.DISPUTE,
    "charge.": EventSubject.PAYMENT,
    "refund.": EventSubject.REFUND,
    "subscription.": EventSubject.PLAN,
    "invoice.": EventSubject.PLAN,
}
NAMELESS = (EventSubject.OTHER, EventSubject.PLAN)  # They are about no payment of ours.


def is_signed(headers: Mapping[str, str], body: bytes, secret_key: str) -> bool:
    """Say whether `body`, byte for byte, was signed with this secret key. An empty key signs nothing.

    `headers` have lower-case names.
    """
    if not secret_key.strip():
        return False
    expected = hmac.new(secret_key.encode(), body, hashlib.sha512).hexdigest()
    # Bytes, since a header may hold what is not ASCII, which compare_digest refuses in text.
    return hmac.compare_digest(expected.encode(), headers.get(HEADER, "").encode("utf-8", "replace"))


def read_event(body: bytes) -> GatewayEvent:
    """Read a verified body. It names neither an event id nor a time: two deliveries of the same news
    share event, id and status, and where those are missing, the bytes."""
    event = json_object(body)  # Empty when it is none: signed, so it is kept; it knocks for no attempt.
    kind, data = clean(event.get("event", ""), 80), below(event, "data")
    about = by_start(SUBJECTS, kind) or EventSubject.OTHER
    identity, digest = _identity(about, data), hashlib.sha256(body).hexdigest()
    return GatewayEvent(
        kind=kind,
        dedupe_key=f"{kind}:{identity}:{clean(data.get('status', ''), 80)}" if identity else digest,
        gateway_reference=None if about in NAMELESS else _reference(data),
        gateway_id=_transaction_id(about, data),
        claims_money=kind == "charge.success",
        about=EventSubject.PLAN if _is_renewal(about, data) else about,
    )


def _identity(about: EventSubject, data: dict[str, Any]) -> str:
    # Most refund events carry no id, and two refunds of one transaction may look alike: bytes decide. A
    # plan's id and status come again: stopped, started, stopped.
    ambiguous = about == EventSubject.PLAN or "transaction_reference" in data
    return "" if ambiguous else read_id(data.get("id")) or ""


def _is_renewal(about: EventSubject, data: dict[str, Any]) -> bool:
    # Whether its reference is one of ours after all, only our own tables can say.
    return about == EventSubject.PAYMENT and bool(text(below(data, "plan").get("plan_code")))


def _transaction_id(about: EventSubject, data: dict[str, Any]) -> str | None:
    if about == EventSubject.PAYMENT:
        return read_id(data.get("id"))
    return transaction_of(data) if about == EventSubject.DISPUTE else None


def _reference(data: dict[str, Any]) -> str | None:
    nested = below(data, "transaction").get("reference")
    for candidate in (data.get("reference"), data.get("transaction_reference"), nested):
        if isinstance(candidate, str) and candidate:
            return clean(candidate, 120)
    return None
