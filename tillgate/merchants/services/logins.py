"""Sign-ins and how they end: each is one row, and all its tokens end with it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.merchants.errors import LoginEnded
from tillgate.merchants.models import Login, User

PROOF_LASTS = timedelta(minutes=15)
KEPT = timedelta(days=90)  # After its end: until then somebody may want to know from where it was.
AT_ONCE = 1_000
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Device:
    """From where somebody signs in."""

    address: str | None = None
    user_agent: str = ""


def start_login(user: User, device: Device) -> Login:
    """Store a sign-in; `refresh_jti` is the id of its first refresh token."""
    now = clock.now()
    return Login.objects.create(
        reference=new_reference("LGN"),
        user=user,
        refresh_jti=new_jti(),
        address=device.address,
        user_agent=device.user_agent[:200],
        created_at=now,
        last_used_at=now,
        proved_at=_real_time(),
    )


def note_proof(login: Login) -> None:
    """Remember that somebody showed just now that it is them."""
    Login.objects.filter(pk=login.pk).update(proved_at=_real_time())


def is_proved(login: Login) -> bool:
    """Say whether somebody has shown lately that it is them, and not only that they have a token."""
    return login.proved_at is not None and login.proved_at > _real_time() - PROOF_LASTS


def live_login(reference: str) -> Login | None:
    """Return a login that has not ended, with its user who may still sign in, or None. One query."""
    alive = Login.objects.select_related("user").filter(reference=reference, ended_at__isnull=True)
    return alive.filter(user__is_active=True).first()


def renew_login(reference: str, jti: str) -> Login:
    """Take a refresh token, once: the login goes on with a new one, whose id it has then.

    One that was taken before has been copied by somebody: the whole login ends. Raises LoginEnded.
    """
    login = _renewed(reference, jti)
    if login is None:
        raise LoginEnded("This sign-in has ended. Sign in again.")
    return login


def end_logins(logins: QuerySet[Login], *, reason: str) -> int:
    """End them at once, with every token that came of them; return how many went on until now."""
    return logins.filter(ended_at__isnull=True).update(ended_at=clock.now(), end_reason=reason)


def forget_old_logins() -> int:
    """Delete logins that ended 90 days ago, or whose last token had by then; return how many."""
    until = clock.now() - KEPT
    unused = until - cast(timedelta, settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"])
    old = Login.objects.filter(Q(ended_at__lt=until) | Q(last_used_at__lt=unused)).order_by("pk")
    forgotten = 0
    while pks := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        forgotten += Login.objects.filter(pk__in=pks).delete()[0]
    return forgotten


def new_jti() -> str:
    """Return the id of a new token."""
    return secrets.token_hex(16)


def _real_time() -> datetime:
    return datetime.now(UTC)  # lint: clock, because a proof ends as tokens do, by the real time.


@transaction.atomic
def _renewed(reference: str, jti: str) -> Login | None:
    logins = Login.objects.select_for_update(of=("self",)).select_related("user")
    login = logins.filter(reference=reference, ended_at__isnull=True, user__is_active=True).first()
    if login is None:
        return None
    if login.refresh_jti != jti:
        log.warning("refresh_token_reused", login=login.reference, user=login.user_id)
        end_logins(Login.objects.filter(pk=login.pk), reason="token_reused")
        return None
    login.refresh_jti, login.last_used_at = new_jti(), clock.now()
    login.save(update_fields=["refresh_jti", "last_used_at"])
    return login
