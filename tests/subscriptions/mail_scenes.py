"""A subscription in the state in which each mail is sent, and what the mail server got."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import Message
from typing import Any

from django.core import mail as outbox_of
from django.core.mail import EmailMultiAlternatives

from tests.builders import make_cycle, make_method, make_payment_in, make_subscription
from tillgate.common import clock
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.mails import Mail, send

Scene = tuple[Subscription, Cycle | None]
ANCHOR = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SCENES: dict[Mail, Callable[[], Scene]] = {}
FINAL = {Mail.CANCELED, Mail.GIVEN_UP, Mail.COMPLETED}


def scene(mail: Mail) -> Callable[[Callable[[], Scene]], Callable[[], Scene]]:
    def add(build: Callable[[], Scene]) -> Callable[[], Scene]:
        SCENES[mail] = build
        return build

    return add


def subscribed(**fields: Any) -> Subscription:
    return make_subscription(**{"anchor_at": ANCHOR, **fields})


def by_link(**fields: Any) -> Subscription:
    return subscribed(collection="send_link", **fields)


def paid(subscription: Subscription) -> Cycle:
    payment = make_payment_in("completed", subscription_reference=subscription.reference)
    return make_cycle(subscription, payment=payment, status="paid")


def failed(subscription: Subscription, code: str = "do_not_honor", **fields: Any) -> Cycle:
    failure = {"code": code, "message": "Said by the gateway.", "retryable": True}
    cycle = make_cycle(subscription, index=1, **{"tries": 1, "setbacks": 1, **fields})
    Payment.objects.filter(cycle=cycle).update(status="failed", failure=failure)
    return cycle


@scene(Mail.SET_UP)
@scene(Mail.RENEWED)
def after_a_payment() -> Scene:
    subscription = subscribed()
    return subscription, paid(subscription)


@scene(Mail.DECLINED)
def after_a_decline() -> Scene:
    subscription = subscribed(status="past_due", next_index=2)
    return subscription, failed(subscription, next_try_at=datetime(2026, 12, 25, 12, tzinfo=UTC))


@scene(Mail.METHOD_NEEDED)
def after_a_hard_decline() -> Scene:
    subscription = subscribed(status="past_due", next_index=2)
    return subscription, failed(subscription, "expired_card", needs_customer=True)


@scene(Mail.PAY_LINK)
@scene(Mail.PAY_REMINDER)
def with_a_link() -> Scene:
    subscription = by_link(next_index=2)
    return subscription, make_cycle(subscription, index=1)


@scene(Mail.CARD_EXPIRES)
def before_the_card_expires() -> Scene:
    return subscribed(payment_method=make_method(expires_month=f"{clock.now():%Y-%m}")), None


@scene(Mail.PAUSED)
def in_a_pause() -> Scene:
    return subscribed(status="paused", next_opens_at=None), None


@scene(Mail.RESUMED)
@scene(Mail.CHANGED)
@scene(Mail.MANAGE_LINK)
def going_on() -> Scene:
    return subscribed(), None


@scene(Mail.CANCELED)
def stopped() -> Scene:
    return subscribed(status="canceled", end_reason="customer", ended_at=clock.now()), None


@scene(Mail.GIVEN_UP)
def given_up() -> Scene:
    subscription = subscribed(status="canceled", end_reason="unpaid", ended_at=clock.now())
    return subscription, failed(subscription, status="unpaid")


@scene(Mail.COMPLETED)
def complete() -> Scene:
    return subscribed(status="completed", cycles=12, cycles_left=0, ended_at=clock.now()), None


def sent(mail: Mail, scene: Scene) -> EmailMultiAlternatives:
    """Send a mail and return what the server got of it."""
    before = len(outbox_of.outbox)
    subscription, cycle = scene
    send(subscription.pk, mail.value, cycle.pk if cycle else None)
    assert len(outbox_of.outbox) == before + 1, f"{mail} was not sent"
    message = outbox_of.outbox[-1]
    assert isinstance(message, EmailMultiAlternatives)
    return message


def is_sent(mail: Mail, scene: Scene) -> bool:
    before = len(outbox_of.outbox)
    subscription, cycle = scene
    send(subscription.pk, mail.value, cycle.pk if cycle else None)
    return len(outbox_of.outbox) > before


def plain(message: EmailMultiAlternatives) -> str:
    return str(message.body)


def html(message: EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


def headers(message: EmailMultiAlternatives) -> Message:
    return message.message()
