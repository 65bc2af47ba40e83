"""After a change of the encryption key nothing is lost, and the old key opens nothing any more."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from tests.customers.conftest import kept, make_payer
from tillgate.common.crypto import CannotDecrypt, encrypt, rotate
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services import methods
from tillgate.customers.services.methods import remove_method, rotate_tokens, token_of

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def tokens() -> set[str]:
    return {token_of(method) for method in PaymentMethod.objects.all()}


def run() -> str:
    out = StringIO()
    call_command("rotate_encryption", stdout=out)
    return out.getvalue()


@pytest.fixture
def saved(merchant, settings):
    """Seven methods under the old key, one of them removed; the new key stands before the old one."""
    settings.TILLGATE_ENCRYPTION_KEYS = (OLD,)
    made = [kept(make_payer(merchant, email=f"{n}@example.com"), token=f"AUTH_{n}") for n in range(7)]
    remove_method(made[3].pk)
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW, OLD)
    return made


def test_every_token_is_encrypted_with_the_first_key(saved, settings, monkeypatch):
    monkeypatch.setattr(methods, "BATCH", 2)

    rotation = rotate_tokens()
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW,)
    read = tokens()
    settings.TILLGATE_ENCRYPTION_KEYS = (OLD,)

    assert (rotation.done, rotation.unreadable) == (7, 0)
    assert read == {f"AUTH_{n}" for n in range(7)}
    with pytest.raises(CannotDecrypt):
        tokens()


def test_rotating_again_loses_nothing(saved):
    rotate_tokens()
    rotate_tokens()

    assert tokens() == {f"AUTH_{n}" for n in range(7)}


def test_a_token_that_was_saved_meanwhile_stays(saved, monkeypatch):
    def slow_rotate(text: str) -> str:
        PaymentMethod.objects.filter(token=text).update(token=encrypt("AUTH_newer"))
        return rotate(text)

    monkeypatch.setattr(methods, "rotate", slow_rotate)

    rotate_tokens()

    assert tokens() == {"AUTH_newer"}


def test_the_command_says_how_many_and_what_comes_next(saved):
    told = run()

    assert "first key: 7." in told
    assert "those behind the first may go" in told


def test_without_a_method_there_is_nothing_to_do(merchant):
    assert "first key: 0." in run()


def test_what_no_key_opens_is_told_and_left_as_it_is(saved, merchant, settings):
    settings.TILLGATE_ENCRYPTION_KEYS = (LOST,)
    lost = kept(make_payer(merchant, email="lost@example.com"))
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW, OLD)

    with pytest.raises(CommandError, match="1 more were encrypted with a key that is not in"):
        run()

    assert PaymentMethod.objects.get(pk=lost.pk).token == lost.token
    PaymentMethod.objects.filter(pk=lost.pk).delete()
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW,)
    assert tokens() == {f"AUTH_{n}" for n in range(7)}
