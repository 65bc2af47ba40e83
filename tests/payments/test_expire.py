from datetime import timedelta

import pytest
from django.db import connection

from tests.builders import make_attempt, make_payment, make_payment_in, make_snapshot
from tillgate.common import clock
from tillgate.events.models import Event
from tillgate.payments.jobs import expire_payments
from tillgate.payments.models import Payment
from tillgate.payments.services.expire import BATCH, expire_due_payments
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.states import PAYABLE, PaymentStatus


def make_due(status, merchant, **fields):
    return make_payment_in(status, merchant, expires_at=clock.now() - timedelta(seconds=1), **fields)


@pytest.mark.parametrize("status", sorted(PAYABLE))
def test_a_payment_that_nobody_paid_in_time_expires(merchant, status):
    payment = make_due(status, merchant)

    assert expire_due_payments() == 1

    payment.refresh_from_db()
    assert payment.status == "expired"
    assert Event.objects.get().type == "payment.expired"


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s not in PAYABLE])
def test_no_other_payment_expires(merchant, status):
    payment = make_due(status, merchant)

    assert expire_due_payments() == 0

    payment.refresh_from_db()
    assert payment.status == status


def test_a_payment_does_not_expire_before_its_time(payment):
    assert expire_due_payments() == 0


def test_the_products_clock_decides(payment):
    clock.advance(24 * 3600)

    assert expire_due_payments() == 1


def test_a_repeat_expires_nothing_twice(merchant):
    make_due("pending", merchant)

    assert [expire_due_payments(), expire_due_payments()] == [1, 0]


def test_a_payment_paid_between_the_list_and_the_lock_is_left_alone(merchant):
    payment = make_due("pending", merchant)
    attempt = make_attempt(payment)

    def pay_first(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if "expires_at" in sql and "ORDER BY" in sql:
            blocker.pop().__exit__(None, None, None)
            apply_answer(attempt, make_snapshot(attempt))
        return answer

    blocker = [connection.execute_wrapper(pay_first)]
    blocker[0].__enter__()

    assert expire_due_payments() == 0
    assert Payment.objects.get().status == "completed"


def test_many_expire_in_turns(merchant, monkeypatch):
    monkeypatch.setattr("tillgate.payments.services.expire.BATCH", 2)
    for _ in range(3):
        make_due("pending", merchant)

    assert [expire_due_payments(), expire_due_payments()] == [2, 1]
    assert BATCH == 200


def test_g25_money_that_comes_later_completes_it(merchant):
    attempt = make_attempt(make_due("pending", merchant))
    expire_payments.call()

    apply_answer(attempt, make_snapshot(attempt))

    payment = Payment.objects.get()
    assert (payment.status, payment.late) == ("completed", True)


def test_an_unpaid_neighbour_does_not_stop_the_rest(merchant):
    first, second = make_due("pending", merchant), make_payment(merchant)

    expire_due_payments()

    assert {p.pk: p.status for p in Payment.objects.all()} == {first.pk: "expired", second.pk: "pending"}
