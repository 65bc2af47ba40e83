"""Several gateways on one page: their order, the large button, and what happens when one cannot open."""

import re

import pytest

from tests.builders import make_attempt, make_ill, make_payment
from tests.several import TITLES
from tillgate.common import clock
from tillgate.gateways.errors import GatewayUnknown, Rejected, Unreachable
from tillgate.merchants.services.rules import add_rule
from tillgate.payments.models import Attempt, Payment

BUTTON = re.compile(r'<button type="submit" name="gateway" value="(\w+)" class="([\w -]+)">')
LARGE, QUIET = "way way-first", "way"


@pytest.fixture
def dollars(merchant, gateways) -> Payment:
    """A payment that all three can take: Paystack first, then Flutterwave, then PayPal."""
    return make_payment(merchant, amount_minor=10_000, currency="USD")


def buttons(response) -> list[tuple[str, str]]:
    return BUTTON.findall(response.content.decode())


def names(response) -> list[str]:
    return [name for name, _ in buttons(response)]


def press(client, payment: Payment, gateway: str):
    return client.post(f"/pay/{payment.checkout_token}", {"gateway": gateway})


def test_the_first_way_is_the_large_button_and_the_others_are_quiet(dollars, look):
    page = look(dollars)

    assert buttons(page) == [("paystack", LARGE), ("flutterwave", QUIET), ("paypal", QUIET)]
    for title in TITLES.values():
        assert f"Pay with {title}" in page.content.decode()


def test_the_page_has_the_order_in_which_they_would_be_tried(merchant, dollars, look):
    add_rule(merchant, {"action": "prefer", "gateway": "paypal"})
    assert names(look(dollars)) == ["paypal", "paystack", "flutterwave"]

    make_ill("paypal")
    assert names(look(dollars)) == ["paystack", "flutterwave", "paypal"]


def test_what_cannot_take_the_payment_is_not_offered(merchant, gateways, look):
    assert names(look(make_payment(merchant, amount_minor=500_000))) == ["flutterwave", "paystack"]


def test_what_the_merchant_excluded_is_not_offered(merchant, dollars, look):
    add_rule(merchant, {"action": "exclude", "gateway": "flutterwave"})

    page = look(dollars)

    assert names(page) == ["paystack", "paypal"]
    assert "flutterwave" not in page.headers["Content-Security-Policy"]


def test_a_rule_that_leaves_nothing_is_said_plainly(merchant, gateways, look):
    add_rule(merchant, {"action": "pin", "gateway": "paypal"})

    page = look(make_payment(merchant, amount_minor=500_000)).content.decode()

    assert "Paying is not possible just now" in page
    assert "pin paypal" not in page


def test_each_button_opens_its_own_gateway(dollars, client, gateways):
    for name in ("flutterwave", "paypal"):
        assert press(client, dollars, name).status_code == 303

        assert Attempt.objects.latest("pk").gateway == name
    assert gateways["paystack"].calls == []


def test_the_session_that_is_open_is_the_large_button(dollars, client, look):
    press(client, dollars, "paypal")

    page = look(dollars)

    assert buttons(page)[0] == ("paypal", LARGE)
    assert "Continue with PayPal" in page.content.decode()
    assert names(page) == ["paypal", "paystack", "flutterwave"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (GatewayUnknown("lost"), (504, "did not open in time")),
        (Unreachable("refused"), (503, "cannot be reached just now")),
        (Rejected("a wrong key"), (502, "could not be opened")),
    ],
    ids=["unknown", "unreachable", "rejected"],
)
def test_g22_when_one_cannot_open_the_page_says_so_and_offers_the_others_first(
    dollars, client, gateways, error, told
):
    status, sentence = told
    gateways["paystack"].says("start_payment", error)

    page = press(client, dollars, "paystack")

    assert page.status_code == status
    assert re.search(rf'role="alert">[^<]*{sentence}[^<]*Choose another way to pay', page.content.decode())
    assert buttons(page) == [("flutterwave", LARGE), ("paypal", QUIET), ("paystack", QUIET)]
    assert gateways["flutterwave"].calls == []


def test_what_failed_comes_last_even_though_its_earlier_page_is_open(dollars, client, gateways):
    make_attempt(dollars, gateway="flutterwave")
    Payment.objects.update(asked_at=clock.now())
    dollars.refresh_from_db()
    gateways["paypal"].says("start_payment", Unreachable("refused"))

    page = press(client, dollars, "paypal")

    assert names(page)[-1] == "paypal"


def test_a_refusal_that_is_not_the_gateways_keeps_the_order(dollars, client):
    page = press(client, dollars, "stripe")

    assert (page.status_code, names(page)) == (409, ["paystack", "flutterwave", "paypal"])


def test_the_form_may_lead_to_the_pages_of_all_that_are_offered(dollars, look, settings):
    settings.IS_LOCAL = False
    settings.SECURE_SSL_REDIRECT = False

    policy = look(dollars).headers["Content-Security-Policy"]

    sources = " ".join(f"https://{name}.example" for name in TITLES)
    assert f"form-action 'self' {sources};" in f"{policy};"


def test_looking_costs_two_statements_and_calls_nobody(dollars, look, gateways, django_assert_num_queries):
    clock.now()
    with django_assert_num_queries(2):
        look(dollars)

    assert all(script.calls == [] for script in gateways.values())


def test_the_news_feed_does_not_ask_who_is_well(dollars, look, django_assert_num_queries):
    clock.now()
    with django_assert_num_queries(1):
        look(dollars, "/status")


def test_a_receipt_of_paypals_one_channel_names_it_once(paid, look):
    payment = paid(gateway="paypal")
    payment.attempts.update(gateway="paypal", channel="paypal")

    page = look(payment).content.decode()

    assert "<dd>PayPal</dd>" in page
