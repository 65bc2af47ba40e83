"""Who has left is in no event that is kept, and nothing else in one changes."""

import json

import pytest
from django.db import transaction

from tests.builders import make_endpoint, make_payment, make_settled, make_subscription
from tillgate.events.models import Delivery, OutboxEvent
from tillgate.events.services.erasing import erase_told
from tillgate.merchants.models import Merchant
from tillgate.subscriptions.services.stop import cancel_subscription

ALIAS = {"name": "Deleted customer", "email": "deleted-x@deleted.invalid"}


@pytest.fixture(autouse=True)
def endpoint(merchant: Merchant) -> None:
    make_endpoint(merchant)


def erase(*subjects: str) -> None:
    with transaction.atomic():
        erase_told(subjects, **ALIAS)


def test_name_and_address_are_replaced_and_every_other_byte_stays(merchant):
    payment = make_settled(make_payment(merchant, amount_minor=123_456_789_01)).payment
    event = OutboxEvent.objects.get(type="payment.completed")
    before = event.body

    erase(payment.reference)

    event.refresh_from_db()
    wanted = before.replace("John Doe", ALIAS["name"]).replace("john@example.com", ALIAS["email"])
    assert '"amount":123456789.01' in before
    assert event.body == wanted != before


def test_a_subscriptions_saved_method_has_an_address_too(merchant):
    subscription = make_subscription(merchant)
    cancel_subscription(subscription.pk, reason="customer")

    erase(subscription.reference)

    (body,) = OutboxEvent.objects.filter(subject=subscription.reference).values_list("body", flat=True)
    assert "john@example.com" not in body
    method = json.loads(body)["data"]["payment_method"]
    assert (method["customer_email"], method["last4"], method["brand"]) == (ALIAS["email"], None, None)


def test_what_is_being_sent_again_stays_as_it_was_sent(merchant):
    payment = make_settled(make_payment(merchant)).payment
    Delivery.objects.update(tries=1)
    before = OutboxEvent.objects.values_list("body", flat=True).get(type="payment.completed")

    erase(payment.reference)

    assert OutboxEvent.objects.values_list("body", flat=True).get(type="payment.completed") == before


def test_other_subjects_stay(merchant):
    other = make_settled(make_payment(merchant)).payment
    before = list(OutboxEvent.objects.values_list("pk", "body"))

    erase("PAY-" + "0" * 26)

    assert list(OutboxEvent.objects.values_list("pk", "body")) == before
    assert other.customer_name in before[0][1]
