"""The rules of money over all rows: silent on healthy data, and each kind of harm is found."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from tests.builders import (
    make_attempt,
    make_attempt_in,
    make_payment,
    make_payment_in,
    make_refund,
    make_snapshot,
)
from tillgate.common import clock
from tillgate.ledger.models import Account, Entry
from tillgate.ledger.services import Movement, post
from tillgate.money import Money
from tillgate.payments.models import Attempt, Payment, Surplus
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
    make_payment_in("refunded", merchant, review_reason="wrong_amount")

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
    surplus = make_surplus(paid)

    assert list(violations()) == [f"{surplus.reference} came on top, and no ledger entry says so"]


def make_surplus(attempt):
    return Surplus.objects.create(
        reference="SUR-1",
        payment=attempt.payment,
        attempt=attempt,
        gateway="paystack",
        mode="test",
        gateway_id="9",
        amount_minor=100,
        currency="GHS",
        created_at=clock.now(),
    )


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
    make_surplus(paid)

    assert list(waiting_for_a_person()) == [
        f"{paid.payment.reference} received more than it asked for: see its timeline."
    ]


def test_a_parked_refund_waits_for_a_person(payment, attempt):
    refund = make_refund(payment, attempt, status="unknown", parked_reason="Look in its dashboard.")
    make_refund(make_payment(payment.merchant), attempt, status="unknown")
    make_refund(make_payment(payment.merchant), attempt, status="failed", parked_reason="Refused.")

    assert list(waiting_for_a_person()) == [f"{refund.reference}: Look in its dashboard."]


@pytest.mark.parametrize(("hours", "listed"), [(23, False), (25, True)])
def test_i17_what_stays_open_for_a_day_waits_for_a_person(merchant, hours, listed):
    long_ago = clock.now() - timedelta(hours=hours)
    unknown = make_attempt(make_payment(merchant), status="unknown", created_at=long_ago)
    processing = make_attempt(make_payment(merchant, status="processing"), created_at=long_ago)
    make_attempt(make_payment(merchant), created_at=long_ago)  # Its customer may take their time.
    refund = make_refund(make_payment(merchant), unknown, created_at=long_ago)

    named = {sentence.split()[0] for sentence in waiting_for_a_person()}

    assert named == ({unknown.reference, processing.reference, refund.reference} if listed else set())


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
