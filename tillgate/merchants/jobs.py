"""What the worker does for the people who have an account."""

from tillgate.common.jobs import periodic, task
from tillgate.merchants.services import account_mails, logins, passwords, users


@task(max_attempts=30, backoff_s=(10, 60, 300, 900, 3600))
def send_account_mail(user_id: int, mail: str, news: str, to: str = "", username: str = "") -> None:
    """Send one mail to somebody with an account."""
    account_mails.send(user_id, mail, news, to, username)


@task(max_attempts=30, backoff_s=(10, 60, 300, 900, 3600))
def send_reset(email: str, news: str) -> None:
    """Mail the link to choose a new password, where an account has the address."""
    passwords.mail_reset(email, news)


@task(max_attempts=30, backoff_s=(10, 60, 300, 900, 3600))
def send_confirmation(email: str, news: str, user_id: int | None) -> None:
    """Mail the link that confirms an address once more, where an account waits for it."""
    users.mail_confirmation(email, news, user_id)


@periodic(every_s=86_400)
@task(max_attempts=3, backoff_s=(60,))
def forget_old_logins() -> None:
    """Delete logins that ended, or came to their end unused, 90 days ago."""
    logins.forget_old_logins()
