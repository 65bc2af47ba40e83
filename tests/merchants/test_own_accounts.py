"""Accounts that merchants have stored: whose they are, what they are made of, what is kept of them."""

import json

import pytest
from cryptography.fernet import Fernet

from tests.builders import make_account, make_merchant
from tests.environment import PAYSTACK_TEST_KEY
from tillgate.common.crypto import decrypt
from tillgate.merchants.models import StoredAccount
from tillgate.merchants.services import own_accounts
from tillgate.merchants.services.accounts import account_for, accounts_for, guest_mode, listeners
from tillgate.merchants.services.installation import environment_accounts
from tillgate.merchants.services.merchants import default_merchant
from tillgate.merchants.services.own_accounts import forget_own_accounts
from tillgate.merchants.services.stored_accounts import (
    add_account,
    forget_former,
    remove_account,
    replace_secrets,
    rotate_accounts,
)

KEY, NEXT_KEY = "sk_test_of_the_other_shop", "sk_test_of_the_other_shop_next"
LIVE_KEY = "sk_live_of_the_other_shop"
FLUTTERWAVE = {
    "FLUTTERWAVE_SECRET_KEY": "FLWSECK_TEST-of-the-other-shop-X",
    "FLUTTERWAVE_WEBHOOK_HASH": "a-hash-of-the-other-shop",
}
PAYPAL = {
    "PAYPAL_CLIENT_ID": "client-of-the-other-shop",
    "PAYPAL_CLIENT_SECRET": "secret-of-the-other-shop",
    "PAYPAL_WEBHOOK_ID": "8PT597110X687430LOTHER",
}


def keys_heard(merchant) -> list[str]:
    """The keys by which a merchant's Paystack events are verified."""
    heard = [one.account for one in listeners("paystack") if one.merchant_id == merchant.pk]
    return [account.credentials["secret_key"] for account in heard]


def test_each_merchant_has_its_own_account_and_no_other(merchant, other_merchant):
    make_account(other_merchant, KEY)

    [default], [other] = accounts_for(merchant, "test"), accounts_for(other_merchant, "test")
    assert default.credentials["secret_key"] == PAYSTACK_TEST_KEY
    assert other.credentials["secret_key"] == KEY
    assert accounts_for(other_merchant, "live") == accounts_for(make_merchant(), "test") == ()


def test_the_addresses_are_the_installations(other_merchant, settings):
    settings.PAYSTACK_BASE_URL = "http://127.0.0.1:8001/paystack"
    make_account(other_merchant)

    assert account_for(other_merchant, "paystack", "test").base_url == settings.PAYSTACK_BASE_URL


def test_nothing_of_the_environments_secrets_gets_into_anothers_account(merchant, other_merchant, settings):
    settings.FLUTTERWAVE_WEBHOOK_HASH = "a-hash-of-the-environment"
    add_account(other_merchant, "flutterwave", "test", FLUTTERWAVE)

    credentials = account_for(other_merchant, "flutterwave", "test").credentials
    assert set(credentials.values()) == set(FLUTTERWAVE.values())


@pytest.mark.parametrize(
    ("mode", "setting", "host"),
    [
        ("live", "https://api-m.paypal.com", "https://api-m.paypal.com"),
        ("test", "https://api-m.paypal.com", "https://api-m.sandbox.paypal.com"),
        ("live", "https://api-m.sandbox.paypal.com", "https://api-m.paypal.com"),
        ("test", "https://api-m.sandbox.paypal.com", "https://api-m.sandbox.paypal.com"),
        ("live", "http://127.0.0.1:8001/paypal", "https://api-m.paypal.com"),
        ("test", "http://127.0.0.1:8001/paypal", "http://127.0.0.1:8001/paypal"),
    ],
)
def test_paypals_host_is_one_of_the_accounts_mode(other_merchant, settings, mode, setting, host):
    settings.PAYPAL_BASE_URL, settings.IS_LOCAL = setting, False
    add_account(other_merchant, "paypal", mode, PAYPAL)

    assert account_for(other_merchant, "paypal", mode).base_url == host


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/paypal", "https://api-m.paypal.com"])
def test_only_where_the_sandbox_is_its_certificates_are_believed(other_merchant, settings, url, local):
    settings.PAYPAL_CERTIFICATE_TRUST = "http://127.0.0.1:8001 /var/ca.pem"
    settings.PAYPAL_BASE_URL, settings.IS_LOCAL = url, local
    add_account(other_merchant, "paypal", "test", PAYPAL)

    trust = account_for(other_merchant, "paypal", "test").trust
    assert bool(trust) == (local and url.startswith("http:"))


def test_the_environments_account_counts_before_a_stored_one_of_the_default_merchant(merchant, settings):
    make_account(merchant, KEY)
    assert [a.credentials["secret_key"] for a in accounts_for(merchant, "test")] == [PAYSTACK_TEST_KEY]
    assert keys_heard(merchant) == [PAYSTACK_TEST_KEY]

    settings.PAYSTACK_SECRET_KEY = ""

    assert [a.credentials["secret_key"] for a in accounts_for(merchant, "test")] == [KEY]
    assert keys_heard(merchant) == [KEY]


def test_accounts_stand_in_the_order_of_the_registry(merchant, settings):
    settings.PAYSTACK_SECRET_KEY = ""
    settings.FLUTTERWAVE_SECRET_KEY = "FLWSECK_TEST-of-the-environment-X"
    make_account(merchant, KEY)
    add_account(merchant, "paypal", "test", PAYPAL)

    assert [a.gateway for a in accounts_for(merchant, "test")] == ["paystack", "flutterwave", "paypal"]


def test_s32_the_database_has_no_secret_in_clear(other_merchant):
    make_account(other_merchant, KEY)
    replace_secrets(StoredAccount.objects.get().pk, {"PAYSTACK_SECRET_KEY": NEXT_KEY})

    row = StoredAccount.objects.values().get()
    assert row["hint"] == "next"
    assert KEY not in str(row)
    assert json.loads(decrypt(row["secrets"])) == {"PAYSTACK_SECRET_KEY": NEXT_KEY}
    assert NEXT_KEY not in repr(accounts_for(other_merchant, "test")) + repr(listeners("paystack"))


def test_w12_while_a_secret_is_changed_events_with_either_are_heard(other_merchant):
    account = make_account(other_merchant, KEY)

    replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": NEXT_KEY})
    assert keys_heard(other_merchant) == [NEXT_KEY, KEY]
    assert account_for(other_merchant, "paystack", "test").credentials["secret_key"] == NEXT_KEY

    forget_former(account.pk)
    assert keys_heard(other_merchant) == [NEXT_KEY]


def test_w12_a_slip_in_between_loses_no_former_secret(other_merchant):
    account = make_account(other_merchant, KEY)

    for key in ("sk_test_a_typing_mistake", NEXT_KEY, NEXT_KEY, "sk_test_and_once_more", NEXT_KEY):
        replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": key})

    assert keys_heard(other_merchant) == [NEXT_KEY, "sk_test_and_once_more", "sk_test_a_typing_mistake", KEY]


def test_w12_of_a_former_account_only_what_events_are_known_by_is_used(other_merchant):
    account = add_account(other_merchant, "flutterwave", "test", FLUTTERWAVE)

    replace_secrets(account.pk, {name: value.replace("other", "new") for name, value in FLUTTERWAVE.items()})

    former = listeners("flutterwave")[-1].account.credentials
    assert former == {
        "secret_key": "FLWSECK_TEST-of-the-new-shop-X",
        "webhook_hash": "a-hash-of-the-other-shop",
    }


def test_a_removed_account_is_neither_used_nor_heard(other_merchant):
    account = make_account(other_merchant, KEY)
    assert keys_heard(other_merchant) == [KEY]

    remove_account(account.pk)

    assert accounts_for(other_merchant, "test") == ()
    assert keys_heard(other_merchant) == []


def test_the_stored_accounts_are_read_once_in_a_while(merchant, other_merchant, django_assert_num_queries):
    make_account(other_merchant)
    default_merchant()
    accounts_for(merchant, "test")

    with django_assert_num_queries(0):
        for _ in range(3):
            assert accounts_for(other_merchant, "test")
            assert accounts_for(merchant, "test")
            assert len(listeners("paystack")) == 2


def test_another_process_sees_a_change_within_seconds(other_merchant, monkeypatch):
    make_account(other_merchant, KEY)
    accounts_for(other_merchant, "test")
    StoredAccount.objects.all().delete()  # As another process would.
    assert accounts_for(other_merchant, "test")

    monkeypatch.setattr(own_accounts, "REREAD_S", -1)

    assert not accounts_for(other_merchant, "test")


def test_the_environments_accounts_are_made_once(settings):
    first = environment_accounts()
    assert environment_accounts() is first

    settings.PAYSTACK_SECRET_KEY = "sk_test_changed_meanwhile"

    assert environment_accounts()[0].credentials["secret_key"] == "sk_test_changed_meanwhile"


def test_what_no_key_opens_is_no_account_and_hides_no_other(merchant, other_merchant, settings):
    lost, kept = settings.TILLGATE_ENCRYPTION_KEYS, (Fernet.generate_key().decode(),)
    make_account(other_merchant, KEY)
    settings.TILLGATE_ENCRYPTION_KEYS = kept
    third = make_merchant()
    make_account(third)
    own_accounts._opened.cache_clear()
    forget_own_accounts()

    assert lost != kept
    assert accounts_for(other_merchant, "test") == ()
    assert len(accounts_for(third, "test")) == len(accounts_for(merchant, "test")) == 1


def test_a_live_account_is_none_of_a_local_installation(merchant, other_merchant, settings):
    settings.IS_LOCAL = False
    add_account(other_merchant, "paystack", "live", {"PAYSTACK_SECRET_KEY": LIVE_KEY})
    assert len(accounts_for(other_merchant, "live")) == 1

    settings.IS_LOCAL = True

    assert accounts_for(other_merchant, "live") == ()
    assert keys_heard(other_merchant) == []


@pytest.mark.parametrize(("whose", "mode"), [("merchant", "live"), ("other_merchant", "test")])
def test_guests_pay_live_as_soon_as_the_default_merchant_has_a_live_account(request, settings, whose, mode):
    owner, _ = request.getfixturevalue(whose), request.getfixturevalue("merchant")
    settings.IS_LOCAL = False
    assert guest_mode() == "test"

    add_account(owner, "paystack", "live", {"PAYSTACK_SECRET_KEY": LIVE_KEY})

    assert guest_mode() == mode


def test_every_secret_is_encrypted_with_the_first_key(other_merchant, settings):
    old, new = settings.TILLGATE_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    account = make_account(other_merchant, KEY)
    replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": NEXT_KEY})
    settings.TILLGATE_ENCRYPTION_KEYS = (new, old)

    assert (rotate_accounts().done, rotate_accounts().unreadable) == (1, 0)

    settings.TILLGATE_ENCRYPTION_KEYS = (new,)
    own_accounts._opened.cache_clear()
    forget_own_accounts()
    assert keys_heard(other_merchant) == [NEXT_KEY, KEY]


def test_what_no_key_opens_is_counted_and_left_as_it_is(other_merchant, settings):
    make_account(other_merchant, KEY)
    before = StoredAccount.objects.values().get()
    settings.TILLGATE_ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)

    assert (rotate_accounts().done, rotate_accounts().unreadable) == (0, 1)
    assert StoredAccount.objects.values().get() == before
