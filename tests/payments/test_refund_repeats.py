"""A gateway that keeps a refund's key may be called again; our note on a refund is proof anywhere."""

from datetime import timedelta

import pytest

from tests.builders import make_dispute, make_payment, make_refund, make_settled, make_surplus
from tests.fakes import RepeatingGateway
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.gateways import registry
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.money import Money
from tillgate.payments.models import Dispute, Refund
from tillgate.payments.services.refund_calls import LOOKS_BEFORE_PARKED
from tillgate.payments.services.refunds import RefundOrder, create_refund
from tillgate.payments.services.sync import LADDER_S
from tillgate.payments.services.verify import violations, waiting_for_a_person

LOST = GatewayUnknown("the answer was lost")


def row(id="R1", minor=5_000, note=""):
    return RefundSnapshot(state=RefundState.SUCCEEDED, gateway_id=id, amount=Money(minor, "NGN"), note=note)


@pytest.fixture
def repeating(gateway, monkeypatch):
    """A gateway that keeps the keys of refunds."""
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (RepeatingGateway,), {"script": gateway}))
    return gateway


@pytest.fixture
def refund(merchant, gateway):
    paid = make_settled(make_payment(merchant))
    order = RefundOrder(amount=None, reason="", idempotency_hash="k", request_hash="")
    return create_refund(paid.payment_id, order)[0]


def climb(rungs, first=1):
    for seconds in LADDER_S[first : first + rungs]:
        clock.advance(seconds)
        run_due_jobs()


def now(refund):
    refund.refresh_from_db()
    return refund.status


def keys(script):
    return [arguments[2] for name, arguments in script.calls if name == "refund"]


def test_g26_after_two_empty_lists_the_same_call_is_made_again(refund, repeating):
    repeating.says("refund", LOST, row())

    run_due_jobs()
    climb(1)
    between = len(keys(repeating))
    climb(1, first=2)

    assert (between, keys(repeating)) == (1, [refund.reference] * 2)
    assert now(refund) == "succeeded"
    assert list(violations()) == []


def test_g26_what_is_listed_is_not_called_again(refund, repeating):
    repeating.says("refund", LOST)
    repeating.says("list_refunds", (), (row(),))

    run_due_jobs()
    climb(3)

    assert (now(refund), len(keys(repeating))) == ("succeeded", 1)


@pytest.mark.parametrize("answer", [LOST, Rejected("fully refunded")])
def test_g26_a_repeat_without_an_answer_ends_nothing(refund, repeating, answer):
    repeating.says("refund", LOST, answer)

    run_due_jobs()
    climb(6)

    assert now(refund) == "unknown"
    assert set(keys(repeating)) == {refund.reference}


def test_g17_when_the_key_is_forgotten_a_person_looks(refund, repeating):
    repeating.says("refund", LOST)
    run_due_jobs()
    climb(3)
    calls = len(keys(repeating))

    clock.advance(int(RepeatingGateway.refund_key_kept / timedelta(seconds=1)))
    for _ in range(LOOKS_BEFORE_PARKED):
        run_due_jobs()
        clock.advance(86_400)

    assert (now(refund), len(keys(repeating))) == ("unknown", calls)
    assert "Look in its dashboard" in refund.explanation


def test_g15_a_gateway_without_keys_is_never_called_again(refund, gateway):
    gateway.says("refund", LOST)

    run_due_jobs()
    climb(LOOKS_BEFORE_PARKED + 2)

    assert (now(refund), len(keys(gateway))) == ("unknown", 1)


@pytest.mark.parametrize(
    "listed",
    [
        lambda ours: (row("R1", note=ours), row("R2")),
        lambda ours: (row("R2"), row("R1", note=ours), row("R3")),
    ],
)
def test_our_note_tells_ours_among_refunds_of_one_amount(refund, gateway, listed):
    gateway.says("refund", LOST)
    gateway.says("list_refunds", (), listed(refund.reference))

    run_due_jobs()
    climb(1)

    assert (now(refund), refund.gateway_id) == ("succeeded", "R1")


def test_our_note_on_another_amount_is_for_a_person(refund, gateway):
    gateway.says("refund", LOST)
    gateway.says("list_refunds", (), (row("R1", 4_000, note=refund.reference),))

    run_due_jobs()
    climb(1)

    assert (now(refund), refund.gateway_id) == ("unknown", "R1")
    assert "NGN 40.00" in refund.explanation


def test_what_another_refund_is_called_or_has_claimed_is_not_ours(refund, gateway):
    other = make_refund(refund.payment, refund.attempt, status="failed", gateway_id="R2")
    gateway.says("refund", LOST)
    gateway.says("list_refunds", (), (row("R2"), row("R3", note=other.reference), row("R1")))

    run_due_jobs()
    climb(1)

    assert (now(refund), refund.gateway_id) == ("succeeded", "R1")


@pytest.mark.parametrize(("status", "calls"), [("open", 1), ("under_review", 1), ("lost", 1), ("won", 2)])
def test_i10_what_the_bank_has_a_word_in_is_looked_for_and_not_called_again(refund, repeating, status, calls):
    repeating.says("refund", LOST)
    run_due_jobs()
    make_dispute(refund.attempt, status=status)
    repeating.says("refund", row())

    climb(3)

    assert len(keys(repeating)) == calls
    assert now(refund) == ("succeeded" if calls == 2 else "unknown")
    assert repeating.called("list_refunds") > 2


def test_i10_after_the_bank_has_let_it_go_the_same_call_is_made_again(refund, repeating):
    repeating.says("refund", LOST, row())
    run_due_jobs()
    dispute = make_dispute(refund.attempt)
    climb(3)
    between = len(keys(repeating))

    Dispute.objects.filter(pk=dispute.pk).update(status="won")
    climb(2, first=4)

    assert (between, now(refund), len(keys(repeating))) == (1, "succeeded", 2)


@pytest.mark.parametrize("ended", [{"status": "failed"}, {"gateway_id": "R1"}])
def test_i10_what_got_its_answer_while_it_was_looked_for_is_not_called_again(refund, repeating, ended):
    repeating.says("refund", LOST)
    run_due_jobs()
    climb(1)

    def meanwhile(ref):
        Refund.objects.filter(pk=refund.pk).update(**ended)
        return ()

    repeating.says("list_refunds", meanwhile)
    climb(1, first=2)

    assert len(keys(repeating)) == 1


def test_a_dispute_of_other_money_is_no_reason_to_wait(refund, repeating):
    repeating.says("refund", LOST, row())
    run_due_jobs()
    make_dispute(refund.attempt, surplus=make_surplus(refund.attempt))

    climb(2)

    assert (now(refund), len(keys(repeating))) == ("succeeded", 2)


def test_i17_what_the_gateway_only_refuses_to_repeat_is_listed_after_a_day(refund, repeating):
    repeating.says("refund", LOST, Rejected("fully refunded"))
    run_due_jobs()
    climb(3)
    before = list(waiting_for_a_person())

    clock.advance(86_400)

    [line] = waiting_for_a_person()
    assert (before, line.split()[0]) == ([], refund.reference)


def test_a_call_whose_time_is_not_known_is_not_repeated(refund, repeating):
    Refund.objects.update(status="unknown", listed_before=[], questions=1)
    repeating.says("refund", row())
    refund.refresh_from_db()

    from tillgate.payments.services.refund_calls import look

    look(refund.pk, 1)

    assert keys(repeating) == []
