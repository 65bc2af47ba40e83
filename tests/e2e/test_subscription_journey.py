"""A customer sets up a recurring payment, sees it and stops it, with JavaScript and without."""

import pytest

from tests.e2e.journey import AMOUNT_MINOR, PAYSTACK, STOP_LINK, WAYS, mails_about, see_it_active, until

pytestmark = [pytest.mark.browser, pytest.mark.journey]

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])


def subscribe(shop, customer, way=PAYSTACK):
    """Agree and pay; return the payment and its reference at the gateway."""
    payment = shop.subscribe(currency=way.currency)
    customer.page.goto(payment["checkout_url"])
    customer.tick()
    customer.go_to_gateway(way)
    reference = customer.choose(way.agree)
    customer.heading("Payment received")
    return payment, reference


def stop_it(customer):
    customer.follow("Stop")
    customer.heading("Stop this recurring payment?")
    customer.press("Stop it")
    customer.heading("Stopped")
    customer.page.get_by_text("Nothing more will be charged.").wait_for()


@SCRIPTS
def test_a_customer_subscribes_sees_it_and_stops_it(product, shop, visit, scripts):
    shop.take_key()
    customer = visit(java_script_enabled=scripts)
    payment, reference = subscribe(shop, customer)
    see_it_active(customer, product, payment)
    customer.page.get_by_text("every month, 12 payments").wait_for()
    customer.page.get_by_text("11 of 12 payments").wait_for()
    stop_it(customer)

    told = shop.subscription(payment)
    assert (told["status"], told["end_reason"], told["payments"]) == ("canceled", "customer", ["completed"])
    assert shop.moved(reference) == [("paystack", "charge", AMOUNT_MINOR)]
    assert customer.page.context.cookies() == []
    assert customer.complaints == []


@SCRIPTS
def test_who_has_lost_the_mail_gets_the_link_again(product, shop, visit, scripts):
    customer = visit(java_script_enabled=scripts)
    payment, _ = subscribe(shop, customer)
    assert "/subscription/" not in customer.page.content()
    customer.press("Send me the link again")
    customer.page.get_by_text("It was sent there once more").wait_for()

    again = until(lambda: [m for m in mails_about(product, payment) if "asked us to send it" in m])[0]
    customer.page.goto(STOP_LINK.findall(again)[0])
    stop_it(customer)
    assert customer.complaints == []


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_a_customer_has_let_us_save_is_shown(product, shop, visit, way):
    customer = visit()
    payment, _ = subscribe(shop, customer, way)
    see_it_active(customer, product, payment)

    paid_with = customer.page.locator(".receipt div", has_text="Paid with").inner_text()
    assert "nothing saved" not in paid_with
    assert "a link" not in paid_with
    assert customer.complaints == []


def test_without_the_tick_nothing_is_opened(shop, visit):
    shop.take_key()
    payment = shop.subscribe()
    customer = visit()
    customer.page.goto(payment["checkout_url"])
    customer.press("Pay with Paystack")  # The browser itself refuses.
    assert customer.page.url == payment["checkout_url"]
    customer.page.get_by_role("checkbox").evaluate("box => box.required = false")
    customer.press("Pay with Paystack")
    customer.page.get_by_role("alert").get_by_text("Nothing was opened yet").wait_for()

    assert shop.timeline(payment) == ["payment.created"]
    assert [complaint for complaint in customer.complaints if "status of 409" not in complaint] == []


def test_a_customer_pauses_resumes_and_pays_the_next_time_with_another_card(product, shop, visit):
    shop.take_key()
    customer = visit()
    payment, _ = subscribe(shop, customer)
    see_it_active(customer, product, payment)
    page = customer.page.url
    for action, button, heading in (
        ("Pause", "Pause it", "Paused"),
        ("Resume", "Resume it", "Your recurring payment is active"),
    ):
        customer.follow(action)
        customer.press(button)
        customer.heading(heading)
    customer.follow("Use another card or account")
    customer.press("Go on to the payment")
    customer.tick()
    customer.go_to_gateway()
    customer.choose(PAYSTACK.agree)
    customer.heading("Payment received")
    customer.page.goto(page)
    until(lambda: shop.subscription(payment)["payments"] == ["completed", "completed"])

    assert shop.subscription(payment)["cycles_left"] == 10
    assert customer.complaints == []


def test_a_month_later_only_who_has_not_stopped_is_charged(product, shop, visit):
    shop.take_key()
    goer, stayer = visit(), visit()
    gone, _ = subscribe(shop, goer)
    stayed, _ = subscribe(shop, stayer)
    for customer, payment in ((goer, gone), (stayer, stayed)):
        see_it_active(customer, product, payment)
    stop_it(goer)
    shop.pass_days(32)
    until(lambda: shop.subscription(stayed)["payments"] == ["completed", "completed"])

    assert shop.subscription(gone)["payments"] == ["completed"]
    stayer.page.reload()
    stayer.page.get_by_text("10 of 12 payments").wait_for()
    assert stayer.page.locator(".outcome").all_inner_texts() == ["Paid", "Paid"]
