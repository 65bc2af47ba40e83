"""Who is calling: a merchant's server with its secret key, or a guest of the default merchant."""

from dataclasses import dataclass

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tillgate.gateways.protocol import Mode
from tillgate.merchants.models import ApiKey, Merchant
from tillgate.merchants.services.accounts import guest_mode
from tillgate.merchants.services.keys import find_api_key
from tillgate.merchants.services.merchants import default_merchant


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whose payments a request deals with. `credential` tells callers apart for idempotency."""

    merchant: Merchant
    mode: Mode
    has_key: bool
    credential: str


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer sk_test_…`; a request without the header is a guest's."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        if "HTTP_AUTHORIZATION" not in request.META:
            return None
        scheme, _, secret = request.META["HTTP_AUTHORIZATION"].partition(" ")
        key = find_api_key(secret.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise AuthenticationFailed
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="tillgate"'


def caller_of(request: Request) -> Caller:
    """Return the caller: the key's merchant and mode, or a guest of the default merchant."""
    key = request.auth
    if isinstance(key, ApiKey):
        mode: Mode = "live" if key.mode == "live" else "test"
        return Caller(merchant=key.merchant, mode=mode, has_key=True, credential=f"key:{key.pk}")
    return Caller(merchant=default_merchant(), mode=guest_mode(), has_key=False, credential="guest")
