"""The one way to a login, whichever door it is for, and the same proof for what needs it once more."""

from dataclasses import dataclass, field

import structlog
from django.contrib.auth.hashers import make_password
from django.db import transaction

from tillgate.common.errors import InvalidRequest
from tillgate.common.throttles import Policy, admit_subject, forgive
from tillgate.merchants.errors import OtpInvalid, OtpRequired, WrongCredentials
from tillgate.merchants.models import Login, User
from tillgate.merchants.names import normal_email, normal_username
from tillgate.merchants.services.logins import Device, start_login
from tillgate.merchants.services.totp import is_right

# Only failures count: each is counted before it is known to be one, and a success forgives them all.
TOO_OFTEN = "This was tried too often. Come back in {wait_s} s."
FAILURES = Policy(name="sign-in-failures", calls=10, window_s=900, says=TOO_OFTEN)
WRONG_CODES = Policy(name="otp-failures", calls=10, window_s=3600, says=TOO_OFTEN)
WRONG = "No account signs in with this username and password."
ASK_OTP = "Send the code of your authenticator app as otp, or one of your recovery codes."
OTHER_OTP = "This code is wrong, too old, or was used before. Send the one that your app shows now."
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What somebody signs in with; `username` may be the confirmed e-mail."""

    username: str
    password: str = field(repr=False)
    otp: str | None = field(default=None, repr=False)


def sign_in(credentials: Credentials, device: Device) -> Login:
    """Start a login. Raises WrongCredentials, OtpRequired, OtpInvalid, and TooMany after ten failures of
    the same name in a quarter of an hour, from wherever.
    """
    given = credentials.username.strip()
    name = _as_counted(given)
    admit_subject(FAILURES, name)
    user = _find(given)
    if not _has_password(user, credentials.password):
        # Never the name that was typed: where there is no such account, it may be a password.
        log.warning("login_failed", user=user.pk if user else None, address=device.address)
        raise WrongCredentials(WRONG)
    assert user is not None
    login = _start(user, credentials.otp, device)
    forgive(FAILURES, name)
    log.info("login_started", user=user.pk, login=login.reference, address=device.address)
    return login


def prove_password(user: User, password: str, *, member: str = "password") -> None:
    """Ask somebody who is signed in for the password once more. Raises InvalidRequest that names the member
    it came in, and TooMany, counted as at a sign-in.
    """
    admit_subject(FAILURES, f"user:{user.pk}")
    if not user.check_password(password):
        log.warning("password_proof_failed", user=user.pk)
        message = "This is not the password of the account."
        raise InvalidRequest(message, code="invalid_password", errors={member: [message]})
    forgive(FAILURES, f"user:{user.pk}")


def prove_factors(user: User, password: str, otp: str | None, *, member: str = "password") -> None:
    """Ask for the password, and for the second factor where the account has one. Raises as
    `prove_password` does, with the codes of a sign-in for what is wrong with `otp`.
    """
    prove_password(user, password, member=member)
    try:
        with transaction.atomic():
            _require_otp(User.objects.select_for_update().get(pk=user.pk), otp)
    except (OtpRequired, OtpInvalid) as error:
        raise InvalidRequest(error.message, code=error.code, errors={"otp": [error.message]}) from None


@transaction.atomic
def _start(user: User, otp: str | None, device: Device) -> Login:
    now = User.objects.select_for_update().get(pk=user.pk)
    if not now.is_active or now.password != user.password:
        raise WrongCredentials(WRONG)  # Disabled, or given another password, in this very moment.
    _require_otp(now, otp)
    return start_login(now, device)


def _require_otp(user: User, otp: str | None) -> None:
    if not user.has_otp:
        return
    if not otp:
        raise OtpRequired(ASK_OTP)
    admit_subject(WRONG_CODES, str(user.pk))
    if not is_right(user, otp):
        log.warning("otp_failed", user=user.pk)
        raise OtpInvalid(OTHER_OTP)
    forgive(WRONG_CODES, str(user.pk))


def _find(name: str) -> User | None:
    if "\0" in name:  # No database takes it.
        return None
    try:
        return User.objects.get_by_natural_key(name)
    except User.DoesNotExist:
        return None


def _has_password(user: User | None, password: str) -> bool:
    """One hash is worked out in any case: how long it took must not tell whether the account is there."""
    if user is None:
        make_password(password)
        return False
    return user.check_password(password) and user.is_active


def _as_counted(name: str) -> str:
    # Not by account: that two names are counted together would tell that they are the same one's.
    return normal_email(name) if "@" in name else normal_username(name).lower()
