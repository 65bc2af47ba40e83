"""The tick on the pay page: what is asked of the payer of a recurring payment before anything is opened."""

import re
from html import unescape

import pytest
from django.test import Client

from tests.builders import make_cycle, make_new_payment, make_subscription, make_user
from tillgate.customers.models import Consent
from tillgate.gateways.errors import Unreachable
from tillgate.payments.models import Attempt, Payment
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.create import Plan, create_with_first_payment
from tillgate.subscriptions.services.cycles import open_next
from tillgate.subscriptions.states import Collection, Interval

TICK = re.compile(r'<input type="checkbox" name="consent" value="([0-9a-f]{16})"( required)?>')


@pytest.fixture
def offered(merchant) -> Payment:
    """A renewal that its customer can pay by hand."""
    make_cycle(make_subscription(merchant, cycles=12, cycles_left=9, next_index=3))
    Payment.objects.update(method_saving="offered")
    return Payment.objects.get()


@pytest.fixture
def gateway(gateways):
    """The script of the gateway whose button is pressed."""
    return gateways["paystack"]


def text(response) -> str:
    return unescape(response.content.decode())


def press(look, payment: Payment, **form: str):
    """Tick the box, unless the form says something else, and press the button."""
    tick = TICK.search(text(look(payment)))
    ticked = {"consent": tick.group(1)} if tick else {}
    sent = {"gateway": "paystack", **ticked, **form}
    address = f"/pay/{payment.checkout_token}"
    return Client().post(address, {name: value for name, value in sent.items() if value})


def saves_method(gateway) -> list[bool]:
    return [request.save_method for method, (request,) in gateway.calls if method == "start_payment"]


def test_the_page_says_the_rhythm_and_asks_above_the_buttons(first, look):
    page = text(look(first()))

    assert '<p class="rhythm">every month, 12 payments</p>' in page
    assert "I let My shop charge me NGN 50.00 every month, 12 times in all, with what I pay with now." in page
    assert page.index('action="/pay/') < page.index('name="consent"') < page.index('name="gateway"')


def test_what_is_required_is_required_by_the_browser_too(first, offered, look):
    assert TICK.search(text(look(first()))).group(2)
    assert not TICK.search(text(look(offered))).group(2)


def test_without_the_tick_nothing_is_opened(first, look, gateway):
    payment = first()

    page = press(look, payment, consent="")

    assert page.status_code == 409
    assert re.search(r'role="alert">Nothing was opened yet\.[^<]*tick its box', text(page))
    assert TICK.search(text(page))
    assert not Attempt.objects.exists()
    assert not Consent.objects.exists()
    assert gateway.calls == []


def test_with_the_tick_it_is_stored_and_the_gateway_saves_the_method(first, look, gateway):
    payment = first()
    shown = text(look(payment))

    assert press(look, payment).status_code == 303

    consent = Consent.objects.get(subject=payment.reference)
    assert consent.text in shown
    assert (consent.given_by, consent.address) == ("checkout", "127.0.0.1")
    assert saves_method(gateway) == [True]


def test_the_words_of_another_text_are_not_agreed_to(first, look, gateway):
    payment = first()
    shown = TICK.search(text(look(payment))).group(1)
    Subscription.objects.update(amount_minor=900_000)

    page = press(look, payment, consent=shown)

    assert page.status_code == 409
    assert "What you agree to has changed in the meantime" in text(page)
    assert "charge me NGN 9,000.00" in text(page)
    assert not Consent.objects.exists()
    assert gateway.calls == []


def test_what_is_only_offered_can_be_left_out(offered, look, gateway):
    assert "Use this for the next payments, too: I let My shop" in text(look(offered))

    assert press(look, offered, consent="").status_code == 303

    assert not Consent.objects.exists()
    assert saves_method(gateway) == [False]


def test_what_is_offered_and_ticked_is_saved(offered, look, gateway):
    assert press(look, offered).status_code == 303

    assert Consent.objects.get().subject == offered.reference
    assert saves_method(gateway) == [True]


def test_who_has_agreed_is_told_so_and_not_asked_again(first, look, gateway):
    payment = first()
    gateway.says("start_payment", Unreachable("refused"))
    page = text(press(look, payment))

    assert "You agreed on " in page
    assert Consent.objects.get().text in page
    assert not TICK.search(page)
    gateway.calls.clear()
    press(look, payment)
    assert saves_method(gateway) == [True]


def test_a_payment_that_was_closed_meanwhile_asks_for_no_tick(first, look, gateway):
    payment = first()
    Payment.objects.update(status="canceled")

    page = text(press(look, payment))

    assert "the payment has changed in the meantime" in page
    assert "tick" not in page
    assert not Consent.objects.exists()


def test_a_tick_on_a_payment_that_asks_for_none_is_nothing(merchant, payment, look, gateway):
    assert press(look, payment, consent="0123456789abcdef").status_code == 303

    assert not Consent.objects.exists()
    assert saves_method(gateway) == [False]


def test_who_pays_by_link_each_time_is_asked_nothing(first, look, gateway):
    payment = first(collection=Collection.SEND_LINK, cycles=None)

    assert '<p class="rhythm">every month, until you stop it</p>' in text(look(payment))
    assert not TICK.search(text(look(payment)))
    assert press(look, payment).status_code == 303


def test_the_last_payment_has_nothing_to_offer(offered, look):
    Subscription.objects.update(cycles_left=0)

    assert not TICK.search(text(look(offered)))


def test_a_next_payment_that_is_paid_early_is_asked_for_like_any_other(merchant, look, gateway):
    subscription = make_subscription(merchant)
    open_next(subscription)

    assert press(look, Payment.objects.get()).status_code == 303

    assert saves_method(gateway) == [True]


def test_looking_writes_nothing_and_costs_four_statements(first, look, statements):
    payment = first()
    with statements() as told:
        look(payment)

    assert [statement.split()[0] for statement in told] == ["SELECT"] * 4


def test_what_was_agreed_to_under_a_login_is_asked_of_whoever_opens_the_page(merchant, look, gateway):
    """The page is made to be shared: a friend who pays agrees for themselves."""
    new = make_new_payment(merchant, account_id=make_user("ada").pk)
    payment, _ = create_with_first_payment(new, Plan(interval=Interval.MONTHLY))
    assert Consent.objects.get().given_by == "account"

    assert TICK.search(text(look(payment))).group(2)
    assert press(look, payment, consent="").status_code == 409
    assert press(look, payment).status_code == 303
    assert Consent.objects.get(subject=payment.reference).given_by == "checkout"
