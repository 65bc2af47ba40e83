"""What the doctor says of money, and what whoever watches is told of payments."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders import (
    make_attempt,
    make_dispute,
    make_method,
    make_payment,
    make_payment_in,
    make_refund,
    make_settled,
    make_surplus,
)
from tillgate.common import clock
from tillgate.payments import doctor, metrics
from tillgate.payments.models import Payment


def figures(reader):
    return {figure.name: dict(figure.samples) for figure in reader()}


def test_a_business_whose_money_is_in_order_has_nothing_waiting(merchant):
    (finding,) = doctor.money()

    assert (finding.verdict, finding.fix) == ("ok", "")


def test_what_waits_is_counted_and_not_named(merchant):
    payments = [make_payment_in("review", merchant) for _ in range(2)]
    (finding,) = doctor.money()

    assert finding.verdict == "look at it"
    assert finding.seen == "2 things of payments, refunds and disputes wait for a person."
    assert "./run verify-ledger" in finding.fix
    assert not [payment for payment in payments if payment.reference in finding.seen + finding.fix]


def test_saved_methods_that_no_key_opens_are_broken(merchant, settings):
    assert list(doctor.saved_methods()) == []
    make_method(merchant)
    assert [finding.verdict for finding in doctor.saved_methods()] == ["ok"]

    settings.TILLGATE_ENCRYPTION_KEYS = ("b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLW9ubHk=",)
    assert [finding.verdict for finding in doctor.saved_methods()] == ["broken"]


def test_payments_are_counted_by_mode_gateway_and_status(merchant):
    make_payment(merchant)
    make_payment(merchant, mode="live")
    make_settled(make_payment(merchant))

    shown = figures(metrics.payments)
    assert shown["payments"] == {
        ("test", "none", "pending"): 1,
        ("live", "none", "pending"): 1,
        ("test", "paystack", "completed"): 1,
    }
    newest = Payment.objects.latest("pk").pk
    assert shown["payments_created_total"] == {(): newest}


def test_the_last_hour_is_told_apart(merchant):
    long_ago = clock.now() - timedelta(hours=2)
    make_payment(merchant, created_at=long_ago)
    make_settled(make_payment(merchant, created_at=long_ago))

    shown = figures(metrics.payments)
    assert shown["payments_created_last_hour"] == {("test", "none"): 0, ("test", "paystack"): 0}
    assert shown["payments_completed_last_hour"] == {("test", "none"): 0, ("test", "paystack"): 1}


def test_only_the_newest_rows_are_read(merchant, monkeypatch):
    monkeypatch.setattr(metrics, "NEWEST", 2)
    for _ in range(3):
        make_payment_in("review", merchant)

    assert figures(metrics.payments)["payments"] == {("test", "paystack", "review"): 2}
    assert figures(metrics.money)["money_waiting"]["review",] == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what is in the tables")
def test_no_table_of_money_is_walked_through(merchant):
    make_attempt(make_payment(merchant))
    with CaptureQueriesContext(connection) as captured:
        for reader in (metrics.payments, metrics.attempts, metrics.money):
            list(reader())
    plans = []
    with connection.cursor() as cursor:
        for query in captured:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"))
            plans += [row[3] for row in cursor.fetchall()]

    assert len([plan for plan in plans if "PRIMARY KEY (rowid>?)" in plan]) >= 5
    assert [plan for plan in plans if plan.startswith("SCAN payments_")] == []


def test_lost_answers_are_counted(merchant):
    make_attempt(make_payment(merchant), status="unknown")
    make_attempt(make_payment(merchant))

    assert figures(metrics.attempts) == {"attempts_unknown": {("test", "paystack"): 1}}


@pytest.mark.parametrize("what", ["review", "surplus", "dispute", "refund"])
def test_money_that_waits_for_a_person_is_counted(merchant, what):
    settled = make_settled(make_payment(merchant))
    makers = {
        "review": lambda: make_payment_in("review", merchant),
        "surplus": lambda: make_surplus(settled),
        "dispute": lambda: make_dispute(settled),
        "refund": lambda: make_refund(settled.payment, settled, status="unknown", explanation="Two fit."),
    }
    makers[what]()

    shown = figures(metrics.money)["money_waiting"]
    assert shown == {(name,): int(name == what) for name in makers}


def test_what_is_sent_back_waits_no_more(merchant):
    settled = make_settled(make_payment(merchant))
    surplus = make_surplus(settled)
    make_refund(
        settled.payment, settled, surplus=surplus, amount_minor=surplus.amount_minor, status="succeeded"
    )
    make_refund(settled.payment, settled, status="pending")

    assert set(figures(metrics.money)["money_waiting"].values()) == {0}
