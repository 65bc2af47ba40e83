"""What the payer of a recurring payment reads beside the tick, and what is stored of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import make_cycle, make_new_payment, make_subscription
from tillgate.common import clock
from tillgate.customers.models import Consent
from tillgate.customers.services.consents import has_consented
from tillgate.payments.errors import ConsentRequired
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.consent import TEXT_VERSION, agree, agreement_for, wording_of
from tillgate.subscriptions.services.create import Plan, create_with_first_payment
from tillgate.subscriptions.states import Interval
from tillgate.subscriptions.words import day

STOP = "I can stop it at any time, without a login, by the link in every mail."
ANCHOR = datetime(2099, 1, 31, 9, tzinfo=UTC)


def first_payment(merchant, interval: str = "monthly", count: int = 1, **plan) -> Payment:
    wanted = Plan(interval=Interval(interval), interval_count=count, **plan)
    payment, _ = create_with_first_payment(make_new_payment(merchant), wanted)
    return payment


def renewal(merchant, **fields) -> Payment:
    defaults = {"anchor_at": ANCHOR, "next_index": 3, "cycles": 12, "cycles_left": 9}
    cycle = make_cycle(make_subscription(merchant, **{**defaults, **fields}))
    assert cycle.payment is not None
    cycle.payment.method_saving = "offered"
    return cycle.payment


def text_of(payment: Payment) -> str:
    return agreement_for(payment, given_by="checkout").text


def test_the_first_payer_reads_amount_rhythm_number_next_date_and_how_to_stop(merchant):
    payment = first_payment(merchant, starts_at=ANCHOR, cycles=12)

    assert text_of(payment) == (
        "I let My shop charge me NGN 50.00 every month, 12 times in all, with what I pay with now. "
        f"What I pay now is for 31 January 2099; the next time is 28 February 2099. {STOP}"
    )


def test_without_a_start_the_next_time_counts_from_now(merchant):
    text = text_of(first_payment(merchant, "weekly"))

    assert f"The next time is {day(clock.now() + timedelta(days=7), merchant.zone)}. {STOP}" in text
    assert "What I pay now" not in text


@pytest.mark.parametrize(
    ("interval", "count", "words"),
    [
        ("daily", 1, "every day"),
        ("weekly", 2, "every 2 weeks"),
        ("monthly", 1, "every month"),
        ("quarterly", 1, "every quarter"),
        ("quarterly", 2, "every 6 months"),
        ("yearly", 1, "every year"),
    ],
)
def test_every_rhythm_without_an_end_is_said_plainly(merchant, interval, count, words):
    text = text_of(first_payment(merchant, interval, count))

    assert f"charge me NGN 50.00 {words}, until I stop it, with what I pay with now." in text


def test_a_later_payer_is_offered_to_use_it_for_what_is_left(merchant):
    assert text_of(renewal(merchant)) == (
        "Use this for the next payments, too: I let My shop charge me NGN 50.00 every month, 9 more times, "
        f"with what I pay with now. The next time is 30 April 2099. {STOP}"
    )


def test_one_more_time_is_once_more(merchant):
    assert "every month, once more, with" in text_of(renewal(merchant, cycles_left=1))


def test_the_amount_is_that_of_the_payments_to_come(merchant):
    payment = renewal(merchant)
    Subscription.objects.update(amount_minor=7_500)

    assert "charge me NGN 75.00 every month" in text_of(payment)


def test_the_next_day_is_the_one_in_the_subscriptions_zone(merchant):
    late = datetime(2099, 1, 15, 23, 30, tzinfo=UTC)

    assert "The next time is 16 April 2099." in text_of(renewal(merchant, anchor_at=late))
    assert "The next time is 15 April 2099." in text_of(renewal(merchant, anchor_at=late, zone="UTC"))


def test_what_was_ticked_is_stored_with_time_and_address(merchant):
    payment = first_payment(merchant)
    text, before = text_of(payment), clock.now()

    agree(payment, given_by="checkout", address="203.0.113.9", wording=wording_of(text))

    consent = Consent.objects.get(subject=payment.reference)
    assert (consent.text, consent.text_version) == (text, TEXT_VERSION)
    assert (consent.given_by, consent.address) == ("checkout", "203.0.113.9")
    assert before <= consent.given_at <= clock.now()


def test_ticking_twice_keeps_the_first(merchant):
    payment = first_payment(merchant)
    wording = wording_of(text_of(payment))
    agree(payment, given_by="checkout", wording=wording, address="203.0.113.9")

    agree(payment, given_by="checkout", wording=wording, address="203.0.113.10")

    assert Consent.objects.get(subject=payment.reference).address == "203.0.113.9"


@pytest.mark.parametrize(("days", "weeks"), [(0, 1), (2, 1), (7, 1), (8, 1), (9, 2), (23, 4)])
def test_who_pays_after_the_start_reads_of_the_next_date_that_lies_ahead(merchant, days, weeks):
    starts_at = clock.now() + timedelta(days=1, hours=1)
    payment = first_payment(merchant, "weekly", starts_at=starts_at)
    clock.advance(days * 86_400)

    following = day(starts_at + timedelta(weeks=weeks), merchant.zone)
    assert f"he next time is {following}. {STOP}" in text_of(payment)


def test_who_pays_in_a_pause_reads_of_the_date_after_it(merchant):
    payment = renewal(merchant, anchor_at=datetime(2026, 1, 31, 9, tzinfo=UTC), status="paused")

    (said,) = re.findall(r"The next time is (.*?)\. I can", text_of(payment))
    assert datetime.strptime(f"{said} +0100", "%d %B %Y %z") > clock.now() - timedelta(days=1)


def test_nobody_agrees_to_what_they_did_not_read(merchant):
    payment = first_payment(merchant)
    read = wording_of(text_of(payment))
    Subscription.objects.update(amount_minor=500_000)

    with pytest.raises(ConsentRequired) as refused:
        agree(payment, given_by="checkout", wording=read)

    assert refused.value.code == "consent_outdated"
    assert not has_consented(payment.reference)
