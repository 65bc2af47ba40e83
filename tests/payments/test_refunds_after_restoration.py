"""D-10: a refund that waited when the backup was made may have been sent since."""

from datetime import timedelta

import pytest

from tests.builders import make_payment, make_settled
from tests.fakes import FakeGateway, RepeatingGateway
from tillgate.common import clock, restoration
from tillgate.common.jobs import run_due_jobs
from tillgate.common.models import Restoration
from tillgate.gateways import registry
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.money import Money
from tillgate.payments.services.look_back import look_back_soon
from tillgate.payments.services.refunds import RefundOrder, create_refund
from tillgate.payments.services.verify import waiting_for_a_person


def row(id="R1", note="", state=RefundState.SUCCEEDED):
    return RefundSnapshot(state=state, gateway_id=id, amount=Money(5_000, "NGN"), note=note)


def restore_now(ago):
    now = clock.now()
    Restoration.objects.create(backed_up_at=now - ago, ran_until=now, released_at=now)
    restoration.forget()


@pytest.fixture
def refund(merchant, gateway):
    """A refund that no worker had taken up when the backup was made, which is restored now."""
    paid = make_settled(make_payment(merchant))
    order = RefundOrder(amount=None, reason="", idempotency_hash="k", request_hash="")
    refund = create_refund(paid.payment_id, order)[0]
    clock.advance(60)
    clock.advance(3_600)
    restore_now(ago=timedelta(hours=1))
    return refund


def climb():
    for _ in range(8):  # Each question waits about as long as the refund is old.
        clock.advance(4 * 3_600)
        run_due_jobs()


def status(refund):
    refund.refresh_from_db()
    return refund.status


@pytest.mark.parametrize("named", [True, False])
def test_it_is_found_at_the_gateway_and_not_sent_again(refund, gateway, named):
    gateway.says("list_refunds", (row(note=refund.reference if named else ""),))

    run_due_jobs()
    climb()

    assert (status(refund), refund.gateway_id, gateway.called("refund")) == ("succeeded", "R1", 0)


def test_what_the_gateway_does_not_list_goes_to_a_person(refund, gateway):
    run_due_jobs()
    climb()

    assert (status(refund), gateway.called("refund")) == ("unknown", 0)
    assert any(refund.reference in sentence for sentence in waiting_for_a_person())


def test_a_gateway_that_keeps_its_key_is_called_under_the_same_one(refund, gateway, monkeypatch):
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (RepeatingGateway,), {"script": gateway}))
    gateway.says("refund", row())

    run_due_jobs()
    climb()

    assert status(refund) == "succeeded"
    assert [arguments[2] for name, arguments in gateway.calls if name == "refund"] == [refund.reference]


@pytest.mark.parametrize("adapter", [FakeGateway, RepeatingGateway])
def test_a_refund_that_is_wanted_again_is_not_sent_while_the_gateway_lists_one_of_nobody(
    merchant, gateway, monkeypatch, adapter
):
    """Its caller, who knows of the lost one, may repeat the request."""
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (adapter,), {"script": gateway}))
    paid = make_settled(make_payment(merchant))
    restore_now(ago=timedelta(hours=2))
    gateway.says("list_refunds", (row(note="REF-7Q2WBNC29XCWXJN3041SM72N47"),))
    refund = create_refund(
        paid.payment_id, RefundOrder(amount=None, reason="", idempotency_hash="k", request_hash="")
    )[0]

    run_due_jobs()
    climb()

    assert (status(refund), gateway.called("refund")) == ("unknown", 0)
    assert any(refund.reference in sentence for sentence in waiting_for_a_person())


def test_one_of_nobody_that_failed_holds_back_none(merchant, gateway):
    paid = make_settled(make_payment(merchant))
    restore_now(ago=timedelta(hours=2))
    failed = row(note="REF-7Q2WBNC29XCWXJN3041SM72N47", state=RefundState.FAILED)
    gateway.says("list_refunds", (failed,))
    gateway.says("refund", row("R2"))
    refund = create_refund(
        paid.payment_id, RefundOrder(amount=None, reason="", idempotency_hash="k", request_hash="")
    )[0]

    run_due_jobs()

    assert (status(refund), gateway.called("refund")) == ("succeeded", 1)


def test_a_restoration_lets_refunds_of_the_time_before_be_looked_for_soon(merchant, gateway):
    paid = make_settled(make_payment(merchant))
    paid.look_back_at = clock.now() + timedelta(days=30)
    paid.save()

    assert look_back_soon() == 1
    paid.refresh_from_db()
    assert paid.look_back_at <= clock.now()


def test_a_refund_that_is_wanted_after_the_restoration_is_sent_as_ever(merchant, gateway):
    restore_now(ago=timedelta(hours=1))
    clock.advance(1)
    paid = make_settled(make_payment(merchant))
    refund = create_refund(
        paid.payment_id, RefundOrder(amount=None, reason="", idempotency_hash="k", request_hash="")
    )[0]
    gateway.says("refund", row())

    run_due_jobs()

    assert (status(refund), gateway.called("refund")) == ("succeeded", 1)
