"""Events about refunds and disputes: they make us look back, in whatever order they come."""

from itertools import permutations

import pytest
from django.test import Client

from tests.builders import make_attempt, make_inbound_event, make_payment, make_settled, make_snapshot
from tests.fakes import DisputingGateway
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.gateways import registry
from tillgate.gateways.errors import GatewayUnknown, Unreachable
from tillgate.gateways.protocol import (
    DisputeSnapshot,
    DisputeState,
    EventSubject,
    GatewayEvent,
    GatewayState,
    RefundSnapshot,
    RefundState,
)
from tillgate.inbox.jobs import apply_inbound_event
from tillgate.inbox.models import InboundEvent
from tillgate.inbox.services import NotConfirmed, apply_event, waiting_for_a_person
from tillgate.money import Money
from tillgate.payments.models import Dispute, Payment, Refund, Surplus
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.services.verify import violations

BACK = RefundSnapshot(state=RefundState.SUCCEEDED, gateway_id="R1", amount=Money(2_000, "NGN"))
CONTESTED = DisputeSnapshot(state=DisputeState.WON, gateway_id="D1", amount=Money(5_000, "NGN"))


@pytest.fixture
def script(gateway, monkeypatch):
    """A gateway that lists disputes, too."""
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (DisputingGateway,), {"script": gateway}))
    return gateway


@pytest.fixture
def paid(merchant, script):
    return make_settled(make_payment(merchant))


def ring(attempt, about, **fields):
    return make_inbound_event(attempt, **{"about": about, "claims_money": False, "kind": about, **fields})


def state_of(event):
    event.refresh_from_db()
    return event.state


@pytest.mark.parametrize("about", ["refund", "dispute"])
def test_an_event_about_money_that_went_back_makes_us_look_back(paid, script, about):
    script.says("list_refunds", (BACK,))
    script.says("list_disputes", (CONTESTED,))
    event = ring(paid, about)

    apply_event(event.pk)

    assert state_of(event) == "applied"
    assert (Refund.objects.count(), Dispute.objects.count()) == (1, 1)
    assert script.called("fetch_payment") == 0


@pytest.mark.parametrize("error", [Unreachable("no line"), GatewayUnknown("half a list")])
def test_w06_it_is_tried_again_while_the_gateway_gives_no_list(paid, script, error):
    script.says("list_refunds", error, (BACK,))
    event = ring(paid, "refund")

    with pytest.raises(NotConfirmed):
        apply_event(event.pk)
    between = state_of(event)
    apply_event(event.pk)

    assert (between, state_of(event)) == ("stored", "applied")


@pytest.mark.parametrize("named", ["attempt", "surplus"])
def test_an_event_may_name_the_transaction_only(paid, script, named):
    apply_answer(paid, make_snapshot(paid, gateway_id="second"))
    gateway_id = paid.gateway_id if named == "attempt" else Surplus.objects.get().gateway_id
    event = ring(paid, "refund", gateway_reference="", gateway_id=gateway_id)

    apply_event(event.pk)

    assert (state_of(event), script.called("list_refunds")) == ("applied", 2)


@pytest.mark.parametrize(
    "fields", [{"gateway_id": "unknown"}, {"gateway_id": ""}, {"mode": "live"}, {"gateway": "paypal"}]
)
def test_w04_an_event_about_no_transaction_of_ours_is_parked(paid, script, fields):
    event = ring(paid, "dispute", gateway_reference="", **{"gateway_id": paid.gateway_id, **fields})

    apply_event(event.pk)

    assert (state_of(event), script.calls) == ("parked", [])


@pytest.mark.parametrize(("claims_money", "listed"), [(True, 1), (False, 0)])
def test_parked_news_of_money_waits_for_a_person(paid, claims_money, listed):
    event = ring(paid, "payment", gateway_reference="ATT-NOBODY", claims_money=claims_money)

    apply_event(event.pk)

    assert len(list(waiting_for_a_person())) == listed


def test_an_event_about_something_else_is_kept_and_nobody_is_asked(paid, script):
    event = ring(paid, "other", gateway_reference="")

    apply_event(event.pk)

    assert (state_of(event), script.calls) == ("applied", [])


def test_the_refund_of_a_transaction_we_never_heard_of_makes_us_ask_for_it_first(paid, script):
    script.says("fetch_transaction", make_snapshot(paid, GatewayState.REVERSED, gateway_id="second"))
    back = RefundSnapshot(state=RefundState.SUCCEEDED, gateway_id="R2", amount=Money(5_000, "NGN"))
    script.says("list_refunds", lambda ref: (back,) if ref.gateway_id == "second" else ())

    apply_event(ring(paid, "refund", gateway_id="second").pk)

    assert Refund.objects.get().surplus == Surplus.objects.get()
    assert list(violations()) == []


@pytest.mark.parametrize("order", list(permutations(["payment", "refund", "dispute", "other"])), ids="-".join)
@pytest.mark.parametrize("said", [GatewayState.SUCCEEDED, GatewayState.REVERSED])
def test_w03_the_order_in_which_events_come_means_nothing(merchant, script, order, said):
    attempt = make_attempt(make_payment(merchant))
    whole = RefundSnapshot(state=RefundState.SUCCEEDED, gateway_id="R1", amount=Money(5_000, "NGN"))
    script.says("fetch_payment", make_snapshot(attempt, said))
    script.says("list_refunds", (whole if said == GatewayState.REVERSED else BACK,))
    script.says("list_disputes", (CONTESTED,))

    for about in order:
        event = ring(attempt, about, claims_money=about == "payment")
        apply_inbound_event.enqueue(event.pk)
        run_due_jobs()
        clock.advance(3)

    payment = Payment.objects.get()
    expected = ("refunded", 5_000) if said == GatewayState.REVERSED else ("partially_refunded", 2_000)
    assert (payment.status, payment.refunded_minor) == expected
    assert (Refund.objects.count(), Dispute.objects.get().status) == (1, "won")
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"applied"}
    assert list(violations()) == []


def test_what_an_event_is_about_is_stored_with_it(merchant, gateway):
    news = GatewayEvent(
        kind="refund.processed",
        dedupe_key="1",
        gateway_reference=None,
        gateway_id=None,
        claims_money=False,
        about=EventSubject.REFUND,
    )
    gateway.says("read_event", news)

    answer = Client().post("/api/v1/webhooks/paystack", b"{}", content_type="application/json")

    assert (answer.status_code, InboundEvent.objects.get().about) == (200, "refund")


@pytest.mark.parametrize(("after", "told"), [(None, "30"), (7, "7")])
def test_an_event_that_cannot_be_verified_just_now_is_to_be_sent_again(merchant, gateway, after, told):
    gateway.says("read_event", Unreachable("no certificate", retry_after_s=after))

    answer = Client().post("/api/v1/webhooks/paystack", b"{}", content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (503, "verification_unavailable")
    assert answer["Retry-After"] == told
    assert not InboundEvent.objects.exists()
