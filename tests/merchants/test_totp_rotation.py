"""After a change of the encryption key every second factor still opens, by the new key alone."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from tests.builders import make_user
from tillgate.common.crypto import decrypt
from tillgate.merchants.models import User
from tillgate.merchants.services.totp import begin_otp, rotate_otp_secrets

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def run() -> str:
    out = StringIO()
    call_command("rotate_encryption", stdout=out)
    return out.getvalue()


@pytest.fixture
def secrets(merchant, settings):
    settings.TILLGATE_ENCRYPTION_KEYS = (OLD,)
    made = {name: begin_otp(make_user(name).pk)[0] for name in ("ada", "eve")}
    make_user("without")
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW, OLD)
    return made


def test_every_secret_is_encrypted_with_the_first_key(secrets, settings):
    told = run()

    settings.TILLGATE_ENCRYPTION_KEYS = (NEW,)
    read = {user.username: decrypt(user.totp_secret) for user in User.objects.exclude(totp_secret="")}
    assert read == secrets
    assert "Second factors encrypted with the first key: 2." in told


def test_a_secret_that_no_key_opens_is_told_and_left(secrets, settings):
    settings.TILLGATE_ENCRYPTION_KEYS = (LOST,)
    begin_otp(make_user("lost").pk)
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW, OLD)
    before = User.objects.get(username="lost").totp_secret

    with pytest.raises(CommandError, match="Second factors: 1 more were encrypted with a key"):
        run()

    assert User.objects.get(username="lost").totp_secret == before
    rotation = rotate_otp_secrets()
    assert (rotation.done, rotation.unreadable) == (2, 1)
