"""/me: what a customer has paid and pays; their own, and nothing else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import (
    access_token,
    make_cycle,
    make_payment,
    make_payment_in,
    make_staff,
    make_subscription,
    make_user,
)
from tillgate.api.shapes.common import instant
from tillgate.common import clock
from tillgate.merchants.models import User
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription

MINE, SUBSCRIPTIONS = "/api/v1/me/payments", "/api/v1/me/subscriptions"
WITH_KEY_ONLY = {"merchant_reference", "metadata", "amount_received", "amount_surplus", "fee", "net"}


@pytest.fixture
def john(merchant) -> User:
    return make_user("john", email="john@example.com")


@pytest.fixture
def customer(john) -> ApiClient:
    return ApiClient(access_token(john))


@pytest.fixture
def another(merchant) -> ApiClient:
    return ApiClient(access_token(make_user("eve")))


def ids(answer, resource="payments"):
    return [row["id"] for row in answer.json()[resource]]


def test_who_is_signed_in_sees_what_they_paid_whatever_email_they_named(customer, another):
    made = customer.create(customer_email="somebody@example.com").json()["payment"]

    assert made["created_by"] == "guest"
    assert ids(customer.get(MINE)) == [made["id"]]
    assert ids(another.get(MINE)) == []


def test_what_was_paid_with_the_confirmed_email_is_there_at_the_first_look(customer, another, guest, owner):
    made = [caller.create().json()["payment"]["id"] for caller in (guest, owner)]

    assert ids(customer.get(MINE)) == made[::-1]
    assert ids(another.get(MINE)) == []


def test_with_an_email_that_is_not_confirmed_only_their_own_is_there(merchant, guest):
    eve = ApiClient(access_token(make_user("eve", email="john@example.com", confirmed=False)))
    guest.create()
    own = eve.create().json()["payment"]["id"]

    assert ids(eve.get(MINE)) == [own]


def test_a_row_is_what_the_holder_of_its_id_sees(customer, owner):
    made = owner.create(metadata={"internal": "note"}, merchant_reference="order-1").json()["payment"]

    [row] = customer.get(MINE).json()["payments"]

    assert row == ApiClient().get(f"{PAYMENTS}/{made['id']}").json()["payment"]
    assert not WITH_KEY_ONLY & set(row)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=completed", ["paid"]),
        ("gateway=paystack", ["paid"]),
        ("currency=XOF", ["francs"]),
        ("created_after={}", ["paid", "francs"]),
        ("created_before={}", ["old"]),
    ],
)
def test_it_is_filtered_by_what_a_customer_knows(customer, john, merchant, query, found):
    yesterday = clock.now() - timedelta(days=1)
    rows = {
        "old": make_payment(merchant, account=john, created_at=yesterday - timedelta(days=1)),
        "francs": make_payment(merchant, account=john, currency="XOF"),
        "paid": make_payment_in("completed", merchant, account=john),
    }

    answer = customer.get(f"{MINE}?{query.format(instant(yesterday))}")

    assert ids(answer) == [rows[name].reference for name in found]


@pytest.mark.parametrize(
    "query", ["customer_email=a@b.example", "merchant_reference=x", "account=1", "order=id"]
)
def test_a29_nothing_else_can_be_asked(customer, query):
    answer = customer.get(f"{MINE}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_member")


def test_pages_follow_each_other(customer, john, merchant):
    made = [make_payment(merchant, account=john).reference for _ in range(5)]
    seen, url = [], f"{MINE}?limit=2"
    while url:
        answer = customer.get(url)
        seen += ids(answer)
        url = answer.json()["next"]

    assert seen == made[::-1]


def test_a21_no_cursor_leads_to_anothers_payments(customer, payment):
    Payment.objects.update(customer_email="eve@example.com")

    answer = customer.get(f"{MINE}?cursor=after.{payment.reference}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_it_shows_the_callers_mode_but_takes_both(customer, john, merchant):
    for mode in ("test", "live"):
        make_payment(merchant, mode=mode)

    assert len(ids(customer.get(MINE))) == 1
    assert Payment.objects.filter(account=john).count() == 2


@pytest.mark.parametrize("path", [MINE, SUBSCRIPTIONS])
@pytest.mark.parametrize("scopes", [True, False], ids=["secret", "publishable"])
def test_a_key_is_told_that_a_person_is_wanted(merchant, path, scopes):
    _, key = create_key(merchant, NewKey(mode="test", is_publishable=not scopes))

    answer = ApiClient(key).get(path)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "not a key" in answer.json()["message"]


@pytest.mark.parametrize("role", ["owner", "manager", "cashier", "auditor"])
def test_staff_see_their_own_here_as_customers(merchant, role):
    staff = make_staff(merchant, role)
    make_payment(merchant)
    mine = make_payment(merchant, account=staff, metadata={"internal": "note"})

    answer = ApiClient(access_token(staff)).get(MINE)

    assert ids(answer) == [mine.reference]
    assert not WITH_KEY_ONLY & set(answer.json()["payments"][0])


def test_what_staff_make_for_the_merchant_is_in_nobodys_history(merchant):
    owner = ApiClient(access_token(make_staff(merchant)))
    made = owner.create(customer_email="john@example.com").json()["payment"]

    assert made["created_by"] == "staff"
    assert ids(owner.get(MINE)) == []


def test_a_look_costs_five_statements_and_no_write(customer, john, merchant, statements):
    for _ in range(3):
        make_payment(merchant, account=john)
    customer.get(MINE)

    with statements() as told:
        customer.get(MINE)

    # The login with its person, what they are to a merchant, the newest key, what is theirs, the page.
    assert [line.split()[0] for line in told] == ["SELECT"] * 5


def test_a_deep_page_walks_the_accounts_own_index(customer, john, merchant):
    now = clock.now()
    many = [make_payment(merchant, account=john, created_at=now - timedelta(minutes=i)) for i in range(60)]
    Payment.objects.bulk_create(
        Payment(
            **{
                **_columns(many[0]),
                "reference": f"PAY-{i:026d}",
                "checkout_token": f"{i:026d}",
                "account": None,
            }
        )
        for i in range(3_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    with CaptureQueriesContext(connection) as captured:
        answer = customer.get(f"{MINE}?limit=5&status=pending&cursor=after.{many[40].reference}")

    assert len(ids(answer)) == 5
    [page] = [query["sql"] for query in captured if "ORDER BY" in query["sql"] and "LIMIT 6" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{page}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "payment_of_account" in plan
    assert "sort" not in plan.lower()
    assert "TEMP B-TREE" not in plan


def _columns(payment):
    fields = [field for field in Payment._meta.concrete_fields if not field.primary_key]
    return {
        field.attname: getattr(payment, field.attname) for field in fields if field.attname != "account_id"
    }


# Recurring payments.


def test_a_recurring_payment_is_shown_as_its_payer_knows_it(customer, merchant):
    subscription = make_subscription(merchant, metadata={"internal": "note"}, cycles=12, cycles_left=11)
    first = make_cycle(subscription, status="paid")

    [row] = customer.get(SUBSCRIPTIONS).json()["subscriptions"]

    assert row["id"] == subscription.reference
    assert (row["status"], row["amount"], row["interval"], row["cycles_left"]) == (
        "active",
        50.0,
        "monthly",
        11,
    )
    assert row["first_payment"] == first.payment.reference
    assert row["manage_url"].endswith(subscription.manage_token)
    assert row["paid_with"] == {
        "gateway": "paystack",
        "kind": "card",
        "brand": "visa",
        "last4": "4081",
        "expires_month": "2099-12",
    }
    assert not {"metadata", "payment_method", "created_by", "return_url", "anchor_at"} & set(row)


def test_a_look_at_many_costs_as_much_as_at_one(customer, john, merchant, statements):
    counts = []
    customer.get(SUBSCRIPTIONS)
    for _ in range(2):
        make_cycle(make_subscription(merchant, account=john))
        with statements() as told:
            customer.get(SUBSCRIPTIONS)
        counts.append([line.split()[0] for line in told])

    # The login, what they are to a merchant, the newest key, what is theirs, the page, its cycles.
    assert counts == [["SELECT"] * 6] * 2


def test_of_another_email_neither_the_card_nor_the_manage_page_is_shown(john, customer, merchant):
    make_subscription(merchant, account=john, customer_email="victim@example.com")

    [row] = customer.get(SUBSCRIPTIONS).json()["subscriptions"]

    assert (row["paid_with"], row["manage_url"]) == (None, None)


def test_i12_another_persons_is_neither_shown_nor_stopped(another, merchant):
    subscription = make_subscription(merchant)

    hidden, never_was = (
        another.post(f"{SUBSCRIPTIONS}/{name}/stop", {})
        for name in (subscription.reference, "SUB-" + "0" * 26)
    )

    assert ids(another.get(SUBSCRIPTIONS), "subscriptions") == []
    assert (hidden.status_code, never_was.status_code) == (404, 404)
    assert (
        hidden.json()["message"].replace(subscription.reference, "SUB-" + "0" * 26)
        == never_was.json()["message"]
    )
    subscription.refresh_from_db()
    assert subscription.status == "active"


@pytest.mark.parametrize("who", ["owner", "stranger", "guest"])
def test_a18_nobody_stops_it_here_without_a_login(request, merchant, who):
    subscription = make_subscription(merchant)

    answer = request.getfixturevalue(who).post(f"{SUBSCRIPTIONS}/{subscription.reference}/stop", {})

    assert answer.status_code == (401 if who == "guest" else 403)


def test_its_payer_stops_it_and_a_repeat_changes_nothing(customer, merchant):
    subscription = make_subscription(merchant)

    first, again = (customer.post(f"{SUBSCRIPTIONS}/{subscription.reference}/stop", {}) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    told = first.json()["subscription"]
    assert (told["status"], told["end_reason"]) == ("canceled", "customer")
    assert first.json()["message"] == "Stopped: no new charge starts."


def test_i09_the_answer_names_what_is_with_the_gateway(customer, merchant):
    subscription = make_subscription(merchant)
    flying = make_payment_in("processing", merchant, subscription_reference=subscription.reference)
    make_cycle(subscription, payment=flying)

    answer = customer.post(f"{SUBSCRIPTIONS}/{subscription.reference}/stop", {})

    assert answer.json()["subscription"]["in_flight"] == flying.reference
    assert flying.reference in answer.json()["message"]


@pytest.mark.parametrize("status", ["completed", "expired"])
def test_one_that_has_ended_is_answered_as_it_is(customer, merchant, status):
    subscription = make_subscription(merchant, status=status, ended_at=clock.now())

    answer = customer.post(f"{SUBSCRIPTIONS}/{subscription.reference}/stop", {})

    assert (answer.status_code, answer.json()["subscription"]["status"]) == (200, status)
    assert f"ended already: {status}" in answer.json()["message"]


def test_another_mode_is_another_world(customer, john, merchant):
    live = make_subscription(merchant, mode="live", account=john, payment_method=None)

    assert ids(customer.get(SUBSCRIPTIONS), "subscriptions") == []
    assert customer.post(f"{SUBSCRIPTIONS}/{live.reference}/stop", {}).status_code == 404


@pytest.mark.parametrize("reference", ["1", "SUB-1", "sub-" + "0" * 26, "PAY-" + "0" * 26, "%00", "x" * 900])
def test_a20_a_guess_is_a_uniform_404(customer, reference):
    answer = customer.post(f"{SUBSCRIPTIONS}/{reference}/stop", {})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# Consent under one's own login.


def test_what_is_set_up_signed_in_opens_without_the_checkouts_tick(customer, john, gateway):
    payment = customer.create(recurring={"interval": "monthly"}).json()["payment"]

    answer = customer.post(f"{PAYMENTS}/{payment['id']}/attempts", {"gateway": "paystack"})

    assert answer.status_code == 201
    assert [request.save_method for _, (request,) in gateway.calls] == [True]
    assert Subscription.objects.get().account == john


@pytest.mark.parametrize("who", ["guest", "another", "owner"])
def test_for_everyone_else_the_tick_is_needed(request, customer, gateway, who):
    payment = customer.create(recurring={"interval": "monthly"}).json()["payment"]

    answer = request.getfixturevalue(who).post(
        f"{PAYMENTS}/{payment['id']}/attempts", {"gateway": "paystack"}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "consent_required")
    assert gateway.calls == []


def test_staff_do_not_consent_for_their_customers(merchant, gateway):
    staff = ApiClient(access_token(make_staff(merchant)))
    payment = staff.create(recurring={"interval": "monthly"}).json()["payment"]

    answer = staff.post(f"{PAYMENTS}/{payment['id']}/attempts", {"gateway": "paystack"})

    assert answer.json()["code"] == "consent_required"


def test_a_signed_in_customer_shares_no_idempotency_key_with_anybody(customer, another, guest):
    made = {
        caller.post(PAYMENTS, MINIMAL, headers={"Idempotency-Key": "k-1"}).json()["payment"]["id"]
        for caller in (customer, another, guest, customer)
    }

    assert len(made) == 3
