"""Access tokens: the app's id and secret open nothing but the call that hands them out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets

from sandbox.paypal.books import Books
from sandbox.paypal.errors import NoAccess
from sandbox.paypal.models import AccessToken
from sandbox.paypal.settings import Settings
from sandbox.web import Call, Response, json_response
from sandbox.world import World

LIFETIME_S = 32_400
SCOPE = (
    "https://uri.paypal.com/services/payments/payment/authcapture "
    "https://uri.paypal.com/services/payments/refund https://uri.paypal.com/services/vault/payment-tokens/read"
)
EXPIRED = "Token signature verification failed"


class Access:
    def __init__(self, world: World, books: Books, settings: Settings) -> None:
        self._world, self._books, self._settings = world, books, settings

    def grant(self, call: Call) -> Response:
        """POST /v1/oauth2/token, whose refusals have a shape of their own."""
        if not self._settings.opens(*_read_basic(call.request.headers.get("authorization", ""))):
            return _refusal("invalid_client", "Client Authentication failed", 401)
        form = call.request.read_object() if call.request.is_form else {}
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "Grant Type is NULL or not supported", 400)
        token = f"A21AA{secrets.token_urlsafe(60)}"
        self._keep(token)
        return json_response(
            {
                "scope": SCOPE,
                "access_token": token,
                "token_type": "Bearer",
                "app_id": "APP-80W284485P519543T",
                "expires_in": LIFETIME_S,
                "nonce": secrets.token_urlsafe(24),
            }
        )

    def check(self, call: Call) -> None:
        """Let a call with a valid token pass. Raises NoAccess."""
        scheme, _, token = call.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NoAccess
        known = self._books.access_tokens.get(_digest(token.strip()))
        if known and "token_expired" in call.hits:
            self._books.forget_access_token(known)
            known = None
        if known is None or known.valid_until <= self._world.clock.now():
            raise NoAccess("INVALID_TOKEN", EXPIRED)

    def _keep(self, token: str) -> None:
        now = self._world.clock.now()
        for old in [one for one in self._books.access_tokens.values() if one.valid_until <= now]:
            self._books.forget_access_token(old)
        self._books.save_access_token(AccessToken(id=_digest(token), valid_until=now + LIFETIME_S))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _read_basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    client_id, _, secret = text.partition(":")
    return (client_id, secret) if scheme.lower() == "basic" else ("", "")


def _refusal(error: str, description: str, status: int) -> Response:
    return json_response({"error": error, "error_description": description}, status)
