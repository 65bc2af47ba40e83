"""Accounts: made, changed, confirmed, disabled, emptied."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from tillgate.common import clock
from tillgate.common.errors import InvalidRequest, TooMany
from tillgate.common.references import new_token
from tillgate.merchants.errors import EmailTaken
from tillgate.merchants.models import User
from tillgate.merchants.names import normal_email
from tillgate.merchants.services.account_mails import AccountMail, allow, send, tell, warn
from tillgate.merchants.services.links import CONFIRMING, holder_of
from tillgate.merchants.services.logins import end_logins

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class NewUser:
    """What an account is made of. Whoever calls has looked at each, and at the password's strength."""

    username: str
    email: str
    password: str
    first_name: str = ""
    last_name: str = ""


def sign_up(new: NewUser) -> User:
    """Make an account that can sign in at once, and mail the link that confirms its e-mail.

    Whether another account has the same e-mail makes no difference. Raises InvalidRequest where the
    username is taken, in whatever case.
    """
    hashed = make_password(new.password)  # Slow by design, so before the transaction.
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                new.username, new.email, first_name=new.first_name, last_name=new.last_name
            )
            User.objects.filter(pk=user.pk).update(password=hashed)
            _mail_link(user)
    except IntegrityError:
        message = "This username is taken. Choose another one."
        raise InvalidRequest(message, code="username_taken", errors={"username": [message]}) from None
    log.info("account_created", user=user.pk)
    user.password = hashed
    return user


@transaction.atomic
def change_user(user_id: int, changes: Mapping[str, str]) -> User:
    """Change names or e-mail. Another e-mail is not confirmed: the link goes there, and word of it to the
    one before, where that was confirmed.

    Raises TooMany where the new address has been sent several mails, or the account has had several sent.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    email = changes.get("email", user.email)
    other_mailbox = normal_email(email) != normal_email(user.email)
    if other_mailbox:
        allow(email, by=user)
        warn(user, AccountMail.EMAIL_CHANGED)
        user.confirmed_email = None
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=["confirmed_email", *changes])
    if other_mailbox:
        tell(user, AccountMail.CONFIRM)
        log.info("email_changed", user=user.pk)
    return user


def ask_to_confirm(email: str, user: User | None) -> None:
    """Have the link mailed once more. Nothing tells whether there is an account that waits for it, nor does
    how long it takes: that is looked up by the job. Raises TooMany.
    """
    from tillgate.merchants.jobs import send_confirmation  # The job calls this module.

    allow(email, by=user)
    send_confirmation.enqueue(email, new_token(), user.pk if user else None)


def mail_confirmation(email: str, news: str, user_id: int | None) -> None:
    """Mail the link: for the account of who was signed in, else for the newest that waits for it."""
    waiting = User.objects.filter(email__iexact=email, confirmed_email__isnull=True, is_active=True)
    found = (waiting if user_id is None else waiting.filter(pk=user_id)).order_by("-pk").first()
    if found is not None:
        send(found.pk, AccountMail.CONFIRM, news)


@transaction.atomic
def confirm_email(uid: str, token: str) -> User:
    """Take the link that was mailed to an address as proof that it is theirs.

    Raises LinkNotGood, and EmailTaken where another account has shown the same: no two have one mailbox.
    """
    user = holder_of(uid, token, CONFIRMING, lock=True)
    user.confirmed_email = normal_email(user.email)
    try:
        with transaction.atomic():
            user.payments_seen = user.subscriptions_seen = 0  # They were looked through for another e-mail.
            user.save(update_fields=["confirmed_email", "payments_seen", "subscriptions_seen"])
    except IntegrityError:
        raise EmailTaken(
            "Another account has confirmed this e-mail already. Sign in to that one, or give this one "
            "another e-mail."
        ) from None
    log.info("email_confirmed", user=user.pk)
    return user


@transaction.atomic
def disable_user(user: User) -> None:
    """Let an account not sign in any more, and end its logins at once; a repeat changes nothing."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    end_logins(user.logins.all(), reason="disabled")
    log.info("account_disabled", user=user.pk)


def enable_user(user: User) -> None:
    """Let a disabled account sign in again. One that was deleted stays so."""
    User.objects.filter(pk=user.pk, deleted_at__isnull=True).update(is_active=True)
    log.info("account_enabled", user=user.pk)


@transaction.atomic
def erase_user(user_id: int) -> User:
    """Empty an account for good: nobody signs in to it, and nothing personal is left in it or its logins.

    The audit trail keeps the name under which its lines were written.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    warn(user, AccountMail.DELETED)
    end_logins(user.logins.all(), reason="deleted")
    user.logins.update(address=None, user_agent="")
    user.recovery_codes.all().delete()
    user.username, user.deleted_at = f"deleted-{new_token().lower()}", clock.now()
    user.email = user.first_name = user.last_name = user.totp_secret = ""
    user.confirmed_email = user.totp_confirmed_at = user.last_login = None
    user.is_active = False
    user.set_unusable_password()
    user.save()
    log.info("account_deleted", user=user.pk)
    return user


def _mail_link(user: User) -> None:
    """The account is made all the same, where the address has had its mails: its owner may be pestered."""
    try:
        allow(user.email)
    except TooMany:
        return
    tell(user, AccountMail.CONFIRM)
