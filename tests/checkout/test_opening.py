"""The button: it opens one session at the gateway, here the sandbox, and sends the customer there."""

import threading
from typing import Any

import httpx2
import pytest
from django.db import connection
from django.test import Client

from tests.builders import make_payment
from tillgate.payments.models import Attempt

pytestmark = pytest.mark.django_db(transaction=True)


def press(payment, client: Client | None = None, **form: Any):
    return (client or Client()).post(f"/pay/{payment.checkout_token}", form or {"gateway": "paystack"})


def plan(sandbox, fault: str, *, times: int = 1) -> None:
    faults = [{"match": "paystack.initialize", "nth": 1, "times": times, "fault": fault, "args": {}}]
    httpx2.post(f"{sandbox.url}/control/faults", json={"faults": faults}).raise_for_status()


def test_the_button_leads_to_the_gateways_page(merchant, sandbox):
    payment = make_payment(merchant)
    response = press(payment)

    attempt = payment.attempts.get()
    assert response.status_code == 303
    assert response.headers["Location"] == attempt.redirect_url
    assert response.headers["Location"].startswith(f"{sandbox.url}/paystack/checkout/")
    assert "Set-Cookie" not in response.headers


def test_a_pinned_payment_needs_no_choice(merchant, sandbox):
    response = press(make_payment(merchant, gateway="paystack"), nothing="")

    assert response.status_code == 303


def test_pressing_twice_opens_one_session(merchant, sandbox):
    payment = make_payment(merchant)
    first, second = press(payment), press(payment)

    assert second.headers["Location"] == first.headers["Location"]
    assert payment.attempts.count() == 1


def test_two_presses_at_once_open_one_session(merchant, sandbox):
    payment = make_payment(merchant)
    answers: list[int] = []

    def one() -> None:
        answers.append(press(payment).status_code)
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert payment.attempts.count() == 1
    assert 303 in answers
    assert set(answers) <= {303, 409}


def test_the_form_cannot_change_the_amount(merchant, sandbox):
    payment = make_payment(merchant)
    press(payment, gateway="paystack", amount="1.00", amount_minor="1", currency="XOF")

    page = httpx2.get(payment.attempts.get().redirect_url).text
    payment.refresh_from_db()
    assert "NGN 50.00" in page
    assert payment.amount_minor == 5_000


def test_a_form_from_another_page_needs_no_cookie_and_gains_nothing(merchant, sandbox):
    strict = Client(enforce_csrf_checks=True, headers={"origin": "https://evil.example"})

    assert press(make_payment(merchant), strict).status_code == 303


def test_an_unknown_gateway_is_refused_on_the_page(merchant, sandbox):
    payment = make_payment(merchant)
    response = press(payment, gateway="<script>alert(1)</script>")

    page = response.content.decode()
    assert response.status_code == 409
    assert 'role="alert">This way to pay is not available' in page
    assert "<script>alert" not in page
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("status", ["completed", "expired", "canceled", "processing", "review"])
def test_a_payment_that_cannot_be_paid_shows_where_it_stands(merchant, sandbox, status):
    payment = make_payment(merchant, status="pending")
    type(payment).objects.filter(pk=payment.pk).update(
        status=status, completed_at=payment.created_at, received_minor=5_000
    )
    response = press(payment)

    assert response.status_code == 409
    assert "Nothing was charged" in response.content.decode()
    assert "<button" not in response.content.decode()
    assert not Attempt.objects.exists()


def test_a_gateway_that_refuses_is_told_kindly_and_can_be_tried_again(merchant, sandbox):
    plan(sandbox, "429")
    payment = make_payment(merchant)
    response = press(payment)

    page = response.content.decode()
    assert response.status_code in (502, 503)
    assert "No money was taken. Try again in a moment." in page
    assert 'name="gateway" value="paystack"' in page
    assert "Retry-After" in response.headers
    assert press(payment).status_code == 303


def test_a_lost_answer_is_told_kindly_and_asked_about(merchant, sandbox):
    plan(sandbox, "500_after")
    payment = make_payment(merchant)
    response = press(payment)

    assert response.status_code == 504
    assert "did not open in time" in response.content.decode()
    assert payment.attempts.get().status == "unknown"
