"""Events of plans that a gateway itself collects: kept and shown; nothing of ours follows them."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.builders import make_inbound_event, make_snapshot
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways.paystack.signature import read_event
from tillgate.gateways.protocol import GatewayState
from tillgate.inbox.jobs import apply_inbound_event
from tillgate.inbox.models import InboundEvent
from tillgate.inbox.services import NotConfirmed, apply_event, waiting_for_a_person

PLAN = {"plan_code": "PLN_1", "interval": "monthly", "amount": 500_000, "currency": "NGN"}


def renewal(reference="made-by-paystack"):
    customer = {"email": "ada@example.com"}
    data = {"id": 9, "reference": reference, "status": "success", "amount": 500_000, "currency": "NGN"}
    return json.dumps(
        {"event": "charge.success", "data": {**data, "plan": PLAN, "customer": customer}}
    ).encode()


def ended():
    return json.dumps({"event": "subscription.disable", "data": {"subscription_code": "SUB_1"}}).encode()


def shown(*words):
    out = StringIO()
    call_command("plan_events", *words, stdout=out)
    return out.getvalue()


def state_of(event):
    event.refresh_from_db()
    return event.state


@pytest.mark.parametrize("body", [renewal(), ended()], ids=["renewal", "ended"])
def test_an_event_of_a_gateways_own_plan_is_kept_and_nobody_is_asked(ring, gateway, body):
    answer_of_the_real_one(gateway)

    answer = ring(body)
    run_due_jobs()

    event = InboundEvent.objects.get()
    assert (answer.status_code, event.about, event.state) == (200, "plan", "kept")
    assert event.reason == "a plan that the gateway itself collects"
    assert gateway.called("fetch_payment") == gateway.called("fetch_transaction") == 0


def answer_of_the_real_one(gateway):
    gateway.says("read_event", lambda headers, body: read_event(body))


def test_what_is_kept_is_never_tried_again_and_waits_for_nobody(attempt, gateway):
    event = make_inbound_event(attempt, about="plan", gateway_reference="made-by-paystack", gateway_id="9")
    apply_inbound_event.enqueue(event.pk)

    for _ in range(3):
        run_due_jobs()
        clock.advance(7_200)

    assert state_of(event) == "kept"
    assert not Job.objects.filter(status="queued").exists()
    assert list(waiting_for_a_person()) == []
    assert not Event.objects.exists()


def test_what_claims_to_be_of_a_plan_and_carries_our_reference_is_our_payment(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt))
    event = make_inbound_event(attempt, about="plan")

    apply_event(event.pk)

    attempt.payment.refresh_from_db()
    assert (state_of(event), attempt.payment.status) == ("applied", "completed")


def test_ours_that_claims_a_plan_is_tried_until_the_gateway_confirms_it(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING))
    event = make_inbound_event(attempt, about="plan")

    with pytest.raises(NotConfirmed):
        apply_event(event.pk)

    assert state_of(event) == "stored"


@pytest.mark.parametrize("claims_money", [True, False])
def test_money_of_a_charge_without_a_plan_still_waits_for_a_person(attempt, gateway, claims_money):
    event = make_inbound_event(attempt, gateway_reference="of-nobody", claims_money=claims_money)

    apply_event(event.pk)

    assert (state_of(event), len(list(waiting_for_a_person()))) == ("parked", int(claims_money))


def test_plan_events_are_listed_with_what_their_bodies_tell(attempt, gateway):
    for body, kind in ((renewal(), "charge.success"), (ended(), "subscription.disable")):
        event = make_inbound_event(attempt, about="plan", kind=kind, gateway_reference="", body=body)
        apply_event(event.pk)

    first, second, total = shown().splitlines()

    assert first.endswith("paystack  charge.success  NGN 5,000.00  ada@example.com")
    assert second.endswith("paystack  subscription.disable  -  -")
    assert total == "2 events of plans that gateways collect themselves."


def test_other_events_are_no_plan_events(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt))
    apply_event(make_inbound_event(attempt).pk)

    assert shown() == "0 events of plans that gateways collect themselves.\n"


@pytest.mark.parametrize(("days", "listed"), [(0, 1), (1, 0)])
def test_plan_events_can_be_listed_from_a_day_on(attempt, gateway, days, listed):
    apply_event(make_inbound_event(attempt, about="plan", gateway_reference="").pk)
    clock.advance(days * 86_400)

    assert len(shown("--since", f"{clock.now():%Y-%m-%d}").splitlines()) == listed + 1


def test_what_is_no_day_is_refused(merchant):
    with pytest.raises(CommandError, match="2026-01-31"):
        shown("--since", "yesterday")
