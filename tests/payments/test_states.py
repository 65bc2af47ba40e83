"""Every pair of every move table: what is in the table moves, all else changes nothing."""

from itertools import product
from typing import Any

import pytest
from django.db import transaction

from tests.builders import make_attempt_in, make_dispute, make_payment_in, make_refund
from tillgate.events.models import Event
from tillgate.payments.errors import NotInThisState
from tillgate.payments.services.moves import (
    lock_payment,
    move_attempt,
    move_dispute,
    move_payment,
    move_refund,
)
from tillgate.payments.states import (
    ATTEMPT_MOVES,
    DISPUTE_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    AttemptStatus,
    DisputeStatus,
    PaymentStatus,
    RefundStatus,
)

# What CONTRACT.md section 3 allows, written out once more so that no move slips in or out unseen.
PAYMENTS = {
    "pending": "processing completed failed review expired canceled",
    "processing": "completed failed review",
    "completed": "partially_refunded refunded disputed",
    "failed": "processing completed review expired canceled",
    "review": "completed refunded",
    "expired": "completed review",
    "canceled": "review",
    "partially_refunded": "refunded disputed completed",
    "refunded": "disputed completed partially_refunded",
    "disputed": "completed partially_refunded refunded charged_back",
    "charged_back": "",
}
ATTEMPTS = {
    "created": "sent failed",
    "sent": "pending unknown succeeded failed",
    "pending": "succeeded failed superseded",
    "unknown": "pending succeeded failed",
    "succeeded": "",
    "failed": "succeeded",
    "superseded": "succeeded",
}
REFUNDS = {
    "pending": "succeeded failed unknown",
    "unknown": "succeeded failed",
    "succeeded": "failed",
    "failed": "",
}
DISPUTES = {
    "open": "under_review won lost",
    "under_review": "won lost",
    "won": "",
    "lost": "",
}


def pairs(statuses, table):
    return [
        pytest.param(a, b, b in table.get(a, ()), id=f"{a}-{b}")
        for a, b in product(statuses, repeat=2)
        if a != b
    ]


@pytest.mark.parametrize(
    ("table", "agreed"),
    [
        (PAYMENT_MOVES, PAYMENTS),
        (ATTEMPT_MOVES, ATTEMPTS),
        (REFUND_MOVES, REFUNDS),
        (DISPUTE_MOVES, DISPUTES),
    ],
)
def test_the_tables_are_those_of_the_contract(table, agreed):
    assert {str(a): set(table.get(a, ())) for a in agreed} == {a: set(b.split()) for a, b in agreed.items()}
    assert set(table) <= set(agreed)


@pytest.mark.parametrize(("current", "to", "legal"), pairs(PaymentStatus, PAYMENT_MOVES))
def test_a_payment_moves_as_its_table_says(merchant, current, to, legal):
    payment = make_payment_in(current, merchant)
    money: dict[str, Any] = {}
    if to == "completed":
        money = {"completed_at": payment.created_at, "received_minor": 5_000}

    with transaction.atomic():
        if legal:
            move_payment(lock_payment(payment.pk), to, **money)
        else:
            with pytest.raises(NotInThisState, match=f"is {current} and cannot become {to}"):
                move_payment(lock_payment(payment.pk), to, **money)

    payment.refresh_from_db()
    assert (payment.status, payment.sequence) == ((to, 2) if legal else (current, 1))
    told = Event.objects.filter(subject=payment.reference).values_list("type", "sequence")
    assert list(told) == ([(f"payment.{to}", 2)] if legal else [])


@pytest.mark.parametrize(("current", "to", "legal"), pairs(AttemptStatus, ATTEMPT_MOVES))
def test_an_attempt_moves_as_its_table_says(payment, current, to, legal):
    proof = {"verified_at": payment.created_at, "received_minor": 1, "gateway_id": "1"}
    attempt = make_attempt_in(current, payment, **proof)

    moved = move_attempt(attempt, to, channel="card")

    attempt.refresh_from_db()
    assert moved == legal
    assert (attempt.status, attempt.channel) == ((to, "card") if legal else (current, ""))


@pytest.mark.parametrize(("current", "to", "legal"), pairs(RefundStatus, REFUND_MOVES))
def test_a_refund_moves_as_its_table_says(payment, attempt, current, to, legal):
    refund = make_refund(payment, attempt, status=current)

    moved = move_refund(refund, to, explanation="why")

    refund.refresh_from_db()
    assert moved == legal
    assert (refund.status, refund.explanation) == ((to, "why") if legal else (current, ""))


@pytest.mark.parametrize(("current", "to", "legal"), pairs(DisputeStatus, DISPUTE_MOVES))
def test_a_dispute_moves_as_its_table_says(attempt, current, to, legal):
    dispute = make_dispute(attempt, status=current)

    moved = move_dispute(dispute, to, reason="why")

    dispute.refresh_from_db()
    assert moved == legal
    assert (dispute.status, dispute.reason) == ((to, "why") if legal else (current, ""))
