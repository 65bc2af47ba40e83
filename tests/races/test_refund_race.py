"""Many want the same money back at once: what goes back never exceeds what came in."""

from datetime import timedelta
from functools import partial

import pytest

from tests.races.conftest import race
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.gateways.http import IN_WORKER
from tillgate.merchants.services.accounts import connect, listeners
from tillgate.money import Money
from tillgate.payments.errors import RefundTooLarge
from tillgate.payments.models import Refund, Surplus
from tillgate.payments.services.look_back import look_back
from tillgate.payments.services.refunds import RefundOrder, create_refund, refund_surplus
from tillgate.payments.services.sync import LADDER_S, ask
from tillgate.payments.services.verify import violations

pytestmark = pytest.mark.django_db(transaction=True)
FIFTH = Money(1_000, "NGN")


@pytest.fixture
def gateway(sandbox):
    return connect(listeners("paystack")[0].account, IN_WORKER)


def order(key, amount=FIFTH):
    return RefundOrder(amount=amount, reason="", idempotency_hash=key, request_hash=str(amount))


def finish(customer):
    """Let the sandbox's refunds end, and the product hear of it."""
    for seconds in LADDER_S[:6]:
        customer.advance(seconds)
        clock.advance(seconds)
        run_due_jobs()


def listed(gateway, attempt):
    attempt.refresh_from_db()
    return gateway.list_refunds(attempt.ref, since=attempt.created_at - timedelta(days=1))


def test_g28_of_ten_fifths_at_once_five_are_accepted_and_five_go_back(customer, gateway):
    for number in range(5):
        payment, attempt = customer.order()
        customer.pay(attempt)
        ask(attempt.pk)

        wanted = [partial(create_refund, payment.pk, order(f"{number}-{n}")) for n in range(10)]
        results = race(*wanted, run_due_jobs, run_due_jobs, seed=number)[:10]
        finish(customer)

        refused = [result for result in results if isinstance(result, RefundTooLarge)]
        accepted = [result for result in results if isinstance(result, tuple)]
        assert (len(accepted), len(refused)) == (5, 5), results
        payment.refresh_from_db()
        assert (payment.status, payment.refunded_minor) == ("refunded", 5_000)
        assert [row.amount for row in listed(gateway, attempt)] == [FIFTH] * 5

    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert list(Job.objects.exclude(last_error="").values_list("task", "last_error")) == []
    assert list(violations()) == []


def test_i10_one_key_makes_one_refund_however_often_it_is_sent_at_once(customer, gateway):
    payment, attempt = customer.order()
    customer.pay(attempt)
    ask(attempt.pk)

    results = race(*[partial(create_refund, payment.pk, order("one"))] * 8)
    finish(customer)

    assert len({refund.pk for refund, _ in results}) == 1
    assert sum(is_new for _, is_new in results) == 1
    assert len(listed(gateway, attempt)) == 1


def test_i10_a_surplus_goes_back_once_whoever_asks(customer, gateway):
    payment, attempt = customer.order()
    first, second = customer.pay(attempt), customer.pay(attempt, "twice")
    for transaction_id in (first, second):
        ask(attempt.pk, gateway_id=transaction_id)
    surplus = Surplus.objects.select_related("attempt").get()

    results = race(*[partial(refund_surplus, surplus)] * 6, run_due_jobs)[:6]
    finish(customer)

    assert len({refund.pk for refund, _ in results}) == 1
    assert len(gateway.list_refunds(surplus.transaction, since=surplus.created_at - timedelta(days=1))) == 1
    payment.refresh_from_db()
    assert (payment.status, payment.surplus_minor) == ("completed", 0)
    assert list(violations()) == []


def test_a_look_back_in_the_middle_imports_none_of_ours(customer, gateway):
    for number in range(10):
        payment, attempt = customer.order()
        customer.pay(attempt)
        ask(attempt.pk)
        create_refund(payment.pk, order(f"{number}"))

        race(run_due_jobs, *[partial(look_back, attempt.pk)] * 3, run_due_jobs, seed=number)
        finish(customer)

        assert payment.refunds.count() == len(listed(gateway, attempt)) == 1
        payment.refresh_from_db()
        assert payment.status == "partially_refunded"

    assert list(violations()) == []
