"""D-10: a refund that waited when the backup was made may have been sent since."""

from datetime import timedelta

import pytest

from tests.builders import make_payment, make_settled
from tests.fakes import RepeatingGateway
from tillgate.common import clock, restoration
from tillgate.common.jobs import run_due_jobs
from tillgate.common.models import Restoration
from tillgate.gateways import registry
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.money import Money
from tillgate.payments.services.refunds import RefundOrder, create_refund
from tillgate.payments.services.verify import waiting_for_a_person


def row(id="R1", note=""):
    return RefundSnapshot(state=RefundState.SUCCEEDED, gateway_id=id, amount=Money(5_000, "NGN"), note=note)


@pytest.fixture
def refund(merchant, gateway):
    """A refund that no worker had taken up when the backup was made, which is restored now."""
    paid = make_settled(make_payment(merchant))
    order = RefundOrder(amount=None, reason="", idempotency_hash="k", request_hash="")
    refund = create_refund(paid.payment_id, order)[0]
    clock.advance(60)
    made_at = clock.now()
    clock.advance(3_600)
    Restoration.objects.create(backed_up_at=made_at, ran_until=clock.now(), released_at=clock.now())
    restoration.forget()
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


def test_a_refund_that_is_wanted_after_the_restoration_is_sent_as_ever(merchant, gateway):
    Restoration.objects.create(backed_up_at=clock.now() - timedelta(hours=1), ran_until=clock.now())
    restoration.forget()
    clock.advance(1)
    paid = make_settled(make_payment(merchant))
    refund = create_refund(
        paid.payment_id, RefundOrder(amount=None, reason="", idempotency_hash="k", request_hash="")
    )[0]
    gateway.says("refund", row())

    run_due_jobs()

    assert (status(refund), gateway.called("refund")) == ("succeeded", 1)
