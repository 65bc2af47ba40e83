"""Answers that are well formed and not true of our payment: nothing of them is ever called paid."""

import pytest

from tests.reliability.matrix import cases
from tests.reliability.truth import assert_in_order, is_listed
from tests.reliability.world import DAY_S, status_of
from tillgate.payments.models import Payment

NO_AMOUNTS = ("null", "-1", "1e3", "1e400", "NaN", '"12,5"', "true", "[]", "{}", "9" * 40)
NOT_YET_PAID = ("pending", "processing")


def lied_to(world, fault, operation=None, **args):
    """A payment whose customer did their part, and about which the gateway says something else."""
    attempt = world.session()
    world.pay(attempt)
    world.fault(operation or world.way.take, fault, **args)
    world.wait(20)
    attempt.refresh_from_db()
    return attempt


@cases("G-07")
@pytest.mark.parametrize("word", ["quantum", "Success!", "paid"])
def test_a_word_that_nobody_knows_is_not_success(world, word):
    attempt = lied_to(world, "unknown_status", word=word)

    assert status_of(attempt.payment) in NOT_YET_PAID
    assert attempt.silences == 1
    assert_in_order(world)
    assert status_of(attempt.payment) == "completed"


@cases("G-07")
def test_an_accepted_call_that_says_pending_is_not_success(world):
    attempt = world.session()
    world.pay(attempt, "pending")

    world.wait(20)

    assert status_of(attempt.payment) == "processing"
    assert_in_order(world)
    assert status_of(attempt.payment) == "completed"


@cases("G-07")
def test_money_that_is_found_after_a_false_decline_still_settles(world):
    attempt = lied_to(world, "decline")

    assert status_of(attempt.payment) in ("failed", "completed")  # Some find the money by another question.
    assert_in_order(world)
    assert (status_of(attempt.payment) == "completed") == (world.charges() == 1)


@cases("G-09")
@pytest.mark.parametrize("minor", [1, 4_999, 5_001, 500_000])
def test_another_amount_goes_to_a_person(world, minor):
    attempt = lied_to(world, "wrong_amount", amount_minor=minor)

    assert status_of(attempt.payment) == "review"
    assert is_listed(attempt.payment)
    assert_in_order(world)
    assert status_of(attempt.payment) == "review"


@cases("G-09")
@pytest.mark.parametrize("decision", ["accept", "refund"])
def test_another_amount_that_was_really_paid_is_decided_by_a_person(world, decision):
    attempt = world.session()
    if world.way.captures:  # No payer can change it, but this is what then really is captured.
        world.fault(world.way.take, "wrong_amount", amount_minor=4_000)
        world.pay(attempt)
    else:
        world.pay(attempt, "other_amount", amount_minor=4_000)
    world.wait(20)
    assert status_of(attempt.payment) == "review"

    assert (
        world.post(f"/payments/{attempt.payment.reference}/resolve", {"decision": decision}).status_code
        == 200
    )

    assert_in_order(world)
    assert status_of(attempt.payment) == ("completed" if decision == "accept" else "refunded")


@cases("G-10")
def test_the_right_number_in_another_currency_goes_to_a_person(world):
    attempt = lied_to(world, "wrong_currency", currency=world.way.other_currency)

    assert status_of(attempt.payment) == "review"
    assert attempt.payment.review_reason == "wrong_currency"
    assert_in_order(world)


@cases("G-11")
def test_another_customers_transaction_is_refused(world):
    attempt = lied_to(world, "wrong_ref")

    assert status_of(attempt.payment) in NOT_YET_PAID
    assert attempt.silences == 1
    assert_in_order(world)
    assert status_of(attempt.payment) == "completed"


@cases("G-12")
def test_a_transaction_of_the_other_mode_is_refused(world):
    attempt = lied_to(world, "test_mode")

    assert status_of(attempt.payment) in NOT_YET_PAID
    assert_in_order(world)
    assert status_of(attempt.payment) == "completed"


@cases("G-13")
def test_an_amount_that_is_none_is_never_money(world):
    for raw in NO_AMOUNTS:
        attempt = lied_to(world, "wrong_amount", world.way.look, raw=raw)
        assert status_of(attempt.payment) in NOT_YET_PAID, raw
        world.calm()
        world.wait(40)

    world.lied = False  # None of it was taken for an amount.
    assert_in_order(world)
    assert set(Payment.objects.values_list("status", flat=True)) == {"completed"}


@cases("G-18")
def test_money_that_is_taken_back_an_hour_later_does_not_stay_ours_in_silence(world):
    world.fault(world.way.start, "then_reverse", after_s=3_600)
    payment = world.bought()

    world.wait(3_700)
    world.ring_all()
    for _ in range(8):
        world.wait(DAY_S)

    assert "reversal" in {move["kind"] for move in world.journal()}
    assert status_of(payment) == "refunded" or is_listed(payment)
    assert_in_order(world)


@cases("G-18")
@pytest.mark.parametrize(("end", "status"), [("won", "completed"), ("lost", "charged_back")])
@pytest.mark.parametrize("heard", [True, False], ids=["rung", "unheard"])
def test_a_contested_payment_ends_as_the_bank_decides(world, end, status, heard):
    payment = world.bought()
    attempt = payment.attempts.get()
    for action, expected in (("open", "disputed"), (end, status)):
        world.dispute(attempt, action)
        if heard:
            world.ring_all()
        world.wait(8 * DAY_S)
        assert status_of(payment) == expected

    assert_in_order(world)
