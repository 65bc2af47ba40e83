"""Saved methods are kept once, under their owner, and by nothing that is readable in the database."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from tests.customers.conftest import TOKEN, kept, make_payer, make_saved
from tillgate.common import clock
from tillgate.customers.models import Customer, PaymentMethod
from tillgate.customers.services.methods import customer_for, keep_method, remove_method, token_of


def test_a_method_is_kept_as_the_gateway_tells_it(payer, merchant):
    method = kept(payer)

    assert method.reference.startswith("PM-")
    assert (method.gateway, method.kind, method.brand, method.last4) == ("paystack", "card", "visa", "4081")
    assert (method.expires_month, method.signature) == ("2030-12", "SIG_1")
    assert (method.customer.merchant, method.customer.email) == (merchant, "ada@example.com")
    assert token_of(PaymentMethod.objects.get()) == TOKEN
    assert TOKEN not in method.token


def test_the_same_card_twice_is_one_row_with_its_newest_token(payer):
    first = kept(payer)

    again = kept(payer, token="AUTH_newer", brand="Visa")

    assert (again.pk, PaymentMethod.objects.count()) == (first.pk, 1)
    again.refresh_from_db()
    assert (token_of(again), again.brand, again.created_at) == ("AUTH_newer", "Visa", first.created_at)


def test_the_same_token_is_one_row_where_no_signature_is_told(payer):
    first = kept(payer, gateway="flutterwave", signature="")

    again = kept(payer, gateway="flutterwave", signature="")
    other = kept(payer, gateway="flutterwave", signature="", token="flw-t1nf-other")

    assert again.pk == first.pk != other.pk


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "SIG_2", "token": "AUTH_2"},
        {"signature": "SIG_2"},  # One token, and yet the gateway says that the cards are two.
    ],
)
def test_another_card_is_another_row(payer, change):
    assert kept(payer).pk != kept(payer, **change).pk


def test_a_card_is_another_row_at_another_gateway_mode_shop_and_owner(payer, merchant, other_merchant):
    first = kept(payer)

    others = [
        kept(payer, gateway="flutterwave"),
        kept(make_payer(merchant, mode="live")),
        kept(make_payer(other_merchant)),
        kept(make_payer(merchant, email="bob@example.com")),
    ]

    assert len({first.pk, *(method.pk for method in others)}) == 5
    assert len({first.customer_id, *(method.customer_id for method in others)}) == 4


def test_a_customer_is_one_however_the_address_is_written(merchant):
    small, large = make_payer(merchant), make_payer(merchant, email="Ada@Example.com", name="A. Obi")

    first, again = kept(small), kept(large, token="AUTH_2")

    assert (first.pk, Customer.objects.count()) == (again.pk, 1)
    assert again.charged_as == "Ada@Example.com"  # As the newest token was saved.
    assert customer_for(large).name == "Ada Obi"


def test_a_removed_card_that_comes_again_is_a_new_row(payer):
    first = kept(payer)
    remove_method(first.pk)

    again = kept(payer)

    assert again.pk != first.pk
    assert list(PaymentMethod.objects.usable()) == [again]


def test_a_renewed_card_is_told_of_anew(payer):
    method = kept(payer)
    PaymentMethod.objects.update(expiry_told_days=7)

    kept(payer)
    same = PaymentMethod.objects.get().expiry_told_days
    kept(payer, expires_month="2034-12")

    method.refresh_from_db()
    assert same == 7
    assert (method.expires_month, method.expiry_told_days) == ("2034-12", None)


def test_a_key_that_was_lost_keeps_no_payment_from_being_settled(payer, settings):
    unreadable = kept(payer)
    settings.TILLGATE_ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)

    unsigned = kept(payer, signature="")
    same = kept(payer)

    assert unsigned.pk != unreadable.pk == same.pk
    assert token_of(same) == TOKEN  # What could not be read any more has been told anew.


def test_a_method_is_kept_with_the_success_that_brought_it_or_not_at_all(transactional_db, payer):
    with pytest.raises(AssertionError, match="with the success"):
        keep_method(payer, "paystack", make_saved())


def test_too_long_words_of_a_gateway_are_cut(payer):
    method = kept(payer, kind="k" * 99, brand="b" * 99, last4="12345", signature="s" * 200)
    again = kept(payer, signature="s" * 200)

    assert (len(method.kind), len(method.brand), method.last4) == (30, 30, "1234")
    assert again.pk == method.pk


def test_removing_is_once_and_for_all(payer, forgetting):
    method = kept(payer)

    first = remove_method(method.pk)
    clock.advance(3_600)
    again = remove_method(method.pk)

    assert again.removed_at is not None
    assert first.removed_at == again.removed_at
    assert clock.now() - again.removed_at > timedelta(minutes=30)
    assert PaymentMethod.objects.usable().count() == 0


def test_methods_belong_to_one_merchant_and_mode(payer, merchant, other_merchant):
    mine = kept(payer)
    kept(make_payer(merchant, mode="live"))
    kept(make_payer(other_merchant))

    assert list(PaymentMethod.objects.for_merchant(merchant, "test")) == [mine]
