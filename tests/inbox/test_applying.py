"""An event only makes us ask; what the gateway answers counts."""

import pytest

from tests.builders import make_attempt, make_inbound_event, make_payment, make_snapshot
from tests.fakes import PAGE
from tests.inbox.conftest import charge
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways.errors import GatewayUnknown, Unreachable
from tillgate.gateways.protocol import GatewayEvent, GatewayState
from tillgate.inbox.jobs import apply_inbound_event
from tillgate.inbox.models import InboundEvent
from tillgate.inbox.services import NotConfirmed, apply_event, receive, waiting_for_a_person
from tillgate.payments.models import Attempt
from tillgate.payments.services.sessions import open_session


def state_of(event):
    event.refresh_from_db()
    return event.state


def status_of(attempt):
    attempt.payment.refresh_from_db()
    return attempt.payment.status


def test_an_event_makes_us_ask_and_the_answer_settles(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt))
    event = make_inbound_event(attempt)

    apply_event(event.pk)

    assert (state_of(event), status_of(attempt)) == ("applied", "completed")


def test_w01_an_event_applied_twice_has_one_effect(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt))
    event = make_inbound_event(attempt)

    for _ in range(2):
        apply_event(event.pk)

    assert Event.objects.filter(type="payment.completed").count() == 1


def test_an_event_that_names_a_transaction_makes_us_ask_about_that_one(attempt, gateway):
    gateway.says("fetch_transaction", make_snapshot(attempt, gateway_id="8"))

    apply_event(make_inbound_event(attempt, gateway_id="8").pk)

    assert gateway.calls == [("fetch_transaction", ("8",))]


@pytest.mark.parametrize("claims_money", [True, False])
def test_w05_an_event_that_says_more_than_the_answer_is_tried_again(attempt, gateway, claims_money):
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING))
    event = make_inbound_event(attempt, claims_money=claims_money)

    if claims_money:
        with pytest.raises(NotConfirmed, match="pending"):
            apply_event(event.pk)
    else:
        apply_event(event.pk)

    assert (state_of(event), status_of(attempt)) == ("stored" if claims_money else "applied", "pending")


def test_w05_the_money_that_an_event_told_of_is_looked_for_until_it_is_confirmed(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING), make_snapshot(attempt))
    event = make_inbound_event(attempt)
    apply_inbound_event.enqueue(event.pk)

    run_due_jobs()
    between = (state_of(event), status_of(attempt))
    clock.advance(3)
    run_due_jobs()

    assert between == ("stored", "pending")
    assert (state_of(event), status_of(attempt)) == ("applied", "completed")


@pytest.mark.parametrize("error", [Unreachable("no line"), GatewayUnknown("half an answer")])
def test_w06_an_event_is_tried_again_while_the_gateway_does_not_answer(attempt, gateway, error):
    gateway.says("fetch_payment", error, make_snapshot(attempt))
    event = make_inbound_event(attempt, claims_money=False)
    apply_inbound_event.enqueue(event.pk)

    run_due_jobs()
    between = (state_of(event), status_of(attempt))
    clock.advance(3)
    run_due_jobs()

    assert between == ("stored", "pending")
    assert (state_of(event), status_of(attempt)) == ("applied", "completed")


@pytest.mark.parametrize(
    "fields",
    [
        {"gateway_reference": "ATT-UNKNOWN"},
        {"gateway_reference": ""},
        {"gateway": "paypal"},
        {"mode": "live"},
    ],
    ids=["unknown", "none", "gateway", "mode"],
)
def test_w04_a05_an_event_about_nothing_of_ours_is_parked(attempt, gateway, fields):
    event = make_inbound_event(attempt, **fields)

    apply_event(event.pk)

    assert (state_of(event), event.reason) == ("parked", "no attempt of ours has this reference")
    assert gateway.calls == []


def test_w02_an_event_that_comes_before_the_session_is_answered_settles(payment, gateway):
    def ring_first(request):
        attempt = Attempt.objects.get()
        gateway.says("read_event", news_of(attempt))
        gateway.says("fetch_payment", make_snapshot(attempt))
        receive("paystack", {}, b"{}")
        run_due_jobs()
        return PAGE

    gateway.says("start_payment", ring_first)
    attempt, _ = open_session(payment, None)

    assert (InboundEvent.objects.get().state, status_of(attempt)) == ("applied", "completed")


def news_of(attempt):
    return GatewayEvent(
        kind="charge.success",
        dedupe_key="1",
        gateway_reference=attempt.gateway_reference,
        gateway_id=None,
        claims_money=True,
    )


def test_w09_a_poison_event_does_not_stop_the_others(merchant, gateway):
    sick, well = make_attempt(make_payment(merchant)), make_attempt(make_payment(merchant))

    def answer(ref):
        if ref.gateway_reference == sick.gateway_reference:
            raise ValueError("an answer that nobody thought of")
        return make_snapshot(well)

    gateway.says("fetch_payment", answer)
    for attempt in (sick, well):
        apply_inbound_event.enqueue(make_inbound_event(attempt).pk)
    run_due_jobs()

    assert (status_of(sick), status_of(well)) == ("pending", "completed")


def test_w09_a_poison_event_is_never_given_up_and_a_person_is_told(attempt, gateway):
    gateway.says("fetch_payment", ValueError("an answer that nobody thought of"))
    apply_inbound_event.enqueue(make_inbound_event(attempt).pk)

    for _ in range(35):
        run_due_jobs()
        clock.advance(5_000)

    job = Job.objects.get()
    assert (job.status, job.attempts) == ("queued", 35)
    assert "nobody thought of" in job.last_error
    assert "not confirmed" in next(waiting_for_a_person())


def test_a10_a_body_that_lies_about_the_amount_is_never_believed(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt))
    lie = make_inbound_event(attempt, body=charge(attempt.gateway_reference).replace(b"5000,", b"999999,"))

    apply_event(lie.pk)

    attempt.payment.refresh_from_db()
    assert attempt.payment.received_minor == 5_000
