"""What the people who have an account are told by mail."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from tillgate.common.errors import TooMany
from tillgate.common.mail import Message, deliver, one_line
from tillgate.common.references import new_token
from tillgate.common.throttles import Policy, admit_subject
from tillgate.merchants.models import User
from tillgate.merchants.names import normal_email
from tillgate.merchants.services.links import CONFIRMING, RESETTING, Kind, link_for
from tillgate.merchants.services.merchants import default_merchant

log = structlog.get_logger(__name__)
NAMES = ("shop", "customer")  # Written by anyone, in any script.
# What anybody can have sent to an address that they only name.
ASKED_FOR = Policy(
    name="mails-to-one-address",
    calls=3,
    window_s=3600,
    says="This address was sent enough mail for now. Come back in {wait_s} s.",
)
# What somebody who is signed in can have sent, to whatever addresses.
ASKED_BY = Policy(
    name="mails-by-one-account",
    calls=6,
    window_s=3600,
    says="This account has had enough mail sent for now. Come back in {wait_s} s.",
)


class AccountMail(StrEnum):
    """The occasions; each has a row in `OCCASIONS` and a template of this name."""

    CONFIRM = "confirm"  # The link that shows the address to be theirs.
    RESET = "reset"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # The name of a template.
    EMAIL_CHANGED = "email_changed"  # To the address that was confirmed before.
    DELETED = "deleted"
    OTP_ADDED = "otp_added"
    OTP_REMOVED = "otp_removed"


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """A mail's subject, the link in it, and whether it still means anything by the time it is sent."""

    subject: str
    link: Kind | None = None
    still_so: Callable[[User], bool] = lambda user: True


OCCASIONS: dict[AccountMail, Occasion] = {
    AccountMail.CONFIRM: Occasion(
        subject="Confirm your e-mail for {shop}",
        link=CONFIRMING,
        still_so=lambda user: user.is_active and bool(user.email) and user.confirmed_email is None,
    ),
    AccountMail.RESET: Occasion(
        subject="Choose a new password for {shop}",
        link=RESETTING,
        still_so=lambda user: user.is_active and bool(user.email),
    ),
    AccountMail.PASSWORD_CHANGED: Occasion(subject="Your password for {shop} was changed"),
    AccountMail.EMAIL_CHANGED: Occasion(subject="Your e-mail for {shop} was changed"),
    AccountMail.DELETED: Occasion(subject="Your account at {shop} is deleted"),
    AccountMail.OTP_ADDED: Occasion(subject="A second factor protects your account at {shop}"),
    AccountMail.OTP_REMOVED: Occasion(subject="The second factor of your account at {shop} was removed"),
}


def tell(user: User, mail: AccountMail) -> None:
    """Queue a mail in the caller's transaction, to the address that the account has as it is sent."""
    from tillgate.merchants.jobs import send_account_mail  # The job calls this module.

    key = f"account-mail-{mail}-{user.pk}"
    send_account_mail.using(unique_key=key).enqueue(user.pk, mail.value, new_token())


def warn(user: User, mail: AccountMail) -> None:
    """Queue a mail in the caller's transaction to the address that the account has confirmed, as both are
    now; where it has none, nobody is told."""
    from tillgate.merchants.jobs import send_account_mail

    if user.confirmed_email is not None:
        send_account_mail.enqueue(user.pk, mail.value, new_token(), user.email, user.username)


def allow(address: str, by: User | None = None) -> None:
    """Count a mail that somebody asks for to an address. Raises TooMany after three in an hour, whether or
    not an account has it, and after six that one account, who is signed in, has asked for."""
    try:
        if by is not None:
            admit_subject(ASKED_BY, str(by.pk))
        admit_subject(ASKED_FOR, normal_email(address))
    except TooMany:
        log.warning("account_mails_withheld")
        raise


def send(user_id: int, mail: str, news: str, to: str = "", username: str = "") -> None:
    """Send one queued mail, unless it has lost its meaning since.

    Raises what the mail server's refusal is, so that the job is tried again.
    """
    user, occasion = User.objects.get(pk=user_id), OCCASIONS[AccountMail(mail)]
    if not occasion.still_so(user):
        log.info("mail_not_sent", mail=mail, user=user_id)
        return
    deliver(
        Message(
            to=to or user.email,
            subject=occasion.subject,
            layout="accounts/mail",
            body=f"accounts/mails/{mail}.txt",
            words={
                "shop": one_line(default_merchant().name),
                "customer": one_line(username or user.username),
                "url": link_for(user, occasion.link) if occasion.link else "",
            },
            names=NAMES,
            news=(mail, news),
        )
    )
    log.info("mail_sent", mail=mail, user=user_id)
