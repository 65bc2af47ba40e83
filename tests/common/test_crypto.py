"""Secrets at rest: only the keys open them, any of the keys does, and the first one writes."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from tillgate.common.crypto import CannotDecrypt, decrypt, encrypt, is_key, rotate

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
SECRET = "AUTH_72btv547abcdef"


@pytest.fixture(autouse=True)
def old_key(settings):
    settings.TILLGATE_ENCRYPTION_KEYS = (OLD,)


def test_what_is_encrypted_says_nothing_and_is_never_the_same():
    first, again = encrypt(SECRET), encrypt(SECRET)

    assert decrypt(first) == decrypt(again) == SECRET
    assert first != again
    assert SECRET not in first
    assert OLD not in first


@given(st.text(max_size=200))
def test_any_text_comes_back_as_it_was(secret):
    assert decrypt(encrypt(secret)) == secret


def test_another_key_opens_nothing_and_its_refusal_tells_nothing(settings):
    text = encrypt(SECRET)
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW,)

    with pytest.raises(CannotDecrypt) as caught:
        decrypt(text)

    assert not any(word in str(caught.value) for word in (SECRET, text, OLD, NEW))


@pytest.mark.parametrize("change", [lambda t: t[:-4], lambda t: f"A{t[1:]}", lambda t: t[::-1], lambda t: ""])
def test_a_text_that_was_changed_is_not_opened(change):
    with pytest.raises(CannotDecrypt):
        decrypt(change(encrypt(SECRET)))


def test_a_change_of_keys_leaves_nothing_behind(settings):
    before = encrypt(SECRET)
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW, OLD)
    meanwhile, after = decrypt(before), rotate(before)
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW,)

    assert (meanwhile, decrypt(after)) == (SECRET, SECRET)
    with pytest.raises(CannotDecrypt):
        decrypt(before)


def test_the_first_key_writes(settings):
    settings.TILLGATE_ENCRYPTION_KEYS = (NEW, OLD)

    assert Fernet(NEW).decrypt(encrypt(SECRET)).decode() == SECRET


def test_the_key_apart_from_the_secret_key_is_the_only_one(settings):
    text = encrypt(SECRET)
    settings.SECRET_KEY = "another-" * 8

    assert decrypt(text) == SECRET


def test_a_key_is_32_bytes_in_url_safe_base64():
    assert is_key(OLD)
    for other in ("", "short", OLD[:-2], OLD[4:], "é" * 32):
        assert not is_key(other)
