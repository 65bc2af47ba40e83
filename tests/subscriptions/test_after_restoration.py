"""D-10: a backup was restored, and the gateways know more of recurring payments than we do."""

from datetime import timedelta

import pytest

from tests.fakes import RepeatingChargesGateway
from tests.subscriptions.diary import charging
from tillgate.common import clock, restoration
from tillgate.common.models import Restoration
from tillgate.gateways import registry
from tillgate.gateways.declines import decline
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.money import Money
from tillgate.payments.services.verify import waiting_for_a_person
from tillgate.subscriptions.jobs import open_cycles
from tillgate.subscriptions.services import audit
from tillgate.subscriptions.services.charge import charge_cycle

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


def test_what_the_gateway_does_not_know_is_sent_where_it_refuses_repetition(diary, script):
    reach_due_date(diary)
    restored()
    script.says("fetch_payment", ABSENT)

    diary.look()
    before = list(diary.requests)
    diary.pass_hours(6)

    assert before == []
    assert [request.gateway_reference for request in diary.requests] == [
        f"{diary.subscription.reference}-1-1"
    ]
    assert diary.cycles()[0].status == "paid"


def test_a_decline_that_was_lost_leads_to_the_next_try_which_is_asked_about_too(diary, script):
    reach_due_date(diary)
    restored()
    failure = decline("insufficient_funds")
    script.says("fetch_payment", known_as(GatewayState.FAILED, failure=failure), paid(diary))

    diary.pass_days(3)

    assert diary.requests == []
    assert diary.taken() == [f"{diary.subscription.reference}-1-2"]


@pytest.mark.parametrize(("ago", "sent"), [(HOUR, 1), (timedelta(hours=7), 0)])
def test_a_gateway_that_repeats_its_answer_is_called_only_while_it_surely_does(
    diary, script, monkeypatch, ago, sent
):
    monkeypatch.setitem(registry.GATEWAYS, "paystack", charging(script, RepeatingChargesGateway))
    reach_due_date(diary)
    restored(ago=ago)
    script.says("fetch_payment", ABSENT)

    diary.look()
    clock.advance(180)
    diary.look()

    assert len(diary.requests) == sent
    diary.pass_days(2)
    assert len(diary.requests) == sent
    waits = [sentence for sentence in waiting_for_a_person() if "resolve-charge" in sentence]
    assert bool(waits) == (not sent)


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
