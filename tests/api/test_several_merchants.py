"""Somebody who works for two merchants says for which one, where it matters; no header opens a third."""

import pytest

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import access_token, make_account, make_merchant, make_payment, make_staff, make_user
from tillgate.merchants.roles import Role
from tillgate.merchants.services.keys import create_api_key
from tillgate.merchants.services.staff import put_on_staff
from tillgate.merchants.services.stored_accounts import add_account
from tillgate.payments.models import Payment

STAFF = "/api/v1/staff"


@pytest.fixture
def second(merchant):
    return make_merchant(name="Another shop")


@pytest.fixture
def bob(merchant, second):
    """Manager here, owner there."""
    bob = make_staff(merchant, "manager", "bob")
    put_on_staff(second, bob, Role.OWNER)
    return ApiClient(access_token(bob))


def test_without_a_choice_the_merchants_are_named(bob, merchant, second):
    for path in (PAYMENTS, "/api/v1/keys", STAFF):
        answer = bob.get(path)
        assert (answer.status_code, answer.json()["code"]) == (400, "merchant_required")
        assert merchant.reference in answer.json()["message"]
        assert second.reference in answer.json()["message"]


def test_where_it_does_not_matter_no_choice_is_needed(bob, payment):
    assert bob.get("/api/v1/me").status_code == 200
    assert bob.get("/api/v1/gateways").status_code == 200
    public = bob.get(f"{PAYMENTS}/{payment.reference}")
    assert (public.status_code, "metadata" in public.json()["payment"]) == (200, False)


@pytest.mark.parametrize("guests", ["on", "off"])
def test_a_till_that_forgets_the_header_creates_for_nobody(bob, second, settings, guests):
    settings.TILLGATE_GUEST_CREATE = guests
    make_account(second)

    forgotten = bob.create()
    named = bob.post(PAYMENTS, MINIMAL, headers={"Tillgate-Merchant": second.reference})

    assert (forgotten.status_code, forgotten.json()["code"]) == (400, "merchant_required")
    assert named.json()["payment"]["created_by"] == "staff"
    assert Payment.objects.get().merchant == second


@pytest.mark.parametrize("guests", ["test", "live"])
@pytest.mark.parametrize("account", ["test", "live"])
def test_staff_work_in_the_mode_of_their_own_merchant(second, settings, guests, account):
    settings.TILLGATE_GUEST_MODE, settings.IS_LOCAL = guests, False
    add_account(second, "paystack", account, {"PAYSTACK_SECRET_KEY": f"sk_{account}_of_the_second_shop_0123"})
    theirs = {mode: make_payment(second, mode=mode).reference for mode in ("test", "live")}
    caller = ApiClient(access_token(make_staff(second, "cashier", "cleo")))

    assert [p["id"] for p in caller.get(PAYMENTS).json()["payments"]] == [theirs[account]]


def test_what_staff_pay_themselves_is_not_their_merchants(second):
    clerk = make_staff(second, "cashier", "cleo")

    ApiClient(access_token(clerk)).post(
        "/dukka/api/initialize-payment/",
        {"email": "cleo@example.com", "amount": 7},
        content_type="application/json",
    )

    assert Payment.objects.get().merchant.is_default


def test_the_header_chooses_merchant_and_role(bob, merchant, second, payment):
    theirs = make_payment(second)

    here, there = (
        bob.get(PAYMENTS, headers={"Tillgate-Merchant": shop.reference}) for shop in (merchant, second)
    )
    staff = [
        bob.get(STAFF, headers={"Tillgate-Merchant": shop.reference}).status_code
        for shop in (merchant, second)
    ]

    assert [p["id"] for p in here.json()["payments"]] == [payment.reference]
    assert [p["id"] for p in there.json()["payments"]] == [theirs.reference]
    assert staff == [403, 200]


@pytest.mark.parametrize("wanted", ["MER-1", "1", "", "My shop", "x" * 500, "MER-%0a", "é"])
def test_a24_the_header_opens_no_merchant_that_is_not_theirs(bob, wanted):
    for path in (PAYMENTS, "/api/v1/me", "/api/v1/gateways"):
        answer = bob.get(path, headers={"Tillgate-Merchant": wanted})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a24_nor_does_it_for_a_customer_a_key_or_a_guest(merchant, second):
    make_payment(second)
    header = {"Tillgate-Merchant": second.reference}
    customer = ApiClient(access_token(make_user("cleo")))
    key = ApiClient(create_api_key(merchant, "test"))

    assert customer.get(PAYMENTS, headers=header).status_code == 403
    assert key.get(PAYMENTS, headers=header).json()["payments"] == []
    assert ApiClient().get(PAYMENTS, headers=header).status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-User", "X-Remote-User", "X-User", "Tillgate-Role", "X-Role"])
def test_a24_no_header_makes_an_owner(merchant, header):
    ada = make_staff(merchant, "owner", "ada")
    cashier = ApiClient(access_token(make_staff(merchant, "cashier", "cleo")))

    for value in ("ada", "owner", str(ada.pk)):
        assert cashier.get(STAFF, headers={header: value}).status_code == 403
