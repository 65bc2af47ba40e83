"""Money, a cancel, the expiry and refunds meet at one payment: the graph is kept and no money is lost."""

from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest

from tests.races.conftest import race
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways.http import IN_WORKER
from tillgate.merchants.services.accounts import connect, listeners
from tillgate.payments.errors import NotInThisState, StillRunning
from tillgate.payments.models import Payment, Refund
from tillgate.payments.services import refund_calls
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.expire import expire_due_payments
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sessions import open_session
from tillgate.payments.services.sync import ask
from tillgate.payments.services.verify import violations
from tillgate.payments.states import PAYMENT_MOVES, PaymentStatus

pytestmark = pytest.mark.django_db(transaction=True)
REFUSALS = (NotInThisState, StillRunning)


def assert_graph_kept(payment):
    """Every move on the timeline is in the table, and the numbers have no gap."""
    told = Event.objects.filter(subject=payment.reference).order_by("sequence")
    path = [PaymentStatus.PENDING]
    path += [PaymentStatus(e.type.partition(".")[2]) for e in told if e.type.startswith("payment.")]
    assert all(to in PAYMENT_MOVES[current] for current, to in pairwise(path)), path
    assert [event.sequence for event in told] == list(range(2, len(told) + 2))
    assert payment.status == path[-1]


def test_a52_pay_cancel_expire_and_another_try_at_one_payment(customer):
    ends = set()
    for number in range(40):
        payment, attempt = customer.order()
        customer.pay(attempt)
        Payment.objects.filter(pk=payment.pk).update(expires_at=clock.now() - timedelta(seconds=1))

        results = race(
            partial(ask, attempt.pk),
            partial(cancel_payment, payment.pk),
            expire_due_payments,
            partial(open_session, payment, None),
            seed=number,
        )

        errors = [result for result in results if isinstance(result, BaseException)]
        assert [error for error in errors if not isinstance(error, REFUSALS)] == []
        payment.refresh_from_db()
        assert_graph_kept(payment)
        assert payment.status in ("completed", "review")
        assert payment.received_minor == 5_000
        ends.add(payment.status)

    assert ends <= {"completed", "review"}
    assert list(violations()) == []


def test_i10_a_refund_that_everybody_wants_at_once_is_called_once(customer):
    gateway = connect(listeners("paystack")[0].account, IN_WORKER)
    for number in range(15):
        payment, attempt = customer.order()
        customer.pay(attempt, "other_amount", amount_minor=4_000)
        ask(attempt.pk)
        resolve_review(payment.pk, "refund")
        refund = Refund.objects.get(payment=payment)

        race(
            partial(resolve_review, payment.pk, "refund"),
            partial(refund_calls.submit, refund.pk),
            partial(refund_calls.submit, refund.pk),
            run_due_jobs,
            seed=number,
        )

        attempt.refresh_from_db()
        assert len(gateway.list_refunds(attempt.ref, since=attempt.created_at)) == 1
        assert Refund.objects.filter(payment=payment).count() == 1

    clock.advance(3600)
    run_due_jobs()
    assert not Job.objects.filter(status="dead").exists()
    assert set(Refund.objects.values_list("status", flat=True)) <= {"pending", "succeeded", "unknown"}
    assert list(violations()) == []


def test_a_review_is_decided_once_whoever_asks(customer):
    for number in range(15):
        payment, attempt = customer.order()
        customer.pay(attempt, "other_amount", amount_minor=4_000)
        ask(attempt.pk)

        results = race(
            partial(resolve_review, payment.pk, "accept"),
            partial(resolve_review, payment.pk, "refund"),
            partial(resolve_review, payment.pk, "accept"),
            seed=number,
        )

        errors = [result for result in results if isinstance(result, BaseException)]
        assert [error for error in errors if not isinstance(error, REFUSALS)] == []
        payment.refresh_from_db()
        accepted = payment.status == "completed"
        assert Refund.objects.filter(payment=payment).exists() != accepted

    assert list(violations()) == []
