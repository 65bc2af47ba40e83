"""What a customer does on the page of their recurring payment: each is said first, and done by one press."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client

from tests.builders import make_cycle, make_subscription
from tillgate.common import clock
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Cycle, Subscription

ANCHOR = datetime(2099, 1, 31, 9, tzinfo=UTC)
ON_ITS_WAY = "A payment of NGN 50.00 is on its way just now and cannot be called back."


@pytest.fixture
def subscription(merchant) -> Subscription:
    return make_subscription(merchant, anchor_at=ANCHOR)


def text(response) -> str:
    return unescape(response.content.decode())


def owed(subscription: Subscription, **fields) -> Payment:
    """A payment of it that was declined."""
    cycle = make_cycle(subscription, tries=1, tries_judged=1, first_setback_at=clock.now())
    Subscription.objects.filter(pk=subscription.pk).update(status=subscription.status)
    Payment.objects.filter(cycle=cycle).update(**{"status": "failed", **fields})
    return Payment.objects.get(cycle=cycle)


def status_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.status


def page_of(subscription: Subscription) -> str:
    return f"/subscription/{subscription.manage_token}"


def test_the_link_to_stop_asks_first_and_one_press_stops(subscription, see, do):
    asked = text(see(subscription, "/stop"))
    assert "<h2>Stop this recurring payment?</h2>" in asked
    assert "Nothing more will be charged, from the moment you press the button." in asked
    assert f'<form method="post" action="{page_of(subscription)}/stop"' in asked
    assert status_of(subscription) == "active"

    answer = do(subscription, "stop")

    assert (answer.status_code, answer.headers["Location"]) == (303, page_of(subscription))
    assert (status_of(subscription), subscription.end_reason) == ("canceled", "customer")
    page = text(see(subscription))
    assert "<h2>Stopped</h2>" in page
    assert "Nothing more will be charged." in page


def test_stopping_twice_is_stopping_once(subscription, see, do):
    do(subscription, "stop")
    ended_at = Subscription.objects.get().ended_at

    assert do(subscription, "stop").status_code == 303
    assert Subscription.objects.get().ended_at == ended_at
    assert see(subscription, "/stop").headers["Location"] == page_of(subscription)


def test_stopping_withdraws_what_is_still_open(subscription, see, do):
    payment = owed(subscription)
    assert "The payment of NGN 50.00 that is still open will not be charged either." in text(
        see(subscription, "/stop")
    )

    do(subscription, "stop")

    payment.refresh_from_db()
    assert payment.status == "canceled"
    assert "now</span>" not in text(see(subscription))


def test_what_is_on_its_way_is_said_before_and_after_the_stop(subscription, see, do):
    payment = owed(subscription, status="processing")
    assert ON_ITS_WAY in text(see(subscription, "/stop"))

    do(subscription, "stop")

    page = text(see(subscription))
    assert "Nothing more will be charged." in page
    assert re.search(rf"{ON_ITS_WAY} The shop can refund it[^<]*<[^>]*>{payment.reference}", page)


@pytest.mark.parametrize("status", ["completed", "expired"])
def test_what_has_ended_can_not_be_stopped(merchant, do, status):
    subscription = make_subscription(merchant, status=status)

    page = do(subscription, "stop")

    assert page.status_code == 409
    assert 'role="alert">Nothing was done: this is not possible just now.' in text(page)
    assert status_of(subscription) == status


def test_pausing_and_resuming_say_what_they_do(subscription, see, do):
    assert "Payments that fall due in the pause are left out." in text(see(subscription, "/pause"))
    assert do(subscription, "pause").headers["Location"] == page_of(subscription)
    assert status_of(subscription) == "paused"

    assert "The next payment is NGN 50.00 on 28 February 2099." in text(see(subscription, "/resume"))
    assert do(subscription, "resume").status_code == 303
    assert status_of(subscription) == "active"


def test_what_is_owed_is_named_before_a_pause_and_a_resumption(subscription, see, do):
    owed(subscription)
    assert "The payment of NGN 50.00 that is still open waits, too." in text(see(subscription, "/pause"))

    do(subscription, "pause")

    said = "The payment of NGN 50.00 that is still open is collected from now on."
    assert said in text(see(subscription, "/resume"))


def test_another_card_pays_the_next_time_early_and_its_date_stays(subscription, see, do, look):
    said = text(see(subscription, "/method"))
    assert "You pay NGN 50.00 now: the payment of 28 February 2099, ahead of time." in said
    assert "You are not charged again on that day" in said
    assert not Cycle.objects.exists()

    answer = do(subscription, "method")

    cycle = Cycle.objects.get()
    assert answer.headers["Location"] == f"/pay/{cycle.payment.checkout_token}"
    assert cycle.due_at == subscription.rhythm.due_at(1)
    assert "Use this for the next payments, too: " in text(look(cycle.payment))


def test_another_card_pays_what_is_owed_first(subscription, see, do):
    payment = owed(subscription)
    assert "You pay NGN 50.00 now: the payment of 31 January 2099, which is still open." in text(
        see(subscription, "/method")
    )

    assert do(subscription, "method").headers["Location"] == f"/pay/{payment.checkout_token}"


def test_who_pays_by_link_can_let_a_card_be_charged(merchant, see, do, look):
    subscription = make_subscription(merchant, collection="send_link")
    payment = make_cycle(subscription).payment

    assert do(subscription, "method").headers["Location"] == f"/pay/{payment.checkout_token}"
    assert 'name="consent"' in text(look(payment))


def test_while_a_charge_is_on_its_way_nothing_is_paid_beside_it(subscription, see, do):
    owed(subscription, status="processing")

    assert see(subscription, "/method").headers["Location"] == page_of(subscription)
    assert do(subscription, "method").status_code == 409


@pytest.mark.parametrize("action", ["pause", "resume", "method"])
def test_nothing_is_possible_after_the_end_but_to_forget(subscription, see, do, action):
    do(subscription, "stop")

    assert see(subscription, f"/{action}").headers["Location"] == page_of(subscription)
    assert do(subscription, action).status_code == 409
    assert status_of(subscription) == "canceled"


def test_a_card_is_forgotten_after_the_end_once(subscription, see, do):
    do(subscription, "stop")
    assert "Visa ending 4081, expires 12/2099 is removed here" in text(see(subscription, "/forget"))

    assert do(subscription, "forget").status_code == 303

    subscription.refresh_from_db()
    removed_at = subscription.payment_method.removed_at
    assert removed_at is not None
    assert "4081" not in text(see(subscription))
    assert do(subscription, "forget").status_code == 303
    subscription.payment_method.refresh_from_db()
    assert subscription.payment_method.removed_at == removed_at


def test_a_card_that_is_still_charged_is_not_forgotten(subscription, merchant, do):
    other = make_subscription(merchant, status="canceled", payment_method=subscription.payment_method)

    for one in (subscription, other):
        assert do(one, "forget").status_code == 409
    subscription.payment_method.refresh_from_db()
    assert subscription.payment_method.removed_at is None


def test_a_form_from_another_page_needs_no_cookie(subscription):
    strict = Client(enforce_csrf_checks=True, headers={"origin": "https://evil.example"})

    assert strict.post(f"{page_of(subscription)}/stop").status_code == 303
