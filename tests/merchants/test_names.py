"""A-48: which spellings are one name."""

import pytest

from tests.builders import make_user
from tillgate.merchants.models import User
from tillgate.merchants.names import normal_email, normal_username

EMAILS = [
    ("A@B.example", "a@b.example"),
    (" ada@example.com ", "ada@example.com"),
    ("ADA@STRASSE.example", "ada@strasse.example"),
    ("ada@straße.example", "ada@strasse.example"),
    ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ada@example.com"),
    ("\u212aate@example.com", "kate@example.com"),
    ("a@b..example", "a@b..example"),
    ("nothing", "@nothing"),
    ("", "@"),
]


@pytest.mark.parametrize(("given", "compared"), EMAILS)
def test_a48_addresses_are_compared_as_mail_is_sent(given, compared):
    assert normal_email(given) == compared
    assert normal_email(compared) == compared


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("Ada", "Ada"),
        ("Ünal", "ünal"),
        ("ＡＤＡ", "ADA"),
        ("ĐORĐE", "đORđE"),
        ("Σίσυφος", "σίσυφος"),
        ("אבי", "אבי"),
    ],
)
def test_a48_usernames_are_stored_in_one_form(given, stored):
    assert normal_username(given) == stored
    assert normal_username(stored) == stored


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["ada", "ADA", "ADA@example.com", "ａｄａ"])
def test_an_account_is_found_by_each_of_its_names(name):
    ada = make_user("Ada", email="ada@example.com")

    assert User.objects.get_by_natural_key(name) == ada


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", None, "nobody", "nobody@example.com", "@", "ada@example.com "])
def test_an_unconfirmed_address_and_an_unknown_name_find_nobody(name):
    make_user("ada", confirmed=False)

    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(name)
