"""What may be stored as an account, and what is said of anything else."""

import threading

import pytest
from django.db import connections

from tests.builders import make_account, make_merchant
from tests.environment import PAYSTACK_TEST_KEY
from tests.merchants.test_own_accounts import FLUTTERWAVE, KEY, LIVE_KEY, PAYPAL
from tillgate.common.errors import InvalidRequest
from tillgate.merchants.errors import AccountExists, AccountTaken
from tillgate.merchants.models import StoredAccount
from tillgate.merchants.services.stored_accounts import add_account, forget_former, replace_secrets

SECRET = "secrets.PAYSTACK_SECRET_KEY"
HASH = "secrets.FLUTTERWAVE_WEBHOOK_HASH"


def refused(merchant, gateway: str, mode: str, secrets: dict[str, str]) -> dict[str, list[str]]:
    """What is said about each member; nothing is stored."""
    with pytest.raises(InvalidRequest) as refusal:
        add_account(merchant, gateway, mode, secrets)  # type: ignore[arg-type]
    assert refusal.value.code == "invalid_gateway_account"
    assert not StoredAccount.objects.exists()
    return dict(refusal.value.errors)  # type: ignore[arg-type]


NO_URL = {"PAYSTACK_SECRET_KEY": KEY, "PAYSTACK_BASE_URL": "https://evil.example"}
WRONG_PAYPAL = {**PAYPAL, "PAYPAL_WEBHOOK_ID": "WEBHOOK_ID", "PAYPAL_CLIENT_ID": "a b"}
WRONG = [
    (("stripe", "test", {}), {"gateway": "paystack, flutterwave, paypal"}),
    (("paystack", "test", {}), {SECRET: "required"}),
    (("paystack", "test", {"PAYSTACK_SECRET_KEY": " "}), {SECRET: "required"}),
    (("paystack", "test", {"PAYSTACK_SECRET_KEY": "changeme"}), {SECRET: "not a secret key"}),
    (("paystack", "test", {"PAYSTACK_SECRET_KEY": "sk_test_" + "x" * 500}), {SECRET: "at most 500"}),
    (("paystack", "test", NO_URL), {"secrets.PAYSTACK_BASE_URL": "no such secret"}),
    (("paystack", "test", {"PAYSTACK_SECRET_KEY": KEY, "x": ""}), {"secrets.x": "no such secret"}),
    (("paystack", "live", {"PAYSTACK_SECRET_KEY": KEY}), {"mode": "not of live mode"}),
    (("flutterwave", "test", {**FLUTTERWAVE, "FLUTTERWAVE_WEBHOOK_HASH": ""}), {HASH: "required"}),
    (("flutterwave", "test", {**FLUTTERWAVE, "FLUTTERWAVE_WEBHOOK_HASH": "abc"}), {HASH: "easy to guess"}),
    (
        ("paypal", "live", WRONG_PAYPAL),
        {"secrets.PAYPAL_WEBHOOK_ID": "verified", "secrets.PAYPAL_CLIENT_ID": "Apps & Credentials"},
    ),
    (
        ("paypal", "test", {**PAYPAL, "PAYPAL_WEBHOOK_VERIFICATION": "api"}),
        {"secrets.PAYPAL_WEBHOOK_VERIFICATION": "no such secret"},
    ),
]


@pytest.mark.parametrize(("order", "members"), WRONG)
def test_what_is_wrong_is_said_member_by_member(merchant, settings, order, members):
    settings.IS_LOCAL = False

    errors = refused(merchant, *order)

    assert set(errors) == set(members)
    for member, words in members.items():
        assert words in errors[member][0]


def test_a_test_key_is_no_live_account_and_the_other_way_round(merchant, settings):
    settings.IS_LOCAL = False

    assert "test mode" in refused(merchant, "paystack", "test", {"PAYSTACK_SECRET_KEY": LIVE_KEY})["mode"][0]


def test_no_refusal_repeats_a_secret(merchant):
    secret = "sk_live_almost"

    assert secret not in str(refused(merchant, "paystack", "test", {"PAYSTACK_SECRET_KEY": secret}))


def test_a_local_installation_stores_no_live_account(merchant):
    errors = refused(merchant, "paystack", "live", {"PAYSTACK_SECRET_KEY": LIVE_KEY})

    assert "TILLGATE_ENV=production" in errors["mode"][0]


def test_a_live_account_cannot_be_changed_in_a_local_installation_either(merchant, settings):
    settings.IS_LOCAL = False
    account = add_account(merchant, "paystack", "live", {"PAYSTACK_SECRET_KEY": LIVE_KEY})
    settings.IS_LOCAL = True

    with pytest.raises(InvalidRequest):
        replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": LIVE_KEY + "2"})


def test_blanks_around_a_secret_are_none_of_it(other_merchant):
    add_account(other_merchant, "paystack", "test", {"PAYSTACK_SECRET_KEY": f" {KEY}\n"})

    with pytest.raises(AccountTaken):
        make_account(make_merchant(), KEY)


def test_of_each_gateway_and_mode_a_merchant_has_one(other_merchant):
    account = make_account(other_merchant)

    with pytest.raises(AccountExists, match=account.reference):
        make_account(other_merchant)


def test_a04_the_same_secret_is_nobody_elses(other_merchant):
    make_account(other_merchant, KEY)

    with pytest.raises(AccountTaken, match="PAYSTACK_SECRET_KEY"):
        make_account(make_merchant(), KEY)


def test_a04_nor_is_a_former_one(other_merchant):
    account = make_account(other_merchant, KEY)
    replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": KEY + "_next"})
    third = make_merchant()

    with pytest.raises(AccountTaken):
        make_account(third, KEY)

    forget_former(account.pk)
    assert make_account(third, KEY).hint == "shop"


def test_a04_nor_can_one_be_changed_into_anothers(other_merchant):
    make_account(other_merchant, KEY)
    mine = make_account(make_merchant(), KEY + "_mine")

    with pytest.raises(AccountTaken):
        replace_secrets(mine.pk, {"PAYSTACK_SECRET_KEY": KEY})


@pytest.mark.parametrize("former", [True, False])
def test_a04_the_environments_secret_is_the_default_merchants(merchant, other_merchant, settings, former):
    if former:
        settings.PAYSTACK_SECRET_KEY_PREVIOUS, settings.PAYSTACK_SECRET_KEY = PAYSTACK_TEST_KEY, KEY

    with pytest.raises(AccountTaken):
        make_account(other_merchant, PAYSTACK_TEST_KEY)


def test_the_default_merchants_account_may_move_from_the_environment_into_the_table(merchant):
    assert make_account(merchant, PAYSTACK_TEST_KEY).hint == "cdef"


@pytest.mark.parametrize("same", ["FLUTTERWAVE_WEBHOOK_HASH", "FLUTTERWAVE_SECRET_KEY"])
def test_a04_what_events_are_known_by_is_nobody_elses_either(merchant, other_merchant, same):
    add_account(other_merchant, "flutterwave", "test", FLUTTERWAVE)
    others = {name: value.replace("other", "first") for name, value in FLUTTERWAVE.items()}

    with pytest.raises(AccountTaken, match=same):
        add_account(merchant, "flutterwave", "test", {**others, same: FLUTTERWAVE[same]})


def test_test_and_live_mode_of_one_merchant_are_known_apart(other_merchant, settings):
    settings.IS_LOCAL = False
    add_account(other_merchant, "flutterwave", "test", FLUTTERWAVE)
    live = {**FLUTTERWAVE, "FLUTTERWAVE_SECRET_KEY": "FLWSECK-of-the-other-shop-X"}

    with pytest.raises(AccountTaken, match="FLUTTERWAVE_WEBHOOK_HASH"):
        add_account(other_merchant, "flutterwave", "live", live)


@pytest.mark.django_db(transaction=True)
def test_a04_of_two_who_store_one_secret_at_once_one_gets_it(merchant, other_merchant):
    third, together, stored = make_merchant(), threading.Barrier(2), []

    def store(owner):
        try:
            together.wait()
            stored.append(make_account(owner, KEY))
        except AccountTaken:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=store, args=(owner,)) for owner in (other_merchant, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stored) == StoredAccount.objects.count() == 1
