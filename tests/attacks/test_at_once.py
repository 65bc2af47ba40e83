"""A-52, A-53, M-06: many want the same at the same moment, on a database with real transactions."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core import mail as outbox_of
from django.db import connections
from django.test import Client

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_method, make_payment, make_settled, make_subscription, make_surplus
from tests.races.conftest import customer, race  # noqa: F401
from tests.races.test_closing_race import assert_graph_kept
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.money import Money
from tillgate.payments.errors import NotInThisState, RefundTooLarge, StillRunning
from tillgate.payments.models import Attempt, Payment, Refund
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.expire import expire_due_payments
from tillgate.payments.services.refunds import RefundOrder, create_refund
from tillgate.payments.services.sessions import MAX_ATTEMPTS
from tillgate.payments.services.sync import ask
from tillgate.payments.services.verify import violations
from tillgate.subscriptions.models import Cycle, Subscription

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE, ROUNDS = 50, 2
REFUSALS = (NotInThisState, StillRunning, RefundTooLarge)


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Let so many callers act, each in a thread of its own, as soon as all are there."""
    together, results = threading.Barrier(count), [None] * count

    def run(place: int) -> None:
        try:
            together.wait()
            results[place] = act(place)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def order(key: str, amount: Money | None = None) -> RefundOrder:
    return RefundOrder(amount=amount, reason="", idempotency_hash=key, request_hash=key)


def test_a52_pay_cancel_expire_and_refund_at_one_payment(customer):  # noqa: F811
    ends = set()
    for number in range(25):
        payment, attempt = customer.order()
        customer.pay(attempt)
        if number % 2:
            ask(attempt.pk)  # Every other one is paid already when the four meet.

        results = race(
            partial(ask, attempt.pk),
            partial(cancel_payment, payment.pk),
            expire_due_payments,
            partial(create_refund, payment.pk, order(f"k-{number}")),
            seed=number,
        )
        run_due_jobs()

        errors = [result for result in results if isinstance(result, BaseException)]
        assert [error for error in errors if not isinstance(error, REFUSALS)] == []
        payment.refresh_from_db()
        assert_graph_kept(payment)
        assert payment.received_minor == 5_000
        assert payment.refunds.count() <= 1
        ends.add(payment.status)

    assert ends <= {"completed", "review", "refunded"}
    assert len(ends) > 1, "one of the four always came first: nothing was tried"
    assert list(violations()) == []


@pytest.fixture
def doors(merchant, gateway):
    """Each door that creates or moves money: makes an address and a body anew, and counts what came of it."""

    def payments():
        return PAYMENTS, MINIMAL

    def recurring():
        return PAYMENTS, {**MINIMAL, "recurring": {"interval": "monthly"}}

    def attempts():
        return f"{PAYMENTS}/{make_payment(merchant).reference}/attempts", {}

    def refunds():
        return f"{PAYMENTS}/{make_settled(make_payment(merchant)).payment.reference}/refunds", {"amount": 20}

    def subscriptions():
        method = make_method(merchant).reference
        return "/api/v1/subscriptions", {**MINIMAL, "interval": "monthly", "payment_method": method}

    def surplus():
        one = make_surplus(make_settled(make_payment(merchant)))
        return f"{PAYMENTS}/{one.payment.reference}/surplus/{one.reference}/refund", {}

    return {make.__name__: make for make in (payments, recurring, attempts, refunds, subscriptions, surplus)}


MADE: dict[str, Any] = {
    "payments": Payment,
    "recurring": Cycle,
    "attempts": Attempt,
    "refunds": Refund,
    "subscriptions": Subscription,
    "surplus": Refund,
}


@pytest.mark.parametrize("name", MADE)
def test_m06_fifty_requests_with_one_key_have_one_effect(doors, key, name):
    for number in range(ROUNDS):
        path, body = doors[name]()
        before = MADE[name].objects.count()

        answers = at_once(
            AT_ONCE,
            lambda _: ApiClient(key).post(path, body, headers={"Idempotency-Key": f"k-{number}"}),  # noqa: B023
        )

        statuses = {answer.status_code for answer in answers}
        good = [answer for answer in answers if answer.status_code in (200, 201)]
        told = [next(value for value in answer.json().values() if isinstance(value, dict)) for answer in good]
        assert statuses <= {200, 201, 409, 503}, [answer.content for answer in answers]
        assert len({one["id"] for one in told}) == 1
        assert MADE[name].objects.count() == before + 1
        # Who came while the first was at work is told to come back; nobody is told of a bug.
        assert all(answer["Retry-After"] for answer in answers if answer.status_code in (409, 503))


def test_m06_no_limit_is_passed_by_coming_all_at_once(merchant, gateway, key):
    """Attempts of a payment, and what can be refunded: each is looked at and taken in one step."""
    payment = make_payment(merchant)
    paid = make_settled(make_payment(merchant)).payment

    def knock(place: int) -> Any:
        path = f"{PAYMENTS}/{(payment, paid)[place % 2].reference}/{('attempts', 'refunds')[place % 2]}"
        body = ({}, {"amount": 20})[place % 2]
        return ApiClient(key).post(path, body, headers={"Idempotency-Key": f"k-{place}"}).status_code

    statuses = at_once(40, knock)

    assert set(statuses) <= {200, 201, 409, 503}
    assert payment.attempts.filter(status="pending").count() == 1
    assert payment.attempts.count() <= MAX_ATTEMPTS
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 4_000


def test_m06_one_order_number_is_one_payment(merchant, gateway, key):
    answers = at_once(20, lambda place: ApiClient(key).create(merchant_reference="order-1", amount=place + 1))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert Payment.objects.count() == 1


def test_a53_the_link_to_stop_is_mailed_once_however_many_press(merchant):
    subscription = make_subscription(merchant)
    payment = make_payment(
        merchant,
        status="completed",
        completed_at=clock.now(),
        received_minor=5_000,
        subscription_reference=subscription.reference,
    )

    answers = at_once(12, lambda _: Client().post(f"/pay/{payment.checkout_token}/link").status_code)
    run_due_jobs()

    assert answers == [303] * 12
    assert len(outbox_of.outbox) == 1


def test_a53_a_checkout_link_that_many_open_at_once_is_paid_once(customer, merchant):  # noqa: F811
    payment = make_payment(merchant)

    def press(_: int) -> int:
        return Client().post(f"/pay/{payment.checkout_token}", {"gateway": "paystack"}).status_code

    statuses = at_once(8, press)
    [attempt] = payment.attempts.filter(status="pending")
    customer.pay(attempt)
    ask(attempt.pk)

    assert set(statuses) <= {303, 409, 503}
    payment.refresh_from_db()
    assert (payment.status, payment.received_minor, payment.surplus_minor) == ("completed", 5_000, 0)
