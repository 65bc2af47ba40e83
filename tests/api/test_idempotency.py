import unicodedata

import pytest

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_payment
from tillgate.common.throttles import forget_all
from tillgate.merchants.services.keys import create_api_key
from tillgate.payments.models import Payment
from tillgate.payments.services.cancel import cancel_payment


def _create(caller: ApiClient, key: str = "k-1", **members: object):
    return caller.post(PAYMENTS, {**MINIMAL, **members}, headers={"Idempotency-Key": key})


def test_the_same_request_returns_the_first_payment(guest):
    first = _create(guest)
    again = _create(guest)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["payment"] == first.json()["payment"]
    assert again["Location"] == first["Location"]
    assert (first.headers.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Payment.objects.count() == 1


def test_a_replay_shows_the_payment_as_it_is_now(owner):
    first = _create(owner)
    cancel_payment(Payment.objects.get().pk)

    assert first.json()["payment"]["status"] == "pending"
    assert _create(owner).json()["payment"]["status"] == "canceled"


def test_a_hundred_repeats_make_one_payment(owner):
    ids = {_create(owner).json()["payment"]["id"] for _ in range(100)}

    assert len(ids) == 1
    assert Payment.objects.count() == 1


def test_without_a_key_each_request_is_its_own_payment(guest):
    guest.create()
    guest.create()

    assert Payment.objects.count() == 2


@pytest.mark.parametrize(
    "members",
    [
        {"amount": 60},
        {"currency": "USD"},
        {"customer_name": "Jane"},
        {"description": "x"},
        {"expires_in": 600},
        {"gateway": "paystack"},
        {"merchant_reference": "r"},
        {"metadata": {"a": "b"}},
    ],
)
def test_another_body_is_refused_and_told_nothing_of_the_first(owner, members):
    first = _create(owner)
    refused = _create(owner, **members)

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    payment = first.json()["payment"]
    for secret in (payment["id"], payment["checkout_url"], "john", "John", "50"):
        assert secret not in refused.json()["message"]
    assert refused.json()["errors"] == {}
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"amount":50.00,"customer_email":"john@example.com","customer_name":"John Doe"}',
        '{ "customer_name" : "John Doe" ,\n "customer_email":"john@example.com", "amount":50 }',
        '{"customer_name": "John Doe", "customer_email": "john@example.com", "amount": "50.0"}',
        '{"customer_name": " John Doe ", "customer_email": "JOHN@example.com", "amount": 50.0}',
        r'{"customer_name": "\u004aohn Doe", "customer_email": "john@example.com", "amount": 50}',
        '{"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50, "currency": "NGN",'
        ' "description": "", "gateway": null, "merchant_reference": null, "metadata": {}, "return_url": null,'
        ' "expires_in": 86400}',
    ],
)
def test_another_spelling_of_the_same_request_is_the_same_request(guest, body):
    _create(guest)

    again = guest.post(PAYMENTS, body, headers={"Idempotency-Key": "k-1"})

    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")


def test_unicode_forms_of_one_text_are_the_same_request(owner):
    texts = {form: unicodedata.normalize(form, "Adébáyọ̀") for form in ("NFC", "NFD")}

    first, again = (_create(owner, customer_name=t, metadata={t: t}) for t in texts.values())

    assert texts["NFC"] != texts["NFD"]
    assert again.json()["payment"]["id"] == first.json()["payment"]["id"]


def test_the_order_of_metadata_means_nothing(owner):
    first = _create(owner, metadata={"a": "1", "b": "2"})
    again = _create(owner, metadata={"b": "2", "a": "1"})

    assert again.json()["payment"]["id"] == first.json()["payment"]["id"]


def test_nobody_meets_another_callers_payment_under_his_key(guest, owner, merchant):
    same_merchant = ApiClient(create_api_key(merchant, "test"))

    answers = [_create(caller) for caller in (guest, owner, same_merchant)]
    other_guest = _create(guest, customer_email="jane@example.com")

    ids = {answer.json()["payment"]["id"] for answer in [*answers, other_guest]}
    assert len(ids) == 4
    assert not any("Idempotency-Replayed" in answer for answer in [*answers, other_guest])


def test_another_merchant_meets_nothing_under_the_same_key(owner, stranger):
    _create(owner)

    answer = _create(stranger)

    assert answer.json()["code"] == "no_gateway"
    assert "Idempotency-Replayed" not in answer


@pytest.mark.parametrize(
    "key", ["", "x" * 256, "ké", "a\tb", "a\x00b", "a\r\nX-Evil: 1", "k" * 10_000, "\x7f"], ids=ascii
)
@pytest.mark.parametrize("route", ["payments", "attempts"])
def test_a_key_that_is_not_printable_ascii_is_refused(guest, payment, key, route):
    path = PAYMENTS if route == "payments" else f"{PAYMENTS}/{payment.reference}/attempts"
    body = MINIMAL if route == "payments" else {}

    answer = guest.post(path, body, headers={"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    "key", ["a", "x" * 255, "with space", "~!@#$%^&*()'\"\\", "5f2e8d52-3f0b-4f0e-b1a6-0d3c8a3f8b11"]
)
def test_any_printable_ascii_key_is_taken(guest, key):
    assert _create(guest, key).status_code == 201
    assert _create(guest, key)["Idempotency-Replayed"] == "true"


def test_a_refused_request_does_not_use_up_its_key(guest):
    assert _create(guest, amount=0).status_code == 400

    assert _create(guest).status_code == 201


def test_neither_a_wrong_key_nor_a_throttle_uses_up_the_key(guest, settings):
    settings.TILLGATE_WEB_PROCESSES = 60
    assert _create(ApiClient("sk_test_wrong")).status_code == 401
    outside = {"REMOTE_ADDR": "203.0.113.9"}
    guest.post(PAYMENTS, MINIMAL, **outside)
    throttled = guest.post(PAYMENTS, MINIMAL, headers={"Idempotency-Key": "k-1"}, **outside)
    assert throttled.status_code == 429

    forget_all()

    assert "Idempotency-Replayed" not in _create(guest)


def test_a_guests_key_on_one_payment_says_nothing_about_another(guest, merchant):
    paid = make_payment(merchant, status="canceled")

    answer = guest.post(f"{PAYMENTS}/{paid.reference}/attempts", {}, headers={"Idempotency-Key": "k-1"})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")
