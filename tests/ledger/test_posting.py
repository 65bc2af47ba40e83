import pytest
from django.db import IntegrityError, transaction

from tillgate.ledger.models import Account, Entry
from tillgate.ledger.services import Movement, post
from tillgate.money import Money


def movement(**fields):
    defaults = {
        "journal": "receive:paystack:test:1",
        "merchant_id": 7,
        "gateway": "paystack",
        "subject": "PAY-1",
        "source": Account.SALES,
        "target": Account.GATEWAY,
        "amount": Money(5_000, "NGN"),
    }
    return Movement(**{**defaults, **fields})


def test_i4_a_movement_has_two_sides_that_sum_to_zero(db):
    post(movement())

    sides = Entry.objects.order_by("amount_minor").values_list(
        "account", "amount_minor", "currency", "subject"
    )
    assert list(sides) == [("sales", -5_000, "NGN", "PAY-1"), ("gateway", 5_000, "NGN", "PAY-1")]


def test_both_sides_are_one_statement(statements):
    with statements() as told:
        post(movement())

    assert len(told) == 1


def test_a_movement_is_posted_once(db):
    post(movement())

    with pytest.raises(IntegrityError), transaction.atomic():
        post(movement())

    assert Entry.objects.count() == 2


@pytest.mark.parametrize(
    "fields",
    [{"amount": Money(0, "NGN")}, {"amount": Money(-1, "NGN")}, {"target": Account.SALES}],
    ids=["nothing", "backwards", "nowhere"],
)
def test_what_moves_nothing_is_a_bug(db, fields):
    with pytest.raises(AssertionError):
        post(movement(**fields))


@pytest.mark.django_db(transaction=True)
def test_a_movement_outside_the_transaction_of_its_change_is_a_bug():
    with pytest.raises(AssertionError, match="in the transaction of the change"):
        post(movement())


def test_the_database_refuses_an_entry_of_nothing(db):
    post(movement())
    entry = Entry.objects.first()

    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.create(
            merchant_id=7,
            journal="other",
            account="held",
            gateway="paystack",
            subject="PAY-1",
            amount_minor=0,
            currency="NGN",
            created_at=entry.created_at,
        )


def test_an_entry_can_be_read(db):
    post(movement())

    assert str(Entry.objects.get(account="gateway")) == "receive:paystack:test:1 gateway 5000 NGN"
