"""D-10: a backup was restored, and the gateways know more of recurring payments than we do."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from tests.fakes import ChargingGateway, RepeatingChargesGateway
from tests.subscriptions.diary import DAY_S, charging
from tests.subscriptions.lost import ABSENT, known_as, paid, restored
from tillgate.common import clock, restoration
from tillgate.common.models import Restoration
from tillgate.gateways import registry
from tillgate.gateways.declines import decline
from tillgate.gateways.errors import GatewayUnknown
from tillgate.gateways.protocol import GatewayState
from tillgate.payments.services.verify import waiting_for_a_person
from tillgate.subscriptions.jobs import open_cycles
from tillgate.subscriptions.services import audit
from tillgate.subscriptions.services.charge import charge_cycle, queue_due_tries


class Killed(BaseException):
    """The process is gone: nothing catches it."""


def killed(attempt):
    raise Killed


def test_nothing_is_charged_until_a_person_has_looked(diary):
    restored(released=False)
    diary.reach_due_date()

    diary.look()
    open_cycles.call()
    diary.pass_hours(3)

    assert (diary.requests, diary.attempts()) == ([], [])
    assert any("./run release-charges" in sentence for sentence in audit.waiting_for_a_person())


def test_once_released_what_fell_due_later_is_charged(diary):
    restored(released=False)
    diary.reach_due_date()
    diary.look()

    restoration.release()
    diary.pass_hours(1)

    assert len(diary.requests) == 1
    assert diary.cycles()[0].status == "paid"


def test_what_fell_due_before_is_asked_about_and_not_charged_again(diary, script):
    diary.reach_due_date()
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
    diary.reach_due_date()
    restored()
    script.says("fetch_payment", ABSENT)

    diary.look()
    diary.pass_days(2)

    assert diary.requests == []
    assert any("resolve-charge" in sentence for sentence in waiting_for_a_person())


def test_a_lost_charge_of_before_the_backup_is_not_sent_again(diary, script):
    script.says("charge_saved", diary.lost(GatewayUnknown("no answer")))
    script.says("fetch_payment", ABSENT)
    diary.reach_due_date()
    diary.look()
    restored()

    diary.pass_days(2)

    assert len(diary.requests) == 1


def test_after_a_decline_that_was_lost_the_next_try_may_have_been_made_too(diary, script):
    diary.reach_due_date()
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
    diary.reach_due_date()
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


def test_a_decline_for_good_that_was_lost_leads_to_the_next_try_and_not_to_the_customer(diary, script):
    """They may have changed the card, and been charged by it."""
    diary.reach_due_date()
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


def test_a_retry_that_was_queued_when_the_backup_was_made_is_asked_about_after_the_hold(diary, script):
    script.says("charge_saved", diary.declined(), diary.success)
    diary.reach_due_date()
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
    diary.reach_due_date()
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
    diary.reach_due_date()
    restored(ran_until=clock.now() - timedelta(minutes=30))

    diary.look()

    assert len(diary.requests) == 1


def test_a_worker_that_dies_before_it_asked_asks_and_does_not_charge(diary, script):
    diary.reach_due_date()
    restored()
    script.says("fetch_payment", killed)
    with pytest.raises(Killed):
        diary.look()
    script.says("fetch_payment", paid(diary))

    charge_cycle(diary.cycles()[0].pk, 1)

    assert diary.requests == []
    assert len(diary.taken()) == 1
