"""What a gateway's word on a refund does: every status, every word, and every kind of money."""

import pytest
from django.db import transaction

from tests.builders import (
    make_attempt,
    make_payment,
    make_refund,
    make_settled,
    make_snapshot,
)
from tillgate.common.jobs import run_due_jobs
from tillgate.events.models import Event
from tillgate.gateways.errors import Rejected
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.ledger.models import Entry
from tillgate.money import Money
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Payment, Refund, Surplus
from tillgate.payments.services.money_back import apply_refund, left_of, new_refund, succeed_refund
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.refunds import refund_surplus
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.services.verify import violations, waiting_for_a_person
from tillgate.payments.states import RefundStatus

SUCCEEDED, FAILED, PENDING = RefundState.SUCCEEDED, RefundState.FAILED, RefundState.PENDING
HALF, ALL = 2_500, 5_000


@pytest.fixture
def paid(merchant, gateway):
    return make_settled(make_payment(merchant))


def say(refund, state, minor=None, currency="NGN"):
    """Apply the gateway's word, under the payment's lock."""
    amount = Money(refund.amount_minor if minor is None else minor, currency)
    with transaction.atomic():
        payment = lock_payment(refund.payment_id)
        refund = Refund.objects.select_related("attempt", "surplus__attempt").get(pk=refund.pk)
        refund.payment = refund.attempt.payment = payment
        apply_refund(payment, refund, RefundSnapshot(state=state, gateway_id="R1", amount=amount))


def refund_in(status, attempt, minor=HALF, surplus=None):
    """A refund that came to its status as a real one does."""
    amount = Money(minor, "NGN")
    with transaction.atomic():
        refund = new_refund(lock_payment(attempt.payment_id), attempt, amount, surplus=surplus)
    if status in ("succeeded", "failed"):
        say(refund, RefundState(status))
    elif status == "unknown":
        Refund.objects.filter(pk=refund.pk).update(status="unknown")
    return refund


def now(refund):
    refund.refresh_from_db()
    refund.payment.refresh_from_db()
    return refund.status, refund.payment.status, refund.payment.refunded_minor


def told(subject):
    return list(Event.objects.filter(subject=subject).order_by("sequence").values_list("type", "sequence"))


@pytest.mark.parametrize(
    ("status", "word", "becomes", "refunded"),
    [
        ("pending", PENDING, "pending", 0),
        ("pending", SUCCEEDED, "succeeded", HALF),
        ("pending", FAILED, "failed", 0),
        ("unknown", PENDING, "unknown", 0),
        ("unknown", SUCCEEDED, "succeeded", HALF),
        ("unknown", FAILED, "failed", 0),
        ("succeeded", PENDING, "succeeded", HALF),
        ("succeeded", SUCCEEDED, "succeeded", HALF),
        ("succeeded", FAILED, "failed", 0),
        ("failed", PENDING, "failed", 0),
        ("failed", SUCCEEDED, "failed", 0),
        ("failed", FAILED, "failed", 0),
    ],
)
def test_every_word_on_every_status(paid, status, word, becomes, refunded):
    refund = refund_in(status, paid)

    for _ in range(2):
        say(refund, word)

    payment_is = "partially_refunded" if refunded else "completed"
    assert now(refund) == (becomes, payment_is, refunded)
    assert list(violations()) == []
    is_odd = status == "failed" and word != FAILED
    assert sum("something else of" in line for line in waiting_for_a_person()) == is_odd


@pytest.mark.parametrize("status", [s for s in RefundStatus if s != "failed"])
def test_another_amount_books_nothing_and_is_for_a_person(paid, status):
    refund = refund_in(status, paid)
    before = Entry.objects.count()

    for _ in range(2):
        say(refund, SUCCEEDED, minor=HALF + 1)

    assert Entry.objects.count() == before
    assert sum("NGN 25.01 is succeeded" in line for line in waiting_for_a_person()) == 1
    assert now(refund)[0] == ("succeeded" if status == "succeeded" else "unknown")


def test_g27_a_refund_that_fails_after_it_succeeded_moves_everything_back(paid):
    whole = refund_in("succeeded", paid, ALL)
    assert now(whole) == ("succeeded", "refunded", ALL)

    say(whole, FAILED)

    assert now(whole) == ("failed", "completed", 0)
    assert told(whole.reference) == [("refund.pending", 1), ("refund.succeeded", 2), ("refund.failed", 3)]
    assert told(paid.payment.reference)[-1][0] == "payment.completed"
    sums = dict.fromkeys(("gateway", "sales"), 0)
    for account, minor in Entry.objects.values_list("account", "amount_minor"):
        sums[account] += minor
    assert sums == {"gateway": ALL, "sales": -ALL}


def test_g27_of_two_refunds_one_failed_later(paid):
    first, second = refund_in("succeeded", paid), refund_in("pending", paid)
    Refund.objects.filter(pk=first.pk).update(gateway_id="R0")
    say(second, SUCCEEDED)
    before = now(second)[1:]

    say(second, FAILED)

    assert (before, now(second)[1:]) == (("refunded", ALL), ("partially_refunded", HALF))
    assert list(violations()) == []


def test_i10_more_than_came_in_is_parked_and_never_booked(paid):
    refund_in("succeeded", paid, ALL)
    Refund.objects.update(gateway_id="R0")
    more = refund_in("pending", paid, 1)

    say(more, SUCCEEDED)

    assert now(more) == ("unknown", "refunded", ALL)
    assert any("more went back than came in" in line for line in waiting_for_a_person())
    assert list(violations()) == []


@pytest.mark.parametrize("status", ["disputed", "charged_back"])
def test_what_goes_back_while_a_bank_has_it_is_counted_and_moves_nothing(paid, status):
    refund = refund_in("pending", paid)
    Payment.objects.update(status=status)

    say(refund, SUCCEEDED)

    assert now(refund) == ("succeeded", status, HALF)
    assert told(paid.payment.reference)[-1][0] == "refund.noted"


def reviewed(merchant, **fields):
    attempt = make_attempt(make_payment(merchant))
    apply_answer(attempt, make_snapshot(attempt, amount=Money(4_000, "NGN"), **fields))
    attempt.refresh_from_db()
    return attempt


def test_a_part_of_reviewed_money_leaves_the_payment_in_review(merchant, gateway):
    attempt = reviewed(merchant)
    part = refund_in("succeeded", attempt, 1_000)

    assert now(part) == ("succeeded", "review", 1_000)
    with pytest.raises(NotInThisState, match="on its way back"):
        resolve_review(attempt.payment_id, "accept")
    resolve_review(attempt.payment_id, "refund")

    assert Refund.objects.get(status="pending").amount == Money(3_000, "NGN")


@pytest.mark.parametrize("decision", ["accept", "refund"])
def test_reviewed_money_that_came_back_is_decided_about_again(merchant, gateway, decision):
    attempt = reviewed(merchant)
    resolve_review(attempt.payment_id, "refund")
    refund = Refund.objects.get()
    say(refund, SUCCEEDED)
    say(refund, FAILED)
    between = now(refund)

    payment = resolve_review(attempt.payment_id, decision)

    assert between == ("failed", "refunded", 0)
    assert payment.status == ("completed" if decision == "accept" else "refunded")
    assert Refund.objects.filter(status="pending").count() == (decision == "refund")
    assert list(violations()) == []


def test_the_second_refund_of_reviewed_money_is_booked_as_the_first(merchant, gateway):
    attempt = reviewed(merchant)
    resolve_review(attempt.payment_id, "refund")
    say(Refund.objects.get(), SUCCEEDED)
    say(Refund.objects.get(), FAILED)
    Refund.objects.update(gateway_id="R0")
    resolve_review(attempt.payment_id, "refund")

    say(Refund.objects.get(status="pending"), SUCCEEDED)

    attempt.payment.refresh_from_db()
    assert (attempt.payment.status, attempt.payment.refunded_minor) == ("refunded", 4_000)
    assert list(violations()) == []


@pytest.fixture
def surplus(paid):
    """Money that came by a second transaction of the same attempt."""
    apply_answer(paid, make_snapshot(paid, gateway_id="second"))
    return Surplus.objects.select_related("attempt", "payment").get()


def test_g24_a_surplus_goes_back_by_its_own_transaction(surplus, gateway):
    gateway.says("refund", RefundSnapshot(state=SUCCEEDED, gateway_id="R1", amount=surplus.amount))

    refund, is_new = refund_surplus(surplus)
    between = Payment.objects.get().surplus_minor
    run_due_jobs()
    again, is_new_again = refund_surplus(surplus)

    [(_, (ref, amount, _))] = [call for call in gateway.calls if call[0] == "refund"]
    assert (ref.gateway_id, amount) == ("second", surplus.amount)
    assert (is_new, is_new_again, again) == (True, False, refund)
    assert now(refund) == ("succeeded", "completed", 0)
    assert (between, refund.payment.surplus_minor, refund.payment.received_minor) == (ALL, 0, ALL)
    assert sum(Entry.objects.filter(account="held").values_list("amount_minor", flat=True)) == 0
    assert list(violations()) == []


def test_g24_of_money_in_another_currency_the_payment_counts_nothing(paid, gateway):
    apply_answer(paid, make_snapshot(paid, gateway_id="second", amount=Money(700, "GHS"), requested=None))
    surplus = Surplus.objects.select_related("attempt").get()
    refund, _ = refund_surplus(surplus)

    say(refund, SUCCEEDED, currency="GHS")

    assert now(refund) == ("succeeded", "completed", 0)
    assert refund.payment.surplus_minor == 0
    assert list(violations()) == []


def test_a_surplus_whose_refund_failed_is_tried_again(surplus, gateway):
    gateway.says("refund", Rejected("not now"))
    first, _ = refund_surplus(surplus)
    run_due_jobs()

    second, is_new = refund_surplus(surplus)

    assert (now(first)[0], is_new, second.amount) == ("failed", True, surplus.amount)
    assert first.payment.surplus_minor == ALL


def test_a_surplus_that_comes_back_counts_again(surplus):
    refund = refund_in("succeeded", surplus.attempt, ALL, surplus=surplus)

    say(refund, FAILED)

    now(refund)
    assert refund.payment.surplus_minor == ALL
    assert list(violations()) == []


def test_what_is_left_of_one_transaction_says_nothing_of_another(surplus, paid):
    make_refund(paid.payment, paid, surplus=surplus, amount_minor=1_000)
    make_refund(paid.payment, paid, amount_minor=500)

    assert left_of(paid, surplus) == Money(4_000, "NGN")
    assert left_of(paid) == Money(4_500, "NGN")


def test_a_success_is_booked_once(paid):
    refund = refund_in("succeeded", paid)

    with transaction.atomic():
        succeed_refund(lock_payment(paid.payment_id), Refund.objects.get())

    assert now(refund) == ("succeeded", "partially_refunded", HALF)
