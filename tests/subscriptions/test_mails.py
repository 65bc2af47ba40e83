"""Each occasion's mail: what it says, to whom, and when it is not sent after all."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox_of
from django.db import transaction

from tests.builders import make_attempt_in, make_cycle, make_method
from tests.subscriptions.mail_scenes import (
    FINAL,
    SCENES,
    Scene,
    after_a_decline,
    after_a_hard_decline,
    after_a_payment,
    before_the_card_expires,
    by_link,
    complete,
    failed,
    given_up,
    going_on,
    headers,
    html,
    in_a_pause,
    is_sent,
    paid,
    plain,
    sent,
    stopped,
    subscribed,
    with_a_link,
)
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.customers.models import PaymentMethod
from tillgate.events.models import Event
from tillgate.merchants.models import Merchant
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.letters import manage_url
from tillgate.subscriptions.services.mails import OCCASIONS, Mail, send_manage_link, tell


@pytest.fixture(params=list(Mail))
def occasion(request: pytest.FixtureRequest, merchant: Merchant) -> tuple[Mail, Scene]:
    return request.param, SCENES[request.param]()


def test_every_occasion_has_a_mail_and_a_scene() -> None:
    assert set(OCCASIONS) == set(Mail) == set(SCENES)


def test_both_parts_name_customer_shop_and_amount(occasion: tuple[Mail, Scene]) -> None:
    message = sent(*occasion)

    assert message.to == ["john@example.com"]
    for part in (plain(message), html(message)):
        assert all(words in part for words in ("John Doe", "My shop", "NGN 50.00"))


def test_the_stop_link_is_in_both_parts_until_nothing_is_charged(occasion: tuple[Mail, Scene]) -> None:
    mail, (subscription, _) = occasion
    message = sent(*occasion)
    stop = f"{manage_url(subscription)}/stop"

    for part in (plain(message), html(message)):
        assert (stop in part) == (mail not in FINAL)
        assert ("Nothing more will be charged." in part) == (mail in FINAL)
        assert ("until you stop it" in part) == (mail not in FINAL)
        assert manage_url(subscription) in part
    assert headers(message)["List-Unsubscribe"] == (None if mail in FINAL else f"<{stop}>")


def test_no_stop_is_one_click_away_from_a_mail_reader(occasion: tuple[Mail, Scene]) -> None:
    assert headers(sent(*occasion))["List-Unsubscribe-Post"] is None


def test_a_mail_is_marked_as_ours_and_as_written_by_nobody(occasion: tuple[Mail, Scene]) -> None:
    found = headers(sent(*occasion))

    assert found["From"] == "My shop <payments@127.0.0.1>"
    assert found["Auto-Submitted"] == "auto-generated"


def test_nothing_is_loaded_and_all_links_are_ours(occasion: tuple[Mail, Scene]) -> None:
    page = html(sent(*occasion))

    assert not re.search(r"<(img|script|link|iframe)|url\(|@import|http-equiv", page)
    assert all(link.startswith("http://127.0.0.1:8000/") for link in re.findall(r'href="([^"]*)"', page))


def test_no_line_is_left_empty_or_unfilled(occasion: tuple[Mail, Scene]) -> None:
    message = sent(*occasion)

    assert "\n\n\n" not in plain(message)
    assert not re.search(r": *$(?!\nhttp)|\{|\}|None|  ", plain(message), re.MULTILINE)
    assert not re.search(r"<p>\s*</p>|<dd>\s*</dd>", html(message))


def test_a_test_says_that_no_real_money_moves(occasion: tuple[Mail, Scene]) -> None:
    mail, (subscription, cycle) = occasion
    assert sent(*occasion).subject.startswith("[Test] ")

    Subscription.objects.filter(pk=subscription.pk).update(mode="live")
    real = sent(mail, (subscription, cycle))

    assert not real.subject.startswith("[Test]")
    assert "no real money" not in plain(real) + html(real)


def test_the_same_news_has_the_same_id_and_other_news_another(occasion: tuple[Mail, Scene]) -> None:
    mail, (subscription, cycle) = occasion
    first, again = headers(sent(*occasion)), headers(sent(*occasion))
    Subscription.objects.filter(pk=subscription.pk).update(sequence=subscription.sequence + 1)
    later = headers(sent(mail, (subscription, cycle)))

    assert first["Message-ID"] == again["Message-ID"] != later["Message-ID"]
    assert re.fullmatch(rf"<{mail}\.[0-9a-f]{{32}}@127\.0\.0\.1>", first["Message-ID"])


def test_a_mail_is_told_once_until_it_is_sent(merchant: Merchant) -> None:
    subscription, cycle = after_a_payment()

    with transaction.atomic():
        tell(subscription, Mail.RENEWED, cycle)
        tell(subscription, Mail.RENEWED, cycle)
        tell(subscription, Mail.CHANGED)
    run_due_jobs()

    assert sorted(message.subject for message in outbox_of.outbox) == [
        "[Test] You paid NGN 50.00 to My shop",
        "[Test] Your recurring payment to My shop changes",
    ]


def test_a_mail_that_the_server_refuses_is_tried_again(merchant: Merchant, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # Where nobody listens.
    subscription, cycle = after_a_payment()
    tell(subscription, Mail.RENEWED, cycle)
    run_due_jobs()

    job = Job.objects.get()
    assert (job.status, job.attempts) == ("queued", 1)
    assert "ConnectionRefusedError" in job.last_error

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Job.objects.update(run_at=clock.now() - timedelta(seconds=1))
    run_due_jobs()

    assert len(outbox_of.outbox) == 1
    assert not Job.objects.exists()


def test_a_receipt_names_what_was_paid_with_and_when(merchant: Merchant) -> None:
    subscription, cycle = after_a_payment()
    assert cycle
    assert cycle.payment
    Payment.objects.filter(cycle=cycle).update(completed_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    card = make_method(brand="mastercard", last4="0001")
    make_attempt_in("succeeded", cycle.payment, settles=True, payment_method=card)

    said = plain(sent(Mail.RENEWED, (subscription, cycle)))

    assert "Paid: 23 November 2026\n" in said  # In Lagos it was past midnight.
    assert "Paid with: Mastercard ending 0001\n" in said
    assert "Next payment: 22 December 2026\n" in said


def test_a_receipt_after_the_end_promises_nothing_more(merchant: Merchant) -> None:
    subscription, cycle = after_a_payment()
    Subscription.objects.filter(pk=subscription.pk).update(status="canceled", next_opens_at=None)

    said = plain(sent(Mail.RENEWED, (subscription, cycle)))

    assert "nothing more will be charged" in said
    assert "Next payment" not in said
    assert "/stop" not in said


def test_the_amount_is_that_of_the_payment_and_the_next_that_of_the_next(merchant: Merchant) -> None:
    subscription, cycle = after_a_payment()
    Subscription.objects.filter(pk=subscription.pk).update(amount_minor=7_500)

    said = plain(sent(Mail.RENEWED, (subscription, cycle)))

    assert "has received NGN 50.00" in said
    assert "The next NGN 75.00 is due on 22 December 2026." in said


def test_set_up_without_a_payment_tells_what_will_be_taken(merchant: Merchant) -> None:
    said = plain(sent(Mail.SET_UP, (subscribed(next_index=0, cycles=12), None)))

    assert "set up: NGN 50.00 every month, 12 times in all." in said
    assert "The next NGN 50.00 is taken from Visa ending 4081 on 22 November 2026." in said


def test_set_up_by_links_says_that_nothing_is_taken(merchant: Merchant) -> None:
    said = plain(sent(Mail.SET_UP, (by_link(), None)))

    assert "Nothing is taken unless you pay." in said
    assert "Visa" not in said


def test_the_first_decline_says_when_it_is_tried_again(merchant: Merchant) -> None:
    subscription, cycle = after_a_decline()
    said = plain(sent(Mail.DECLINED, (subscription, cycle)))

    assert "We try again on 25 December 2026." in said
    assert "/pay/" not in said


def test_the_second_decline_offers_to_pay_another_way(merchant: Merchant) -> None:
    subscription, cycle = after_a_decline()
    Cycle.objects.update(setbacks=2)
    assert cycle
    assert cycle.payment

    page = html(sent(Mail.DECLINED, (subscription, cycle)))

    assert f'href="http://127.0.0.1:8000/pay/{cycle.payment.checkout_token}">Pay another way</a>' in page


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("insufficient_funds", "There was not enough money for it."),
        ("expired_card", "The card has expired."),
        ("do_not_honor", "Your bank can tell you more about why it was refused."),
        ("gateway_down", "The fault was with the payment service, not with you."),
        ("a_word_of_tomorrow", "Your bank can tell you more about why it was refused."),
    ],
)
def test_a_decline_says_what_the_customer_can_do_about_it(merchant: Merchant, code: str, said: str) -> None:
    subscription = subscribed(status="past_due", next_index=2)

    assert said in plain(sent(Mail.DECLINED, (subscription, failed(subscription, code))))


def test_without_any_method_the_customer_is_asked_for_one(merchant: Merchant) -> None:
    subscription = subscribed(payment_method=None)
    said = plain(sent(Mail.METHOD_NEEDED, (subscription, None)))

    assert f"Use another card or account:\n{manage_url(subscription)}\n" in said


def test_a_stop_tells_what_is_on_its_way(merchant: Merchant) -> None:
    subscription, _ = stopped()
    cycle = make_cycle(subscription, index=1, in_flight_at_stop=True)
    Payment.objects.filter(cycle=cycle).update(status="processing")

    assert "NGN 50.00 had been sent to the bank before, and could not be called back." in plain(
        sent(Mail.CANCELED, (subscription, None))
    )


def test_a_stop_tells_what_came_in_after_it(merchant: Merchant) -> None:
    subscription, _ = stopped()
    cycle = paid(subscription)
    Cycle.objects.filter(pk=cycle.pk).update(in_flight_at_stop=True)
    Payment.objects.filter(cycle=cycle).update(completed_at=clock.now() + timedelta(seconds=1))

    assert "NGN 50.00 had been sent to the bank before, and has gone through." in plain(
        sent(Mail.CANCELED, (subscription, None))
    )


def test_what_came_in_long_before_the_stop_is_not_told(merchant: Merchant) -> None:
    subscription, _ = stopped()
    cycle = paid(subscription)
    Cycle.objects.filter(pk=cycle.pk).update(in_flight_at_stop=True)  # Of a pause.
    Payment.objects.filter(cycle=cycle).update(completed_at=clock.now() - timedelta(days=60))

    assert "had been sent" not in plain(sent(Mail.CANCELED, (subscription, None)))


Changes = dict[Any, dict[str, Any]]
LOST: list[tuple[Mail, Any, Changes]] = [
    (Mail.SET_UP, going_on, {Subscription: {"status": "canceled"}}),
    (Mail.SET_UP, going_on, {Subscription: {"status": "incomplete"}}),
    (Mail.SET_UP, going_on, {Subscription: {"status": "paused", "next_opens_at": None}}),
    (Mail.RENEWED, after_a_payment, {Cycle: {"status": "open"}}),
    (Mail.DECLINED, after_a_decline, {Cycle: {"status": "paid"}}),
    (Mail.DECLINED, after_a_decline, {Payment: {"status": "processing"}}),
    (Mail.DECLINED, after_a_decline, {Subscription: {"status": "paused"}}),
    (Mail.DECLINED, after_a_decline, {Subscription: {"status": "canceled"}}),
    (Mail.DECLINED, after_a_decline, {Cycle: {"needs_customer": True}}),
    (Mail.DECLINED, after_a_decline, {Cycle: {"status": "unpaid"}}),
    (Mail.METHOD_NEEDED, after_a_hard_decline, {Cycle: {"status": "paid"}}),
    (Mail.METHOD_NEEDED, after_a_hard_decline, {Cycle: {"needs_customer": False}}),
    (Mail.METHOD_NEEDED, after_a_hard_decline, {Payment: {"status": "processing"}}),
    (Mail.METHOD_NEEDED, after_a_hard_decline, {Subscription: {"status": "canceled"}}),
    (Mail.METHOD_NEEDED, going_on, {}),
    (Mail.PAY_LINK, with_a_link, {Payment: {"status": "canceled"}}),
    (Mail.PAY_LINK, with_a_link, {Payment: {"status": "processing"}}),
    (Mail.PAY_LINK, with_a_link, {Payment: {"expires_at": datetime(2026, 1, 1, tzinfo=UTC)}}),
    (Mail.PAY_LINK, with_a_link, {Subscription: {"status": "canceled"}}),
    (Mail.PAY_LINK, with_a_link, {Subscription: {"status": "paused"}}),
    (Mail.PAY_LINK, with_a_link, {Subscription: {"collection": "charge"}}),
    (Mail.PAY_REMINDER, with_a_link, {Payment: {"status": "expired"}}),
    (Mail.CARD_EXPIRES, before_the_card_expires, {Subscription: {"payment_method": None}}),
    (Mail.CARD_EXPIRES, before_the_card_expires, {Subscription: {"collection": "send_link"}}),
    (Mail.CARD_EXPIRES, before_the_card_expires, {Subscription: {"status": "canceled"}}),
    (Mail.CARD_EXPIRES, before_the_card_expires, {Subscription: {"cycles_left": 0}}),
    (Mail.CARD_EXPIRES, going_on, {}),
    (Mail.PAUSED, in_a_pause, {Subscription: {"status": "active"}}),
    (Mail.RESUMED, going_on, {Subscription: {"status": "paused"}}),
    (Mail.CHANGED, going_on, {Subscription: {"status": "canceled"}}),
    (Mail.CANCELED, given_up, {}),
    (Mail.GIVEN_UP, stopped, {}),
    (Mail.COMPLETED, complete, {Subscription: {"status": "active"}}),
]


@pytest.mark.parametrize(("mail", "scene", "changes"), LOST)
def test_a_mail_that_has_lost_its_meaning_is_not_sent(
    merchant: Merchant, mail: Mail, scene: Any, changes: Changes
) -> None:
    built = scene()
    for model, fields in changes.items():
        model.objects.update(**fields)

    assert not is_sent(mail, built)


def test_a_removed_card_expires_unsaid(merchant: Merchant) -> None:
    built = before_the_card_expires()
    PaymentMethod.objects.update(removed_at=clock.now())

    assert not is_sent(Mail.CARD_EXPIRES, built)


def test_a_card_that_has_expired_is_not_said_to_expire_soon(merchant: Merchant) -> None:
    built = before_the_card_expires()
    PaymentMethod.objects.update(expires_month="2020-01")

    assert not is_sent(Mail.CARD_EXPIRES, built)


def test_a_receipt_is_sent_even_if_all_is_over_by_then(merchant: Merchant) -> None:
    subscription, cycle = after_a_payment()
    Subscription.objects.update(status="canceled", next_opens_at=None)

    said = plain(sent(Mail.SET_UP, (subscription, cycle)))

    assert "It has been stopped since. Nothing more will be charged." in said


def test_the_receipt_of_what_was_paused_meanwhile_is_sent(merchant: Merchant) -> None:
    built = after_a_payment()
    Subscription.objects.update(status="paused", next_opens_at=None)

    assert is_sent(Mail.SET_UP, built)


def test_a_receipt_costs_two_statements(merchant: Merchant, statements: Any) -> None:
    subscription, cycle = after_a_payment()
    assert cycle
    assert cycle.payment
    make_attempt_in("succeeded", cycle.payment, settles=True, payment_method=subscription.payment_method)
    with statements() as told:
        said = plain(sent(Mail.RENEWED, (subscription, cycle)))

    assert "Paid with: Visa ending 4081\n" in said
    assert len(told) == 2


def test_the_link_is_sent_again_once_in_a_day(merchant: Merchant) -> None:
    subscription = subscribed()
    for _ in range(3):
        send_manage_link(subscription.pk)
        run_due_jobs()

    [message] = outbox_of.outbox
    assert message.to == ["john@example.com"]
    assert manage_url(subscription) in str(message.body)
    assert [event.type for event in Event.objects.all()] == ["subscription.link_sent"]


def test_another_day_the_link_is_sent_again_as_another_mail(merchant: Merchant) -> None:
    subscription = subscribed()
    send_manage_link(subscription.pk)
    run_due_jobs()
    clock.advance(86_401)
    send_manage_link(subscription.pk)
    run_due_jobs()

    first, second = (message.message()["Message-ID"] for message in outbox_of.outbox)
    assert first != second


@pytest.mark.parametrize("status", ["incomplete", "paused", "past_due", "canceled", "completed"])
def test_the_link_is_sent_however_it_stands(merchant: Merchant, status: str) -> None:
    subscription = subscribed(status=status, next_opens_at=None)

    said = plain(sent(Mail.MANAGE_LINK, (subscription, None)))

    assert (" or stop " in said) == ("/stop" in said) == (status not in ("canceled", "completed"))


def test_what_was_given_up_but_kept_asks_for_another_way(merchant: Merchant) -> None:
    subscription, cycle = after_a_decline()
    Cycle.objects.update(status="unpaid", next_try_at=None)

    assert is_sent(Mail.METHOD_NEEDED, (subscription, cycle))
