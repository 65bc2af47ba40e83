"""The default merchant, keys, and the gateway accounts that a merchant may use."""

import hashlib
import re
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from tests.builders import make_merchant
from tillgate.common import clock
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.models import ApiKey, Merchant
from tillgate.merchants.services.accounts import (
    Listener,
    account_for,
    accounts_for,
    guest_mode,
    listeners,
    usable_for,
)
from tillgate.merchants.services.keys import create_api_key, find_api_key
from tillgate.merchants.services.merchants import (
    default_merchant,
    ensure_default_merchant,
    forget_default_merchant,
    rename_merchant,
    set_zone,
    zone_names,
)
from tillgate.money import Money

LIVE_KEY = "sk_live_not_a_real_key_0123456789abcdef"


def test_the_default_merchant_is_made_once(db):
    first = ensure_default_merchant(name="My shop")

    assert ensure_default_merchant(name="Another name") == first
    assert Merchant.objects.get().name == "My shop"


def test_there_is_one_default_merchant(merchant):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_merchant(is_default=True)


def test_the_default_merchant_is_read_once_in_a_while(merchant, django_assert_num_queries):
    default_merchant()

    with django_assert_num_queries(0):
        assert default_merchant() == merchant


def test_the_default_merchant_can_be_read_anew(merchant):
    default_merchant()
    rename_merchant(Merchant.objects.get(), "Renamed")

    forget_default_merchant()

    assert default_merchant().name == "Renamed"


def test_only_the_merchant_that_moves_gets_another_zone(merchant, other_merchant):
    set_zone(merchant, "Africa/Nairobi")

    assert Merchant.objects.get(pk=merchant.pk).zone == "Africa/Nairobi"
    assert Merchant.objects.get(pk=other_merchant.pk).zone == "Africa/Lagos"


def test_every_zone_there_is_can_be_read_and_stored():
    assert {"Africa/Lagos", "Africa/Cairo", "Europe/Berlin", "UTC"} <= zone_names()
    assert all(ZoneInfo(name).key == name and len(name) <= 60 for name in zone_names())


@pytest.mark.parametrize("mode", ["test", "live"])
def test_s32_of_a_key_only_its_hash_is_stored(merchant, mode):
    secret = create_api_key(merchant, mode)

    row = ApiKey.objects.get()
    assert re.fullmatch(rf"sk_{mode}_[\w-]{{43}}", secret)
    assert row.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert (row.mode, secret.startswith(row.prefix), len(row.prefix)) == (mode, True, 12)
    assert str(row) == f"{row.prefix}…"


def test_a_key_is_found_with_its_merchant_in_one_query(merchant, django_assert_num_queries):
    secret = create_api_key(merchant, "test")

    with django_assert_num_queries(1):
        assert find_api_key(secret).merchant == merchant


@pytest.mark.parametrize("change", [str.upper, lambda s: s[:-1], lambda s: s + " ", lambda s: ""])
def test_no_other_text_is_a_key(merchant, change):
    assert find_api_key(change(create_api_key(merchant, "test"))) is None


def test_a_revoked_key_is_none(merchant):
    secret = create_api_key(merchant, "test")
    ApiKey.objects.update(revoked_at=clock.now())

    assert find_api_key(secret) is None


def test_the_environments_key_is_an_account_of_the_default_merchant(merchant, other_merchant):
    [account] = accounts_for(merchant, "test")

    assert (account.gateway, account.mode) == ("paystack", "test")
    assert listeners("paystack") == (Listener(merchant_id=merchant.pk, account=account),)
    assert accounts_for(other_merchant, "test") == accounts_for(merchant, "live") == ()
    assert listeners("paypal") == ()


def test_i13_an_account_does_not_show_its_key(merchant, settings):
    assert settings.PAYSTACK_SECRET_KEY not in repr(accounts_for(merchant, "test"))


def test_g12_a_live_key_takes_live_payments_only(merchant, settings):
    settings.PAYSTACK_SECRET_KEY = LIVE_KEY

    assert accounts_for(merchant, "test") == ()
    assert account_for(merchant, "paystack", "live").mode == "live"


@pytest.mark.parametrize("key", ["", "  ", "changeme", "pk_test_public"])
def test_a07_what_is_no_key_is_no_account(merchant, settings, key):
    settings.PAYSTACK_SECRET_KEY = key

    assert listeners("paystack") == ()
    with pytest.raises(NoGateway, match="My shop has no test account at paystack"):
        account_for(merchant, "paystack", "test")


def test_a_key_with_a_newline_from_its_file_is_a_key(merchant, settings):
    settings.PAYSTACK_SECRET_KEY += "\n"

    [account] = accounts_for(merchant, "test")
    assert not account.credentials["secret_key"].endswith("\n")


@pytest.mark.parametrize(
    ("currency", "usable"), [("NGN", True), ("XOF", True), ("EUR", False), ("KWD", False)]
)
def test_g30_an_account_is_usable_for_the_currencies_of_its_gateway(merchant, currency, usable):
    assert bool(usable_for(Money(1, currency), accounts_for(merchant, "test"))) == usable


@pytest.mark.parametrize(
    ("setting", "key", "mode"),
    [
        ("", "sk_test_x", "test"),
        ("", LIVE_KEY, "live"),
        ("", "", "test"),
        ("test", LIVE_KEY, "test"),
        ("live", "sk_test_x", "live"),
    ],
)
def test_the_mode_of_guests_is_the_settings_or_that_of_the_key(merchant, settings, setting, key, mode):
    settings.TILLGATE_GUEST_MODE, settings.PAYSTACK_SECRET_KEY = setting, key

    assert guest_mode() == mode


def test_the_command_makes_a_key_of_the_default_merchant(merchant, capsys):
    call_command("create_key", "--mode", "live")

    assert find_api_key(capsys.readouterr().out.strip()).mode == "live"


def test_the_names_are_shown_where_people_read(merchant):
    assert str(merchant) == "My shop"
