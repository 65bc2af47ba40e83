"""A-19: where nearly every card is declined, guests are paused; a normal shop, or another one, is not."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from tests.api.client import PAYMENTS, ApiClient
from tests.builders import access_token, make_attempt, make_merchant, make_payment, make_snapshot, make_staff
from tillgate.common import clock
from tillgate.common.jobs.models import Job
from tillgate.gateways.declines import DECLINES, decline
from tillgate.gateways.protocol import GatewayState
from tillgate.merchants.errors import GuestsPaused
from tillgate.merchants.services.pauses import PAUSE
from tillgate.payments.jobs import look_for_card_testing, mail_about_pause
from tillgate.payments.models import Attempt
from tillgate.payments.services import card_testing
from tillgate.payments.services.sessions import open_session
from tillgate.payments.services.sync import apply_answer


def ends(merchant, *, declined=0, paid=0, code="declined", **fields):
    for number in range(declined + paid):
        attempt = make_attempt(make_payment(merchant, **fields))
        failed: dict[str, Any] = {
            "state": GatewayState.FAILED,
            "failure": decline(code),
            "gateway_id": None,
            "amount": None,
        }
        apply_answer(attempt, make_snapshot(attempt, **(failed if number < declined else {})))


def look():
    return card_testing.look_for_card_testing()


def until(merchant, field="test_guests_paused_until"):
    merchant.refresh_from_db()
    return getattr(merchant, field)


@pytest.fixture
def tested(merchant):
    """A merchant at which cards are tried out, and whose guests are paused."""
    ends(merchant, declined=20)
    assert look() == 1
    merchant.refresh_from_db()
    return merchant


def test_twenty_declines_of_twenty_pause_the_guests(merchant, caplog):
    ends(merchant, declined=20)

    assert look() == 1

    assert until(merchant) == pytest.approx(clock.now() + PAUSE, abs=timedelta(seconds=10))
    assert [(r.levelname, r.msg["event"]) for r in caplog.records] == [("ERROR", "guests_paused")]


@pytest.mark.parametrize(("declined", "paid"), [(19, 0), (20, 6), (30, 30), (100, 26), (2, 2)], ids=str)
def test_a_normal_shop_is_left_alone(merchant, declined, paid):
    ends(merchant, declined=declined, paid=paid)

    assert look() == 0
    assert until(merchant) is None


def test_four_of_five_are_too_many(merchant):
    ends(merchant, declined=20, paid=5)

    assert look() == 1


@pytest.mark.parametrize("code", ["customer_canceled", "session_expired", "bank_unreachable", "gateway_down"])
def test_what_no_bank_refused_is_no_tried_card(merchant, code):
    assert code in DECLINES
    ends(merchant, declined=25, code=code)

    assert look() == 0


def test_declines_of_an_hour_are_not_those_of_ten_minutes(merchant):
    for _ in range(6):
        ends(merchant, declined=5)
        clock.advance(600)

    assert look() == 0


def test_charges_that_we_started_try_out_no_cards(merchant):
    ends(merchant, declined=25)
    Attempt.objects.update(initiated_by="merchant")

    assert look() == 0


def test_merchants_and_modes_are_counted_apart(merchant):
    other = make_merchant()
    ends(merchant, declined=15)
    ends(other, declined=15)
    ends(merchant, declined=15, mode="live")

    assert look() == 0

    ends(other, declined=5)

    assert look() == 1
    assert (until(merchant), until(other) is None) == (None, False)
    assert until(other, "guests_paused_until") is None


def test_a_pause_of_live_guests_is_not_one_of_test_mode(merchant):
    ends(merchant, declined=20, mode="live")

    assert look() == 1
    assert until(merchant) is None
    assert until(merchant, "guests_paused_until") is not None


def test_looking_is_one_statement_where_all_is_well(merchant, statements):
    ends(merchant, declined=19)

    with statements() as told:
        look()

    assert len(told) == 1


def test_a_paused_guest_is_told_when_to_come_back(tested, gateway):
    answer = ApiClient().post(f"{PAYMENTS}/{make_payment(tested).reference}/attempts", {})

    assert (answer.status_code, answer.json()["code"]) == (429, "guests_paused")
    assert 0 < int(answer["Retry-After"]) <= 900
    assert "15 minutes" in answer.json()["message"]
    assert gateway.called("start_payment") == 0


def test_the_checkout_says_so_to_its_customer(tested, client):
    before = Attempt.objects.count()

    answer = client.post(f"/pay/{make_payment(tested).checkout_token}", {"gateway": "paystack"})

    assert (answer.status_code, 0 < int(answer["Retry-After"]) <= 900) == (429, True)
    assert b"paying is paused for some minutes" in answer.content
    assert Attempt.objects.count() == before


def test_payments_are_still_made_and_can_be_paid_later(tested, gateway):
    created = ApiClient().create().json()["payment"]["id"]
    clock.advance(901)

    answer = ApiClient().post(f"{PAYMENTS}/{created}/attempts", {})

    assert answer.status_code == 201


def test_keys_and_staff_go_on(tested, key, gateway):
    staff = ApiClient(access_token(make_staff(tested, "cashier")))

    for caller in (ApiClient(key), staff):
        assert caller.post(f"{PAYMENTS}/{make_payment(tested).reference}/attempts", {}).status_code == 201


def test_a_session_that_is_open_already_is_given_again(tested, gateway):
    attempt = make_attempt(make_payment(tested))

    again, is_new = open_session(attempt.payment, "paystack")

    assert (again, is_new) == (attempt, False)


def test_money_that_is_on_its_way_is_heard(tested):
    attempt = make_attempt(make_payment(tested))

    apply_answer(attempt, make_snapshot(attempt))

    attempt.payment.refresh_from_db()
    assert attempt.payment.status == "completed"


def test_it_heals_by_itself(tested, gateway):
    clock.advance(901)

    assert look() == 0
    assert open_session(make_payment(tested), None)[1]


def test_what_goes_on_after_the_pause_is_paused_again(tested, gateway):
    clock.advance(901)
    ends(tested, declined=20)

    assert look() == 1
    tested.refresh_from_db()
    with pytest.raises(GuestsPaused):
        open_session(make_payment(tested), None)


def test_a_pause_that_holds_is_not_made_longer(tested):
    before = until(tested)
    clock.advance(60)
    ends(tested, declined=5)

    assert look() == 0
    assert until(tested) == before


def deliver():
    for job in Job.objects.filter(task__endswith="mail_about_pause"):
        mail_about_pause.func(*job.args)


def test_the_owners_are_mailed_once_a_wave(merchant):
    make_staff(merchant, "owner", "ada")
    make_staff(merchant, "auditor", "eve")
    ends(merchant, declined=20, paid=4)
    look_for_card_testing.func()
    clock.advance(901)
    ends(merchant, declined=20)
    look_for_card_testing.func()

    deliver()

    (letter,) = mail.outbox
    assert letter.to == ["ada@example.com"]
    assert letter.subject == "[Test] Guests cannot pay for 15 minutes: many cards were declined"
    assert "\n20 of the last 24 tries to pay My shop were declined within 10 minutes." in letter.body


def test_a_merchant_without_owners_mails_nobody(merchant, caplog):
    ends(merchant, declined=20)
    look()

    deliver()

    assert not mail.outbox
    assert "nobody_to_mail" in caplog.text


def test_the_next_days_wave_is_news(merchant):
    make_staff(merchant, "owner", "ada")
    for _ in range(2):
        ends(merchant, declined=20)
        look()
        clock.advance(86_400)

    deliver()

    assert len(mail.outbox) == 2
