from contextlib import suppress
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction

from tillgate.events.models import Event
from tillgate.events.services import record_event


def about(reference):
    """A row whose merchant has no endpoint."""
    return SimpleNamespace(reference=reference, merchant_id=7, mode="test")


def test_an_event_says_what_happened_to_what_and_when(db):
    event = record_event(about("PAY-1"), "payment.failed", sequence=2, data={"code": "declined"})

    stored = Event.objects.get(pk=event.pk)
    assert (stored.merchant_id, stored.type, stored.subject, stored.sequence) == (
        7,
        "payment.failed",
        "PAY-1",
        2,
    )
    assert stored.data == {"code": "declined"}
    assert stored.created_at == event.created_at
    assert str(stored) == "payment.failed PAY-1"


def test_an_event_without_details_has_none(db):
    assert record_event(about("PAY-1"), "payment.canceled", sequence=2).data == {}


def test_i16_a_number_is_given_once_for_each_object(db):
    record_event(about("PAY-1"), "payment.failed", sequence=2)
    record_event(about("PAY-2"), "payment.failed", sequence=2)

    with pytest.raises(IntegrityError), transaction.atomic():
        record_event(about("PAY-1"), "payment.completed", sequence=2)


@pytest.mark.django_db(transaction=True)
def test_i16_an_event_outside_the_transaction_of_its_change_is_a_bug():
    with pytest.raises(AssertionError, match="in the transaction of the change"):
        record_event(about("PAY-1"), "payment.failed", sequence=2)


@pytest.mark.django_db(transaction=True)
def test_i16_an_event_vanishes_with_its_change():
    with suppress(RuntimeError), transaction.atomic():
        record_event(about("PAY-1"), "payment.failed", sequence=2)
        raise RuntimeError("the process dies before the commit")

    assert not Event.objects.exists()
