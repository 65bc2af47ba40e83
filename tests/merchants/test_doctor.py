"""What the doctor says of gateways, encryption keys, owners and API keys."""

import pytest

from tests.builders import make_account, make_ill, make_merchant, make_staff, make_user
from tillgate.common import clock
from tillgate.common.crypto import encrypt
from tillgate.merchants import doctor, metrics
from tillgate.merchants.models import ApiKey, Merchant, StoredAccount, User
from tillgate.merchants.services.keys import create_api_key
from tillgate.merchants.services.own_accounts import forget_own_accounts

LIVE = "sk_live_not_a_real_key_0123456789abcdef"


def found(examination):
    return [(finding.verdict.value, finding.seen) for finding in examination()]


def verdicts(examination):
    return [verdict for verdict, _ in found(examination)]


def test_the_gateways_of_each_mode_are_named_without_their_keys(merchant, settings):
    ((verdict, seen),) = found(doctor.accounts)

    assert (verdict, seen) == ("ok", "live: none; test: paystack.")
    assert settings.PAYSTACK_SECRET_KEY[-4:] not in seen


def test_production_with_test_keys_only_is_to_be_looked_at(merchant, settings):
    settings.IS_LOCAL = False
    assert verdicts(doctor.accounts) == ["look at it"]

    settings.PAYSTACK_SECRET_KEY = LIVE
    assert found(doctor.accounts) == [("ok", "live: paystack; test: none.")]


def test_without_any_account_no_payment_can_be_made(merchant, settings):
    settings.PAYSTACK_SECRET_KEY = ""

    assert verdicts(doctor.accounts) == ["broken"]


@pytest.mark.django_db
def test_before_the_first_business_there_is_nothing_to_be_paid():
    assert verdicts(doctor.accounts) == ["broken"]
    assert doctor.accounts_in_use() == set()
    assert [figure.samples for figure in metrics.gateways()] == [{}]


def test_other_businesses_are_counted_and_not_named(merchant):
    make_account(make_merchant(name="Nosy Books"))
    make_merchant(name="Poor Books")

    _, (verdict, seen) = found(doctor.accounts)
    assert (verdict, seen) == ("ok", "2 other businesses are here, 1 with gateway accounts of their own.")


def test_a_gateway_that_rests_is_told_of_and_counted(merchant):
    assert found(doctor.resting) == []
    assert [figure.samples for figure in metrics.gateways()] == [{("paystack", "test"): 0}]

    make_ill("paystack", merchant)
    make_ill("paystack", make_merchant())

    assert found(doctor.resting) == [
        ("look at it", "paystack (test) rests for 2 businesses: it failed several times.")
    ]
    assert [figure.samples for figure in metrics.gateways()] == [{("paystack", "test"): 2}]


def test_stored_secrets_are_opened_and_never_shown(merchant):
    make_account(merchant, "sk_test_the_secret_of_this_shop")

    assert found(doctor.encryption) == [("ok", "TILLGATE_ENCRYPTION_KEYS opens stored gateway accounts.")]


def test_secrets_whose_key_is_gone_are_broken(merchant, settings):
    make_account(merchant)
    make_user(totp_secret=encrypt("ABCDEFGH"))
    settings.TILLGATE_ENCRYPTION_KEYS = ("b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLW9ubHk=",)
    forget_own_accounts()

    assert verdicts(doctor.encryption) == ["broken", "broken"]
    first, second = doctor.encryption()
    assert "1 of 1 stored gateway accounts cannot be opened" in first.seen
    assert "./run rotate-encryption" in second.fix


def test_where_nothing_is_stored_nothing_is_said(merchant):
    assert not StoredAccount.objects.exists()
    assert found(doctor.encryption) == []


def test_a_business_without_owner_or_key_is_to_be_looked_at(merchant):
    assert verdicts(doctor.people) == ["look at it", "look at it"]

    make_staff(merchant, "owner")
    create_api_key(merchant, "test")
    assert found(doctor.people) == [
        ("ok", "1 owns the installation's own business, 0 more work for it."),
        ("ok", "1 secret key is in use."),
    ]


def test_keys_and_people_of_others_and_those_that_ended_do_not_count(merchant):
    other = make_merchant()
    make_staff(other, "owner")
    create_api_key(other, "test")
    create_api_key(merchant, "test")
    ApiKey.objects.filter(merchant=merchant).update(expires_at=clock.now())
    make_staff(merchant, "owner", "left")
    User.objects.filter(username="left").update(is_active=False)

    assert Merchant.objects.count() == 2
    assert verdicts(doctor.people) == ["look at it", "look at it"]
