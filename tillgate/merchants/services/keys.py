"""The secret keys of merchants' servers."""

import hashlib
import secrets

from tillgate.common import clock
from tillgate.gateways.protocol import Mode
from tillgate.merchants.models import ApiKey, Merchant


def create_api_key(merchant: Merchant, mode: Mode) -> str:
    """Make a secret key and return it: the only time it can be seen, for only its hash is stored."""
    secret = f"sk_{mode}_{secrets.token_urlsafe(32)}"
    ApiKey.objects.create(
        merchant=merchant, mode=mode, prefix=secret[:12], secret_sha256=_hash(secret), created_at=clock.now()
    )
    return secret


def find_api_key(secret: str) -> ApiKey | None:
    """Return the live row of a secret key with its merchant, or None. One query."""
    # The secret has 256 random bits: a look-up by its hash gives nothing away by its timing.
    return (
        ApiKey.objects.select_related("merchant")
        .filter(secret_sha256=_hash(secret), revoked_at__isnull=True)
        .first()
    )


def revoke_api_keys(prefix: str) -> int:
    """End the keys whose first twelve characters these are; return how many were in use."""
    return ApiKey.objects.filter(prefix=prefix, revoked_at__isnull=True).update(revoked_at=clock.now())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
