"""A customer's browser walks from the checkout to the gateway and back: real processes, a real browser."""

import pytest

from tests.e2e.journey import AMOUNT_MINOR, PAYSTACK, WAYS

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_customer_pays_and_gets_a_receipt(product, shop, visit, way):
    payment = shop.order(currency=way.currency, description="Order 1042: three books")
    customer = visit()
    customer.page.goto(payment["checkout_url"])
    customer.go_to_gateway(way)
    reference = customer.choose(way.agree)
    customer.heading("Payment received")

    assert payment["id"] in customer.page.content()
    assert customer.method_on_receipt == way.receipt
    assert shop.moved(reference) == [(way.gateway, "charge", AMOUNT_MINOR)]
    assert customer.page.context.cookies() == []
    assert customer.complaints == []
    assert {url.split("/")[2] for url in customer.asked if url.startswith("http")} == {
        f"127.0.0.1:{product.port}",
        f"127.0.0.1:{product.sandbox_port}",
    }


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_customer_without_javascript_pays_as_well(shop, visit, way):
    customer = visit(java_script_enabled=False)
    customer.page.goto(shop.order(currency=way.currency)["checkout_url"])
    customer.go_to_gateway(way)
    customer.choose(way.agree)
    customer.heading("Payment received")


def test_a_declined_customer_tries_again(shop, visit):
    customer = visit()
    customer.page.goto(shop.order()["checkout_url"])
    customer.go_to_gateway()
    customer.choose(PAYSTACK.decline)
    customer.heading("The payment did not go through")
    customer.go_to_gateway()
    customer.choose(PAYSTACK.agree)
    customer.heading("Payment received")

    assert customer.complaints == []


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_page_whose_money_is_on_its_way_hears_that_it_has_arrived(shop, visit, way):
    customer = visit()
    customer.page.goto(shop.order(currency=way.currency)["checkout_url"])
    customer.go_to_gateway(way)
    reference = customer.choose(way.wait)
    customer.heading("Your money is on its way")
    assert shop.moved(reference) == []
    shop.settle(way, reference)
    customer.heading("Payment received")

    assert shop.moved(reference) == [(way.gateway, "charge", AMOUNT_MINOR)]
    assert customer.complaints == []


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_customer_who_leaves_the_gateway_can_pay_in_another_way(shop, visit, way):
    customer = visit()
    customer.page.goto(shop.order(currency=way.currency)["checkout_url"])
    customer.go_to_gateway(way)
    customer.choose(way.leave)
    customer.heading("Continue your payment")

    assert customer.buttons[0] == f"Continue with {way.title}"
    assert len(customer.buttons) > 1
    assert customer.complaints == []


def test_a_shop_with_a_return_address_gets_its_customer_back(product, shop, visit):
    payment = shop.order(return_url=f"{product.sandbox_url}/?order=7")
    customer = visit()
    customer.page.goto(payment["checkout_url"])
    customer.go_to_gateway()
    customer.choose(PAYSTACK.agree)
    customer.page.wait_for_url(f"{product.sandbox_url}/?order=7&payment={payment['id']}")

    assert customer.complaints == []


def test_a_page_left_open_hears_that_it_was_paid(shop, visit):
    payment = shop.order()
    customer, watcher = visit(), visit()
    customer.page.goto(payment["checkout_url"])
    at_gateway = customer.go_to_gateway()
    watcher.page.goto(payment["checkout_url"])
    watcher.heading("Continue your payment")
    shop.pay_at_gateway(at_gateway)
    watcher.heading("Payment received")

    assert watcher.complaints == []


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_going_back_from_the_gateway_finds_the_session_again(shop, visit, way):
    customer = visit()
    customer.page.goto(shop.order(currency=way.currency)["checkout_url"])
    at_gateway = customer.go_to_gateway(way)
    customer.page.go_back()

    assert customer.go_to_gateway(way, verb="Continue") == at_gateway
    assert customer.complaints == []


def test_typed_text_runs_nothing(shop, visit):
    typed = "</title><script>alert(1)</script><img src=x onerror=alert(2)>"
    customer = visit()
    customer.page.goto(shop.order(customer_name=typed, description=typed)["checkout_url"])
    customer.page.get_by_role("button", name="Pay with Paystack").wait_for()

    assert customer.page.get_by_text(typed).count() == 2
    assert customer.complaints == []
