"""A payment's page is made to be shared: it never shows the link that stops, but mails it to the payer."""

import re
from html import unescape
from typing import Any

import pytest
from django.core import mail as outbox_of
from django.test import Client

from tests.builders import make_subscription
from tests.checkout.conftest import SETTLED
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.throttles import Policy
from tillgate.payments.models import Payment
from tillgate.payments.states import PaymentStatus
from tillgate.subscriptions.models import Subscription

BUTTON = "Send me the link again"


@pytest.fixture
def subscription(merchant) -> Subscription:
    return make_subscription(merchant)


@pytest.fixture
def receipt(subscription, paid) -> Payment:
    return paid(subscription_reference=subscription.reference)


def text(response) -> str:
    return unescape(response.content.decode())


def press(payment: Payment, **extra: Any):
    return Client(enforce_csrf_checks=True).post(f"/pay/{payment.checkout_token}/link", **extra)


def mails() -> list[str]:
    run_due_jobs()
    return [str(message.body) for message in outbox_of.outbox]


def test_the_receipt_says_where_the_link_is_and_shows_neither_link_nor_address(receipt, subscription, look):
    page = text(look(receipt))

    assert "by the link in the mail to <bdi>j…@example.com</bdi>" in page
    assert re.search(rf'<form method="post" action="/pay/{receipt.checkout_token}/link"', page)
    for secret in (subscription.manage_token, "john@example.com", "/subscription/"):
        assert secret not in page


@pytest.mark.parametrize("status", list(PaymentStatus))
def test_no_state_of_a_payment_shows_the_link_and_only_receipts_have_the_button(
    receipt, subscription, look, status
):
    Payment.objects.update(status=status)
    pages = [text(look(receipt, below)) for below in ("", "/return", "/status")]

    assert (BUTTON in pages[0]) == (status in SETTLED)
    assert not any(subscription.manage_token in page for page in pages)


def test_one_press_mails_the_link_to_the_payer_alone(receipt, subscription, look):
    answer = press(receipt)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/pay/{receipt.checkout_token}")
    assert subscription.manage_token not in str(answer.headers)
    (said,) = mails()
    assert outbox_of.outbox[0].recipients() == ["john@example.com"]
    assert f"/subscription/{subscription.manage_token}/stop" in said
    assert "It was sent there once more" in text(look(receipt))
    assert BUTTON not in text(look(receipt))


def test_nobody_can_flood_the_payer(receipt, paid, look):
    other = paid(subscription_reference=receipt.subscription_reference)
    for payment in (receipt, other, receipt):
        assert press(payment).status_code == 303
        assert len(mails()) == 1

    clock.advance(86_401)
    assert BUTTON in text(look(receipt))
    press(receipt)
    assert len(mails()) == 2


def test_an_address_that_presses_too_often_is_told_to_wait(receipt, monkeypatch):
    monkeypatch.setattr("tillgate.checkout.views.ATTEMPT", Policy(name="few", calls=4, window_s=600))
    answers = [press(receipt, REMOTE_ADDR="203.0.113.9").status_code for _ in range(3)]

    assert answers == [303, 303, 429]


@pytest.mark.parametrize("status", sorted(set(PaymentStatus) - set(SETTLED)))
def test_what_was_not_paid_mails_nothing(receipt, status):
    Payment.objects.update(status=status)

    assert press(receipt).status_code == 303
    assert mails() == []


def test_a_payment_of_its_own_has_no_such_button(paid, look):
    assert BUTTON not in text(look(paid()))
    assert press(paid()).status_code == 303
    assert mails() == []


def test_another_merchants_recurring_payment_is_never_named_nor_mailed(other_merchant, paid, look):
    subscription = make_subscription(other_merchant)
    payment = paid(subscription_reference=subscription.reference)

    assert BUTTON not in text(look(payment))
    press(payment)
    assert mails() == []


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_only_a_press_sends(receipt, client, method):
    assert getattr(client, method)(f"/pay/{receipt.checkout_token}/link").status_code == 405
    assert mails() == []
