"""The doctor's door: for whoever runs the installation, and nobody who is only a guest at it."""

import pytest
from django.test import Client

from tests.api.client import ApiClient
from tests.builders import access_token, make_merchant, make_payment_in, make_staff, make_user
from tillgate.api import doctor
from tillgate.merchants.models import Merchant
from tillgate.merchants.roles import Role, Scope
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.merchants.services.staff import put_on_staff

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/doctor"


def signed_in(merchant: Merchant, role: str) -> ApiClient:
    return ApiClient(access_token(make_staff(merchant, role)))


def with_scope(merchant: Merchant, *scopes: Scope, **more) -> ApiClient:
    return ApiClient(create_key(merchant, NewKey(mode="test", scopes=scopes, **more))[1])


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("manager", 200), ("cashier", 403), ("auditor", 403)]
)
def test_owners_and_managers_are_told(merchant, role, status):
    answer = signed_in(merchant, role).get(PATH)

    assert answer.status_code == status
    assert answer.json().get("code") == (None if status == 200 else "insufficient_scope")


@pytest.mark.parametrize("scope", list(Scope)[:4])
def test_of_keys_only_those_that_may_administer(merchant, scope):
    answer = with_scope(merchant, scope).get(PATH)

    assert answer.status_code == (200 if scope == Scope.ADMIN else 403)


def test_nobody_else_is(merchant):
    publishable = create_key(merchant, NewKey(mode="test", is_publishable=True))[1]
    callers = [ApiClient(), ApiClient(access_token(make_user("cleo"))), ApiClient(publishable)]

    assert [caller.get(PATH).status_code for caller in callers] == [401, 403, 403]


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_another_business_here_is_told_nothing_of_the_installation(merchant, role):
    other = make_merchant(name="Another shop")
    answers = [signed_in(other, role).get(PATH), with_scope(other, Scope.ADMIN).get(PATH)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "forbidden")] * 2
    assert b"SQLite" not in answers[0].content


def test_whoever_works_for_both_says_as_whom_they_ask(merchant):
    user = make_staff(merchant, "owner")
    put_on_staff(make_merchant(), user, Role.OWNER)
    client = ApiClient(access_token(user))

    assert client.get(PATH).json()["code"] == "merchant_required"
    assert client.get(PATH, headers={"Tillgate-Merchant": merchant.reference}).status_code == 200


def test_the_answer_is_what_the_command_says(merchant):
    told = signed_in(merchant, "owner").get(PATH).json()

    assert (told["status"], told["message"]) == ("success", "The installation was examined.")
    assert told["doctor"]["verdict"] == "broken"  # No worker runs.
    abouts = [finding["about"] for finding in told["doctor"]["findings"]]
    assert {"database", "worker", "webhooks", "disk"} <= set(abouts)
    fixes = {finding["verdict"]: finding["fix"] for finding in told["doctor"]["findings"]}
    assert fixes["ok"] is None
    assert fixes["broken"]


def test_nothing_of_another_business_is_in_it(merchant):
    other = make_merchant(name="Nosy Books")
    payment = make_payment_in("review", other, customer_email="cleo@example.com")
    answer = signed_in(merchant, "owner").get(PATH)

    words = [payment.reference, other.name, other.reference, "cleo@example.com"]
    assert [word for word in words if word in answer.content.decode()] == []
    assert b"1 thing of payments" in answer.content


def test_one_examination_goes_on_at_a_time(merchant):
    client = signed_in(merchant, "owner")
    with doctor._at_work:
        answer = client.get(PATH)

    assert (answer.status_code, answer["Retry-After"]) == (429, "5")
    assert client.get(PATH).status_code == 200


def test_a_browser_gets_a_page_that_knows_nothing(merchant):
    make_staff(merchant, "owner", "ada")
    answer = Client().get(PATH, headers={"Accept": "text/html,application/xhtml+xml"})

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer["Vary"] == "Accept"
    text = answer.content.decode()
    assert "How this installation is doing" in text
    assert not [word for word in ("SQLite", "PostgreSQL", "paystack", "ada", "/var/") if word in text.lower()]


def test_whoever_asks_for_json_without_a_key_is_refused_and_gets_no_page(merchant):
    answer = Client().get(PATH, headers={"Accept": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_read(merchant, method):
    assert getattr(signed_in(merchant, "owner"), method)(PATH).status_code == 405
