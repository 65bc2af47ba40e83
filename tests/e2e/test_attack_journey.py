"""Attacks that need a browser between two sites: what it tells the other, and what it is made to send."""

import pytest

from tests.e2e.journey import PAYSTACK

pytestmark = [pytest.mark.browser, pytest.mark.journey]
# A form cannot send JSON, but it can send text that is JSON.
FORGED = """
<form method="post" action="{url}" enctype="{kind}">
  <input name='{{"customer_name":"E","customer_email":"e@e.example","amount":5,"description":"' value='"}}'>
</form>
"""
FETCHED = """
async ([url, kind]) => {
  const body = '{"customer_name":"Eve","customer_email":"eve@evil.example","amount":5}';
  const options = {method: "POST", credentials: "include", body, headers: {"Content-Type": kind}};
  try { return (await fetch(url, options)).status; } catch { return "stopped"; }
}
"""


def test_a23_neither_gateway_nor_shop_learns_the_link_by_which_one_came(product, shop, visit):
    payment = shop.order(return_url=f"{product.sandbox_url}/?order=7")
    token = payment["checkout_url"].rpartition("/")[2]
    customer = visit()
    asked = []

    def hear(request):
        asked.append(request)

    customer.page.on("request", hear)
    customer.page.goto(payment["checkout_url"])
    customer.go_to_gateway()
    customer.choose(PAYSTACK.agree)
    customer.page.wait_for_url(f"{product.sandbox_url}/?order=7&payment={payment['id']}")

    elsewhere = [request for request in asked if request.url.startswith(product.sandbox_url)]
    assert len(elsewhere) >= 2
    assert [request.url for request in elsewhere if token in request.url] == []
    assert [
        value for request in elsewhere for value in request.all_headers().values() if token in value
    ] == []
    assert customer.page.evaluate("document.referrer") == ""


def test_a44_no_form_and_no_script_of_another_site_makes_a_payment(product, shop, visit):
    shop.take_key()
    before, door = shop.payments(), f"{product.url}/api/v1/payments"
    customer = visit()

    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        customer.page.goto("about:blank")
        customer.page.set_content(FORGED.format(url=door, kind=kind))
        with customer.page.expect_navigation() as answer:
            customer.page.evaluate("document.forms[0].submit()")
        assert answer.value.status == 415, kind
    customer.page.goto(f"{product.sandbox_url}/")
    for kind in ("text/plain", "application/json", "application/json; charset=utf-8"):
        # The browser asks first, and is not let; or it sends what is refused, and shows nobody the answer.
        assert customer.page.evaluate(FETCHED, [door, kind]) == "stopped", kind

    assert shop.payments() == before
