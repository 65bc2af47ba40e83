"""A customer uses the small forms: makes an account, signs in, pays, and stops it."""

import pytest

from tests.builders import PASSWORD
from tests.e2e.journey import LOOKS, PAYSTACK, Visit, until
from tests.e2e.test_looks import assert_fits_and_can_be_read

pytestmark = [pytest.mark.browser, pytest.mark.journey]

PAY, SIGN_UP = "/dukka/api/initialize-payment/", "/auth/users/"
KEPT = "[localStorage.length, sessionStorage.length, document.cookie]"


def fill(customer: Visit, **fields: str) -> None:
    for name, value in fields.items():
        customer.page.locator(f"#{name}").fill(value)


def sign_in(customer: Visit, username: str) -> None:
    fill(customer, username=username, password=PASSWORD)
    customer.press("Sign in")


def complaints(customer: Visit) -> list[str]:
    """What the browser minds, without the refusals that it writes down by itself."""
    return [said for said in customer.complaints if "Failed to load resource" not in said]


def history(customer: Visit, product, username: str) -> list[dict]:
    """What the API tells, asked from the same browser."""
    asked = customer.page.context.request
    signed_in = asked.post(
        f"{product.url}/auth/jwt/create/", data={"username": username, "password": PASSWORD}
    )
    token = {"Authorization": f"JWT {signed_in.json()['access']}"}
    return asked.get(f"{product.url}/dukka/api/payments-history/", headers=token).json()["payments"]


def test_sign_up_sign_in_pay_and_stop(product, shop, visit):
    customer = visit()
    customer.page.goto(product.url + SIGN_UP)
    fill(customer, username="ada", email="ada@example.com", password=PASSWORD)
    customer.press("Make the account")
    customer.page.get_by_text("Your account is made.").wait_for()
    customer.follow("Sign in and pay")

    sign_in(customer, "ada")
    fill(customer, email="ada@example.com", amount="1500")
    customer.page.get_by_role("checkbox").check()
    customer.page.get_by_label("How often").select_option("weekly")
    customer.press("Continue")
    customer.page.get_by_text("It is ready").wait_for()
    kept = customer.page.evaluate(KEPT)
    customer.follow("Pay with Paystack")
    customer.heading("Paystack checkout")
    reference = customer.choose(PAYSTACK.agree)
    customer.heading("Payment received")

    [row] = until(lambda: [row for row in history(customer, product, "ada") if row["completed_at"]])
    assert (row["reference"], row["amount"], row["payment_interval"]) == (reference, 1500, "weekly")
    customer.page.goto(f"{product.url}/dukka/api/stop-payment/{row['id']}/")
    sign_in(customer, "ada")
    customer.press("Stop it")
    customer.page.get_by_text("Stopped: no new charge starts.").wait_for()

    assert history(customer, product, "ada")[0]["subscription_status"] == "canceled"
    assert kept == customer.page.evaluate(KEPT) == [0, 0, ""]
    assert complaints(customer) == []


def test_what_is_wrong_stands_below_its_field_and_nothing_that_was_filled_in_is_lost(product, shop, visit):
    customer = visit()
    shop.sign_up("bola")
    customer.page.goto(product.url + PAY)
    fill(customer, username="bola", password="wrong")
    customer.press("Sign in")
    customer.page.get_by_role("alert").filter(has_text="password").wait_for()
    sign_in(customer, "bola")
    fill(customer, email="bola", amount="0")
    customer.press("Continue")

    for name, words in {"email": "Send one e-mail address", "amount": "above zero"}.items():
        customer.page.locator(f"#{name}-problem").filter(has_text=words).wait_for()
        assert customer.page.locator(f"#{name}").get_attribute("aria-invalid") == "true"
    assert customer.page.locator("#email").input_value() == "bola"
    assert complaints(customer) == []


def test_a_retry_after_trouble_goes_on_with_the_same_payment(product, shop, visit):
    customer = visit()
    shop.sign_up("chidi")
    shop.bad_luck(PAYSTACK, "initialize", "500_before")
    customer.page.goto(product.url + PAY)
    sign_in(customer, "chidi")
    fill(customer, email="chidi@example.com", amount="50.00")
    customer.press("Continue")
    customer.page.get_by_role("alert").filter(has_text="Idempotency-Key").wait_for()
    shop.heal()

    customer.press("Continue")
    customer.page.get_by_text("It is ready").wait_for()
    assert len(history(customer, product, "chidi")) == 1


@LOOKS
def test_the_forms_fit_can_be_pressed_and_read(product, visit, viewport, scheme):
    customer = visit(viewport=viewport, color_scheme=scheme)
    for path in (PAY, SIGN_UP, "/dukka/api/stop-payment/1234567890123/"):
        customer.page.goto(product.url + path)
        customer.page.get_by_role("button").first.wait_for()
        assert_fits_and_can_be_read(customer.page)
        customer.press("Sign in" if path != SIGN_UP else "Make the account")
        customer.page.locator(".problem:visible, .alert:visible").first.wait_for()
        assert_fits_and_can_be_read(customer.page)

    assert complaints(customer) == []


def test_without_javascript_the_page_says_what_to_do_and_sends_nothing(product, visit):
    customer = visit(java_script_enabled=False)
    customer.page.goto(product.url + PAY)

    said = customer.page.locator("noscript .note").inner_text()
    assert "This form needs JavaScript" in said
    assert "POST /dukka/api/initialize-payment" in said
    assert customer.page.get_by_role("button").count() == 0
