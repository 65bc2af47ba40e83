"""The rules of money over all rows: silent on healthy data, and each kind of harm is found."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from tests.builders import (
    make_attempt,
    make_attempt_in,
    make_dispute,
    make_payment,
    make_payment_in,
    make_refund,
    make_snapshot,
    make_surplus,
)
from tillgate.common import clock
from tillgate.gateways.protocol import GatewayState
from tillgate.ledger.models import Account, Entry
from tillgate.ledger.services import Movement, post
from tillgate.money import Money
from tillgate.payments.models import Attempt, Payment, Refund, Surplus
from tillgate.payments.services.money_back import fail_refund, new_refund, succeed_refund
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.services.verify import violations, waiting_for_a_person


@pytest.fixture
def paid(attempt):
    apply_answer(attempt, make_snapshot(attempt))
    attempt.refresh_from_db()
    return attempt


def add_entry(attempt, minor, account="gateway", **fields):
    defaults = {
        "merchant_id": attempt.payment.merchant_id,
        "journal": "planted",
        "gateway": attempt.gateway,
        "subject": attempt.payment.reference,
        "currency": "NGN",
        "created_at": clock.now(),
    }
    Entry.objects.create(**{**defaults, **fields}, account=account, amount_minor=minor)


def test_healthy_data_breaks_no_rule(paid):
    apply_answer(paid, make_snapshot(paid, gateway_id="second"))
    apply_answer(make_attempt(paid.payment), make_snapshot(paid, gateway_id="third", amount=Money(7, "GHS")))
    make_payment(paid.payment.merchant)

    assert list(violations()) == []


def test_i4_a_journal_that_does_not_balance_is_found(paid):
    add_entry(paid, 100, account="sales")

    assert list(violations()) == ["journal planted is off by 100 NGN"]


def test_i4_a_journal_that_balances_only_across_currencies_is_found(paid):
    add_entry(paid, 100, account="sales", currency="USD")
    add_entry(paid, -100, account="held", currency="GHS")

    assert len(list(violations())) == 2


@pytest.mark.parametrize(
    "status", ["completed", "partially_refunded", "refunded", "disputed", "charged_back"]
)
def test_i2_a_payment_paid_without_proof_is_found(merchant, status):
    payment = make_payment_in(status, merchant)

    assert f"{payment.reference} is {status} without an attempt that settles it" in list(violations())


def test_i2_a_payment_refunded_out_of_review_needs_no_settling_attempt(merchant):
    attempt = make_attempt(make_payment(merchant))
    apply_answer(attempt, make_snapshot(attempt, GatewayState.REVERSED))
    resolve_review(attempt.payment_id, "refund")

    attempt.payment.refresh_from_db()
    assert attempt.payment.status == "refunded"
    assert list(violations()) == []


def test_i5_money_without_an_entry_is_found(payment):
    attempt = make_attempt_in("succeeded", payment)

    assert list(violations()) == [f"{attempt.reference} succeeded, and no ledger entry says so"]


def test_i5_an_equal_sum_of_another_transaction_does_not_hide_it(paid):
    other = make_attempt_in("succeeded", paid.payment)

    assert list(violations()) == [f"{other.reference} succeeded, and no ledger entry says so"]


def test_i5_an_entry_over_another_amount_is_found(paid):
    Attempt.objects.update(received_minor=4_999)

    assert list(violations()) == [f"{paid.reference} succeeded, and no ledger entry says so"]


def test_i1b_a_surplus_without_an_entry_is_found(paid):
    surplus = make_surplus(paid, currency="GHS")

    assert list(violations()) == [f"{surplus.reference} came on top, and no ledger entry says so"]


def succeed(attempt, minor=2_000, surplus=None):
    """A refund that succeeded, booked as it ought to be."""
    with transaction.atomic():
        payment = attempt.payment = lock_payment(attempt.payment_id)
        refund = new_refund(payment, attempt, Money(minor, "NGN"), surplus=surplus)
        succeed_refund(payment, refund)
    return refund


def test_i10_healthy_returns_break_no_rule(paid):
    apply_answer(paid, make_snapshot(paid, gateway_id="second"))
    surplus = Surplus.objects.select_related("attempt").get()
    failed = succeed(paid, 1_000)
    succeed(paid, 5_000, surplus=surplus)
    with transaction.atomic():
        failed.attempt.payment = lock_payment(paid.payment_id)
        fail_refund(failed.attempt.payment, failed, "it came back")

    paid.payment.refresh_from_db()
    assert (paid.payment.status, paid.payment.surplus_minor) == ("completed", 0)
    assert list(violations()) == []


@pytest.mark.parametrize(
    ("planted", "says"),
    [
        ({"status": "failed"}, "is failed, and the ledger says otherwise"),
        ({"status": "pending"}, "is pending, and the ledger says otherwise"),
        ({"reference": "REF-OTHER"}, "is succeeded, and the ledger says otherwise"),
        ({"amount_minor": 5_001}, "brought 5000 minor units, and 5001 went back"),
        ({"amount_minor": 1_999}, "says refunded 2000, its rows 1999"),
    ],
)
def test_i5_i10_a_refund_that_its_entries_do_not_bear_out_is_found(paid, planted, says):
    refund = succeed(paid)
    Refund.objects.filter(pk=refund.pk).update(**planted)

    assert any(says in sentence for sentence in violations())


def test_i10_more_of_a_surplus_than_came_in_is_found(paid):
    surplus = make_surplus(paid, amount_minor=100)
    make_refund(paid.payment, paid, surplus=surplus, amount_minor=101, status="succeeded")

    assert f"{surplus.reference} brought 100 minor units, and 101 went back" in list(violations())


def test_i5_a_charge_back_without_entries_is_found(paid):
    dispute = make_dispute(paid, status="lost")

    assert list(violations()) == [
        f"{dispute.reference} is lost, and no ledger entry says so",
        f"{paid.payment.reference} says charged_back 0, its rows 5000",
    ]


@pytest.mark.parametrize(("status", "listed"), [("failed", True), ("pending", False), ("succeeded", False)])
def test_i1b_a_surplus_is_listed_until_it_is_on_its_way_back(paid, status, listed):
    surplus = make_surplus(paid)
    make_refund(paid.payment, paid, surplus=surplus, status=status)

    assert any(surplus.reference in line for line in waiting_for_a_person()) == listed


def test_i1b_a_part_of_a_surplus_that_went_back_leaves_the_rest_listed(paid):
    surplus = make_surplus(paid)
    make_refund(paid.payment, paid, surplus=surplus, amount_minor=4_999, status="succeeded")

    assert any(surplus.reference in line for line in waiting_for_a_person())


@pytest.mark.parametrize(
    "explained", ["nothing", "a part", "refund", "open", "under_review", "lost", "won", "of a surplus"]
)
def test_g18_a_reversal_is_listed_until_something_explains_it(paid, explained):
    Attempt.objects.update(reversed_at=clock.now())
    if explained in ("refund", "a part"):
        minor = 5_000 if explained == "refund" else 4_999
        make_refund(paid.payment, paid, status="succeeded", amount_minor=minor)
    elif explained == "of a surplus":
        make_dispute(paid, surplus=make_surplus(paid))
    elif explained != "nothing":
        make_dispute(paid, status=explained)

    listed = any("took the money back" in line for line in waiting_for_a_person())

    assert listed == (explained in ("nothing", "a part", "won", "of a surplus"))


@pytest.mark.parametrize("field", ["received_minor", "surplus_minor"])
def test_i5_a_sum_that_its_entries_do_not_bear_out_is_found(paid, field):
    Payment.objects.update(**{field: 6_000})

    [sentence] = violations()

    assert sentence.startswith(f"{paid.payment.reference} says ")
    assert sentence.endswith("its ledger entries 5000")


def test_i5_an_entry_that_no_sum_tells_of_is_found(paid):
    with transaction.atomic():
        post(
            Movement(
                journal="refund:planted",
                merchant_id=paid.payment.merchant_id,
                gateway="paystack",
                subject=paid.payment.reference,
                source=Account.GATEWAY,
                target=Account.HELD,
                amount=Money(1_000, "NGN"),
            )
        )

    assert list(violations()) == [f"{paid.payment.reference} says 5000 minor units, its ledger entries 4000"]


def test_a_payment_in_review_waits_for_a_person(merchant):
    payment = make_payment_in("review", merchant)

    [sentence] = waiting_for_a_person()

    assert sentence.startswith(f"{payment.reference} is in review")
    assert "wrong_amount" in sentence


def test_a_surplus_waits_for_a_person_in_any_currency(paid):
    surplus = make_surplus(paid, currency="GHS")

    assert list(waiting_for_a_person()) == [
        f"{paid.payment.reference} received GHS 50.00 more than it asked for: "
        f"POST …/surplus/{surplus.reference}/refund sends it back."
    ]


def test_a_parked_refund_waits_for_a_person(payment, attempt):
    refund = make_refund(payment, attempt, status="unknown", explanation="Look in its dashboard.")
    make_refund(make_payment(payment.merchant), attempt, status="unknown")
    make_refund(make_payment(payment.merchant), attempt, status="failed", explanation="Refused.")

    [line] = waiting_for_a_person()
    assert line == f"{refund.reference}: Look in its dashboard. Then: ./run resolve-refund."


@pytest.mark.parametrize(("hours", "listed"), [(23, False), (25, True)])
def test_i17_what_stays_open_for_a_day_waits_for_a_person(merchant, hours, listed):
    long_ago = clock.now() - timedelta(hours=hours)
    unknown = make_attempt(make_payment(merchant), status="unknown", created_at=long_ago)
    processing = make_attempt(make_payment(merchant, status="processing"), created_at=long_ago)
    make_attempt(make_payment(merchant), created_at=long_ago)  # Its customer may take their time.
    refunds = [
        make_refund(make_payment(merchant), unknown, status=status, created_at=long_ago)
        for status in ("pending", "unknown", "succeeded", "failed")
    ]

    named = {sentence.split()[0] for sentence in waiting_for_a_person()}

    late = {unknown.reference, processing.reference, *(refund.reference for refund in refunds[:2])}
    assert named == (late if listed else set())


@pytest.mark.parametrize(
    ("age", "looked", "listed"),
    [
        (timedelta(hours=24), None, False),
        (timedelta(hours=26), None, True),
        (timedelta(hours=26), timedelta(minutes=61), False),
        (timedelta(hours=47), timedelta(minutes=61), False),
        (timedelta(hours=49), timedelta(minutes=61), True),
        (timedelta(days=29), timedelta(days=14), False),
        (timedelta(days=32), timedelta(days=14), True),
        (timedelta(days=400), timedelta(days=179), True),
        (timedelta(days=400), timedelta(days=180), False),
    ],
)
def test_i17_money_that_is_not_looked_back_at_waits_for_a_person(paid, age, looked, listed):
    began = clock.now() - age
    Attempt.objects.update(verified_at=began, looked_back_at=None if looked is None else began + looked)

    lines = [line for line in waiting_for_a_person() if "has long told nothing" in line]

    assert [line.split(":")[0] for line in lines] == ([paid.reference] if listed else [])


def test_what_did_not_succeed_is_not_looked_back_at(attempt):
    Attempt.objects.update(status="failed", verified_at=clock.now() - timedelta(days=2))

    assert list(waiting_for_a_person()) == []


@pytest.mark.parametrize(("refunded", "listed"), [(4_000, False), (4_001, True)])
def test_i10_money_that_went_back_twice_waits_for_a_person(paid, refunded, listed):
    surplus = make_surplus(paid)
    for of in (None, surplus):
        make_dispute(paid, surplus=of, status="lost", amount_minor=1_000)
        make_dispute(paid, surplus=of, status="won")
        make_refund(paid.payment, paid, surplus=of, status="succeeded", amount_minor=refunded)
        make_refund(paid.payment, paid, surplus=of, status="failed")

    lines = [line for line in waiting_for_a_person() if "came in, and" in line]

    assert len(lines) == (2 if listed else 0)
    assert all("NGN 50.00 came in, and NGN 50.01 went back" in line for line in lines)


def test_i17_money_of_a_closed_payment_whose_refund_failed_after_all_waits_for_a_person(merchant):
    attempt = make_attempt(make_payment(merchant, status="canceled"), status="superseded")
    apply_answer(attempt, make_snapshot(attempt))
    resolve_review(attempt.payment_id, "refund")
    refund = Refund.objects.get()
    with transaction.atomic():
        payment = refund.payment = refund.attempt.payment = lock_payment(attempt.payment_id)
        succeed_refund(payment, refund)
        before = list(waiting_for_a_person())
        fail_refund(payment, refund, "it came back")
    listed = list(waiting_for_a_person())

    resolve_review(payment.pk, "refund")

    assert (before, payment.status) == ([], "refunded")
    assert listed == [f"{payment.reference}: its refund failed after all. POST …/resolve decides again."]
    assert list(waiting_for_a_person()) == []
    assert list(violations()) == []


def test_the_command_is_content_with_healthy_data(paid, capsys):
    make_payment_in("review", paid.payment.merchant, received_minor=0)

    call_command("verify_ledger")

    out = capsys.readouterr().out
    assert "for a person: " in out
    assert "Every rule of money holds." in out


def test_the_command_fails_when_a_rule_is_broken(paid, capsys):
    add_entry(paid, 100)

    with pytest.raises(CommandError, match="2 rules are broken"):
        call_command("verify_ledger")

    assert "broken: journal planted is off by 100 NGN" in capsys.readouterr().err


@pytest.mark.parametrize(("silences", "listed"), [(4, False), (5, True)])
def test_a_gateway_that_stays_silent_waits_for_a_person(payment, silences, listed):
    attempt = make_attempt(payment, silences=silences)

    assert any(f"{attempt.reference}: paystack gave no" in line for line in waiting_for_a_person()) == listed
