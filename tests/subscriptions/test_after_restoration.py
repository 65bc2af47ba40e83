"""D-10: a backup was restored, and the gateways know more of recurring payments than we do."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from tests.fakes import ChargingGateway, RepeatingChargesGateway, Script
from tests.several import account_of
from tests.subscriptions.diary import DAY_S, charging
from tillgate.common import clock, restoration
from tillgate.common.jobs import run_due_jobs
from tillgate.common.models import Restoration
from tillgate.gateways import registry
from tillgate.gateways.declines import decline
from tillgate.gateways.errors import GatewayUnknown
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.merchants.services.own_accounts import forget_own_accounts
from tillgate.money import Money
from tillgate.payments.errors import NotInThisState
from tillgate.payments.services.charges import confirm_lost, resolve_lost
from tillgate.payments.services.verify import waiting_for_a_person
from tillgate.subscriptions.jobs import open_cycles
from tillgate.subscriptions.services import audit
from tillgate.subscriptions.services.charge import charge_cycle, queue_due_tries

ABSENT = PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference="")
HOUR = timedelta(hours=1)


class Killed(BaseException):
    """The process is gone: nothing catches it."""


def restored(*, ago=HOUR, ran_until=None, released=True):
    """A backup was made `ago`, and is restored now."""
    now = clock.now()
    Restoration.objects.create(
        backed_up_at=now - ago, ran_until=ran_until or now, released_at=now if released else None
    )
    restoration.forget()


def reach_due_date(diary):
    clock.advance(round((diary.subscription.next_opens_at - clock.now()).total_seconds()) + 60)


def killed(attempt):
    raise Killed


def known_as(state, **fields):
    """What the gateway says of the charge that was made before the database was lost."""

    def answer(attempt):
        reference = attempt.gateway_reference
        return PaymentSnapshot(
            state=state, gateway_reference=reference, gateway_id="id-1", mode="test", channel="card", **fields
        )

    return answer


def paid(diary):
    return known_as(GatewayState.SUCCEEDED, amount=Money(diary.subscription.amount_minor, "NGN"))


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


def test_nothing_is_charged_until_a_person_has_looked(diary):
    restored(released=False)
    reach_due_date(diary)

    diary.look()
    open_cycles.call()
    diary.pass_hours(3)

    assert (diary.requests, diary.attempts()) == ([], [])
    assert any("./run release-charges" in sentence for sentence in audit.waiting_for_a_person())


def test_once_released_what_fell_due_later_is_charged(diary):
    restored(released=False)
    reach_due_date(diary)
    diary.look()

    restoration.release()
    diary.pass_hours(1)

    assert len(diary.requests) == 1
    assert diary.cycles()[0].status == "paid"


def test_what_fell_due_before_is_asked_about_and_not_charged_again(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", paid(diary))

    diary.look()

    assert diary.requests == []
    assert diary.taken() == [f"{diary.subscription.reference}-1-1"]
    assert diary.cycles()[0].status == "paid"


@pytest.mark.parametrize("adapter", [ChargingGateway, RepeatingChargesGateway])
def test_what_the_gateway_does_not_know_is_not_sent_but_waits_for_a_person(
    diary, script, monkeypatch, adapter
):
    monkeypatch.setitem(registry.GATEWAYS, "paystack", charging(script, adapter))
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)

    diary.look()
    diary.pass_days(2)

    assert diary.requests == []
    assert any("resolve-charge" in sentence for sentence in waiting_for_a_person())


def test_once_a_person_has_found_that_it_was_never_made_it_is_charged_as_ever(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    diary.pass_days(2)

    resolve_lost(diary.attempts()[0].pk)
    diary.pass_days(2)

    assert [request.gateway_reference for request in diary.requests] == [
        f"{diary.subscription.reference}-1-2"
    ]
    assert diary.cycles()[0].status == "paid"


def test_what_a_person_has_found_is_confirmed_by_the_gateway(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    attempt = diary.attempts()[0]
    script.says("fetch_transaction", paid(diary)(attempt))

    confirm_lost(attempt.pk, "id-1")
    run_due_jobs()

    assert (diary.requests, diary.taken()) == ([], [attempt.gateway_reference])
    assert diary.cycles()[0].status == "paid"


def test_a_lost_charge_of_before_the_backup_is_not_sent_again(diary, script):
    script.says("charge_saved", diary.lost(GatewayUnknown("no answer")))
    script.says("fetch_payment", ABSENT)
    reach_due_date(diary)
    diary.look()
    restored()

    diary.pass_days(2)

    assert len(diary.requests) == 1


def test_after_a_decline_that_was_lost_the_next_try_may_have_been_made_too(diary, script):
    reach_due_date(diary)
    restored()
    failure = decline("insufficient_funds")
    script.says("fetch_payment", known_as(GatewayState.FAILED, failure=failure), ABSENT)

    diary.pass_days(4)

    assert diary.requests == []
    assert [attempt.status for attempt in diary.attempts()] == ["failed", "unknown"]
    script.says("fetch_payment", paid(diary))
    diary.pass_days(1)
    assert diary.taken() == [f"{diary.subscription.reference}-1-2"]


@pytest.mark.parametrize("ran_on", [False, True])
def test_a_retry_is_made_as_ever_only_where_the_old_installation_had_stopped(diary, script, ran_on):
    """One that ran on may have made it earlier than planned, for a customer who changed the card."""
    script.says("charge_saved", diary.declined(), diary.success)
    script.says("fetch_payment", ABSENT)
    reach_due_date(diary)
    diary.look()
    restored(ago=timedelta(minutes=1), released=False)
    if ran_on:
        restoration.release()
    else:
        call_command("release_charges", "--yes", "--stopped-before", stdout=StringIO())

    diary.pass_days(3)

    made = [request.gateway_reference[-4:] for request in diary.requests]
    assert made == (["-1-1"] if ran_on else ["-1-1", "-1-2"])
    assert diary.attempts()[-1].status == ("unknown" if ran_on else "succeeded")


def test_once_a_retry_was_made_since_the_next_is_made_as_ever(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    diary.pass_days(2)
    script.says("charge_saved", diary.declined(), diary.success)
    resolve_lost(diary.attempts()[0].pk)

    diary.pass_days(4)

    assert [request.gateway_reference[-4:] for request in diary.requests] == ["-1-2", "-1-3"]
    assert diary.cycles()[0].status == "paid"


def test_a_later_try_of_the_lost_installation_is_what_a_person_finds(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    attempt = diary.attempts()[0]
    script.says("fetch_transaction", third(diary)(attempt))

    confirm_lost(attempt.pk, "id-1")
    run_due_jobs()

    assert (diary.requests, diary.taken()) == ([], [f"{diary.subscription.reference}-1-3"])
    assert diary.cycles()[0].status == "paid"


def test_another_subscriptions_charge_is_none_of_them(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    [attempt] = diary.attempts()
    for name in (f"{diary.subscription.reference}-2-1", "SUB-OTHER-1-1", f"{attempt.gateway_reference}-1"):
        script.says("fetch_transaction", named(third(diary)(attempt), name))

        with pytest.raises(NotInThisState, match="another charge"):
            confirm_lost(attempt.pk, "id-1")
    script.says("fetch_transaction", ABSENT)
    with pytest.raises(NotInThisState, match="knows no transaction"):
        confirm_lost(attempt.pk, "id-1")

    attempt.refresh_from_db()
    assert (attempt.status, attempt.gateway_reference[-4:]) == ("unknown", "-1-1")


def test_a_gateway_that_can_be_asked_is_asked_about_later_tries_before_a_person_is_believed(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    diary.pass_days(2)
    known = third(diary)
    script.says("fetch_payment", lambda ref: known(ref) if ref.gateway_reference[-1] == "3" else ABSENT)

    with pytest.raises(NotInThisState, match="-1-3, and says succeeded"):
        resolve_lost(diary.attempts()[0].pk)
    run_due_jobs()

    assert (diary.requests, diary.taken()) == ([], [f"{diary.subscription.reference}-1-3"])
    assert diary.cycles()[0].status == "paid"


def test_after_a_later_try_that_was_declined_the_one_after_it_is_next(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    attempt = diary.attempts()[0]
    failed = known_as(GatewayState.FAILED, failure=decline("insufficient_funds"))(attempt)
    script.says("fetch_transaction", named(failed, f"{diary.subscription.reference}-1-3"))

    confirm_lost(attempt.pk, "id-1")
    diary.pass_days(4)

    assert [one.gateway_reference[-4:] for one in diary.attempts()] == ["-1-3", "-1-4"]
    assert (diary.requests, diary.attempts()[-1].status) == ([], "unknown")


def test_a_decline_for_good_that_was_lost_leads_to_the_next_try_and_not_to_the_customer(diary, script):
    """They may have changed the card, and been charged by it."""
    reach_due_date(diary)
    restored()
    failure = decline("lost_or_stolen")
    declined = known_as(GatewayState.FAILED, failure=failure)
    known = {"1": declined, "2": lambda ref: replace(paid(diary)(ref), gateway_id="id-2")}
    script.says("fetch_payment", lambda ref: known[ref.gateway_reference[-1]](ref))

    diary.look()
    diary.pass_hours(1)

    assert (diary.requests, diary.taken()) == ([], [f"{diary.subscription.reference}-1-2"])
    assert diary.cycles()[0].status == "paid"
    assert diary.status() == "active"


def test_what_was_charged_by_another_gateway_since_is_what_a_person_finds(diary, script, elsewhere):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    attempt = diary.attempts()[0]
    elsewhere.says("fetch_transaction", third(diary)(attempt))

    confirm_lost(attempt.pk, "id-1", gateway="flutterwave")
    run_due_jobs()

    [attempt] = diary.attempts()
    assert (attempt.gateway, attempt.gateway_reference[-4:], attempt.settles) == ("flutterwave", "-1-3", True)
    assert diary.cycles()[0].status == "paid"


def test_every_gateway_is_asked_before_a_person_is_believed(diary, script, elsewhere):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    diary.pass_days(2)
    known = third(diary)
    elsewhere.says("fetch_payment", lambda ref: known(ref) if ref.gateway_reference[-1] == "3" else ABSENT)

    with pytest.raises(NotInThisState, match="flutterwave knows"):
        resolve_lost(diary.attempts()[0].pk)
    run_due_jobs()

    assert diary.requests == []
    assert diary.cycles()[0].status == "paid"


def test_the_day_until_a_person_is_asked_begins_when_the_lost_installation_may_have_stopped(diary, script):
    reach_due_date(diary)
    restored(ago=timedelta(days=3))
    script.says("fetch_payment", ABSENT)
    diary.look()

    with pytest.raises(NotInThisState, match="less than a day ago"):
        resolve_lost(diary.attempts()[0].pk)


def test_a_retry_that_was_queued_when_the_backup_was_made_is_asked_about_after_the_hold(diary, script):
    script.says("charge_saved", diary.declined(), diary.success)
    reach_due_date(diary)
    diary.look()
    clock.advance(2 * DAY_S)
    queue_due_tries()
    restored(released=False)
    script.says("fetch_payment", paid(diary))

    diary.look()
    restoration.release()
    diary.look()

    assert [request.gateway_reference[-4:] for request in diary.requests] == ["-1-1"]
    assert diary.taken() == [f"{diary.subscription.reference}-1-2"]


def test_no_cycle_of_the_gap_is_skipped_so_that_none_is_charged_beyond_what_was_agreed(
    monthly, script, settings
):
    diary = monthly(interval="daily", cycles=4, cycles_left=3)
    made_at = clock.now()
    clock.advance(round(2.6 * DAY_S))
    Restoration.objects.create(backed_up_at=made_at, ran_until=clock.now(), released_at=clock.now())
    restoration.forget()
    script.says("fetch_payment", paid(diary))

    diary.pass_days(6)

    assert [attempt.gateway_reference[-4:] for attempt in diary.attempts()] == ["-1-1", "-2-1", "-3-1"]
    assert len(diary.requests) == 1


def test_of_several_restorations_the_earliest_backup_says_since_when(diary, script):
    reach_due_date(diary)
    restored(ago=timedelta(hours=8))
    first = Restoration.objects.get().backed_up_at
    clock.advance(3_600)
    restored(ago=timedelta(minutes=5))

    known = restoration.missed(diary.subscription.next_opens_at)

    assert known.backed_up_at == first


def test_a_worker_that_outlives_the_database_learns_of_the_restoration(diary, monkeypatch):
    assert not restoration.is_holding()
    Restoration.objects.create(backed_up_at=clock.now(), ran_until=clock.now())

    monkeypatch.setattr(restoration, "_read_at", restoration._read_at - restoration.REREAD_S)

    assert restoration.is_holding()


def test_what_fell_due_after_the_loss_is_just_charged(diary):
    reach_due_date(diary)
    restored(ran_until=clock.now() - timedelta(minutes=30))

    diary.look()

    assert len(diary.requests) == 1


def test_a_worker_that_dies_before_it_asked_asks_and_does_not_charge(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", killed)
    with pytest.raises(Killed):
        diary.look()
    script.says("fetch_payment", paid(diary))

    charge_cycle(diary.cycles()[0].pk, 1)

    assert diary.requests == []
    assert len(diary.taken()) == 1
