import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction

from tests.builders import make_new_payment, make_payment_in
from tillgate.common import clock
from tillgate.merchants.errors import NoGateway
from tillgate.money import Money
from tillgate.payments.errors import KeyReused, ReferenceTaken
from tillgate.payments.models import Payment
from tillgate.payments.services.start import KEY_KEPT, create_payment, release_keys

KEY = {"idempotency_hash": "a" * 64, "request_hash": "b" * 64}


def test_a_payment_is_stored_as_asked_for(merchant):
    new = make_new_payment(
        merchant,
        description="Two tickets",
        merchant_reference="order-1",
        metadata={"seat": "12"},
        return_url="https://shop.example/thanks",
        expires_in=timedelta(hours=1),
    )

    payment, is_new = create_payment(new)

    stored = Payment.objects.get(reference=payment.reference)
    assert is_new
    assert stored == payment
    assert (stored.status, stored.sequence, stored.amount) == ("pending", 1, Money(5_000, "NGN"))
    assert (stored.metadata, stored.merchant_reference) == ({"seat": "12"}, "order-1")
    assert stored.expires_at - stored.created_at == timedelta(hours=1)


def test_creating_is_one_statement(merchant, statements):
    new = make_new_payment(merchant, **KEY)

    with statements() as told:
        create_payment(new)

    assert [sql.split()[0] for sql in told] == ["INSERT"]


def test_what_was_created_can_be_changed_and_saved(merchant):
    payment, _ = create_payment(make_new_payment(merchant))

    payment.description = "later"
    payment.save(update_fields=["description"])

    assert Payment.objects.get().description == "later"


def test_m06_the_same_key_and_body_return_the_first_payment_as_it_is_now(merchant):
    first, _ = create_payment(make_new_payment(merchant, **KEY))
    Payment.objects.update(status="canceled")

    again, is_new = create_payment(make_new_payment(merchant, **KEY))

    assert (again.reference, again.status, is_new) == (first.reference, "canceled", False)
    assert Payment.objects.count() == 1


def test_a_repeat_is_answered_although_the_gateways_key_is_gone(merchant, settings):
    first, _ = create_payment(make_new_payment(merchant, idempotency_hash="k" * 64, request_hash="b" * 64))
    settings.PAYSTACK_SECRET_KEY = ""

    again = create_payment(make_new_payment(merchant, idempotency_hash="k" * 64, request_hash="b" * 64))

    assert again == (first, False)


def test_m02_a_key_with_another_body_is_refused_and_the_first_is_untouched(merchant):
    create_payment(make_new_payment(merchant, **KEY))

    with pytest.raises(KeyReused) as refused:
        create_payment(
            make_new_payment(merchant, **{**KEY, "request_hash": "c" * 64}, amount=Money(1, "NGN"))
        )

    assert (refused.value.http_status, refused.value.code) == (422, "idempotency_key_reused")
    assert Payment.objects.get().amount_minor == 5_000


def test_without_a_key_two_equal_payments_are_two(merchant):
    for _ in range(2):
        assert create_payment(make_new_payment(merchant))[1]

    assert Payment.objects.count() == 2


def test_a_merchant_reference_is_taken_once(merchant):
    create_payment(make_new_payment(merchant, merchant_reference="order-1"))

    with pytest.raises(ReferenceTaken) as refused:
        create_payment(make_new_payment(merchant, merchant_reference="order-1", **KEY))

    assert refused.value.http_status == 409
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    "wanted",
    [{"amount": Money(5_000, "EUR")}, {"gateway": "paypal"}, {"mode": "live"}],
    ids=["currency", "gateway", "mode"],
)
def test_what_nobody_could_collect_is_not_created(merchant, wanted):
    with pytest.raises(NoGateway):
        create_payment(make_new_payment(merchant, **wanted))

    assert not Payment.objects.exists()


def test_a_merchant_without_an_account_cannot_create(other_merchant):
    with pytest.raises(NoGateway):
        create_payment(make_new_payment(other_merchant))


@pytest.mark.parametrize("minor", [0, -1, 1_000_000_000_000])
def test_a_broken_rule_of_the_table_is_not_taken_for_a_used_key(merchant, minor):
    with pytest.raises(IntegrityError), transaction.atomic():
        create_payment(make_new_payment(merchant, amount=Money(minor, "NGN"), **KEY))


@pytest.mark.django_db(transaction=True)
def test_m06_d13_fifty_simultaneous_requests_with_one_key_make_one_payment(merchant):
    together, results = threading.Barrier(50), []

    def create():
        try:
            together.wait()
            results.append(create_payment(make_new_payment(merchant, **KEY)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Payment.objects.count() == 1
    assert len({payment.reference for payment, _ in results}) == 1
    assert sorted(is_new for _, is_new in results) == [False] * 49 + [True]


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        ("pending", True),
        ("failed", True),
        ("processing", True),
        ("review", True),
        ("completed", False),
        ("expired", False),
        ("canceled", False),
        ("refunded", False),
    ],
)
def test_a_key_is_kept_while_its_payment_is_open(merchant, status, kept):
    old = clock.now() - KEY_KEPT - timedelta(minutes=1)
    payment = make_payment_in(status, merchant, created_at=old, **KEY)

    released = release_keys()

    payment.refresh_from_db()
    assert released == (not kept)
    assert (payment.idempotency_hash is not None) == kept


def test_a_key_is_kept_for_72_hours_after_the_request(merchant):
    young = clock.now() - KEY_KEPT + timedelta(minutes=1)
    make_payment_in("completed", merchant, created_at=young, **KEY)

    assert release_keys() == 0


def test_a_released_key_makes_a_new_payment(merchant):
    old = clock.now() - KEY_KEPT - timedelta(minutes=1)
    make_payment_in("completed", merchant, created_at=old, **KEY)
    release_keys()

    assert create_payment(make_new_payment(merchant, **KEY))[1]
