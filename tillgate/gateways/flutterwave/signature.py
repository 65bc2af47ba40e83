"""Verify and read Flutterwave's webhooks, whose shapes are many.

Source: https://developer.flutterwave.com/docs/webhooks
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from tillgate.gateways.flutterwave.wire import PAYMENT_STATES, read_id
from tillgate.gateways.protocol import EventSubject, GatewayEvent, GatewayState
from tillgate.gateways.reading import below, clean, json_object, text

HASH_HEADER = "verif-hash"
HMAC_HEADER = "flutterwave-signature"
LEAST_HASH = 16
GUESSABLE = r"(?s:.*)(change.?me|password|secret.?hash|example)"
SECRET_HASH = re.compile(rf"(?i)(?!{GUESSABLE})(?s:.{{{LEAST_HASH},}})")
PLAN_NAMES = ("payment_plan", "paymentPlan", "plan")  # By which a charge names its plan, if it is of one.


def is_signed(headers: Mapping[str, str], body: bytes, secret_hash: str) -> bool:
    """Say whether an event comes from who knows the secret hash. One that is blank, short or easy to guess
    signs nothing, wherever it comes from.

    `verif-hash` repeats the hash and says nothing of the body; `flutterwave-signature` is an HMAC over
    its bytes. Each that is there must be right. `headers` have lower-case names.
    """
    if not SECRET_HASH.fullmatch(secret_hash.strip()):
        return False
    digest = hmac.new(secret_hash.encode(), body, hashlib.sha256).digest()
    expected = {HASH_HEADER: secret_hash.encode(), HMAC_HEADER: base64.b64encode(digest)}
    sent = {name: headers[name] for name in expected if name in headers}
    # Bytes, since a header may hold what is not ASCII, which compare_digest refuses in text.
    matches = [
        hmac.compare_digest(bytes(expected[name]), value.encode("utf-8", "replace"))
        for name, value in sent.items()
    ]
    return bool(matches) and all(matches)


def read_event(body: bytes) -> GatewayEvent:
    """Read a verified body. It names no event id: two deliveries of the same news share kind, id and
    status, and where those are missing, the bytes."""
    # Empty when it is none: signed, so it is kept and shown to a person; it knocks for no attempt.
    told, digest = json_object(body), hashlib.sha256(body).hexdigest()
    if "TransactionId" in told:
        return _refund(told, digest)
    if "txRef" in told:
        return _charge(clean(told.get("event.type") or "", 80), told, told.get("txRef"), digest)
    kind, data = clean(told.get("event") or told.get("type") or "", 80), below(told, "data")
    if kind.startswith("charge.") and "tx_ref" in data:
        return _charge(kind, data, data["tx_ref"], digest)
    # Transfers, plans, one-time passwords, and the shapes of v4, whose ids are not ours to ask about.
    return GatewayEvent(
        kind=kind,
        dedupe_key=digest,
        gateway_reference=None,
        gateway_id=None,
        claims_money=False,
        about=EventSubject.PLAN if kind.startswith("subscription.") else EventSubject.OTHER,
    )


def _charge(kind: str, data: dict[str, Any], reference: object, digest: str) -> GatewayEvent:
    # It comes for failures too, and only the status tells them apart.
    gateway_id, status = read_id(data.get("id")), text(data.get("status"), 80)
    return GatewayEvent(
        kind=kind,
        dedupe_key=f"{kind}:{gateway_id}:{status}" if gateway_id else digest,
        gateway_reference=clean(reference, 120) or None if isinstance(reference, str) else None,
        gateway_id=gateway_id,
        claims_money=PAYMENT_STATES.get(status) == GatewayState.SUCCEEDED,
        # Whether its reference is one of ours after all, only our own tables can say.
        about=EventSubject.PLAN if any(map(data.get, PLAN_NAMES)) else EventSubject.PAYMENT,
    )


def _refund(data: dict[str, Any], digest: str) -> GatewayEvent:
    # Flat, in other letters, and without our reference: it names the transaction by its number.
    gateway_id, status = read_id(data.get("id")), text(data.get("status"), 80)
    return GatewayEvent(
        kind="refund",
        dedupe_key=f"refund:{gateway_id}:{status}" if gateway_id else digest,
        gateway_reference=None,
        gateway_id=read_id(data.get("TransactionId")),
        claims_money=False,
        about=EventSubject.REFUND,
    )
