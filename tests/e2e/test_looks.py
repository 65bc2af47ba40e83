"""Every page a customer sees fits its screen, can be pressed with a thumb, and can be read."""

import pytest

from tests.e2e.journey import CONTRASTS, LOOKS, PAYPAL, PAYSTACK, WAYS, see_it_active

pytestmark = [pytest.mark.browser, pytest.mark.journey]

LEAST_CONTRAST = 4.5
THUMB, POINTER = 44, 24


def assert_fits_and_can_be_read(page, *, least_height=THUMB):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in page.get_by_role("button").or_(page.locator("a.way, .consent, .lines a")).all():
        if button.is_visible():  # A form has steps, one at a time.
            assert button.bounding_box()["height"] >= least_height
    assert [found for found in page.evaluate(CONTRASTS) if found[0] < LEAST_CONTRAST] == []


@LOOKS
def test_the_checkout_fits_can_be_pressed_and_read(product, shop, visit, viewport, scheme):
    customer = visit(viewport=viewport, color_scheme=scheme)
    wide = shop.order(amount="9999999999.99", description="W" * 500, customer_name="A" * 200)
    three = shop.order(currency="USD")
    for url in (wide["checkout_url"], f"{product.url}/pay/nobody", three["checkout_url"]):
        customer.page.goto(url)
        assert_fits_and_can_be_read(customer.page)

    assert sorted(customer.buttons) == sorted(f"Pay with {way.title}" for way in WAYS)
    shop.bad_luck(PAYSTACK, "initialize", "500_before")
    customer.press("Pay with Paystack")
    customer.page.get_by_role("alert").wait_for()
    assert_fits_and_can_be_read(customer.page)


@LOOKS
def test_the_pages_of_a_recurring_payment_fit_can_be_pressed_and_read(product, shop, visit, viewport, scheme):
    customer = visit(viewport=viewport, color_scheme=scheme)
    payment = shop.subscribe(description="W" * 500, customer_name="A" * 200)
    customer.page.goto(payment["checkout_url"])
    assert_fits_and_can_be_read(customer.page)
    customer.tick()
    customer.go_to_gateway()
    customer.choose(PAYSTACK.agree)
    customer.heading("Payment received")
    assert_fits_and_can_be_read(customer.page)
    see_it_active(customer, product, payment)
    page = customer.page.url
    for below in ("", "/method", "/pause", "/stop"):
        customer.page.goto(page + below)
        assert_fits_and_can_be_read(customer.page)
    for button in ("Pause it", "Stop it"):
        customer.page.goto(f"{page}/{button.split()[0].lower()}")
        customer.press(button)
        customer.heading({"Pause it": "Paused", "Stop it": "Stopped"}[button])
        assert_fits_and_can_be_read(customer.page)
    for below in ("/resume", "/forget", "nobody"):
        customer.page.goto(page + below)
        assert_fits_and_can_be_read(customer.page)


@pytest.mark.parametrize("color", ["#0a1a4f", "#ffd400", "#777777"], ids=["navy", "yellow", "grey"])
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_in_any_shops_colour_the_pages_can_be_read(product, shop, visit, color, scheme):
    shop.take_key()
    shop.dress(color=color, name="Ọjà Books and a name that goes on and on")
    customer = visit(color_scheme=scheme)
    payment = shop.subscribe()
    customer.page.goto(payment["checkout_url"])
    assert_fits_and_can_be_read(customer.page)
    customer.page.locator("button").first.hover()
    assert_fits_and_can_be_read(customer.page)
    customer.tick()
    customer.go_to_gateway()
    customer.choose(PAYSTACK.agree)
    customer.heading("Payment received")
    see_it_active(customer, product, payment)
    assert_fits_and_can_be_read(customer.page)
    shop.dress(color=None, name="My shop")

    assert any("/brand/MER-" in url and url.endswith(".css") for url in customer.asked)
    assert customer.complaints == []


@LOOKS
def test_the_sandbox_fits_can_be_pressed_and_read(product, shop, visit, viewport, scheme):
    payment = shop.order(currency="USD")
    customer = visit(viewport=viewport, color_scheme=scheme)
    for way in WAYS:
        customer.page.goto(payment["checkout_url"])
        customer.go_to_gateway(way)
        assert_fits_and_can_be_read(customer.page)

    customer.choose(PAYPAL.agree)  # The last of them, so that the tables have rows.
    customer.heading("Payment received")
    customer.page.goto(f"{product.sandbox_url}/control")
    assert_fits_and_can_be_read(customer.page, least_height=POINTER)
    assert customer.complaints == []


def test_the_keyboard_reaches_every_button_and_shows_where_it_is(shop, visit):
    customer = visit()
    customer.page.goto(shop.order(currency="USD")["checkout_url"])
    reached = []
    for _ in WAYS:
        customer.page.keyboard.press("Tab")
        reached.append(
            customer.page.evaluate(
                "[document.activeElement.value, getComputedStyle(document.activeElement).outlineWidth]"
            )
        )

    assert sorted(reached) == [["flutterwave", "3px"], ["paypal", "3px"], ["paystack", "3px"]]
