"""Webhook, return page, poller and GET all learn of the same money at the same moment: it settles once."""

from datetime import timedelta
from functools import partial

import pytest
from django.db.models import Sum
from django.test import Client

from tests.inbox.conftest import SIGNATURE, charge, sign
from tests.races.conftest import race
from tillgate.checkout import waiting
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.inbox.models import InboundEvent
from tillgate.ledger.models import Entry
from tillgate.payments.jobs import ask_gateway
from tillgate.payments.models import Attempt, Payment, Surplus
from tillgate.payments.services.verify import violations

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 200


def webhook(attempt, transaction_id):
    body = charge(attempt.gateway_reference, int(transaction_id))
    headers = {SIGNATURE: sign(body)}
    answer = Client().post(
        "/api/v1/webhooks/paystack", body, content_type="application/json", headers=headers
    )
    run_due_jobs()
    return answer.status_code


def return_page(payment, attempt):
    query = {"reference": attempt.gateway_reference, "trxref": attempt.gateway_reference}
    return Client().get(f"/pay/{payment.checkout_token}/return", query).status_code


def poller(attempt):
    ask_gateway.call(attempt.pk, 0)
    return 200


def get(payment):
    status = Client().get(f"/api/v1/payments/{payment.reference}").status_code
    run_due_jobs()
    return status


def assert_settled_once(payment):
    payment.refresh_from_db()
    sums = (
        Entry.objects.filter(subject=payment.reference)
        .values_list("account")
        .annotate(sum=Sum("amount_minor"))
    )
    assert payment.status == "completed"
    assert payment.attempts.filter(settles=True).count() == 1
    assert Event.objects.filter(subject=payment.reference, type="payment.completed").count() == 1
    assert dict(sums) == {"gateway": 5_000, "sales": -5_000}
    assert (payment.received_minor, payment.surplus_minor) == (5_000, 0)


def assert_no_job_failed():
    run_due_jobs()
    assert list(Job.objects.exclude(last_error="").values_list("task", "last_error")) == []


def test_w01_four_ways_to_learn_of_one_payment_settle_it_once_200_times(customer, monkeypatch):
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.02)

    for number in range(ROUNDS):
        payment, attempt = customer.order()
        transaction_id = customer.pay(attempt)
        Payment.objects.filter(pk=payment.pk).update(asked_at=clock.now() - timedelta(minutes=1))

        statuses = race(
            partial(webhook, attempt, transaction_id),
            partial(return_page, payment, attempt),
            partial(poller, attempt),
            partial(get, payment),
            seed=number,
        )

        assert statuses == [200, 200, 200, 200]
        assert_no_job_failed()
        assert_settled_once(payment)

    assert InboundEvent.objects.filter(state="applied").count() == ROUNDS
    assert Attempt.objects.filter(status="succeeded").count() == ROUNDS
    assert not Surplus.objects.exists()
    assert list(violations()) == []


def test_g24_two_transactions_of_one_session_settle_once_and_leave_one_surplus(customer):
    for number in range(20):
        payment, attempt = customer.order()
        first = customer.pay(attempt)
        second = customer.pay(attempt, "twice")

        results = race(
            partial(webhook, attempt, first),
            partial(webhook, attempt, second),
            partial(webhook, attempt, second),
            partial(poller, attempt),
            seed=number,
        )

        assert results == [200] * 4
        assert_no_job_failed()
        payment.refresh_from_db()
        assert (payment.status, payment.received_minor, payment.surplus_minor) == ("completed", 5_000, 5_000)
        assert payment.attempts.filter(settles=True).count() == 1
        assert Surplus.objects.filter(payment=payment).count() == 1

    assert list(violations()) == []
