"""Verify and read Paystack's webhooks.

Source: https://paystack.com/docs/payments/webhooks/
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from tillgate.gateways.paystack.wire import clean, read_id
from tillgate.gateways.protocol import GatewayEvent

HEADER = "x-paystack-signature"


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
    event, data = _parts(body)
    kind, identity = clean(event.get("event", ""), 80), _identity(data)
    digest = hashlib.sha256(body).hexdigest()
    return GatewayEvent(
        kind=kind,
        dedupe_key=f"{kind}:{identity}:{clean(data.get('status', ''), 80)}" if identity else digest,
        gateway_reference=_reference(data),
        gateway_id=read_id(data.get("id")) if kind.startswith("charge.") and "dispute" not in kind else None,
        claims_money=kind == "charge.success",
    )


def _parts(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = {}  # Signed, so it is kept and shown to a person; it knocks for no attempt.
    event = event if isinstance(event, dict) else {}
    data = event.get("data")
    return event, data if isinstance(data, dict) else {}


def _identity(data: dict[str, Any]) -> str:
    # Most refund events carry no id, and two refunds of one transaction may look alike: bytes decide.
    return "" if "transaction_reference" in data else read_id(data.get("id")) or ""


def _reference(data: dict[str, Any]) -> str | None:
    transaction = data.get("transaction")
    nested = transaction.get("reference") if isinstance(transaction, dict) else None
    for candidate in (data.get("reference"), data.get("transaction_reference"), nested):
        if isinstance(candidate, str) and candidate:
            return clean(candidate, 120)
    return None
