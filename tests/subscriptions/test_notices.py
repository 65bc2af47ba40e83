"""Owners of cards that expire are told 30 and 7 days before the end of the month, each time once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail as outbox_of

from tests.builders import make_method, make_subscription
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.customers.models import PaymentMethod
from tillgate.merchants.models import Merchant
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services import notices
from tillgate.subscriptions.services.mails import Mail, tell
from tillgate.subscriptions.services.notices import tell_of_expiring_methods


@pytest.fixture
def year(db: None) -> int:
    return clock.now().year + 1


@pytest.fixture
def on(year: int) -> Callable[..., int]:
    """Let it be the morning of that day of December, go through its notices, and count the mails."""

    def run(day: int, month: int = 12, send: bool = True) -> int:
        wait = datetime(year, month, day, 6, tzinfo=UTC) - clock.now()
        clock.advance(int(wait.total_seconds()) + 1)
        before = len(outbox_of.outbox)
        tell_of_expiring_methods()
        if send:
            run_due_jobs()
        return len(outbox_of.outbox) - before

    return run


@pytest.fixture
def subscription(merchant: Merchant, year: int) -> Subscription:
    card = make_method(merchant, expires_month=f"{year}-12")
    return make_subscription(merchant, payment_method=card, anchor_at=datetime(year, 11, 22, 9, tzinfo=UTC))


def test_a_card_is_told_of_thirty_and_seven_days_before(subscription: Subscription, on: Any) -> None:
    assert [on(30, 11), on(1), on(2), on(23), on(24), on(25), on(31)] == [0, 1, 0, 0, 1, 0, 0]


def test_the_mail_says_when_it_expires_and_what_it_pays(
    subscription: Subscription, on: Any, year: int
) -> None:
    on(1)
    message = outbox_of.outbox[0]

    assert message.subject == "[Test] Your Visa ending 4081 expires soon"
    assert f"takes NGN 50.00 every month, expires at the end of December {year}." in str(message.body)
    assert f"before the next payment on 22 December {year}." in str(message.body)


def test_each_recurring_payment_of_a_card_is_told_of(subscription: Subscription, on: Any) -> None:
    make_subscription(subscription.merchant, payment_method=subscription.payment_method)

    assert on(1) == 2


@pytest.mark.parametrize("status", ["canceled", "completed", "expired", "incomplete"])
def test_nobody_is_told_where_nothing_will_be_charged(
    subscription: Subscription, on: Any, status: str
) -> None:
    Subscription.objects.update(status=status, next_opens_at=None)

    assert on(1) == 0


@pytest.mark.parametrize("status", ["active", "past_due", "paused"])
def test_who_will_be_charged_is_told(subscription: Subscription, on: Any, status: str) -> None:
    Subscription.objects.update(status=status)

    assert on(1) == 1


@pytest.mark.parametrize("fields", [{"cycles": 3, "cycles_left": 0}, {"collection": "send_link"}])
def test_a_card_that_is_charged_no_more_is_not_told_of(
    subscription: Subscription, on: Any, fields: dict[str, Any]
) -> None:
    Subscription.objects.update(**fields)

    assert on(1) == 0


def test_a_removed_card_is_not_told_of(subscription: Subscription, on: Any) -> None:
    PaymentMethod.objects.update(removed_at=clock.now())

    assert on(1) == 0


def test_after_a_pause_of_the_worker_the_notice_comes_late_but_once(
    subscription: Subscription, on: Any
) -> None:
    assert [on(10), on(11), on(26), on(27)] == [1, 0, 1, 0]


def test_a_card_that_was_renewed_meanwhile_is_not_told_of(subscription: Subscription, on: Any) -> None:
    on(1, send=False)
    PaymentMethod.objects.update(expires_month="2099-12")
    run_due_jobs()

    assert outbox_of.outbox == []


def test_of_two_workers_on_the_same_card_one_tells(subscription: Subscription) -> None:
    seen_by_both = PaymentMethod.objects.get()
    notices._tell(seen_by_both, 30)
    notices._tell(seen_by_both, 30)
    run_due_jobs()
    notices._tell(seen_by_both, 30)

    assert not Job.objects.exists()


def test_a_method_without_an_end_is_never_told_of(subscription: Subscription, on: Any) -> None:
    PaymentMethod.objects.update(expires_month="")
    tell(subscription, Mail.CARD_EXPIRES)

    assert on(1) == 0
