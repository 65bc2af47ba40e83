"""A merchant's refunds: how much, in which states, and one call at a time."""

import pytest
from django.db import connection

from tests.builders import make_dispute, make_payment, make_payment_in, make_refund, make_settled
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.ledger.models import Entry
from tillgate.money import Money
from tillgate.payments.errors import KeyReused, NotInThisState, RefundTooLarge
from tillgate.payments.models import Refund
from tillgate.payments.services.refunds import RefundOrder, create_refund
from tillgate.payments.services.sync import LADDER_S
from tillgate.payments.services.verify import violations
from tillgate.payments.states import REFUNDABLE, PaymentStatus

LOST = GatewayUnknown("the answer was lost")


@pytest.fixture
def paid(merchant, gateway):
    """The attempt that settled a payment of 50.00."""
    return make_settled(make_payment(merchant))


def order(minor=None, key="k1", reason="", currency="NGN"):
    amount = None if minor is None else Money(minor, currency)
    return RefundOrder(amount=amount, reason=reason, idempotency_hash=key, request_hash=f"{minor} {reason}")


def want(paid, minor=None, key="k1"):
    refund, _ = create_refund(paid.payment_id, order(minor, key))
    return refund


def done(ref, amount, key, state=RefundState.SUCCEEDED):
    """What a gateway answers that takes every refund."""
    return RefundSnapshot(state=state, gateway_id=f"id-of-{key}", amount=amount, note=key)


def status_of(paid):
    paid.payment.refresh_from_db()
    return paid.payment.status, paid.payment.refunded_minor


def told(subject):
    return list(Event.objects.filter(subject=subject).order_by("sequence").values_list("type", flat=True))


def test_without_an_amount_all_that_is_left_goes_back(paid, gateway):
    gateway.says("refund", done)
    want(paid, 2_000, "k1")
    rest = want(paid, None, "k2")

    run_due_jobs()

    assert rest.amount == Money(3_000, "NGN")
    assert status_of(paid) == ("refunded", 5_000)
    assert list(violations()) == []


def test_each_part_that_went_back_is_told_and_booked(paid, gateway):
    gateway.says("refund", done)
    for number, minor in enumerate((1_000, 1_500, 2_500)):
        want(paid, minor, f"k{number}")
    run_due_jobs()

    assert told(paid.payment.reference)[1:] == [
        "payment.partially_refunded",
        "payment.partially_refunded",
        "payment.refunded",
    ]
    sales = Entry.objects.filter(account="sales").order_by("pk").values_list("amount_minor", flat=True)
    assert list(sales) == [-5_000, 1_000, 1_500, 2_500]


def test_the_same_key_returns_the_first_refund_as_it_is_now(paid, gateway):
    gateway.says("refund", done)
    first, is_new = create_refund(paid.payment_id, order(5_000))
    run_due_jobs()

    again, is_new_again = create_refund(paid.payment_id, order(5_000))

    assert (is_new, is_new_again, again.pk, again.status) == (True, False, first.pk, "succeeded")


@pytest.mark.parametrize("other", [order(4_000), order(None), order(5_000, reason="why")])
def test_another_body_under_the_key_is_refused(paid, other):
    create_refund(paid.payment_id, order(5_000))

    with pytest.raises(KeyReused):
        create_refund(paid.payment_id, other)


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s not in REFUNDABLE])
def test_in_other_states_nothing_can_be_refunded(merchant, status):
    with pytest.raises(NotInThisState, match=f"is {status}: "):
        create_refund(make_payment_in(status, merchant).pk, order())


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("review", "resolve"),
        ("disputed", "wait until"),
        ("refunded", "nothing is left"),
        ("pending", "only a"),
    ],
)
def test_a_refusal_says_what_can_be_done(merchant, status, says):
    with pytest.raises(NotInThisState, match=says):
        create_refund(make_payment_in(status, merchant).pk, order())


@pytest.mark.parametrize(
    ("before", "minor"), [((), 5_001), ((2_000,), 3_001), ((2_000, 3_000), 1), ((5_000,), None)]
)
@pytest.mark.parametrize("status", ["pending", "unknown", "succeeded"])
def test_i10_more_than_is_left_is_refused_with_what_is(paid, status, before, minor):
    for amount in before:
        make_refund(paid.payment, paid, amount_minor=amount, status=status)
    left = Money(5_000 - sum(before), "NGN")

    with pytest.raises(RefundTooLarge, match=f"^{left} of {paid.payment.reference}"):
        create_refund(paid.payment_id, order(minor))


def test_what_failed_can_be_refunded_again(paid):
    make_refund(paid.payment, paid, status="failed")

    assert want(paid).amount == Money(5_000, "NGN")


def test_the_fee_that_the_customer_bore_can_be_refunded_too(merchant, gateway):
    paid = make_settled(make_payment(merchant), amount=Money(5_075, "NGN"), requested=Money(5_000, "NGN"))

    assert want(paid).amount == Money(5_075, "NGN")


def test_one_call_is_in_flight_and_the_next_follows_its_answer(paid, gateway):
    refunds = [want(paid, 1_000, f"k{number}") for number in range(3)]
    gateway.says("refund", LOST, done, done)

    run_due_jobs()
    first = [Refund.objects.get(pk=refund.pk).status for refund in refunds]
    calls = gateway.called("refund")
    gateway.says("list_refunds", (done(None, Money(1_000, "NGN"), refunds[0].reference),))
    clock.advance(LADDER_S[1])
    run_due_jobs()

    assert (first, calls) == (["unknown", "pending", "pending"], 1)
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert status_of(paid) == ("partially_refunded", 3_000)
    assert gateway.called("refund") == 3


@pytest.mark.parametrize("answer", [Rejected("not now"), done])
def test_whatever_the_answer_the_next_waits_for_no_ladder(paid, gateway, answer):
    gateway.says("refund", answer, done)
    for number in range(2):
        want(paid, 1_000, f"k{number}")

    run_due_jobs()

    assert gateway.called("refund") == 2


def test_a_refund_whose_turn_was_forgotten_comes_by_itself(paid, gateway):
    make_refund(paid.payment, paid, amount_minor=1_000, status="unknown", listed_before=[], gateway_id=None)
    waiting = want(paid, 1_000)
    run_due_jobs()
    Refund.objects.filter(status="unknown").update(status="failed")
    gateway.says("refund", done)

    clock.advance(LADDER_S[1])
    run_due_jobs()

    waiting.refresh_from_db()
    assert waiting.status == "succeeded"


def test_a_rejected_refund_leaves_the_payment_as_it_was(paid, gateway):
    gateway.says("refund", Rejected("insufficient balance"))
    refund = want(paid)

    run_due_jobs()

    refund.refresh_from_db()
    assert (refund.status, refund.explanation) == ("failed", "insufficient balance")
    assert status_of(paid) == ("completed", 0)


@pytest.mark.parametrize(("ends", "status", "calls"), [("won", "succeeded", 1), ("lost", "failed", 0)])
def test_a_refund_that_was_not_called_yet_waits_for_the_bank(paid, gateway, ends, status, calls):
    gateway.says("refund", done)
    dispute = make_dispute(paid)
    refund = want(paid)
    run_due_jobs()
    before = gateway.called("refund")

    type(dispute).objects.update(status=ends)
    clock.advance(LADDER_S[1])
    run_due_jobs()

    refund.refresh_from_db()
    assert (before, gateway.called("refund"), refund.status) == (0, calls, status)


def test_wanting_a_refund_is_eight_statements(paid, statements):
    with statements() as sent:
        want(paid)

    # PostgreSQL also holds the job back until the commit.
    expected = ["SELECT"] * 5 + ["INSERT"] * 3
    assert [sql.split()[0] for sql in sent][:8] == expected
    assert len(sent) == 8 + (connection.vendor == "postgresql")
    assert Job.objects.filter(task__endswith="submit_refund").count() == 1


@pytest.mark.parametrize("fields", [{"status": "failed"}, {"listed_before": []}, {"gateway_id": "R1"}])
def test_c06_what_ended_while_the_list_was_read_is_not_called(paid, gateway, fields):
    refund = want(paid)

    def overtaken(ref):
        Refund.objects.filter(pk=refund.pk).update(**fields)
        return ()

    gateway.says("list_refunds", overtaken)
    run_due_jobs()

    assert gateway.called("refund") == 0
