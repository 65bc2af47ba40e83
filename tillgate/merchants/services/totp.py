"""The second factor: the codes of an authenticator app (RFC 6238), each good once, and recovery codes."""

import hashlib
import hmac
import secrets
import time

import pyotp
import structlog
from django.db import connection, transaction

from tillgate.common import clock
from tillgate.common.crypto import CannotDecrypt, Rotation, decrypt, encrypt, rotate
from tillgate.common.errors import InvalidRequest
from tillgate.common.references import ALPHABET
from tillgate.merchants.errors import OtpState
from tillgate.merchants.models import RecoveryCode, User
from tillgate.merchants.services.account_mails import AccountMail, warn
from tillgate.merchants.services.merchants import default_merchant

DIGITS = 6
RECOVERY_CODES, RECOVERY_LENGTH = 10, 16  # 80 bits each.
READ_ALOUD = str.maketrans("OIL", "011", "- ")
log = structlog.get_logger(__name__)


@transaction.atomic
def begin_otp(user_id: int) -> tuple[str, str]:
    """Make a new secret; return it, and as the URI that an app reads from a picture. It is shown this once.

    Nothing asks for its codes before `confirm_otp`. Raises OtpState where one is in use.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    if user.has_otp:
        raise OtpState("A second factor is in use. Remove it first: DELETE /api/v1/me/otp.")
    secret = pyotp.random_base32()
    user.totp_secret, user.totp_last_step = encrypt(secret), 0
    user.save(update_fields=["totp_secret", "totp_last_step"])
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=default_merchant().name)
    return secret, uri


@transaction.atomic
def confirm_otp(user_id: int, otp: str) -> list[str]:
    """Ask for the second factor from now on, since its owner has shown a code; return the recovery codes,
    which are shown this once. Raises OtpState, InvalidRequest.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    if user.has_otp or not user.totp_secret:
        raise OtpState("There is nothing to confirm. Begin with POST /api/v1/me/otp.")
    if not _is_code(user, otp):
        log.warning("otp_failed", user=user.pk)
        message = "This is not the code that the app shows now. Is the clock of the phone right?"
        raise InvalidRequest(message, code="otp_invalid", errors={"otp": [message]})
    user.totp_confirmed_at = clock.now()
    user.save(update_fields=["totp_confirmed_at"])
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    user.recovery_codes.all().delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_sha256=_hash(code)) for code in codes)
    warn(user, AccountMail.OTP_ADDED)
    log.info("otp_added", user=user.pk)
    return ["-".join(code[at : at + 4] for at in range(0, RECOVERY_LENGTH, 4)) for code in codes]


@transaction.atomic
def remove_otp(user_id: int) -> None:
    """Ask for the password alone again; a repeat changes nothing."""
    user = User.objects.select_for_update().get(pk=user_id)
    if not user.totp_secret:
        return
    was_asked_for = user.has_otp
    user.totp_secret, user.totp_confirmed_at = "", None
    user.save(update_fields=["totp_secret", "totp_confirmed_at"])
    user.recovery_codes.all().delete()
    if was_asked_for:
        warn(user, AccountMail.OTP_REMOVED)
        log.info("otp_removed", user=user.pk)


def is_right(user: User, otp: str) -> bool:
    """Say whether this is a code of a locked account, or one of its recovery codes; either is good once."""
    assert connection.in_atomic_block, "a code is taken under its account's lock"
    return _is_code(user, otp) or _is_recovery_code(user, otp)


def rotate_otp_secrets() -> Rotation:
    """Encrypt every secret anew with the first key, as `rotate_tokens` does the saved methods."""
    done = unreadable = 0
    for pk, text in User.objects.exclude(totp_secret="").values_list("pk", "totp_secret"):
        try:
            secret = rotate(text)
        except CannotDecrypt:
            unreadable += 1
            continue
        User.objects.filter(pk=pk, totp_secret=text).update(totp_secret=secret)
        done += 1
    return Rotation(done=done, unreadable=unreadable)


def _is_code(user: User, otp: str) -> bool:
    code = otp.replace(" ", "")
    if not (code.isascii() and code.isdigit() and len(code) == DIGITS):
        return False
    try:
        totp = pyotp.TOTP(decrypt(user.totp_secret))
    except CannotDecrypt:
        log.error("otp_secret_unreadable", user=user.pk)  # Its recovery codes still open the account.
        return False
    now = int(time.time()) // totp.interval  # lint: clock, because a phone knows no other
    for step in range(now - 1, now + 2):
        if (
            hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
            and step > user.totp_last_step
        ):
            user.totp_last_step = step
            user.save(update_fields=["totp_last_step"])
            return True
    return False


def _is_recovery_code(user: User, otp: str) -> bool:
    unused = user.recovery_codes.filter(code_sha256=_hash(otp), used_at__isnull=True)
    return unused.update(used_at=clock.now()) == 1


def _hash(code: str) -> str:
    return hashlib.sha256(code.upper().translate(READ_ALOUD).encode()).hexdigest()
