"""D-10: a charge of the lost installation that nothing here looks for is brought by a person."""

from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.subscriptions.lost import ABSENT, restored
from tillgate.common.jobs import run_due_jobs
from tillgate.gateways.declines import decline
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.money import Money
from tillgate.payments.models import Surplus
from tillgate.payments.services.charges import resolve_lost
from tillgate.payments.services.verify import violations
from tillgate.subscriptions.services.audit import broken_rules


def charged(diary, number, state=GatewayState.SUCCEEDED, **fields):
    name = f"{diary.subscription.reference}-1-{number}"
    amount = Money(5_000, "NGN") if state == GatewayState.SUCCEEDED else None
    return PaymentSnapshot(
        state=state,
        gateway_reference=name,
        gateway_id="id-9",
        mode="test",
        channel="card",
        amount=amount,
        **fields,
    )


def adopt(diary, number, index=1):
    payment = diary.cycles()[0].payment
    name = f"{diary.subscription.reference}-{index}-{number}"
    call_command(
        "adopt_attempt", payment.reference, "--gateway", "paystack", "--reference", name, stdout=StringIO()
    )
    run_due_jobs()


@pytest.fixture
def declined(diary, script):
    """A cycle whose card the bank has declined for good, in the backup: its customer is to act."""
    script.says("charge_saved", diary.declined("lost_or_stolen"))
    diary.reach_due_date()
    diary.look()
    assert diary.cycles()[0].needs_customer
    restored()
    return diary


def test_what_was_charged_by_a_new_card_since_pays_its_due_date(declined, script):
    script.says("fetch_payment", charged(declined, 2))

    adopt(declined, 2)

    assert declined.cycles()[0].status == "paid"
    assert [*violations(), *broken_rules()] == []


@pytest.mark.parametrize("number", [2, 3])
def test_what_was_declined_since_counts_as_a_try(diary, script, number):
    script.says("charge_saved", diary.declined(), diary.success)
    diary.reach_due_date()
    diary.look()
    restored()
    failure = decline("insufficient_funds")
    script.says("fetch_payment", charged(diary, number, GatewayState.FAILED, failure=failure))
    adopt(diary, number)
    script.says("fetch_payment", ABSENT)
    diary.pass_days(5)

    resolve_lost(diary.attempts()[-1].pk)
    diary.pass_days(2)

    made = [int(one.gateway_reference[-1]) for one in diary.attempts()]
    assert made == [1, number, number + 1, number + 2]
    assert diary.cycles()[0].status == "paid"


def test_what_its_customer_has_paid_meanwhile_makes_it_a_surplus(declined, script):
    declined.pay_by_hand(declined.cycles()[0].payment)
    assert declined.cycles()[0].status == "paid"
    script.says("fetch_payment", charged(declined, 2))

    adopt(declined, 2)

    assert Surplus.objects.get().amount == Money(5_000, "NGN")
    assert list(violations()) == []


def test_while_what_was_brought_is_on_its_way_nothing_is_charged(diary, script):
    script.says("charge_saved", diary.declined(), diary.success)
    diary.reach_due_date()
    diary.look()
    restored()
    script.says("fetch_payment", charged(diary, 2, GatewayState.PENDING))
    adopt(diary, 2)

    diary.pass_days(4)
    script.says("fetch_payment", charged(diary, 2))
    diary.pass_days(2)

    assert [one.gateway_reference[-4:] for one in diary.attempts()] == ["-1-1", "-1-2"]
    assert len(diary.requests) == 1
    assert diary.cycles()[0].status == "paid"


def test_a_renewal_that_its_customer_has_paid_early_is_opened_for_it(diary, script):
    restored()
    paid = "ATT-7Q2WBNC29XCWXJN3041SM72N47"
    script.says("fetch_payment", replace(charged(diary, 1), gateway_reference=paid))
    words = [diary.subscription.reference, "--gateway", "paystack", "--reference", paid]
    call_command("adopt_attempt", *words, stdout=StringIO())
    run_due_jobs()

    diary.reach_due_date()
    diary.pass_days(2)

    assert diary.requests == []
    assert diary.cycles()[0].status == "paid"


def test_a_subscription_that_wants_nothing_is_told(diary, script):
    diary.stop()

    with pytest.raises(CommandError, match="is canceled and wants no money now"):
        call_command(
            "adopt_attempt", diary.subscription.reference, "--gateway", "paystack", "--reference", "ATT-1"
        )


@pytest.mark.parametrize(("number", "index"), [("2", 2), ("0", 1), ("", 1), ("2-1", 1), ("100", 1)])
def test_another_due_dates_charge_is_not_taken(declined, script, number, index):
    with pytest.raises(CommandError, match="no reference of ours"):
        adopt(declined, number, index)


def test_one_that_waits_to_be_resolved_is_named_instead(diary, script):
    diary.reach_due_date()
    restored()
    script.says("fetch_payment", ABSENT)
    diary.look()
    waiting = diary.attempts()[0]

    with pytest.raises(CommandError, match=f"resolve-charge {waiting.reference}"):
        adopt(diary, 2)
