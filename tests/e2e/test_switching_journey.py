"""Customers who change gateways: after a decline, after an outage, and those who pay at two."""

import time

import pytest

from tests.e2e.journey import AMOUNT_MINOR, FLUTTERWAVE, PAYPAL, PAYSTACK, until

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.mark.parametrize(
    ("first", "second"),
    [(PAYSTACK, FLUTTERWAVE), (FLUTTERWAVE, PAYSTACK), (PAYPAL, PAYSTACK), (PAYSTACK, PAYPAL)],
    ids=str,
)
def test_declined_at_one_gateway_a_customer_pays_with_another(shop, visit, first, second):
    currency = "USD" if PAYPAL in (first, second) else "NGN"
    customer = visit()
    customer.page.goto(shop.order(currency=currency)["checkout_url"])
    customer.go_to_gateway(first)
    declined = customer.choose(first.decline)
    customer.heading("The payment did not go through")
    customer.go_to_gateway(second)
    paid = customer.choose(second.agree)
    customer.heading("Payment received")

    assert customer.method_on_receipt == second.receipt
    assert shop.moved(declined, paid) == [(second.gateway, "charge", AMOUNT_MINOR)]
    assert customer.complaints == []


def test_when_the_chosen_gateway_fails_the_page_offers_the_others(shop, visit):
    shop.bad_luck(PAYSTACK, "initialize", "500_before")
    customer = visit()
    customer.page.goto(shop.order()["checkout_url"])
    customer.press("Pay with Paystack")
    customer.page.get_by_role("alert").get_by_text("No money was taken").wait_for()

    assert customer.buttons == ["Pay with Flutterwave", "Pay with Paystack"]
    customer.go_to_gateway(FLUTTERWAVE)
    reference = customer.choose(FLUTTERWAVE.agree)
    customer.heading("Payment received")
    assert shop.hits() == 1
    assert shop.moved(reference) == [("flutterwave", "charge", AMOUNT_MINOR)]
    assert [complaint for complaint in customer.complaints if "status of 504" not in complaint] == []


def test_when_no_gateway_answers_the_page_says_so_and_works_as_soon_as_one_does(shop, visit):
    shop.bad_luck(PAYSTACK, "initialize", "500_before")
    shop.bad_luck(FLUTTERWAVE, "payments", "500_before")
    customer = visit()
    customer.page.goto(shop.order()["checkout_url"])
    for way in (PAYSTACK, FLUTTERWAVE):
        customer.press(f"Pay with {way.title}")
        customer.page.get_by_role("alert").get_by_text("No money was taken").wait_for()
        assert customer.buttons[-1] == f"Pay with {way.title}"
    shop.heal()
    customer.go_to_gateway(FLUTTERWAVE)
    reference = customer.choose(FLUTTERWAVE.agree)
    customer.heading("Payment received")

    assert shop.moved(reference) == [("flutterwave", "charge", AMOUNT_MINOR)]


def test_declined_after_an_outage_a_customer_is_told_so(shop, visit):
    shop.bad_luck(PAYSTACK, "initialize", "500_before")
    customer = visit()
    customer.page.goto(shop.order()["checkout_url"])
    customer.press("Pay with Paystack")
    customer.go_to_gateway(FLUTTERWAVE)
    customer.choose(FLUTTERWAVE.decline)

    customer.heading("The payment did not go through")


def test_an_unchosen_gateway_that_is_silent_is_passed_over_in_the_same_request(shop, visit):
    payment = shop.order()
    shop.bad_luck(PAYSTACK, "initialize", "timeout_before")
    began = time.monotonic()
    attempt = shop.post(f"payments/{payment['id']}/attempts", {})["attempt"]

    assert (attempt["gateway"], shop.hits()) == ("flutterwave", 1)
    assert time.monotonic() - began < 10
    customer = visit()
    customer.page.goto(attempt["next_action"]["url"])
    customer.choose(FLUTTERWAVE.agree)
    customer.heading("Payment received")
    assert shop.moved(attempt["gateway_reference"]) == [("flutterwave", "charge", AMOUNT_MINOR)]
    assert customer.complaints == []


def test_paid_at_two_gateways_the_second_money_is_surplus_and_goes_back(shop, visit):
    shop.take_key()
    payment = shop.order()
    one, other = visit(), visit()
    for tab, way in ((one, PAYSTACK), (other, FLUTTERWAVE)):
        tab.page.goto(payment["checkout_url"])
        tab.go_to_gateway(way)
    first = one.choose(PAYSTACK.agree)
    one.heading("Payment received")
    second = other.choose(FLUTTERWAVE.agree)
    other.heading("Payment received")
    surplus = until(lambda: shop.payment(payment["id"])["surpluses"])[0]

    assert other.method_on_receipt == PAYSTACK.receipt
    told = shop.payment(payment["id"])
    assert (told["status"], told["amount_received"], told["amount_surplus"]) == ("completed", 12500, 12500)
    shop.post(f"payments/{payment['id']}/surplus/{surplus['id']}/refund", {})
    assert until(lambda: money_back(shop, first, second)) == [("flutterwave", "refund", AMOUNT_MINOR)]
    assert one.complaints == other.complaints == []


def money_back(shop, *references):
    """What came on top of the two charges, once the bank has had the time it takes."""
    shop.pass_time(60)
    moved = shop.moved(*references)
    charges = [("paystack", "charge", AMOUNT_MINOR), ("flutterwave", "charge", AMOUNT_MINOR)]
    assert moved[:2] == charges
    return moved[2:]
