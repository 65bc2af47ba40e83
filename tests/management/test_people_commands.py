"""The commands about keys and staff, and the line that each leaves."""

from datetime import timedelta

import pytest
from django.core.management import CommandError

from tests.builders import make_merchant, make_user
from tests.management.test_commands import run
from tillgate.common import clock
from tillgate.merchants.models import ApiKey, AuditEntry, Membership
from tillgate.merchants.services.keys import create_api_key, find_api_key


def _lines():
    return [(line.actor_kind, line.actor, line.action) for line in AuditEntry.objects.order_by("pk")]


def test_a_key_is_made_as_asked_for(merchant):
    words = ["--mode", "live", "--scopes", "create, read", "--name", "Till", "--expires-in-days", "90"]

    key = find_api_key(run("create_key", *words).strip())

    assert (key.mode, key.scopes, key.name) == ("live", ["create", "read"], "Till")
    assert key.expires_at == key.created_at + timedelta(days=90)
    assert _lines() == [("command", "create-key", "key.created")]


def test_without_a_word_a_key_may_do_everything_in_test_mode(merchant):
    key = find_api_key(run("create_key").strip())

    assert (key.mode, key.scopes, key.expires_at) == ("test", ["admin", "create", "read", "refund"], None)


def test_a_publishable_key_is_made(merchant):
    assert run("create_key", "--publishable").startswith("pk_test_")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--scopes", "everything"], "is no scope; there are create"),
        (["--scopes", "today"], "is no scope"),
        (["--scopes", ""], "is no scope"),
        (["--expires-in-days", "0"], "1 to 3650 days"),
        (["--expires-in-days", "99999999999"], "1 to 3650 days"),
    ],
)
def test_what_is_no_key_is_refused(merchant, words, says):
    with pytest.raises(CommandError, match=says):
        run("create_key", *words)

    assert not ApiKey.objects.exists()


def test_keys_are_listed_without_their_secrets(merchant):
    secret = run("create_key", "--name", "Till").strip()
    ended = create_api_key(make_merchant(), "test")

    listed = run("list_keys")

    assert secret[:12] in listed
    assert "Till" in listed
    assert "never used" in listed
    assert secret not in listed
    assert ended[:12] not in listed


def test_keys_of_another_merchant_are_listed_by_its_id(merchant):
    other = make_merchant()
    secret = create_api_key(other, "live")
    run("revoke_key", secret)

    assert f"{secret[:12]}…" in run("list_keys", "--merchant", other.reference)
    assert "ended" in run("list_keys", "--merchant", other.reference)
    assert "There is none" in run("list_keys")
    with pytest.raises(CommandError, match="no merchant"):
        run("list_keys", "--merchant", "MER-1")


def test_a_key_is_rotated_with_an_overlap(merchant):
    old = create_api_key(merchant, "test")

    new = run("rotate_key", old[:12], "--overlap-hours", "1").strip()

    assert find_api_key(old).merchant == find_api_key(new).merchant
    clock.advance(3_601)
    assert (find_api_key(old), find_api_key(new).mode) == (None, "test")
    assert _lines() == [("command", "rotate-key", "key.rotated")]


@pytest.mark.parametrize("words", [["KEY-1"], ["sk_test_none"], ["sk_test"], ["KEY-" + "0" * 26]])
def test_only_a_key_in_use_is_rotated(merchant, words):
    with pytest.raises(CommandError):
        run("rotate_key", *words)


@pytest.mark.parametrize("hours", ["-1", "721"])
def test_the_overlap_is_up_to_thirty_days(merchant, hours):
    with pytest.raises(CommandError, match="0 to 720 hours"):
        run("rotate_key", create_api_key(merchant, "test"), f"--overlap-hours={hours}")


def test_of_two_keys_that_begin_alike_neither_is_rotated_by_its_beginning(merchant):
    first, second = create_api_key(merchant, "test"), create_api_key(merchant, "test")
    ApiKey.objects.update(prefix=first[:12])

    with pytest.raises(CommandError, match="name one by its id"):
        run("rotate_key", first)
    assert find_api_key(second).expires_at is None


def test_a_key_is_revoked_by_its_id_too(merchant):
    secret = create_api_key(merchant, "test")

    run("revoke_key", ApiKey.objects.get().reference)

    assert find_api_key(secret) is None
    assert _lines() == [("command", "revoke-key", "key.revoked")]


def test_the_first_owner_comes_by_a_command(merchant):
    make_user("ada")

    told = run("add_staff", "Ada", "--role", "owner")

    assert f"ada is owner of My shop ({merchant.reference})" in told
    assert Membership.objects.get().merchant == merchant
    assert _lines() == [("command", "add-staff", "staff.added")]


def test_staff_of_another_merchant_are_added_by_its_id_and_by_a_confirmed_email(merchant):
    make_user("ada")
    other = make_merchant()

    run("add_staff", "ada@example.com", "--role", "auditor", "--merchant", other.reference)

    assert Membership.objects.get().merchant == other


def test_who_has_no_account_is_not_added(merchant):
    with pytest.raises(CommandError, match="sign up"):
        run("add_staff", "nobody", "--role", "owner")


def test_staff_are_removed_but_never_the_last_owner(merchant):
    for name, role in (("ada", "owner"), ("bob", "cashier")):
        make_user(name)
        run("add_staff", name, "--role", role)

    run("remove_staff", "BOB")
    with pytest.raises(CommandError, match="Nobody else owns"):
        run("remove_staff", "ada")
    with pytest.raises(CommandError, match="does not work"):
        run("remove_staff", "bob")

    assert [membership.user.username for membership in Membership.objects.all()] == ["ada"]
    assert _lines()[-1] == ("command", "remove-staff", "staff.removed")
    assert AuditEntry.objects.last().data == {"username": "bob", "was": "cashier"}


@pytest.mark.parametrize(
    ("words", "command", "action"),
    [
        (["set_zone", "Africa/Nairobi"], "set-zone", "merchant.changed"),
        (["set_country", "GH"], "set-country", "merchant.changed"),
        (["rename_merchant", "Books"], "rename-merchant", "merchant.changed"),
        (["gateway_rules", "add", "exclude", "paystack"], "gateway-rules", "merchant.rule_added"),
        (["gateway_rules", "clear"], "gateway-rules", "merchant.rules_cleared"),
    ],
)
def test_s34_what_changes_a_shop_leaves_a_line(merchant, words, command, action):
    run(*words)

    assert _lines() == [("command", command, action)]
    assert AuditEntry.objects.get().subject == merchant.reference


@pytest.mark.django_db
def test_the_first_key_of_an_installation_stands_in_the_trail():
    run("prepare", "--show-key")

    assert _lines() == [("command", "prepare", "key.created")]
