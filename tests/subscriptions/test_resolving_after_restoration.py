"""D-10: a person says what a lost installation came to, where no gateway could."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes import ChargingGateway, Script
from tests.several import account_of
from tests.subscriptions.lost import ABSENT, known_as, paid, restored
from tillgate.common.jobs import run_due_jobs
from tillgate.gateways import registry
from tillgate.gateways.declines import decline
from tillgate.gateways.protocol import GatewayState
from tillgate.merchants.services.own_accounts import forget_own_accounts
from tillgate.payments.errors import NotInThisState
from tillgate.payments.services.charges import confirm_lost, resolve_lost


@pytest.fixture
def attempt(diary, script):
    """A charge that the lost installation may have made, and that its gateway does not know."""
    diary.reach_due_date()
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    [attempt] = diary.attempts()
    return attempt


@pytest.fixture
def elsewhere(monkeypatch):
    """The script of a second gateway at which the merchant has an account."""
    script = Script()
    account = staticmethod(lambda values: account_of("flutterwave"))
    members = {"script": script, "name": "flutterwave", "account_from": account}
    monkeypatch.setitem(registry.GATEWAYS, "flutterwave", type("Elsewhere", (ChargingGateway,), members))
    forget_own_accounts()
    return script


def third(diary):
    """The gateway knows of the third try, and not of the first two."""
    return lambda ref: named(paid(diary)(ref), f"{diary.subscription.reference}-1-3")


def named(answer, name):
    return replace(answer, gateway_reference=name)


def test_once_a_person_has_found_that_it_was_never_made_it_is_charged_as_ever(diary, attempt):
    diary.pass_days(2)

    resolve_lost(attempt.pk)
    diary.pass_days(2)

    assert [request.gateway_reference for request in diary.requests] == [
        f"{diary.subscription.reference}-1-2"
    ]
    assert diary.cycles()[0].status == "paid"


def test_what_a_person_has_found_is_confirmed_by_the_gateway(diary, attempt, script):
    script.says("fetch_transaction", paid(diary)(attempt))

    confirm_lost(attempt.pk, "id-1")
    run_due_jobs()

    assert (diary.requests, diary.taken()) == ([], [attempt.gateway_reference])
    assert diary.cycles()[0].status == "paid"


def test_once_a_retry_was_made_since_the_next_is_made_as_ever(diary, attempt, script):
    diary.pass_days(2)
    script.says("charge_saved", diary.declined(), diary.success)
    resolve_lost(attempt.pk)

    diary.pass_days(4)

    assert [request.gateway_reference[-4:] for request in diary.requests] == ["-1-2", "-1-3"]
    assert diary.cycles()[0].status == "paid"


def test_a_later_try_of_the_lost_installation_is_what_a_person_finds(diary, attempt, script):
    script.says("fetch_transaction", third(diary)(attempt))

    confirm_lost(attempt.pk, "id-1")
    run_due_jobs()

    assert (diary.requests, diary.taken()) == ([], [f"{diary.subscription.reference}-1-3"])
    assert diary.cycles()[0].status == "paid"


def test_another_subscriptions_charge_is_none_of_them(diary, attempt, script):
    for name in (f"{diary.subscription.reference}-2-1", "SUB-OTHER-1-1", f"{attempt.gateway_reference}-1"):
        script.says("fetch_transaction", named(third(diary)(attempt), name))

        with pytest.raises(NotInThisState, match="another charge"):
            confirm_lost(attempt.pk, "id-1")
    script.says("fetch_transaction", ABSENT)
    with pytest.raises(NotInThisState, match="knows no transaction"):
        confirm_lost(attempt.pk, "id-1")

    attempt.refresh_from_db()
    assert (attempt.status, attempt.gateway_reference[-4:]) == ("unknown", "-1-1")


def test_after_a_later_try_that_was_declined_the_one_after_it_is_next(diary, attempt, script):
    failed = known_as(GatewayState.FAILED, failure=decline("insufficient_funds"))(attempt)
    script.says("fetch_transaction", named(failed, f"{diary.subscription.reference}-1-3"))

    confirm_lost(attempt.pk, "id-1")
    diary.pass_days(4)

    assert [one.gateway_reference[-4:] for one in diary.attempts()] == ["-1-3", "-1-4"]
    assert (diary.requests, diary.attempts()[-1].status) == ([], "unknown")


def test_what_was_charged_by_another_gateway_since_is_what_a_person_finds(diary, attempt, elsewhere):
    elsewhere.says("fetch_transaction", third(diary)(attempt))

    confirm_lost(attempt.pk, "id-1", gateway="flutterwave")
    run_due_jobs()

    [attempt] = diary.attempts()
    assert (attempt.gateway, attempt.gateway_reference[-4:], attempt.settles) == ("flutterwave", "-1-3", True)
    assert diary.cycles()[0].status == "paid"


@pytest.mark.parametrize("gateway", ["paystack", "flutterwave"])
def test_every_gateway_is_asked_about_later_tries_before_a_person_is_believed(
    diary, attempt, script, elsewhere, gateway
):
    diary.pass_days(2)
    known = third(diary)
    scripts = {"paystack": script, "flutterwave": elsewhere}
    elsewhere.says("fetch_payment", ABSENT)
    scripts[gateway].says(
        "fetch_payment", lambda ref: known(ref) if ref.gateway_reference[-1] == "3" else ABSENT
    )

    with pytest.raises(NotInThisState, match=f"{gateway} knows .*-1-3, and says succeeded"):
        resolve_lost(attempt.pk)
    run_due_jobs()

    assert (diary.requests, diary.taken()) == ([], [f"{diary.subscription.reference}-1-3"])
    assert diary.cycles()[0].status == "paid"


def test_the_day_until_a_person_is_asked_begins_when_the_lost_installation_may_have_stopped(diary, script):
    diary.reach_due_date()
    restored(ago=timedelta(days=3))
    script.says("fetch_payment", ABSENT)
    diary.look()

    with pytest.raises(NotInThisState, match="less than a day ago"):
        resolve_lost(diary.attempts()[0].pk)
