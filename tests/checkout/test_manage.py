"""What a customer reads on the page of their recurring payment, and who else can: nobody without the link."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from tests.builders import make_attempt_in, make_cycle, make_method, make_subscription
from tests.checkout.test_safety import HEADERS, XSS, skeleton
from tillgate.checkout.actions import ACTIONS
from tillgate.checkout.manage import FACES, OUTCOMES
from tillgate.common import clock
from tillgate.common.throttles import Policy
from tillgate.merchants.models import Merchant
from tillgate.payments.models import Payment
from tillgate.payments.states import PaymentStatus
from tillgate.subscriptions.states import SubscriptionStatus

ANCHOR = datetime(2099, 1, 31, 9, tzinfo=UTC)
BELOW = ["", *(f"/{action.name}" for action in ACTIONS)]
OFFERED = re.compile(r'<a class="way way-small" href="/subscription/\w+/(\w+)">')


@pytest.fixture
def monthly(merchant):
    """Make a subscription whose dates are known."""

    def make(**fields):
        return make_subscription(merchant, **{"anchor_at": ANCHOR, **fields})

    return make


def text(response) -> str:
    return unescape(response.content.decode())


def facts(response) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]+)</dd>", text(response)))


def set_payment(cycle, **fields) -> Payment:
    Payment.objects.filter(pk=cycle.payment_id).update(**fields)
    return Payment.objects.get(pk=cycle.payment_id)


def test_the_page_names_shop_amount_rhythm_and_customer(monthly, see):
    page = text(see(monthly(amount_minor=1_250_000, cycles=12, cycles_left=9, description="All days")))

    assert "<title>Active: NGN 12,500.00 to My shop</title>" in page
    for words in ("<bdi>My shop</bdi>", "every month, 12 payments", "All days", "<bdi>John Doe</bdi>"):
        assert words in page


def test_the_next_payment_and_what_it_is_made_with(monthly, see):
    page = see(monthly(cycles=12, cycles_left=9, next_index=3))

    assert facts(page)["Next payment"] == "NGN 50.00 on 30 April 2099"
    assert facts(page)["Paid with"] == "Visa ending 4081, expires 12/2099"
    assert facts(page)["Still to come"] == "9 of 12 payments"
    assert "The next payment is made by itself" in text(page)


def test_days_are_those_of_the_subscriptions_zone(monthly, see):
    late = monthly(anchor_at=datetime(2099, 1, 15, 23, 30, tzinfo=UTC))

    assert facts(see(late))["Next payment"] == "NGN 50.00 on 16 February 2099"


@pytest.mark.parametrize(
    ("status", "heading", "offered"),
    [
        ("incomplete", "It starts with your first payment", ["stop"]),
        ("active", "Your recurring payment is active", ["method", "pause", "stop"]),
        ("past_due", "A payment is still open", ["method", "pause", "stop"]),
        ("paused", "Paused", ["resume", "stop"]),
        ("canceled", "Stopped", ["forget"]),
        ("completed", "All payments are made", ["forget"]),
        ("expired", "It never started", ["forget"]),
    ],
)
def test_each_status_in_plain_words_with_what_can_be_done(monthly, see, status, heading, offered):
    page = see(monthly(status=status))

    assert f"<h2>{heading}</h2>" in text(page)
    assert OFFERED.findall(text(page)) == offered


def test_what_a_gateway_still_collects_can_not_be_resumed(monthly, see):
    page = see(monthly(status="paused", next_opens_at=None, import_unfinished=True))

    assert OFFERED.findall(text(page)) == ["stop"]


def test_every_status_has_a_face_and_every_outcome_a_word():
    assert set(FACES) == set(SubscriptionStatus)
    assert set(OUTCOMES) == set(PaymentStatus)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"end_reason": "customer"}, "by you"),
        ({"end_reason": "merchant"}, "by the shop"),
        ({"end_reason": "unpaid"}, "because a payment was not made"),
    ],
)
def test_what_has_ended_says_when_and_by_whom(monthly, see, fields, said):
    ended = monthly(status="canceled", ended_at=ANCHOR, **fields)

    assert facts(see(ended))["Ended"] == f"31 January 2099, {said}"
    assert "Next payment" not in facts(see(ended))


def test_what_is_collected_by_links_says_so(monthly, see):
    page = see(monthly(collection="send_link"))

    assert facts(page)["Paid with"] == "a link that you get by mail"
    assert "You get a link to pay by mail before each payment." in text(page)


@pytest.mark.parametrize("removed", [True, False])
def test_with_nothing_to_charge_the_page_says_so(monthly, merchant, see, removed):
    method = make_method(merchant, removed_at=ANCHOR) if removed else None
    page = see(monthly(payment_method=method))

    assert facts(page)["Paid with"] == "nothing saved"
    assert "Nothing is saved to pay the next time with." in text(page)


def test_what_is_owed_can_be_paid_at_once(monthly, see):
    subscription = monthly(status="past_due", next_index=2)
    payment = set_payment(make_cycle(subscription, index=1, tries=1), status="failed")
    page = text(see(subscription))

    assert f'href="/pay/{payment.checkout_token}">' in page
    assert "Pay NGN 50.00 now" in page
    assert "Due on 28 February 2099" in page
    assert "You can pay it here." in page


@pytest.mark.parametrize("fields", [{"status": "incomplete"}, {"collection": "send_link"}])
def test_what_only_the_customer_can_pay_has_a_button(monthly, see, fields):
    subscription = monthly(**fields)
    make_cycle(subscription, index=0)

    assert "Pay NGN 50.00 now" in text(see(subscription))


def test_what_is_about_to_be_charged_is_not_owed(monthly, see):
    subscription = monthly()
    make_cycle(subscription, index=0)

    assert "now</span>" not in text(see(subscription))


def test_what_can_not_be_paid_any_more_has_no_button(monthly, see):
    subscription = monthly(status="past_due")
    past = clock.now() - timedelta(minutes=1)
    set_payment(make_cycle(subscription, status="unpaid"), status="failed", expires_at=past)
    page = text(see(subscription))

    assert "now</span>" not in page
    assert "It could not be collected." in page


@pytest.mark.parametrize("status", ["active", "canceled"])
def test_a_charge_on_its_way_is_shown_and_said_to_be_refundable(monthly, see, status):
    subscription = monthly(status=status)
    payment = set_payment(make_cycle(subscription, tries=1), status="processing")
    page = text(see(subscription))

    assert "A payment of NGN 50.00 is on its way just now and cannot be called back." in page
    assert "The shop can refund it" in page
    assert payment.reference in page
    assert "method" not in OFFERED.findall(page)


def test_the_last_payments_lead_to_their_receipts(monthly, see):
    subscription = monthly(next_index=8)
    for index in range(8):
        cycle = make_cycle(subscription, index=index, status="paid")
        payment = set_payment(cycle, status="completed", completed_at=clock.now(), received_minor=5_000)
        make_attempt_in("succeeded", payment, settles=True)
    page = text(see(subscription))

    assert page.count('<span class="outcome">Paid</span>') == 6
    assert f'<a href="/pay/{payment.checkout_token}">' in page


def test_a_test_one_wears_the_ribbon_and_a_live_one_does_not(monthly, see):
    assert "no real money moves" in text(see(monthly()))
    assert "no real money moves" not in text(see(monthly(mode="live")))


@pytest.mark.parametrize("typed", XSS)
def test_typed_text_never_becomes_markup(merchant, see, look, typed):
    def pages(words: str) -> list[bytes]:
        Merchant.objects.filter(pk=merchant.pk).update(name=words)
        method = make_method(merchant, brand=words[:30])
        told = {"customer_name": words, "description": words, "payment_method": method}
        subscription = make_subscription(merchant, **told)
        payment = set_payment(make_cycle(subscription), method_saving="offered")
        return [see(subscription).content, see(subscription, "/stop").content, look(payment).content]

    assert [skeleton(page) for page in pages(typed)] == [skeleton(page) for page in pages("plain words")]


@pytest.mark.parametrize("below", BELOW)
@pytest.mark.parametrize("token", [None, "A" * 26, "short", "%00", "I" * 26])
def test_every_route_has_the_safe_headers_and_no_cookie(monthly, client, token, below):
    response = client.get(f"/subscription/{token or monthly().manage_token}{below}")

    assert response.status_code in ((404,) if token else (200, 303))
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert "form-action 'self';" in response.headers["Content-Security-Policy"] + ";"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert not response.cookies
    if token:
        assert "There is no recurring payment at this address" in text(response)


def test_neither_its_id_nor_a_payments_link_opens_it(monthly, client):
    subscription = monthly()
    cycle = make_cycle(subscription)

    for token in (subscription.reference, cycle.payment.reference, cycle.payment.checkout_token):
        assert client.get(f"/subscription/{token}").status_code == 404
    assert client.get(f"/pay/{subscription.manage_token}").status_code == 404


@pytest.mark.parametrize("below", BELOW)
@pytest.mark.parametrize("status", list(SubscriptionStatus))
def test_looking_changes_nothing(monthly, see, statements, status, below):
    subscription = monthly(status=status)
    set_payment(make_cycle(subscription), status="failed")
    with statements() as told:
        assert see(subscription, below).status_code in (200, 303)

    assert {statement.split()[0] for statement in told} == {"SELECT"}
    assert len(told) <= 7


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_the_page_itself_takes_nothing(monthly, client, method):
    assert getattr(client, method)(f"/subscription/{monthly().manage_token}").status_code == 405


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(monthly, see):
    for below in BELOW:
        page = text(see(monthly(), below))

        assert not re.search(r"<style|<script|\sstyle=|\son[a-z]+=", page)
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)


def test_an_address_that_asks_too_often_is_told_to_wait(monthly, client, monkeypatch):
    monkeypatch.setattr("tillgate.checkout.views.READ", Policy(name="few", calls=2, window_s=600))
    address = f"/subscription/{monthly().manage_token}"
    answers = [client.get(address, REMOTE_ADDR="203.0.113.9").status_code for _ in range(3)]

    assert answers[-1] == 429
