"""Passwords: what they must be, and what follows when one is replaced."""

import structlog
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from tillgate.common.errors import InvalidRequest
from tillgate.common.references import new_token
from tillgate.merchants.models import User
from tillgate.merchants.names import normal_email
from tillgate.merchants.services.account_mails import AccountMail, allow, send, warn
from tillgate.merchants.services.links import RESETTING, holder_of
from tillgate.merchants.services.logins import end_logins
from tillgate.merchants.services.sign_in import prove_password

MOST = 128
log = structlog.get_logger(__name__)


def change_password(user: User, current: str, new: str) -> None:
    """Replace a password by one who knows it; every login ends. Raises InvalidRequest, TooMany."""
    require_strong(new, user)  # First: to look at the present one is slow by design.
    prove_password(user, current, member="current_password")
    _replace(user, make_password(new), reason="password_changed")


def ask_to_reset(email: str) -> None:
    """Have the link mailed to choose a new password. Nothing tells whether there is an account, nor does how
    long it takes: that is looked up by the job. Raises TooMany.
    """
    from tillgate.merchants.jobs import send_reset  # The job calls this module.

    allow(email)
    send_reset.enqueue(email, new_token())


def mail_reset(email: str, news: str) -> None:
    """Mail the link to the account that has confirmed the address, else to the newest that gave it."""
    alive = User.objects.filter(is_active=True)
    confirmed = alive.filter(confirmed_email=normal_email(email)).first()
    unconfirmed = alive.filter(email__iexact=email, confirmed_email__isnull=True).order_by("-pk")
    user = confirmed or unconfirmed.first()
    if user is not None:
        send(user.pk, AccountMail.RESET, news)


def reset_password(uid: str, token: str, new: str) -> User:
    """Replace a password by one who holds the link that was mailed; every login ends.

    Raises LinkNotGood, InvalidRequest.
    """
    user = holder_of(uid, token, RESETTING)
    require_strong(new, user)
    hashed = make_password(new)  # Slow by design, so before the lock.
    with transaction.atomic():
        user = holder_of(uid, token, RESETTING, lock=True)
        _replace(user, hashed, reason="password_reset")
    return user


def require_strong(password: str, user: User, *, member: str = "new_password") -> None:
    """Refuse a password that is short, common, or like the account's own names. Raises InvalidRequest."""
    messages = _weaknesses(password, user)
    if messages:
        raise InvalidRequest(f"{member}: {messages[0]}", code="weak_password", errors={member: messages})


def _weaknesses(password: str, user: User) -> list[str]:
    if len(password) > MOST:
        return [f"Send at most {MOST} characters."]
    try:
        validate_password(password, user)
    except ValidationError as error:
        return list(error.messages)
    return []


@transaction.atomic
def _replace(user: User, hashed: str, *, reason: str) -> None:
    user.password = hashed
    user.save(update_fields=["password"])
    end_logins(user.logins.all(), reason=reason)
    warn(user, AccountMail.PASSWORD_CHANGED)
    log.info("password_changed", user=user.pk, reason=reason)
