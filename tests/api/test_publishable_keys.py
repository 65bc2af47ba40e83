"""A key that may stand in a page: it says which shop a guest pays, and nothing else."""

import pytest

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_merchant, make_payment
from tillgate.merchants.models import ApiKey
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.payments.models import Payment

OUTSIDE = "203.0.113.9"


@pytest.fixture
def shop(merchant):
    return make_merchant(name="Another shop")


def _page_of(merchant, mode="test"):
    return ApiClient(create_key(merchant, NewKey(mode=mode, is_publishable=True))[1])


def test_it_creates_in_its_mode_as_a_guest_does(merchant, settings):
    settings.PAYSTACK_SECRET_KEY = "sk_live_not_a_real_key_0123456789abcdef"
    settings.TILLGATE_GUEST_MODE = "test"

    made = _page_of(merchant, "live").create().json()["payment"]

    assert (made["test"], made["created_by"]) == (False, "guest")


def test_it_creates_for_its_merchant_and_never_for_the_default_one(shop):
    answer = _page_of(shop).create()

    assert (answer.status_code, answer.json()["code"]) == (409, "no_gateway")  # It has no account yet.
    assert not Payment.objects.exists()


def test_it_creates_where_guests_may_not(merchant, settings):
    settings.TILLGATE_GUEST_CREATE = "off"

    assert ApiClient().create().status_code == 401
    made = _page_of(merchant).create()

    assert made.status_code == 201
    stored = Payment.objects.get(reference=made.json()["payment"]["id"])
    assert (stored.created_by, stored.merchant, stored.mode) == ("guest", merchant, "test")


@pytest.mark.parametrize("members", [{"merchant_reference": "o-1"}, {"metadata": {"a": "b"}}])
def test_it_sets_nothing_that_a_guest_may_not(merchant, members):
    answer = _page_of(merchant).create(**members)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(members))


def test_it_is_counted_as_a_guest(merchant, payment):
    page = _page_of(merchant)
    doors = [("post", PAYMENTS), ("get", f"{PAYMENTS}/{payment.reference}"), ("get", "/api/v1/gateways")]

    policies = [
        getattr(page, method)(path, REMOTE_ADDR=OUTSIDE)["RateLimit-Policy"] for method, path in doors
    ]

    assert [policy.partition(";")[0] for policy in policies] == [
        '"guest-create"',
        '"guest-read"',
        '"guest-read"',
    ]


def test_it_reads_the_public_view_of_its_own_merchants_payments(merchant, payment):
    answer = _page_of(merchant).get(f"{PAYMENTS}/{payment.reference}")

    assert answer.status_code == 200
    assert {"metadata", "fee", "merchant_reference"}.isdisjoint(answer.json()["payment"])


def test_it_reads_nothing_of_another_merchant_or_mode(merchant, shop):
    theirs, live = make_payment(shop), make_payment(merchant, mode="live")
    page = _page_of(merchant)

    for payment in (theirs, live):
        assert page.get(f"{PAYMENTS}/{payment.reference}").status_code == 404
        assert page.post(f"{PAYMENTS}/{payment.reference}/attempts", {}).status_code == 404


def test_two_customers_with_the_same_page_and_key_get_two_payments(merchant):
    page, headers = _page_of(merchant), {"Idempotency-Key": "cart-1"}

    first = page.post(PAYMENTS, MINIMAL, headers=headers)
    other = page.post(PAYMENTS, {**MINIMAL, "customer_email": "eve@example.net"}, headers=headers)
    again = page.post(PAYMENTS, MINIMAL, headers=headers)

    ids = [answer.json()["payment"]["id"] for answer in (first, other, again)]
    assert ids[0] == ids[2] != ids[1]


def test_one_that_has_ended_creates_nothing(merchant):
    page = _page_of(merchant)
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")

    assert page.create().status_code == 401


def test_it_costs_no_statement_more_than_a_secret_one(merchant, payment, statements):
    page = _page_of(merchant)
    page.create()  # Its first use in five minutes is noted.

    with statements() as creating:
        page.create()
    with statements() as reading:
        page.get(f"{PAYMENTS}/{payment.reference}")

    assert (len(creating), len(reading)) == (2, 2)
