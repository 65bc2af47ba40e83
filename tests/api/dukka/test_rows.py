"""GET /dukka/api/payments-history/ and POST /dukka/api/stop-payment/{id}/."""

import pytest

from tests.api.client import ApiClient
from tests.api.dukka.calls import HISTORY, INITIALIZE, MONTHLY, PLAIN, stop
from tests.builders import (
    access_token,
    make_attempt,
    make_cycle,
    make_payment,
    make_payment_in,
    make_staff,
    make_subscription,
    make_user,
)
from tillgate.api.dukka.row_numbers import MOST, number_of, reference_start
from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.events.models import Event
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription


def rows(caller, query=""):
    return caller.get(HISTORY + query).json()["payments"]


def subscribed(merchant, account, **fields):
    """A recurring payment of somebody, and the row of its first payment."""
    subscription = make_subscription(merchant, account=account, **fields)
    paid = make_payment_in(
        "completed", merchant, account=account, subscription_reference=subscription.reference
    )
    make_cycle(subscription, payment=paid, status="paid")
    return subscription, number_of(paid.reference)


def test_a_row_has_a_number_and_what_initializing_told(customer, gateway):
    told = customer.post(INITIALIZE, MONTHLY).json()

    [row] = rows(customer)

    assert type(row["id"]) is int
    assert row["payment"] == told["payment"]["id"]
    assert row["reference"] == told["reference"]
    assert (row["email"], row["amount"], row["status"]) == ("ada@example.com", 50.0, "pending")
    assert (row["subscription_plan"], row["payment_interval"]) == (True, "monthly")
    assert (row["subscription"], row["subscription_status"]) == (
        told["payment"]["subscription"],
        "incomplete",
    )


def test_a_single_payment_has_nothing_of_a_plan(customer, ada, merchant):
    make_payment(merchant, account=ada)

    [row] = rows(customer)

    plan = ("payment_interval", "interval_count", "subscription", "subscription_status", "reference")
    assert (row["subscription_plan"], [row[name] for name in plan]) == (False, [None] * 5)


def test_the_reference_is_that_of_the_newest_try(customer, ada, merchant):
    payment = make_payment(merchant, account=ada)
    make_attempt(payment, status="failed")
    newest = make_attempt(payment)

    assert rows(customer)[0]["reference"] == newest.gateway_reference


def test_i12_nobody_sees_anothers_rows(customer, another, gateway):
    customer.post(INITIALIZE, PLAIN)

    assert rows(another) == []


def test_what_the_confirmed_email_has_paid_is_there_too(customer, guest):
    made = guest.create(customer_email="ada@example.com").json()["payment"]

    assert [row["payment"] for row in rows(customer)] == [made["id"]]


def test_pages_follow_each_other(customer, ada, merchant):
    made = [make_payment(merchant, account=ada).reference for _ in range(5)]
    seen, url = [], f"{HISTORY}?limit=2"
    while url:
        answer = customer.get(url)
        seen += [row["payment"] for row in answer.json()["payments"]]
        url = answer.json()["next"]

    assert seen == made[::-1]


def test_a_page_costs_the_same_however_many_rows_it_has(customer, ada, merchant, statements):
    counts = []
    rows(customer)  # A process reads the default merchant now and then.
    for _ in range(2):
        for _ in range(3):
            subscribed(merchant, ada)
        with statements() as told:
            rows(customer)
        counts.append([line.split()[0] for line in told])

    # The login, what they are to a merchant, the newest key, what is theirs, the page, its tries and plans.
    assert counts == [["SELECT"] * 7] * 2


@pytest.mark.parametrize("role", ["owner", "manager", "auditor", "cashier"])
def test_staff_see_all_of_their_merchant_and_nothing_of_another(merchant, other_merchant, ada, role):
    mine = {make_payment(merchant, account=ada).reference, make_payment(merchant).reference}
    make_payment(other_merchant)
    make_payment(merchant, mode="live")

    found = rows(ApiClient(access_token(make_staff(merchant, role))))

    assert {row["payment"] for row in found} == mine


def test_a_cashier_sees_today(merchant):
    today = make_payment(merchant)
    make_payment(merchant, created_at=clock.now().replace(year=2020))

    found = rows(ApiClient(access_token(make_staff(merchant, "cashier"))))

    assert [row["payment"] for row in found] == [today.reference]


def test_a_row_stops_what_it_belongs_to_for_good_and_a_repeat_changes_nothing(customer, ada, merchant):
    subscription, number = subscribed(merchant, ada)
    assert rows(customer)[0]["id"] == number

    first, again = customer.post(stop(number), {}), customer.post(stop(number))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert first.json()["payment"]["subscription_status"] == "canceled"
    assert first.json()["message"] == "Stopped: no new charge starts."
    subscription.refresh_from_db()
    assert (subscription.status, subscription.end_reason) == ("canceled", "customer")
    assert Event.objects.filter(subject=subscription.reference, type="subscription.canceled").count() == 1


def test_one_that_was_never_paid_is_stopped_and_its_payment_canceled(customer, gateway):
    customer.post(INITIALIZE, MONTHLY)
    [row] = rows(customer)

    answer = customer.post(stop(row["id"]), {})

    assert (answer.json()["payment"]["status"], Subscription.objects.get().status) == ("canceled", "canceled")


def test_any_row_of_it_will_do_also_one_found_by_the_email(customer, merchant):
    subscription = make_subscription(merchant, customer_email="ada@example.com")
    for index in (0, 1):
        make_cycle(subscription, index=index)
    newest = Payment.objects.latest("pk")

    assert customer.post(stop(number_of(newest.reference)), {}).status_code == 200
    subscription.refresh_from_db()
    assert subscription.status == "canceled"


def test_i09_the_answer_names_what_is_with_the_gateway(customer, ada, merchant):
    subscription, number = subscribed(merchant, ada)
    flying = make_payment_in("processing", merchant, subscription_reference=subscription.reference)
    make_cycle(subscription, index=1, payment=flying)

    assert flying.reference in customer.post(stop(number), {}).json()["message"]


@pytest.mark.parametrize("status", ["completed", "expired"])
def test_one_that_has_ended_is_answered_as_it_is(customer, ada, merchant, status):
    _, number = subscribed(merchant, ada, status=status, ended_at=clock.now())

    answer = customer.post(stop(number), {})

    assert (answer.status_code, answer.json()["payment"]["subscription_status"]) == (200, status)


def test_a_row_without_a_plan_has_nothing_to_stop(customer, ada, merchant):
    number = number_of(make_payment(merchant, account=ada).reference)

    answer = customer.post(stop(number), {})

    assert (answer.status_code, answer.json()["code"]) == (409, "no_subscription")


@pytest.mark.parametrize("who", ["another", "staff", "other staff"])
def test_a21_anothers_row_is_a_uniform_404_for_everybody(ada, merchant, other_merchant, who):
    subscription, number = subscribed(merchant, ada)
    shop = {"staff": merchant, "other staff": other_merchant}.get(who)
    caller = ApiClient(access_token(make_staff(shop) if shop else make_user("eve")))

    hidden, never_was = caller.post(stop(number), {}), caller.post(stop(MOST), {})

    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
    assert hidden.json()["message"] == never_was.json()["message"]
    subscription.refresh_from_db()
    assert subscription.status == "active"


def test_staff_stop_their_own(merchant):
    staff = make_staff(merchant)
    _, number = subscribed(merchant, staff)

    assert ApiClient(access_token(staff)).post(stop(number), {}).status_code == 200


@pytest.mark.parametrize(
    "number", ["0", "1", str(MOST + 1), "9" * 20, "9" * 21, "-1", "1.5", "abc", "%00", "1e3"]
)
def test_a20_a_number_that_nobody_has_is_a_404(customer, ada, merchant, number):
    subscribed(merchant, ada)

    answer = customer.post(stop(number), {})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_another_mode_is_another_world(customer, ada, merchant):
    live = make_payment(merchant, account=ada, mode="live")

    assert customer.post(stop(number_of(live.reference)), {}).status_code == 404


def test_two_rows_of_one_number_are_never_mistaken_for_each_other(customer, ada, merchant):
    start = "PAY-7Q2W0000"
    for last in "AB":
        make_payment(merchant, account=ada, reference=start + last * 18)

    assert customer.post(stop(number_of(start)), {}).status_code == 404


def test_a_plan_of_another_account_is_not_stopped_by_ones_own_row(customer, ada, merchant):
    subscription = make_subscription(merchant, account=make_user("bob"))
    own = make_payment(merchant, account=ada, subscription_reference=subscription.reference)

    assert customer.post(stop(number_of(own.reference)), {}).status_code == 409
    subscription.refresh_from_db()
    assert subscription.status == "active"


def test_a_number_leads_back_to_its_reference_and_tells_not_how_many_there_are():
    references = [new_reference("PAY") for _ in range(500)]

    for reference in references:
        assert 0 <= number_of(reference) <= MOST
        assert reference.startswith(reference_start(number_of(reference)))
    assert len({number_of(reference) for reference in references}) == 500
    assert (reference_start(0), reference_start(MOST)) == ("PAY-00000000", "PAY-ZZZZZZZZ")
    assert MOST < 2**53
