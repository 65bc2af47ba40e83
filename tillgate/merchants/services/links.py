"""Links in mails: what stands in them opens one thing, once, for a day.

Nothing is stored for them. A token is signed over what it is good for, and over what its use will change.
"""

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from tillgate.merchants.errors import LinkNotGood
from tillgate.merchants.models import User

GONE = (
    "This link is not good: it was used, or is older than a day, or the account has changed since. "
    "Ask for a new one."
)


class _Confirming(PasswordResetTokenGenerator):
    """Good for the address it was mailed to, until that is confirmed."""

    key_salt = "tillgate.links.activate"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return repr([user.pk, timestamp, user.email, user.confirmed_email])


class _Resetting(PasswordResetTokenGenerator):
    """Good for the password it replaces, and while the address stays."""

    key_salt = "tillgate.links.reset"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return repr([user.pk, timestamp, user.email, user.password])


CONFIRMING, RESETTING = _Confirming(), _Resetting()
PAGES = {CONFIRMING: "activate", RESETTING: "reset"}
Kind = _Confirming | _Resetting


def link_for(user: User, kind: Kind) -> str:
    """Return the address of the page that uses a new token."""
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return f"{settings.TILLGATE_PUBLIC_URL}/account/{PAGES[kind]}/{uid}/{kind.make_token(user)}"


def holder_of(uid: str, token: str, kind: Kind, *, lock: bool = False) -> User:
    """Return whose link it is; with `lock` nobody else uses it before the caller's transaction ends.

    Raises LinkNotGood, the same for an account that is not there.
    """
    users = User.objects.select_for_update() if lock else User.objects.all()
    user = users.filter(pk=_key(uid), is_active=True).first()
    if user is None or not kind.check_token(user, token):
        raise LinkNotGood(GONE, errors={"token": [GONE]})
    return user


def _key(uid: str) -> int:
    try:
        text = urlsafe_base64_decode(uid).decode("ascii")
    except ValueError:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
