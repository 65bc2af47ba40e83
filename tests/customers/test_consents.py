"""What a payer agreed to is kept as they read it: text, version, time and address, the first time."""

from datetime import timedelta

import pytest

from tillgate.common import clock
from tillgate.customers.models import Consent
from tillgate.customers.services.consents import Agreement, give_consent, has_consented

AGREEMENT = Agreement(
    text="NGN 50.00 every month until I stop it.",
    text_version="2026-11",
    given_by="checkout",
    address="203.0.113.7",
)


@pytest.mark.django_db
def test_a_consent_is_kept_with_its_words_time_and_address():
    before = clock.now()

    give_consent("PAY-1", AGREEMENT)

    consent = Consent.objects.get()
    assert (consent.text, consent.text_version) == (AGREEMENT.text, "2026-11")
    assert (consent.given_by, consent.address) == ("checkout", "203.0.113.7")
    assert before <= consent.given_at <= clock.now()


@pytest.mark.django_db
def test_the_first_consent_counts():
    first = give_consent("PAY-1", AGREEMENT)
    clock.advance(3_600)

    again = give_consent("PAY-1", Agreement(text="Other words", text_version="2027-01", given_by="account"))

    assert (again.pk, again.text) == (first.pk, AGREEMENT.text)
    assert clock.now() - Consent.objects.get().given_at > timedelta(minutes=30)


@pytest.mark.django_db
def test_consent_to_one_payment_is_none_to_another():
    give_consent("PAY-1", AGREEMENT)

    assert has_consented("PAY-1")
    assert not has_consented("PAY-2")
    assert not has_consented("")


@pytest.mark.django_db
@pytest.mark.parametrize("address", [None, "2001:db8::1"])
def test_an_address_may_be_unknown_or_long(address):
    agreement = Agreement(text="Yes", text_version="1", given_by="account", address=address)

    give_consent("PAY-1", agreement)

    assert Consent.objects.get().address == address
