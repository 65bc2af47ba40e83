"""I-16: each change worth telling writes what is told of it, in its own transaction, for who subscribes."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.api.client import ApiClient
from tests.builders import (
    make_attempt,
    make_dispute,
    make_endpoint,
    make_new_payment,
    make_payment,
    make_refund,
    make_settled,
    make_snapshot,
    make_subscription,
)
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.events.jobs import look_after_endpoint
from tillgate.events.models import Delivery, Event, OutboxEvent
from tillgate.events.services import listeners
from tillgate.events.services.listeners import forget_listeners, listeners_to
from tillgate.events.services.outbox import KINDS
from tillgate.payments.models import Payment
from tillgate.payments.services.disputes import _tell as tell_of_dispute
from tillgate.payments.services.money_back import _tell as tell_of_refund
from tillgate.payments.services.start import create_payment
from tillgate.payments.services.sync import apply_answer
from tillgate.subscriptions.services.cycles import open_due
from tillgate.subscriptions.services.stop import cancel_subscription, pause_subscription


def letters(**wanted: Any) -> list[dict[str, Any]]:
    return [json.loads(event.body) for event in OutboxEvent.objects.filter(**wanted).order_by("pk")]


def test_i16_a_payment_that_settles_is_told_as_the_api_shows_it_to_a_key(merchant, key):
    endpoint = make_endpoint(merchant)

    payment = make_settled(make_payment(merchant, metadata={"order": "7"})).payment

    [letter] = letters(type="payment.completed")
    shown = ApiClient(key).get(f"/api/v1/payments/{payment.reference}").json()["payment"]
    assert list(letter) == ["type", "timestamp", "data", "sequence"]
    assert letter["data"] == shown
    assert letter["data"]["metadata"] == {"order": "7"}
    assert letter["sequence"] == Payment.objects.get(pk=payment.pk).sequence
    [delivery] = Delivery.objects.all()
    assert (delivery.endpoint, delivery.state, delivery.tries) == (endpoint, "pending", 0)


def test_amounts_keep_the_currencys_decimals(merchant):
    make_endpoint(merchant)

    make_settled(make_payment(merchant))

    assert '"amount":50.00' in OutboxEvent.objects.get().body


def test_i16_an_event_and_its_letter_vanish_with_the_change(merchant, payment):
    make_endpoint(merchant)
    attempt = make_attempt(payment)

    with suppress(RuntimeError), transaction.atomic():
        apply_answer(attempt, make_snapshot(attempt))
        raise RuntimeError("the process dies before the commit")

    assert not OutboxEvent.objects.exists()
    assert not Event.objects.exists()


def test_settling_is_as_many_statements_as_ever_and_two_more_where_somebody_subscribes(
    merchant, statements, settings
):
    def settle():
        attempt = make_attempt(make_payment(merchant))
        with statements() as told:
            apply_answer(attempt, make_snapshot(attempt))
        return len(told)

    alone = settle()
    make_endpoint(merchant)

    assert alone <= 6
    assert settle() == alone + 2


def test_creating_is_one_statement_unless_somebody_wants_to_know(merchant, statements, gateway):
    make_endpoint(merchant, events=["payment.completed"])

    with statements() as told:
        create_payment(make_new_payment(merchant))
    assert len(told) == 1

    make_endpoint(merchant, events=["payment.created"])
    with statements() as told:
        payment, _ = create_payment(make_new_payment(merchant))

    assert len(told) == 3
    [letter] = letters()
    assert (letter["type"], letter["sequence"], letter["data"]["id"]) == (
        "payment.created",
        1,
        payment.reference,
    )


def test_a_repeat_under_a_key_is_told_once(merchant, gateway):
    make_endpoint(merchant)
    new = make_new_payment(merchant, idempotency_hash="a" * 64, request_hash="b" * 64)

    for _ in range(2):
        create_payment(new)

    assert OutboxEvent.objects.count() == 1


@pytest.mark.parametrize("events", [["refund.*"], ["payment.failed"]])
def test_what_nobody_subscribes_to_is_not_written(merchant, events):
    make_endpoint(merchant, events=events)

    make_settled(make_payment(merchant))

    assert not OutboxEvent.objects.exists()


def test_another_merchant_and_the_other_mode_are_told_nothing(merchant, other_merchant):
    make_endpoint(other_merchant)
    make_endpoint(merchant, mode="live")

    make_settled(make_payment(merchant))

    assert not OutboxEvent.objects.exists()


def test_for_a_disabled_endpoint_events_are_kept_and_not_sent(merchant):
    make_endpoint(merchant, enabled=False)

    make_settled(make_payment(merchant))

    assert OutboxEvent.objects.count() == 1
    assert not Delivery.objects.exists()


def test_lines_that_are_nobodys_news_stay_on_the_timeline(merchant, payment):
    make_endpoint(merchant)
    before = OutboxEvent.objects.count()

    attempt = make_attempt(payment)
    apply_answer(attempt, make_snapshot(attempt))

    told = set(OutboxEvent.objects.values_list("type", flat=True))
    assert OutboxEvent.objects.count() == before + 1
    assert told == {"payment.completed"}


def test_refunds_and_disputes_are_told_with_their_own_bodies(merchant):
    make_endpoint(merchant)
    attempt = make_settled(make_payment(merchant))
    refund, dispute = make_refund(attempt.payment, attempt), make_dispute(attempt)
    OutboxEvent.objects.all().delete()

    with transaction.atomic():
        tell_of_refund(refund, "refund.pending", sequence=1)
        tell_of_dispute(dispute, "dispute.opened")

    of_refund, of_dispute = letters()
    assert (of_refund["type"], of_refund["data"]["id"]) == ("refund.pending", refund.reference)
    assert of_refund["data"]["payment"] == attempt.payment.reference
    assert (of_dispute["type"], of_dispute["data"]["id"]) == ("dispute.opened", dispute.reference)


def test_subscriptions_are_told_as_the_api_shows_them(merchant, key):
    make_endpoint(merchant)
    subscription = make_subscription(merchant)

    pause_subscription(subscription.pk)
    [letter] = letters()
    shown = ApiClient(key).get(f"/api/v1/subscriptions/{subscription.reference}").json()["subscription"]
    cancel_subscription(subscription.pk, reason="merchant")

    assert (letter["type"], letter["data"]) == ("subscription.paused", shown)
    assert [(one["type"], one["sequence"]) for one in letters()][1] == ("subscription.canceled", 2)


def test_payments_of_cycles_are_told_of_too(merchant):
    make_endpoint(merchant, events=["payment.created"])
    make_subscription(merchant, anchor_at=clock.now() - timedelta(days=40))

    open_due()

    assert {letter["data"]["created_by"] for letter in letters()} == {"schedule"}


def test_o09_each_object_counts_its_own_events(merchant):
    make_endpoint(merchant)
    made = [make_settled(make_payment(merchant)).payment for _ in range(2)]

    assert [letter["data"]["id"] for letter in letters()] == [payment.reference for payment in made]
    assert len({letter["sequence"] for letter in letters()}) == 1


def test_every_kind_of_object_that_has_types_can_be_told_of():
    assert {"PAY", "REF", "DIS", "SUB", "WHE"} == set(KINDS)


def test_who_subscribes_is_read_every_few_seconds_only(merchant, django_assert_num_queries):
    make_endpoint(merchant)

    with django_assert_num_queries(1):
        for _ in range(5):
            assert listeners_to(merchant.pk, "test", "payment.completed")


def test_what_a_process_missed_of_a_new_endpoint_is_told_afterwards(merchant):
    listeners_to(merchant.pk, "test", "payment.completed")  # It knows by now that there is none.
    endpoint = make_endpoint(merchant)
    payment = _made_unknown(merchant)

    for _ in range(2):  # A repeat changes nothing.
        look_after_endpoint.enqueue(endpoint.pk)
        run_due_jobs()

    assert sorted(letter["type"] for letter in letters(subject=payment.reference)) == [
        "payment.completed",
        "payment.created",
    ]
    assert Delivery.objects.filter(endpoint=endpoint).count() == 2


def _made_unknown(merchant):
    """A payment that settles in a process that does not know of any endpoint."""
    listeners._known = (float("inf"), {})
    payment = make_settled(make_payment(merchant)).payment
    assert not OutboxEvent.objects.exists()
    forget_listeners()
    return payment


def test_what_happened_before_an_endpoint_was_there_is_not_told(merchant):
    make_settled(make_payment(merchant, created_at=clock.now() - timedelta(hours=1)))
    endpoint = make_endpoint(merchant, listens_since=clock.now() + timedelta(seconds=1))

    look_after_endpoint.enqueue(endpoint.pk)
    run_due_jobs()

    assert not OutboxEvent.objects.exists()
