"""The Idempotency-Key: whose it is, and whether it comes with the same request."""

import hashlib
import json
import unicodedata

from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.caller import GUEST, Caller


def claim_of(request: Request, caller: Caller, route: str, *, email: str = "") -> str | None:
    """Return the hash under which this request's key is claimed, or None where it has none.

    A key belongs to merchant, mode, credential and route; a guest's also to the customer's e-mail,
    since guests share a credential.
    """
    key = fields.idempotency_key(request.headers.get("Idempotency-Key"))
    if key is None:
        return None
    owner = email.lower() if caller.credential == GUEST else ""
    return _hash([str(caller.merchant.pk), caller.mode, caller.credential, owner, route, key])


def fingerprint(parts: object) -> str:
    """Return a hash of what a request means: equal for two spellings of the same thing."""
    return _hash(parts)


def _hash(parts: object) -> str:
    text = unicodedata.normalize("NFC", json.dumps(parts, sort_keys=True, ensure_ascii=False))
    return hashlib.sha256(text.encode()).hexdigest()
