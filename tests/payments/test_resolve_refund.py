"""What a person saw in the gateway's dashboard ends a refund that no program could."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.builders import make_payment, make_refund, make_settled
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.gateways.errors import GatewayUnknown
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.money import Money
from tillgate.payments.services.look_back import look_back
from tillgate.payments.services.refunds import RefundOrder, create_refund
from tillgate.payments.services.verify import violations, waiting_for_a_person


def row(state=RefundState.SUCCEEDED, id="R1", minor=2_000):
    return RefundSnapshot(state=state, gateway_id=id, amount=Money(minor, "NGN"))


def resolve(refund, *words):
    out = StringIO()
    call_command("resolve_refund", refund.reference, *words, stdout=out)
    refund.refresh_from_db()
    refund.payment.refresh_from_db()
    return out.getvalue()


@pytest.fixture
def paid(merchant, gateway):
    gateway.says("list_refunds", ())
    return make_settled(make_payment(merchant))


@pytest.fixture
def parked(paid):
    parked = {"status": "unknown", "listed_before": [], "explanation": "Look in its dashboard."}
    return make_refund(paid.payment, paid, amount_minor=2_000, called_at=clock.now(), **parked)


def test_one_that_was_made_is_booked_when_the_gateway_confirms_it(parked, gateway):
    gateway.says("fetch_refund", row())

    said = resolve(parked, "--made", "R1")

    [(_, (ref,))] = [call for call in gateway.calls if call[0] == "fetch_refund"]
    assert (ref.gateway_id, ref.gateway_reference) == ("R1", parked.reference)
    assert "is succeeded. The gateway confirms it." in said
    assert (parked.status, parked.gateway_id, parked.explanation) == ("succeeded", "R1", "")
    assert (parked.payment.status, parked.payment.refunded_minor) == ("partially_refunded", 2_000)
    assert list(violations()) == []


def test_one_that_the_gateway_has_not_finished_is_for_nobody_and_asked_about(parked, gateway):
    gateway.says("fetch_refund", row(RefundState.PENDING), row())

    resolve(parked, "--made", "R1")
    between = (parked.status, parked.explanation, list(waiting_for_a_person()))
    clock.advance(60)
    run_due_jobs()

    parked.refresh_from_db()
    assert (between, parked.status) == (("unknown", "", []), "succeeded")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "paystack knows no refund typo"),
        (row(id="typo", minor=1_999), "typo is over NGN 19.99"),
        (GatewayUnknown("it answered about another transaction"), "does not confirm it: it answered"),
    ],
)
def test_i17_what_the_gateway_does_not_confirm_changes_nothing_and_stays_listed(
    parked, gateway, answer, says
):
    gateway.says("fetch_refund", answer)

    with pytest.raises(CommandError, match=says):
        resolve(parked, "--made", "typo")

    parked.refresh_from_db()
    assert (parked.status, parked.gateway_id, parked.payment.status) == ("unknown", None, "completed")
    assert any(parked.reference in line for line in waiting_for_a_person())


@pytest.mark.parametrize("words", [("--not-made",), ("--made", "R2")])
def test_one_that_the_gateway_has_made_is_not_called_anything_else(paid, gateway, words):
    named = {"gateway_id": "R1", "explanation": "The gateway says that NGN 40.00 is succeeded."}
    refund = make_refund(paid.payment, paid, status="unknown", **named)

    with pytest.raises(CommandError, match="there it is R1"):
        resolve(refund, *words)

    refund.refresh_from_db()
    assert (refund.status, refund.gateway_id) == ("unknown", "R1")
    assert gateway.called("fetch_refund") == 0


def test_i17_one_without_an_answer_for_a_day_can_be_decided_about(paid):
    long_ago = clock.now() - timedelta(hours=25)
    refund = make_refund(paid.payment, paid, status="unknown", listed_before=[], created_at=long_ago)

    resolve(refund, "--not-made")

    assert refund.status == "failed"


def test_one_that_ended_while_the_gateway_was_asked_is_left_as_it_is(parked, gateway):
    def meanwhile(ref):
        resolve(parked, "--not-made")
        return row()

    gateway.says("fetch_refund", meanwhile)

    with pytest.raises(CommandError, match="is failed and waits for no person"):
        resolve(parked, "--made", "R1")

    assert parked.payment.refunded_minor == 0


def test_one_that_was_never_made_fails_and_what_it_held_back_is_called(parked, paid, gateway):
    gateway.says("refund", row(id="R2"))
    order = RefundOrder(amount=Money(2_000, "NGN"), reason="", idempotency_hash="k", request_hash="")
    waiting, _ = create_refund(paid.payment_id, order)
    run_due_jobs()
    held_back = gateway.called("refund")

    resolve(parked, "--not-made")
    run_due_jobs()

    waiting.refresh_from_db()
    assert (held_back, gateway.called("refund")) == (0, 1)
    assert (parked.status, waiting.status) == ("failed", "succeeded")


def test_one_that_was_made_after_all_is_found_and_booked_once(parked, paid, gateway):
    resolve(parked, "--not-made")
    gateway.says("list_refunds", (row(),))

    look_back(paid.pk)
    look_back(paid.pk)

    paid.payment.refresh_from_db()
    assert paid.payment.refunded_minor == 2_000
    assert list(violations()) == []


@pytest.mark.parametrize("status", ["pending", "unknown", "succeeded", "failed"])
def test_one_that_waits_for_nobody_is_left_alone(paid, status):
    refund = make_refund(paid.payment, paid, status=status)

    with pytest.raises(CommandError, match="waits for no person"):
        resolve(refund, "--not-made")


def test_the_id_of_another_refund_is_refused(parked, paid):
    make_refund(paid.payment, paid, amount_minor=1, status="succeeded", gateway_id="R1")

    with pytest.raises(CommandError, match="another refund"):
        resolve(parked, "--made", "R1")


def test_a_refund_that_nobody_knows_is_said(merchant):
    with pytest.raises(CommandError, match="There is no refund"):
        call_command("resolve_refund", "REF-NOBODY", "--not-made")
