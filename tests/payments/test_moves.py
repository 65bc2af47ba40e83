from contextlib import suppress

import pytest
from django.db import IntegrityError, transaction

from tests.builders import make_refund
from tillgate.events.models import Event
from tillgate.payments.models import Payment
from tillgate.payments.services.moves import lock_payment, move_attempt, move_payment, move_refund, note
from tillgate.payments.states import AttemptStatus, PaymentStatus, RefundStatus


def events_of(payment):
    return list(Event.objects.filter(subject=payment.reference).order_by("sequence"))


def test_a_repeat_of_a_move_writes_nothing(payment):
    with transaction.atomic():
        move_payment(lock_payment(payment.pk), PaymentStatus.CANCELED)
        move_payment(lock_payment(payment.pk), PaymentStatus.CANCELED, description="again")

    payment.refresh_from_db()
    assert [event.type for event in events_of(payment)] == ["payment.canceled"]
    assert (payment.sequence, payment.description) == (2, "")


def test_a_move_and_its_event_vanish_together(payment):
    with suppress(RuntimeError), transaction.atomic():
        move_payment(lock_payment(payment.pk), PaymentStatus.CANCELED)
        raise RuntimeError("the process dies before the commit")

    payment.refresh_from_db()
    assert payment.status == "pending"
    assert events_of(payment) == []


def test_events_count_from_two_for_the_row_itself_is_the_first(payment):
    with transaction.atomic():
        locked = lock_payment(payment.pk)
        note(locked, "attempt.created", {"attempt": "ATT-1"})
        move_payment(locked, PaymentStatus.FAILED, event={"code": "declined"})

    assert [(e.sequence, e.type) for e in events_of(payment)] == [
        (2, "attempt.created"),
        (3, "payment.failed"),
    ]
    assert events_of(payment)[1].data == {"code": "declined"}
    assert events_of(payment)[1].merchant_id == payment.merchant_id


def test_the_changes_of_a_move_are_stored_with_it(payment):
    with transaction.atomic():
        move_payment(lock_payment(payment.pk), PaymentStatus.FAILED, failure={"code": "declined"})

    payment.refresh_from_db()
    assert payment.failure == {"code": "declined"}


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_a_bug(payment):
    with pytest.raises(AssertionError, match="a lock lives in a transaction"):
        lock_payment(payment.pk)


def test_a_repeated_attempt_status_still_stores_what_comes_with_it(attempt):
    assert move_attempt(attempt, AttemptStatus.PENDING, access_code="later")

    attempt.refresh_from_db()
    assert attempt.access_code == "later"


def test_a_repeated_refund_status_is_no_refusal(payment, attempt):
    refund = make_refund(payment, attempt, status="unknown")

    assert move_refund(refund, RefundStatus.UNKNOWN)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "completed"},
        {"status": "paid"},
        {"amount_minor": 0},
        {"amount_minor": 1_000_000_000_000},
        {"refunded_minor": 1},
        {"received_minor": -1},
        {"surplus_minor": -1},
    ],
)
def test_the_database_refuses_a_payment_that_cannot_be(payment, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**fields)
