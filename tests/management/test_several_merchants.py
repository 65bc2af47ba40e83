"""The commands by which an operator runs several businesses on one installation."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.builders import make_account, make_attempt, make_payment
from tests.environment import PAYSTACK_TEST_KEY
from tillgate.merchants.models import AuditEntry, Merchant, StoredAccount
from tillgate.merchants.services.accounts import account_for
from tillgate.merchants.services.keys import find_api_key
from tillgate.merchants.services.own_accounts import secrets_of
from tillgate.merchants.services.rules import rules_of

KEY, NEXT_KEY = "sk_test_of_the_other_shop", "sk_test_of_the_other_shop_next"


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


def set_account(monkeypatch, *words: str, **secrets: str) -> str:
    for name, value in secrets.items():
        monkeypatch.setenv(f"MERCHANT_{name}", value)
    return run("set_gateway_account", *words)


def test_a_business_is_made_with_its_first_key(merchant):
    told = run("create_merchant", " Ọjà Books ", "--zone", "Africa/Nairobi")

    made = Merchant.objects.get(is_default=False)
    assert (made.name, made.zone) == ("Ọjà Books", "Africa/Nairobi")
    assert told.split()[0] == made.reference
    key = find_api_key(told.split()[-1])
    assert key is not None
    assert (key.merchant, key.mode) == (made, "test")
    assert AuditEntry.objects.get().action == "merchant.created"


@pytest.mark.parametrize("words", [("",), ("x" * 121,), ("Shop", "--zone", "Lagos")])
def test_what_is_no_business_is_refused(merchant, words):
    with pytest.raises(CommandError):
        run("create_merchant", *words)

    assert Merchant.objects.count() == 1


def test_the_businesses_are_listed_with_their_accounts_and_no_secret(merchant, other_merchant):
    make_account(other_merchant, KEY)
    empty = run("create_merchant", "Empty").split()[0]

    lines = run("list_merchants").splitlines()

    assert lines == [
        f"{merchant.reference}  My shop (default): paystack test …{PAYSTACK_TEST_KEY[-4:]}",
        f"{other_merchant.reference}  Another shop: paystack test …shop",
        f"{empty}  Empty: no gateway account",
    ]


def test_an_account_is_set_from_the_environment(other_merchant, monkeypatch):
    told = set_account(
        monkeypatch, "paystack", "--merchant", other_merchant.reference, PAYSTACK_SECRET_KEY=KEY
    )

    assert "is paid at paystack test …shop" in told
    assert KEY not in told
    assert account_for(other_merchant, "paystack", "test").credentials["secret_key"] == KEY
    assert AuditEntry.objects.get().action == "gateway_account.created"


def test_a_secret_may_be_in_a_file(other_merchant, monkeypatch, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("MERCHANT_PAYSTACK_SECRET_KEY_FILE", str(tmp_path / "key"))

    run("set_gateway_account", "paystack", "--merchant", other_merchant.reference)

    assert secrets_of(StoredAccount.objects.get()) == {"PAYSTACK_SECRET_KEY": KEY}


def test_setting_it_again_replaces_the_secrets(other_merchant, monkeypatch):
    words = ("paystack", "--merchant", other_merchant.reference)
    set_account(monkeypatch, *words, PAYSTACK_SECRET_KEY=KEY)

    told = set_account(monkeypatch, *words, PAYSTACK_SECRET_KEY=NEXT_KEY)

    assert "former secrets are heard" in told
    assert secrets_of(StoredAccount.objects.get()) == {"PAYSTACK_SECRET_KEY": NEXT_KEY}


def test_while_money_is_on_its_way_it_has_to_be_the_same_account(other_merchant, monkeypatch):
    words = ("paystack", "--merchant", other_merchant.reference)
    set_account(monkeypatch, *words, PAYSTACK_SECRET_KEY=KEY)
    make_attempt(make_payment(other_merchant))

    with pytest.raises(CommandError, match="still needed for 1 open tries"):
        set_account(monkeypatch, *words, PAYSTACK_SECRET_KEY=NEXT_KEY)
    assert secrets_of(StoredAccount.objects.get()) == {"PAYSTACK_SECRET_KEY": KEY}

    set_account(monkeypatch, *words, "--same-account", PAYSTACK_SECRET_KEY=NEXT_KEY)
    assert secrets_of(StoredAccount.objects.get()) == {"PAYSTACK_SECRET_KEY": NEXT_KEY}


@pytest.mark.parametrize(
    ("secret", "words"),
    [("changeme", "not a secret key"), (PAYSTACK_TEST_KEY, "that of another account"), ("", "Set MERCHANT_")],
)
def test_what_cannot_be_an_account_is_refused(other_merchant, monkeypatch, secret, words):
    with pytest.raises(CommandError, match=words):
        set_account(
            monkeypatch, "paystack", "--merchant", other_merchant.reference, PAYSTACK_SECRET_KEY=secret
        )

    assert not StoredAccount.objects.exists()


def test_the_installations_own_secrets_are_nobody_elses(other_merchant, monkeypatch):
    monkeypatch.setenv("PAYSTACK_SECRET_KEY", KEY)

    with pytest.raises(CommandError, match="MERCHANT_PAYSTACK_SECRET_KEY"):
        run("set_gateway_account", "paystack", "--merchant", other_merchant.reference)


def test_for_the_default_merchant_it_is_said_what_comes_first(merchant, monkeypatch):
    assert "comes first" in set_account(monkeypatch, "paystack", PAYSTACK_SECRET_KEY=KEY)


def test_each_command_acts_for_the_business_that_is_named(merchant, other_merchant):
    whose = ("--merchant", other_merchant.reference)
    run("rename_merchant", "Renamed", *whose)
    run("set_country", "GH", *whose)
    run("set_zone", "Africa/Accra", *whose)
    run("gateway_rules", "add", "prefer", "paystack", *whose)
    secret = run("create_key", *whose).strip()

    other_merchant.refresh_from_db()
    assert (other_merchant.name, other_merchant.country, other_merchant.zone) == (
        "Renamed",
        "GH",
        "Africa/Accra",
    )
    assert list(map(str, rules_of(other_merchant))) == ["prefer paystack"]
    assert run("gateway_rules", *whose, "list") == run("gateway_rules", "list", *whose) == "prefer paystack\n"
    key = find_api_key(secret)
    assert key is not None
    assert key.merchant == other_merchant
    merchant.refresh_from_db()
    assert (merchant.name, merchant.country, merchant.zone) == ("My shop", "", "Africa/Lagos")
    assert rules_of(merchant) == ()


@pytest.mark.parametrize(
    "words",
    [
        ("create_key",),
        ("rename_merchant", "x"),
        ("set_country", "GH"),
        ("set_zone", "Africa/Accra"),
        ("gateway_rules", "list"),
        ("import_subscriptions", "paystack"),
        ("set_gateway_account", "paystack"),
    ],
    ids=lambda words: words[0],
)
def test_a_business_that_is_not_there_is_refused(merchant, words):
    with pytest.raises(CommandError, match="list-merchants"):
        run(*words, "--merchant", "MER-NOBODY")


def test_import_subscriptions_asks_the_account_of_the_business_that_is_named(merchant, other_merchant):
    with pytest.raises(CommandError, match="Another shop has no test account at paystack"):
        run("import_subscriptions", "paystack", "--merchant", other_merchant.reference)


def test_rotation_covers_stored_accounts(other_merchant, settings):
    make_account(other_merchant, KEY)
    assert "Gateway accounts encrypted with the first key: 1." in run("rotate_encryption")

    settings.TILLGATE_ENCRYPTION_KEYS = ("dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW90aGU=",)
    with pytest.raises(CommandError, match="Gateway accounts: 1 more"):
        run("rotate_encryption")
