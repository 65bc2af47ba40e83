"""What the customer reads in each state of a payment."""

from datetime import timedelta

import pytest

from tests.builders import make_attempt, make_payment
from tillgate.checkout.states import FACES, REFUSALS, PageState, refusal
from tillgate.common import clock
from tillgate.common.errors import Conflict, GatewayTrouble
from tillgate.payments.states import PaymentStatus

TOO_POOR = "The card does not have enough money."
FAILURE = {"code": "insufficient_funds", "message": TOO_POOR, "retryable": True}
BUTTON = 'name="gateway" value="paystack"'


def text(response) -> str:
    return response.content.decode()


def test_waiting_page_names_shop_amount_description_and_customer(merchant, look):
    fields = {"amount_minor": 123_456_789, "description": "Three books", "customer_name": "Adébọ́lá"}
    page = text(look(make_payment(merchant, **fields)))

    assert "<title>Pay: NGN 1,234,567.89 to My shop</title>" in page
    assert '<span class="currency">NGN</span> 1,234,567<span class="fraction">.89</span>' in page
    assert "Three books" in page
    assert "<bdi>Adébọ́lá</bdi>" in page


def test_waiting_page_has_one_button_per_gateway(merchant, look):
    page = text(look(make_payment(merchant)))

    assert page.count('name="gateway"') == 1
    assert BUTTON in page
    assert "Pay with Paystack" in page
    assert "Card, bank, bank transfer and more" in page


def test_an_amount_without_decimals_is_shown_without_them(merchant, look):
    page = text(look(make_payment(merchant, amount_minor=1_500, currency="XOF")))

    assert '1,500<span class="fraction"></span>' in page


def test_the_largest_amount_gets_smaller_letters(merchant, look):
    page = text(look(make_payment(merchant, amount_minor=999_999_999_999)))

    assert 'class="amount amount-long"' in page


def test_a_test_payment_wears_the_ribbon(payment, look):
    assert "no real money moves" in text(look(payment))


def test_a_live_payment_wears_no_ribbon(merchant, look):
    assert "no real money moves" not in text(look(make_payment(merchant, mode="live")))


def test_a_payment_pinned_elsewhere_offers_no_other_gateway(merchant, look):
    page = text(look(make_payment(merchant, gateway="flutterwave", gateway_pinned=True)))

    assert "<button" not in page
    assert "Paying is not possible just now" in page


def test_a_currency_that_no_gateway_takes_is_said_plainly(merchant, look):
    page = text(look(make_payment(merchant, currency="EUR")))

    assert "The shop has no way set up to take this payment." in page


def test_an_open_session_is_offered_again_and_looked_after(tried, look):
    page = text(look(tried()))

    assert "Continue with Paystack" in page
    assert 'http-equiv="refresh" content="15;url=/pay/' in page


def test_a_payment_that_nobody_tried_does_not_refresh(payment, look):
    page = text(look(payment))

    assert "http-equiv" not in page
    assert "data-news" not in page


def test_a_session_whose_answer_was_lost_can_be_opened_anew(tried, look):
    page = text(look(tried(attempt={"status": "unknown", "redirect_url": ""})))

    assert "Pay with Paystack" in page
    assert "data-news" in page


def test_a_failed_payment_says_why_and_can_be_tried_again(merchant, look):
    page = text(look(make_payment(merchant, status="failed", failure=FAILURE)))

    assert "The payment did not go through" in page
    assert TOO_POOR in page
    assert BUTTON in page


def test_a_failed_payment_with_a_new_session_offers_to_continue(tried, look):
    page = text(look(tried(status="failed", failure=FAILURE)))

    assert "Continue your payment" in page
    assert TOO_POOR not in page


def test_the_return_page_says_that_it_is_checking(tried, look, monkeypatch):
    monkeypatch.setattr("tillgate.checkout.waiting.WAIT_S", 0.0)
    payment = tried()
    page = text(look(payment, "/return"))

    assert "We are checking your payment" in page
    assert f'content="5;url=/pay/{payment.checkout_token}/return"' in page
    assert f'href="/pay/{payment.checkout_token}">I have not paid yet' in page
    assert "<button" not in page


@pytest.mark.parametrize(
    ("status", "heading"),
    [
        ("processing", "Your money is on its way"),
        ("review", "We received your payment"),
        ("expired", "This payment has expired"),
        ("canceled", "This payment was canceled"),
    ],
)
def test_a_closed_payment_says_so_and_asks_for_nothing(merchant, look, status, heading):
    page = text(look(make_payment(merchant, status=status)))

    assert heading in page
    assert "<button" not in page
    assert "<dl" not in page


def test_a_payment_past_its_time_is_expired_before_the_worker_says_so(merchant, look):
    page = text(look(make_payment(merchant, expires_at=clock.now() - timedelta(seconds=1))))

    assert "This payment has expired" in page
    assert "<button" not in page


def test_an_expired_payment_waits_for_money_that_may_be_late(tried, look):
    page = text(look(tried(status="expired", expires_at=clock.now() - timedelta(hours=1))))

    assert "data-news" in page


@pytest.mark.parametrize(
    ("status", "heading"),
    [
        ("completed", "Payment received"),
        ("partially_refunded", "Part of your payment was refunded"),
        ("refunded", "Your payment was refunded"),
        ("disputed", "Your bank is looking into this payment"),
        ("charged_back", "Your bank returned this payment"),
    ],
)
def test_a_paid_payment_shows_its_receipt(paid, look, status, heading):
    payment = paid(status=status)
    page = text(look(payment))

    assert heading in page
    assert payment.reference in page
    assert "Paystack, card" in page
    assert f"{payment.completed_at:%-d %B %Y, %H:%M} UTC" in page
    assert "<button" not in page


def test_the_receipt_says_what_was_refunded(paid, look):
    page = text(look(paid(status="partially_refunded", refunded_minor=1_250)))

    assert "<dt>Refunded</dt><dd>NGN 12.50</dd>" in page


def test_the_receipt_says_what_was_charged_when_the_fee_came_on_top(paid, look):
    page = text(look(paid(received_minor=5_075)))

    assert "<dd>NGN 50.75</dd>" in page


def test_a_receipt_leads_back_to_the_shop(paid, look):
    payment = paid(return_url="https://shop.example/thanks?order=7#top")

    link = f'href="https://shop.example/thanks?order=7&amp;payment={payment.reference}#top"'
    assert link in text(look(payment))


def test_a_page_without_a_shop_address_leads_nowhere(paid, look):
    assert "Back to" not in text(look(paid()))


def test_the_first_button_is_the_session_that_is_open(tried, look):
    payment = tried()
    make_attempt(payment, status="superseded")

    assert text(look(payment)).count("Continue with") == 1


def test_every_status_has_a_face():
    assert set(FACES) == set(PageState)
    shown = {status.value for status in PaymentStatus} - {"pending"}
    assert shown <= {state.value for state in PageState}


def test_a_gateway_in_trouble_leads_to_another_where_there_is_one():
    assert "Choose another way" in refusal(GatewayTrouble("down"), ways=2)
    assert "Choose another way" not in refusal(GatewayTrouble("down"), ways=1)
    assert refusal(Conflict("Not now."), ways=2) == "Not now."


def test_no_face_or_refusal_speaks_of_our_insides():
    said = [f"{face.heading} {face.sentence}" for face in FACES.values()] + list(REFUSALS.values())

    assert not [words for words in said if "API" in words or "attempt" in words or "session" in words]
