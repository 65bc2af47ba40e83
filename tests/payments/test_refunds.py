"""Money on its way back: one call, and after a lost answer only looking."""

import pytest
from django.db import connection

from tests.builders import make_attempt, make_payment, make_snapshot
from tests.fakes import FakeGateway
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways import registry
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.ledger.models import Entry
from tillgate.money import Money
from tillgate.payments.models import Refund
from tillgate.payments.services import refund_calls
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sync import LADDER_S, apply_answer
from tillgate.payments.services.verify import violations

LOST = GatewayUnknown("the answer was lost")


def row(id="R1", state=RefundState.SUCCEEDED, minor=4_000):
    return RefundSnapshot(state=state, gateway_id=id, amount=Money(minor, "NGN"))


@pytest.fixture
def refund(merchant, gateway):
    """A reserved refund of 40.00 that came in for a payment of 50.00."""
    attempt = make_attempt(make_payment(merchant))
    apply_answer(attempt, make_snapshot(attempt, amount=Money(4_000, "NGN")))
    resolve_review(attempt.payment_id, "refund")
    return Refund.objects.get()


def now(refund):
    """How the refund and its payment stand."""
    refund.refresh_from_db()
    refund.payment.refresh_from_db()
    return refund.status, refund.payment.status


def jobs():
    """What is still to be done, but for looking back at the money."""
    return list(Job.objects.exclude(task__endswith="look_back").values_list("task", flat=True))


def climb(rungs):
    for seconds in LADDER_S[1 : rungs + 1]:
        clock.advance(seconds)
        run_due_jobs()


def test_a_refund_is_called_once_with_our_reference(refund, gateway):
    gateway.says("refund", row())

    run_due_jobs()

    [(_, (ref, amount, key))] = [call for call in gateway.calls if call[0] == "refund"]
    assert (ref.gateway_id, amount, key) == (refund.attempt.gateway_id, Money(4_000, "NGN"), refund.reference)
    assert now(refund) == ("succeeded", "refunded")
    assert not jobs()


def test_a_refund_that_succeeded_is_in_the_ledger_and_the_timelines(refund, gateway):
    gateway.says("refund", row())
    run_due_jobs()

    now(refund)
    assert refund.payment.refunded_minor == 4_000
    assert sum(Entry.objects.filter(account="gateway").values_list("amount_minor", flat=True)) == 0
    assert list(Event.objects.filter(subject=refund.reference).values_list("type", "sequence")) == [
        ("refund.pending", 1),
        ("refund.succeeded", 2),
    ]
    assert Event.objects.filter(type="payment.refunded").count() == 1
    assert list(violations()) == []


def test_money_of_another_currency_goes_back_uncounted(merchant, gateway):
    attempt = make_attempt(make_payment(merchant))
    apply_answer(attempt, make_snapshot(attempt, amount=Money(4_000, "GHS"), requested=None, fee=None))
    resolve_review(attempt.payment_id, "refund")
    gateway.says(
        "refund", RefundSnapshot(state=RefundState.SUCCEEDED, gateway_id="R1", amount=Money(4_000, "GHS"))
    )

    run_due_jobs()

    refund = Refund.objects.get()
    assert now(refund) == ("succeeded", "refunded")
    assert refund.payment.refunded_minor == 0
    assert list(violations()) == []


def test_g27_a_pending_refund_is_asked_about_until_it_ends(refund, gateway):
    gateway.says("refund", row(state=RefundState.PENDING))
    gateway.says("fetch_refund", row(state=RefundState.PENDING), LOST, None, row())

    run_due_jobs()
    between = now(refund)
    climb(4)

    assert (between, now(refund)) == (("pending", "review"), ("succeeded", "refunded"))
    assert gateway.called("refund") == 1


def test_g27_a_refund_that_fails_later_leaves_the_payment_in_review(refund, gateway):
    gateway.says("refund", row(state=RefundState.PENDING))
    gateway.says("fetch_refund", row(state=RefundState.FAILED))

    run_due_jobs()
    climb(1)

    assert now(refund) == ("failed", "review")
    assert Event.objects.filter(type="refund.failed").count() == 1
    assert Entry.objects.filter(journal__startswith="refund:").count() == 0


def test_a_rejected_refund_failed_and_says_why(refund, gateway):
    gateway.says("refund", Rejected("Transaction has been fully reversed"))

    run_due_jobs()

    assert now(refund) == ("failed", "review")
    assert refund.explanation == "Transaction has been fully reversed"
    assert gateway.called("refund") == 1


@pytest.mark.parametrize("lost", [LOST, DuplicateReference("known")])
def test_g26_after_a_lost_answer_the_one_new_refund_of_that_amount_is_ours(refund, gateway, lost):
    gateway.says("list_refunds", (row("R0"),), (row("R0"), row("R2", minor=1), row("R1")))
    gateway.says("refund", lost)

    run_due_jobs()
    between = now(refund)
    climb(1)

    assert (between, now(refund)) == (("unknown", "review"), ("succeeded", "refunded"))
    assert (refund.gateway_id, gateway.called("refund")) == ("R1", 1)


@pytest.mark.parametrize("listed", [(), (row("R1"), row("R2"))], ids=["none", "two"])
def test_g26_without_certainty_a_refund_is_parked_and_never_called_again(refund, gateway, listed):
    gateway.says("list_refunds", (), listed)
    gateway.says("refund", LOST)

    run_due_jobs()
    climb(refund_calls.LOOKS_BEFORE_PARKED + 2)

    assert now(refund) == ("unknown", "review")
    assert "Look in its dashboard" in refund.explanation
    assert (gateway.called("refund"), len(jobs())) == (1, 1)


def test_g26_a_refund_that_is_listed_late_is_found_after_it_was_parked(refund, gateway):
    gateway.says("list_refunds", *[()] * 7, (row("R1"),))
    gateway.says("refund", LOST)

    run_due_jobs()
    climb(8)

    assert now(refund) == ("succeeded", "refunded")
    assert gateway.called("refund") == 1


def test_g26_a_silent_gateway_is_asked_again(refund, gateway):
    gateway.says("list_refunds", (), LOST, (row("R1"),))
    gateway.says("refund", LOST)

    run_due_jobs()
    climb(2)

    assert now(refund) == ("succeeded", "refunded")


def test_another_amount_than_asked_for_is_for_a_person(refund, gateway):
    gateway.says("refund", row(minor=400))

    run_due_jobs()

    assert now(refund) == ("unknown", "review")
    assert "NGN 4.00" in refund.explanation
    assert not Entry.objects.filter(journal__startswith="refund:").exists()


def test_c02_a_process_that_dies_after_it_reserved_the_call_does_not_call_again(refund, gateway):
    def die(*arguments):
        raise SystemExit

    gateway.says("refund", die)
    with pytest.raises(SystemExit):
        refund_calls.submit(refund.pk)
    stored = (now(refund), refund.listed_before)

    refund_calls.submit(refund.pk)

    assert stored == (("pending", "review"), [])
    assert now(refund) == ("unknown", "review")
    assert gateway.called("refund") == 1


def test_c02_a_bug_after_the_call_does_not_lead_to_a_second_call(refund, gateway):
    gateway.says("refund", ValueError("an answer that nobody thought of"))

    for _ in range(3):
        run_due_jobs()
        clock.advance(600)

    assert (now(refund)[0], gateway.called("refund")) == ("unknown", 1)


def test_where_nothing_was_sent_the_call_is_made_again(refund, gateway):
    gateway.says("refund", Unreachable("no line"), row())

    run_due_jobs()
    between = now(refund)
    clock.advance(10)
    run_due_jobs()

    assert (between, now(refund)) == (("pending", "review"), ("succeeded", "refunded"))


def test_a_list_that_cannot_be_read_keeps_the_refund_from_being_called(refund, gateway):
    gateway.says("list_refunds", LOST)

    run_due_jobs()

    assert (now(refund)[0], gateway.called("refund"), len(jobs())) == ("pending", 0, 1)


def test_c06_two_workers_at_one_refund_make_one_call(refund, gateway):
    def meanwhile(*arguments):
        refund_calls.submit(refund.pk)  # The lease ran out, and another worker took the job over.
        return row()

    gateway.says("refund", meanwhile)
    refund_calls.submit(refund.pk)

    assert now(refund) == ("succeeded", "refunded")
    assert gateway.called("refund") == 1


def test_c06_a_worker_that_lost_its_job_does_not_open_the_way_for_a_second_call(refund, gateway):
    def meanwhile(*arguments):
        refund_calls.submit(refund.pk)
        raise Unreachable("no line")

    gateway.says("refund", meanwhile)
    with pytest.raises(Unreachable):
        refund_calls.submit(refund.pk)
    refund_calls.submit(refund.pk)

    now(refund)
    assert (refund.status, refund.listed_before, gateway.called("refund")) == ("unknown", [], 1)


def test_c06_a_worker_that_was_overtaken_while_it_read_the_list_makes_no_call(refund, gateway):
    def overtaken(*arguments):
        Refund.objects.update(listed_before=[])
        return ()

    gateway.says("list_refunds", overtaken)
    refund_calls.submit(refund.pk)

    assert (now(refund)[0], gateway.called("refund")) == ("unknown", 0)


def test_a_stale_look_does_nothing(refund, gateway):
    gateway.says("refund", LOST)
    run_due_jobs()
    calls = len(gateway.calls)

    refund_calls.look(refund.pk, 0)

    assert len(gateway.calls) == calls


def test_what_has_ended_stays_so(refund, gateway):
    gateway.says("refund", row())
    run_due_jobs()

    refund_calls._store_answer(refund, row(state=RefundState.PENDING))
    refund_calls._store_not_found(refund)
    refund_calls._store_lost(refund)
    refund_calls._store_silence(refund)
    refund_calls.submit(refund.pk)

    assert now(refund) == ("succeeded", "refunded")
    assert Event.objects.filter(subject=refund.reference).count() == 2


def test_a_gateway_that_cannot_list_leaves_a_lost_answer_to_a_person(refund, gateway, monkeypatch):
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (FakeGateway,), {"script": gateway}))
    gateway.says("refund", LOST)

    run_due_jobs()
    climb(refund_calls.LOOKS_BEFORE_PARKED)

    assert now(refund) == ("unknown", "review")
    assert refund.explanation


def test_a_call_whose_list_was_lost_is_never_guessed_at(refund, gateway):
    gateway.says("list_refunds", (row("R1"),))
    Refund.objects.update(status="unknown", listed_before=None)

    refund_calls.look(refund.pk, 0)

    assert now(refund) == ("unknown", "review")


def test_success_is_stored_whole_or_not_at_all(refund, gateway):
    def refuse(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "ledger_entry"'):
            raise RuntimeError("the process dies here")
        return execute(sql, params, many, context)

    gateway.says("refund", row())
    with connection.execute_wrapper(refuse), pytest.raises(RuntimeError):
        refund_calls.submit(refund.pk)

    assert now(refund) == ("pending", "review")
    assert Event.objects.filter(subject=refund.reference).count() == 1
