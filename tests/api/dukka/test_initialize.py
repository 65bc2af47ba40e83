"""POST /dukka/api/initialize-payment/: a payment and Paystack's open page, in one request."""

from decimal import Decimal
from typing import Any

import pytest

from tests.api.client import ApiClient
from tests.api.dukka.calls import INITIALIZE, MONTHLY, PLAIN
from tests.api.test_amounts import REFUSED as AMOUNTS_REFUSED
from tests.builders import access_token, make_staff, make_user
from tests.fakes import PAGE
from tillgate.customers.models import Consent
from tillgate.gateways.errors import GatewayUnknown, Rejected, Unreachable
from tillgate.payments.models import Attempt, Payment
from tillgate.subscriptions.models import Subscription

KEY = {"Idempotency-Key": "pledge-17"}
TROUBLES = [
    (Unreachable("down"), "gateway_unavailable"),
    (GatewayUnknown("no answer"), "gateway_timeout"),
    (Rejected("wrong key"), "gateway_refused"),
]


def test_the_answer_has_paystacks_page_and_the_payment(customer, ada, gateway):
    answer = customer.post(INITIALIZE, PLAIN)

    body, payment = answer.json(), Payment.objects.get()
    assert answer.status_code == 201
    assert set(body) == {"access_code", "authorization_url", "reference", "payment", "status", "message"}
    assert (body["access_code"], body["authorization_url"]) == (PAGE.access_code, PAGE.redirect_url)
    assert body["reference"] == Attempt.objects.get().gateway_reference
    assert (body["status"], body["payment"]["id"]) == ("success", payment.reference)
    assert answer["Location"] == f"/api/v1/payments/{payment.reference}"
    assert (payment.account, payment.gateway, payment.gateway_pinned) == (ada, "paystack", True)
    assert b'"amount":50.00' in answer.content


@pytest.mark.parametrize("path", [INITIALIZE, INITIALIZE.rstrip("/")])
@pytest.mark.parametrize("scheme", ["Bearer", "JWT", "jwt"])
def test_both_schemes_and_both_spellings_are_the_same_route(ada, gateway, scheme, path):
    answer = ApiClient().post(path, PLAIN, headers={"Authorization": f"{scheme} {access_token(ada)}"})

    assert answer.status_code == 201


def test_it_is_asked_in_the_default_currency_at_paystack_alone(customer, gateways, settings):
    settings.TILLGATE_DEFAULT_CURRENCY = "USD"  # PayPal's and Flutterwave's as well.

    body = customer.post(INITIALIZE, PLAIN).json()

    assert body["payment"]["currency"] == "USD"
    assert [name for name, script in gateways.items() if script.calls] == ["paystack"]
    assert gateways["paystack"].patiences[-1].total_s <= 10


def test_the_row_belongs_to_who_is_signed_in_whatever_email_they_name(customer, ada, gateway):
    customer.post(INITIALIZE, {**PLAIN, "email": "mother@example.com"})

    payment = Payment.objects.get()
    assert (payment.account, payment.customer_email) == (ada, "mother@example.com")
    assert (payment.customer_name, payment.created_by) == ("Ada Obi", "guest")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({}, "bola"),
        ({"first_name": "Bọ́lá"}, "Bọ́lá"),
        ({"first_name": "a" * 100, "last_name": "b" * 100}, "a" * 100 + " " + "b" * 99),
    ],
    ids=["username", "one name", "longest"],
)
def test_the_customers_name_is_the_accounts(merchant, gateway, names, told):
    ApiClient(access_token(make_user("bola", **names))).post(INITIALIZE, PLAIN)

    assert Payment.objects.get().customer_name == told


def test_email_and_amount_are_enough(customer, gateway):
    answer = customer.post(INITIALIZE, {"email": "ada@example.com", "amount": "1500"})

    assert answer.status_code == 201
    assert Payment.objects.get().amount_minor == 150_000


@pytest.mark.parametrize("interval", ["weekly", "monthly", "yearly"])
def test_a_plan_is_our_schedulers_and_sending_it_is_consent(customer, ada, gateway, interval):
    answer = customer.post(INITIALIZE, {**MONTHLY, "payment_interval": interval})

    subscription = Subscription.objects.get()
    assert answer.json()["payment"]["subscription"] == subscription.reference
    assert (subscription.interval, subscription.interval_count, subscription.cycles) == (interval, 1, None)
    assert (subscription.account, subscription.status) == (ada, "incomplete")
    assert Consent.objects.get(subject=subscription.reference).address == "127.0.0.1"
    [(_, (request,))] = gateway.calls
    assert request.save_method


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"subscription_plan": True}, "payment_interval", "required"),
    ({"payment_interval": "monthly"}, "subscription_plan", "invalid_field"),
    ({"subscription_plan": True, "payment_interval": "daily"}, "payment_interval", "invalid_field"),
    ({"subscription_plan": True, "payment_interval": "Monthly"}, "payment_interval", "invalid_field"),
    ({"subscription_plan": True, "payment_interval": ""}, "payment_interval", "invalid_field"),
    ({"subscription_plan": "true"}, "subscription_plan", "invalid_field"),
    ({"subscription_plan": 1}, "subscription_plan", "invalid_field"),
    ({"subscription_plan": None}, "subscription_plan", "invalid_field"),
    ({"email": "ada"}, "email", "invalid_email"),
    ({"email": "a@example.com,b@example.com"}, "email", "invalid_email"),
    ({"email": "ada@example.com\r\nBcc: all@example.com"}, "email", "invalid_email"),
    ({"email": None}, "email", "invalid_field"),
    ({"amount": -1}, "amount", "amount_too_small"),
    ({"status": "completed"}, "status", "unknown_member"),
    ({"gateway": "paypal"}, "gateway", "unknown_member"),
    ({"user": 1}, "user", "unknown_member"),
    ({"plan": {"interval": "monthly"}}, "plan", "unknown_member"),
]


@pytest.mark.parametrize(("members", "named", "code"), WRONG, ids=lambda value: ascii(value)[:50])
def test_a16_what_is_wrong_is_refused_by_its_name_here(customer, gateway, members, named, code):
    answer = customer.post(INITIALIZE, {**PLAIN, **members})

    body = answer.json()
    assert (answer.status_code, list(body["errors"]), body["code"]) == (400, [named], code)
    assert not Payment.objects.exists()


def test_everything_that_is_wrong_is_told_at_once(customer, gateway):
    answer = customer.post(INITIALIZE, {"email": "ada", "amount": 0, "subscription_plan": True})

    assert set(answer.json()["errors"]) == {"email", "amount", "payment_interval"}


@pytest.mark.parametrize("amount", AMOUNTS_REFUSED, ids=lambda text: ascii(text)[:24])
def test_a38_no_trick_with_the_amount_passes(customer, gateway, amount):
    answer = customer.post(INITIALIZE, f'{{"email": "ada@example.com", "amount": {amount}}}'.encode())

    assert answer.status_code == 400, answer.content
    assert not Payment.objects.exists()


@pytest.mark.parametrize(("trouble", "code"), TROUBLES, ids=[code for _, code in TROUBLES])
def test_when_paystack_fails_the_payment_is_in_the_answer(customer, gateway, trouble, code):
    gateway.says("start_payment", trouble)

    answer = customer.post(INITIALIZE, PLAIN)

    body, payment = answer.json(), Payment.objects.get()
    assert (answer.status_code, body["status"], body["code"]) == (502, "error", code)
    assert body["payment"]["id"] == payment.reference
    assert body["payment"]["amount"] == Decimal(50)
    assert payment.reference in body["message"]
    assert "Idempotency-Key" in body["message"]


@pytest.mark.parametrize(("trouble", "code"), TROUBLES, ids=[code for _, code in TROUBLES])
@pytest.mark.parametrize("members", [PLAIN, MONTHLY], ids=["plain", "plan"])
def test_the_same_key_goes_on_with_that_payment_and_opens_a_new_try(
    customer, gateway, trouble, code, members
):
    gateway.says("start_payment", trouble, PAGE)
    first = customer.post(INITIALIZE, members, headers=KEY)

    again = customer.post(INITIALIZE, members, headers=KEY)

    assert (first.status_code, again.status_code) == (502, 201)
    assert again.json()["payment"]["id"] == first.json()["payment"]["id"]
    assert "Idempotency-Replayed" not in again
    assert (Payment.objects.count(), Attempt.objects.count()) == (1, 2)
    assert again.json()["reference"] == Attempt.objects.latest("pk").gateway_reference


def test_without_a_key_a_retry_is_another_payment(customer, gateway):
    gateway.says("start_payment", Unreachable("down"), PAGE)

    for status in (502, 201):
        assert customer.post(INITIALIZE, PLAIN).status_code == status

    assert Payment.objects.count() == 2


def test_a_repeat_under_the_same_key_returns_the_same_page(customer, gateway):
    first, again = (customer.post(INITIALIZE, PLAIN, headers=KEY) for _ in range(2))

    assert again.json() == first.json()
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert gateway.called("start_payment") == 1


def test_a_repeat_of_what_is_paid_by_now_says_so(customer, gateway):
    customer.post(INITIALIZE, PLAIN, headers=KEY)
    Attempt.objects.update(
        status="succeeded", gateway_id="1", received_minor=5_000, verified_at=Payment.objects.get().created_at
    )
    Payment.objects.update(
        status="completed", received_minor=5_000, completed_at=Payment.objects.get().created_at
    )

    again = customer.post(INITIALIZE, PLAIN, headers=KEY)

    assert (again.status_code, again.json()["payment"]["status"]) == (201, "completed")
    assert again.json()["authorization_url"] is None


@pytest.mark.parametrize("members", [{"amount": 60}, {"email": "b@example.com"}, MONTHLY], ids=str)
def test_i11_another_body_under_the_key_is_refused(customer, gateway, members):
    customer.post(INITIALIZE, PLAIN, headers=KEY)

    answer = customer.post(INITIALIZE, {**PLAIN, **members}, headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert "payment" not in answer.json()


def test_a15_a_key_is_its_callers_own(customer, another, gateway):
    ids = {c.post(INITIALIZE, PLAIN, headers=KEY).json()["payment"]["id"] for c in (customer, another)}

    assert len(ids) == 2


def test_without_a_paystack_account_nothing_is_created(customer, settings):
    settings.PAYSTACK_SECRET_KEY = ""

    answer = customer.post(INITIALIZE, PLAIN)

    assert (answer.status_code, answer.json()["code"]) == (409, "no_gateway")
    assert not Payment.objects.exists()


def test_where_guests_may_not_create_neither_may_an_account_that_is_free_to_have(customer, settings):
    settings.TILLGATE_GUEST_CREATE = "off"

    answer = customer.post(INITIALIZE, PLAIN)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "ask it for a link" in answer.json()["message"]
    assert not Payment.objects.exists()


@pytest.mark.parametrize("role", ["owner", "auditor"])
def test_staff_pay_for_themselves_here(merchant, gateway, role):
    staff = make_staff(merchant, role)

    answer = ApiClient(access_token(staff)).post(INITIALIZE, MONTHLY)

    payment = Payment.objects.get()
    assert (answer.status_code, payment.account, payment.created_by) == (201, staff, "guest")
    assert "metadata" not in answer.json()["payment"]
