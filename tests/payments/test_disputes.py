"""A bank contests a transaction: what each word does to the dispute, the payment and the ledger."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from django.db import transaction

from tests.builders import make_attempt, make_dispute, make_payment, make_refund, make_settled, make_snapshot
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.events.models import Event
from tillgate.gateways.protocol import DisputeSnapshot, DisputeState, RefundSnapshot, RefundState
from tillgate.ledger.models import Entry
from tillgate.money import Money
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Dispute, Payment, Surplus
from tillgate.payments.services.disputes import apply_dispute, keep_evidence
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.refunds import RefundOrder, create_refund, refund_surplus
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.services.verify import violations, waiting_for_a_person

OPEN, REVIEWED, WON, LOST = DisputeState
WORD = DisputeSnapshot(state=OPEN, gateway_id="D1", amount=Money(5_000, "NGN"), reason="fraudulent")


@pytest.fixture
def paid(merchant, gateway):
    return make_settled(make_payment(merchant))


def say(attempt, *states, surplus=None, **more):
    """Apply the gateway's words, one after the other; return where dispute and payment stand."""
    for state in states:
        with transaction.atomic():
            attempt.payment = lock_payment(attempt.payment_id)
            apply_dispute(attempt.payment, attempt, surplus, replace(WORD, state=state, **more))
    payment = Payment.objects.get(pk=attempt.payment_id)
    return Dispute.objects.get(gateway_id=more.get("gateway_id", "D1")).status, payment.status


def told(subject):
    return list(Event.objects.filter(subject=subject).order_by("sequence").values_list("type", flat=True))


@pytest.mark.parametrize(
    ("states", "payment_is", "events"),
    [
        ((OPEN,), "disputed", "opened"),
        ((OPEN, OPEN), "disputed", "opened"),
        ((REVIEWED,), "disputed", "opened updated"),
        ((OPEN, REVIEWED, OPEN), "disputed", "opened updated"),
        ((OPEN, WON), "completed", "opened won"),
        ((WON,), "completed", "opened won"),
        ((REVIEWED, WON, WON), "completed", "opened updated won"),
        ((OPEN, LOST), "charged_back", "opened lost"),
        ((LOST, LOST), "charged_back", "opened lost"),
        ((REVIEWED, LOST), "charged_back", "opened updated lost"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_dispute_goes_its_way_and_the_payment_follows(paid, states, payment_is, events):
    expected = {OPEN: "open", REVIEWED: "under_review", WON: "won", LOST: "lost"}[states[-1]]
    if states == (OPEN, REVIEWED, OPEN):
        expected = "under_review"  # It goes back and forth between merchant and bank.

    assert say(paid, *states) == (expected, payment_is)

    dispute = Dispute.objects.get()
    assert told(dispute.reference) == [f"dispute.{word}" for word in events.split()]
    assert (dispute.closed_at is None) == (expected in ("open", "under_review"))
    lost = 5_000 if payment_is == "charged_back" else 0
    assert Payment.objects.get().charged_back_minor == lost
    assert sum(Entry.objects.filter(account="gateway").values_list("amount_minor", flat=True)) == 5_000 - lost
    assert list(violations()) == []


@pytest.mark.parametrize(("ended", "then"), [p for p in product((WON, LOST), DisputeState) if p[0] != p[1]])
def test_other_news_after_the_end_moves_nothing_and_is_for_a_person(paid, ended, then):
    before = say(paid, ended)

    assert say(paid, then, then) == before
    lines = [line for line in waiting_for_a_person() if "something else of DIS-" in line]
    assert len(lines) == 1
    assert lines[0].endswith(f"later ({then}).")
    assert list(violations()) == []


@pytest.mark.parametrize(
    ("refunded", "back_to"), [(0, "completed"), (2_000, "partially_refunded"), (5_000, "refunded")]
)
def test_a_won_dispute_leads_back_to_what_the_refunds_say(paid, refunded, back_to):
    Payment.objects.update(refunded_minor=refunded, status=back_to)
    between = say(paid, OPEN)

    assert (between, say(paid, WON)) == (("open", "disputed"), ("won", back_to))


@pytest.mark.parametrize(
    ("second", "payment_is"), [(OPEN, "disputed"), (WON, "completed"), (LOST, "charged_back")]
)
def test_of_two_disputes_the_open_one_decides(paid, second, payment_is):
    say(paid, OPEN)
    say(paid, OPEN, gateway_id="D2")

    between = say(paid, WON)
    after = say(paid, second, gateway_id="D2")

    assert (between[1], after[1]) == ("disputed", payment_is)
    assert list(violations()) == []


def test_news_after_a_charge_back_is_noted_and_never_dropped(paid):
    say(paid, OPEN)
    say(paid, LOST, gateway_id="D2", amount=Money(3_000, "NGN"))

    assert say(paid, LOST) == ("lost", "charged_back")

    assert Payment.objects.get().charged_back_minor == 8_000
    assert told(paid.payment.reference)[-1] == "dispute.noted"
    assert list(violations()) == []


def test_what_a_bank_changes_its_mind_about_is_kept_and_told(paid):
    due = clock.now() + timedelta(days=7)
    say(paid, OPEN)
    sequence = Payment.objects.get().sequence

    say(paid, OPEN, respond_by=due, amount=Money(2_000, "NGN"))

    dispute = Dispute.objects.get()
    assert (dispute.respond_by, dispute.amount) == (due, Money(2_000, "NGN"))
    assert told(dispute.reference) == ["dispute.opened", "dispute.updated"]
    assert Payment.objects.get().sequence == sequence + 1
    assert any(f"Answer by {due:%Y-%m-%d}" in line for line in waiting_for_a_person())


NOTHING = Money(0, "NGN")


@pytest.mark.parametrize(("end", "payment_is"), [(WON, "completed"), (LOST, "charged_back")])
@pytest.mark.parametrize("known", [Money(3_000, "NGN"), Money(300, "USD")], ids=str)
def test_an_amount_that_is_no_longer_told_stays_as_it_was(paid, known, end, payment_is):
    say(paid, OPEN, amount=known)

    assert say(paid, end, end, amount=NOTHING) == (end.value, payment_is)

    assert Dispute.objects.get().amount == known
    assert list(violations()) == []


def test_a_dispute_that_names_no_amount_is_of_the_whole_transaction(paid):
    apply_answer(paid, make_snapshot(paid, gateway_id="second", amount=Money(700, "NGN")))
    surplus = Surplus.objects.select_related("attempt").get()

    say(paid, OPEN, OPEN, amount=NOTHING)
    say(paid, OPEN, surplus=surplus, amount=NOTHING, gateway_id="D2")

    amounts = [dispute.amount.minor for dispute in Dispute.objects.order_by("pk")]
    assert amounts == [5_000, 700]


def test_an_open_dispute_waits_for_a_person_also_without_a_date(paid):
    say(paid, OPEN)

    assert [line.partition(": ")[2] for line in waiting_for_a_person()] == [
        f"NGN 50.00 of {paid.payment.reference} is contested."
    ]


def test_a_dispute_of_money_in_review_leaves_the_payment_in_review(merchant, gateway):
    attempt = make_attempt(make_payment(merchant))
    apply_answer(attempt, make_snapshot(attempt, amount=Money(4_000, "NGN")))
    attempt.refresh_from_db()
    amount = Money(4_000, "NGN")

    assert say(attempt, OPEN, amount=amount) == ("open", "review")
    for decision in ("accept", "refund"):
        with pytest.raises(NotInThisState, match="contests"):
            resolve_review(attempt.payment_id, decision)
    assert say(attempt, LOST, amount=amount) == ("lost", "review")

    with pytest.raises(NotInThisState, match="on its way back"):
        resolve_review(attempt.payment_id, "accept")
    assert resolve_review(attempt.payment_id, "refund").status == "refunded"
    assert sum(Entry.objects.filter(account="held").values_list("amount_minor", flat=True)) == 0
    assert list(violations()) == []


def test_a_dispute_of_a_surplus_leaves_the_payment_as_it_is(paid):
    apply_answer(paid, make_snapshot(paid, gateway_id="second"))
    surplus = Surplus.objects.select_related("attempt").get()

    assert say(paid, OPEN, surplus=surplus) == ("open", "completed")
    with pytest.raises(NotInThisState, match="is disputed"):
        refund_surplus(surplus)
    assert say(paid, LOST, surplus=surplus) == ("lost", "completed")

    with pytest.raises(NotInThisState, match="sent the money back"):
        refund_surplus(surplus)
    assert told(paid.payment.reference).count("payment.completed") == 1
    assert not [line for line in waiting_for_a_person() if "more than it asked" in line]
    assert list(violations()) == []


def test_money_of_another_currency_is_booked_and_not_counted(paid):
    assert say(paid, LOST, amount=Money(300, "USD")) == ("lost", "charged_back")

    assert Payment.objects.get().charged_back_minor == 0
    assert Entry.objects.get(account="gateway", currency="USD").amount_minor == -300
    assert list(violations()) == []


def test_a_refund_that_waited_for_the_bank_is_made_when_it_has_decided(paid, gateway):
    order = RefundOrder(amount=None, reason="", idempotency_hash="k", request_hash="")
    refund, _ = create_refund(paid.payment_id, order)
    say(paid, OPEN)
    run_due_jobs()
    before = gateway.called("refund")
    gateway.says("refund", RefundSnapshot(state=RefundState.SUCCEEDED, gateway_id="R1", amount=refund.amount))

    say(paid, WON)
    run_due_jobs()

    assert (before, gateway.called("refund")) == (0, 1)
    assert Payment.objects.get().status == "refunded"


def test_two_waiting_refunds_of_lost_money_both_end(paid, gateway):
    for number in range(2):
        make_refund(paid.payment, paid, amount_minor=1_000 + number)

    say(paid, LOST)
    run_due_jobs()

    assert set(paid.refunds.values_list("status", flat=True)) == {"failed"}
    assert gateway.called("refund") == 0


def test_evidence_is_kept_told_and_shown_anew(paid):
    dispute = make_dispute(paid)
    sequence = Payment.objects.get().sequence

    for _ in range(2):
        kept = keep_evidence(dispute, "The parcel was signed for.")

    assert kept.evidence == "The parcel was signed for."
    assert told(dispute.reference) == ["dispute.updated"]
    assert Payment.objects.get().sequence == sequence + 1
