"""The way back from the gateway: only the answer to our own question counts, and we wait for it a moment."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx2
import pytest
from django.db import connection
from django.test import Client

from tests.builders import make_attempt, make_payment
from tillgate.checkout import waiting
from tillgate.common import clock
from tillgate.common.jobs.models import Job
from tillgate.common.jobs.worker import run_due_jobs
from tillgate.payments.jobs import ask_gateway
from tillgate.payments.models import Payment

FORGED = "?status=success&payment=PAY-X&amount=1&trxref=x&reference=x&return_url=https://evil.example&next=//evil.example"
WORKS_EVERY_S = 0.05


@pytest.fixture
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)


@pytest.fixture
def worker() -> Iterator[None]:
    """The worker's part, beside the test."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(WORKS_EVERY_S):
            run_due_jobs()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def open_page(payment: Payment) -> str:
    Client().post(f"/pay/{payment.checkout_token}", {"gateway": "paystack"})
    return payment.attempts.get().gateway_reference


def pay(sandbox, reference: str, outcome: str) -> None:
    order = {"gateway": "paystack", "reference": reference, "outcome": outcome}
    httpx2.post(f"{sandbox.url}/control/pay", json=order).raise_for_status()


def plan_question(payment: Payment) -> None:
    attempt = payment.attempts.get()
    tomorrow = clock.now() + timedelta(days=1)
    ask_gateway.using(run_after=tomorrow, unique_key=attempt.question_key).enqueue(attempt.pk, 0)


@pytest.mark.parametrize("below", ["", "/return", "/status"])
def test_a_forged_query_changes_nothing(tried, look, impatient, below):
    payment = tried(return_url="https://shop.example/")
    plain = look(payment, below)
    before = Payment.objects.values().get(pk=payment.pk)

    forged = look(payment, below + FORGED)

    assert forged.status_code == plain.status_code == 200
    assert forged.content == plain.content
    assert Payment.objects.values().get(pk=payment.pk) == before


def test_a_payment_that_is_not_complete_is_never_sent_on(merchant, look, impatient):
    for status in ("pending", "processing", "failed", "review", "expired", "canceled"):
        payment = make_payment(merchant, status=status, return_url="https://shop.example/")

        assert look(payment, "/return").status_code == 200


def test_a_complete_payment_goes_back_to_the_shop(paid, look):
    payment = paid(return_url="https://shop.example/thanks?order=7")
    response = look(payment, "/return" + FORGED)

    assert response.status_code == 303
    assert response.headers["Location"] == f"https://shop.example/thanks?order=7&payment={payment.reference}"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("return_url", ["", "javascript:alert(1)", "//evil.example"])
def test_a_complete_payment_without_a_usable_address_shows_its_receipt(paid, look, return_url):
    response = look(paid(return_url=return_url), "/return")

    assert response.status_code == 200
    assert "Payment received" in response.content.decode()


def test_coming_back_waits_two_seconds_and_no_longer(tried, look):
    began = time.monotonic()
    response = look(tried(), "/return")

    assert waiting.WAIT_S <= time.monotonic() - began < waiting.WAIT_S + 1
    assert "We are checking your payment" in response.content.decode()


def test_nobody_waits_where_nobody_tried_to_pay(payment, look):
    began = time.monotonic()
    response = look(payment, "/return")

    assert time.monotonic() - began < 1
    assert "Choose how to pay" in response.content.decode()


def test_with_no_seat_free_nobody_waits(tried, look, monkeypatch):
    monkeypatch.setattr(waiting, "_seats", threading.BoundedSemaphore(1))
    waiting._seats.acquire()
    began = time.monotonic()
    response = look(tried(), "/return")

    assert time.monotonic() - began < 1
    assert "We are checking your payment" in response.content.decode()


def test_coming_back_makes_the_question_due_at_once(tried, look, impatient):
    payment = tried(asked_at=clock.now() - timedelta(seconds=2))
    plan_question(payment)

    look(payment, "/return")

    assert Job.objects.get().run_at <= clock.now()


@pytest.mark.django_db(transaction=True)
def test_a_customer_who_paid_is_sent_to_the_shop(merchant, sandbox, worker, look):
    payment = make_payment(merchant, return_url="https://shop.example/")
    pay(sandbox, open_page(payment), "success")

    response = look(payment, "/return")

    assert response.status_code == 303
    assert response.headers["Location"] == f"https://shop.example/?payment={payment.reference}"


@pytest.mark.django_db(transaction=True)
def test_a_return_that_says_success_after_a_decline_shows_the_decline(merchant, sandbox, worker, look):
    payment = make_payment(merchant, return_url="https://shop.example/")
    pay(sandbox, open_page(payment), "decline")

    response = look(payment, "/return?status=success")

    assert response.status_code == 200
    assert "The payment did not go through" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_money_on_its_way_is_said(merchant, sandbox, worker, look):
    payment = make_payment(merchant)
    pay(sandbox, open_page(payment), "pending")

    assert "Your money is on its way" in look(payment, "/return").content.decode()


def test_the_news_feed_says_state_and_number(tried, look):
    payment = tried(sequence=7)
    response = look(payment, "/status")

    assert response.json() == {"state": "open", "sequence": 7}
    assert response.headers["Content-Type"] == "application/json"


def test_the_news_feed_makes_an_old_question_due(tried, look):
    payment = tried(asked_at=clock.now().replace(year=2020))
    plan_question(payment)

    look(payment, "/status")

    assert Job.objects.get().run_at <= clock.now()


def test_a_second_try_is_checked_although_the_first_one_failed(merchant, look, impatient):
    payment = make_payment(merchant, status="failed", asked_at=clock.now())
    make_attempt(payment, status="failed")
    make_attempt(payment)

    assert "We are checking your payment" in look(payment, "/return").content.decode()


def test_who_says_to_have_left_is_shown_the_ways_to_pay_again(payment):
    answer = Client().get(f"/pay/{payment.checkout_token}/return?status=cancelled&tx_ref=x")

    assert (answer.status_code, answer["Location"]) == (303, f"/pay/{payment.checkout_token}")
    payment.refresh_from_db()
    assert payment.status == "pending"
