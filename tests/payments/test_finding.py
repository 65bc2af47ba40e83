"""Reading payments: by their public id, and the ways in which lists are made."""

from datetime import timedelta

import pytest

from tests.builders import make_attempt, make_payment, make_payment_in, make_refund
from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.payments.jobs import release_idempotency_keys
from tillgate.payments.models import Payment, Surplus
from tillgate.payments.services.find import find_payment
from tillgate.payments.services.start import KEY_KEPT
from tillgate.payments.states import PaymentStatus


@pytest.mark.parametrize("status", PaymentStatus)
def test_a_payment_is_found_as_the_orm_would_read_it(merchant, status):
    details = {"metadata": {"seat": "12", "of": ["ü", 1]}, "failure": {"code": "declined"}, "fee_minor": 75}
    reference = make_payment_in(status, merchant, asked_at=clock.now(), **details).reference

    found = find_payment(reference)

    stored = Payment.objects.get(reference=reference)
    names = [field.attname for field in Payment._meta.concrete_fields]
    assert [getattr(found, name) for name in names] == [getattr(stored, name) for name in names]


def test_finding_is_one_statement_and_what_was_found_can_be_saved(payment, statements):
    with statements() as told:
        found = find_payment(payment.reference)

    found.description = "later"
    found.save(update_fields=["description"])
    payment.refresh_from_db()
    assert (len(told), payment.description) == (1, "later")


@pytest.mark.parametrize("reference", ["", "PAY-1", "' OR 1=1 --", "%", "\u0665"])
def test_a29_what_is_no_id_finds_nothing(payment, reference):
    assert find_payment(reference) is None
    assert find_payment(new_reference("PAY")) is None


def test_a21_a_merchant_sees_its_own_payments_of_one_mode(merchant, other_merchant):
    mine = make_payment(merchant)
    make_payment(merchant, mode="live")
    make_payment(other_merchant)

    assert list(Payment.objects.for_merchant(merchant, "test")) == [mine]


def test_lists_begin_with_the_newest_and_never_shift(merchant):
    moment = clock.now()
    payments = [make_payment(merchant, created_at=moment + timedelta(seconds=s)) for s in (0, 1, 1)]

    assert list(Payment.objects.newest_first()) == payments[::-1]


def test_the_rows_are_named_by_their_public_ids(payment, attempt):
    surplus = Surplus(reference="SUR-1")
    refund = make_refund(payment, attempt)

    assert str(payment) == payment.reference
    assert str(make_attempt(payment)).startswith("ATT-")
    assert (str(surplus), str(refund)) == ("SUR-1", refund.reference)


def test_the_fee_of_a_payment_is_taken_off_once_it_is_known(merchant):
    paid = make_payment_in("completed", merchant, fee_minor=75)

    assert (paid.net_minor, make_payment(merchant).net_minor) == (4_925, None)


def test_the_periodic_job_forgets_keys_that_nobody_can_mean(merchant):
    old = clock.now() - KEY_KEPT - timedelta(minutes=1)
    payment = make_payment_in("completed", merchant, created_at=old, idempotency_hash="a" * 64)

    release_idempotency_keys.call()

    payment.refresh_from_db()
    assert payment.idempotency_hash is None
