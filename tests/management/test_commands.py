"""The commands of an operator, as `./run COMMAND` calls them."""

import re
from io import StringIO

import pyotp
import pytest
from django.core.management import CommandError, call_command

from tests.builders import make_attempt, make_payment, make_user
from tillgate.common import clock
from tillgate.common.jobs.models import Job
from tillgate.merchants.models import ApiKey, Merchant
from tillgate.merchants.services.keys import create_api_key, find_api_key
from tillgate.merchants.services.logins import Device, start_login
from tillgate.merchants.services.totp import begin_otp, confirm_otp


def run(*words):
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.django_db
def test_prepare_makes_merchant_and_key_once_and_shows_the_key_once():
    assert run("prepare").endswith("create-key --mode test\n")
    first, again = run("prepare", "--show-key"), run("prepare", "--show-key")

    assert find_api_key(first.split()[-1]).merchant == Merchant.objects.get(is_default=True)
    assert first.split()[-1].startswith("sk_test_")
    assert again == ""


def test_a_revoked_key_opens_nothing_more(merchant):
    secret, other = create_api_key(merchant, "test"), create_api_key(merchant, "live")

    run("revoke_key", secret)

    assert find_api_key(secret) is None
    assert find_api_key(other) is not None
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("prefix", ["sk_test_", "sk_test_nobodys"])
def test_only_a_key_in_use_is_revoked(merchant, prefix):
    with pytest.raises(CommandError):
        run("revoke_key", prefix)


def test_a_merchant_gets_the_name_that_customers_see(merchant):
    run("rename_merchant", "Ọjà Books")

    merchant.refresh_from_db()
    assert merchant.name == "Ọjà Books"


def test_fees_follow_the_country_that_is_set(merchant):
    run("set_country", "GH")

    merchant.refresh_from_db()
    assert merchant.country == "GH"


@pytest.mark.parametrize("country", ["Ghana", "gh", "G", "233"])
def test_what_is_no_country_is_refused(merchant, country):
    with pytest.raises(CommandError, match="ISO 3166"):
        run("set_country", country)


def test_due_dates_follow_the_zone_that_is_set(merchant):
    assert merchant.zone == "Africa/Lagos"
    assert "Africa/Nairobi" in run("set_zone", "Africa/Nairobi")

    merchant.refresh_from_db()
    assert merchant.zone == "Africa/Nairobi"


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("lagos", "Is it Africa/Lagos?"),
        ("Africa/Lagoss", "Is it Africa/Lagos"),
        ("new york", "Is it America/New_York?"),
        ("Poseidonis", "Send a name such as"),
        ("", "Send a name such as"),
        ("localtime", "Send a name such as"),
        ("../../etc/passwd", "Send a name such as"),
    ],
)
def test_what_is_no_zone_is_refused_with_a_hint(merchant, zone, hint):
    with pytest.raises(CommandError, match=re.escape(hint)):
        run("set_zone", zone)

    merchant.refresh_from_db()
    assert merchant.zone == "Africa/Lagos"


def test_the_clock_is_moved_in_a_local_installation_only(merchant, settings):
    before = clock.now()
    run("advance_clock", "3600")
    assert (clock.now() - before).total_seconds() > 3_599

    settings.IS_LOCAL = False
    with pytest.raises(CommandError, match="production"):
        run("advance_clock", "1")


def test_what_was_given_up_is_listed_and_can_be_revived(merchant):
    now = clock.now()
    Job.objects.create(task="x.y", status="dead", run_at=now, attempts=3, max_attempts=3, created_at=now)

    listed, revived = run("verify_ledger"), run("revive_jobs")

    assert "x.y" in listed
    assert revived == "1 of 1 jobs are queued again.\n"
    assert Job.objects.get().status == "queued"


def test_a_gateway_that_gives_no_usable_answer_is_told_to_a_person(merchant):
    attempt = make_attempt(make_payment(merchant), silences=5)

    assert f"{attempt.reference}: paystack gave no usable answer 5 times" in run("verify_ledger")


def test_money_taken_back_after_it_settled_is_told_to_a_person(merchant):
    paid = make_payment(merchant, status="completed", completed_at=clock.now(), received_minor=5_000)
    attempt = make_attempt(
        paid,
        status="succeeded",
        settles=True,
        gateway_id="7",
        received_minor=5_000,
        received_currency="NGN",
        verified_at=clock.now(),
        reversed_at=clock.now(),
    )

    out = StringIO()
    with pytest.raises(CommandError):  # Its ledger entry is missing here, which is a broken rule.
        call_command("verify_ledger", stdout=out, stderr=StringIO())
    assert f"{attempt.reference}: paystack took the money back" in out.getvalue()


@pytest.mark.parametrize("name", ["ada", "ADA", "ada@example.com"])
def test_somebody_is_let_out_and_in_again(merchant, name):
    ada = make_user("ada")
    login = start_login(ada, Device())

    told = run("disable_user", name)

    ada.refresh_from_db()
    login.refresh_from_db()
    assert (ada.is_active, login.end_reason, told) == (False, "disabled", "ada may not sign in any more.\n")
    assert run("disable_user", name, "--enable") == "ada may sign in again.\n"
    ada.refresh_from_db()
    assert ada.is_active


def test_a_lost_second_factor_is_taken_away(merchant):
    ada = make_user("ada")
    confirm_otp(ada.pk, pyotp.TOTP(begin_otp(ada.pk)[0]).now())

    assert run("remove_otp", "ada") == "ada signs in with the password alone.\n"

    ada.refresh_from_db()
    assert not ada.has_otp


@pytest.mark.parametrize("command", ["disable_user", "remove_otp"])
def test_a_name_that_nobody_has_is_told(merchant, command):
    with pytest.raises(CommandError, match="No account is called 'nobody'"):
        run(command, "nobody")
