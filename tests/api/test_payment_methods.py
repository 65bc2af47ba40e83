"""/payment-methods: what a merchant's customers pay with, and how one is removed."""

import pytest

from tests.builders import make_method, make_subscription
from tillgate.common import clock
from tillgate.customers.services.methods import Payer, customer_for
from tillgate.subscriptions.states import LIVE, SubscriptionStatus

URL = "/api/v1/payment-methods"


def _ids(answer):
    return [row["id"] for row in answer.json()["payment_methods"]]


def test_a_customers_methods_are_listed_newest_first(owner, merchant):
    first, second = make_method(merchant), make_method(merchant, brand="", last4="", expires_month="")
    jane = customer_for(Payer(merchant=merchant, mode="test", email="jane@example.com", name="Jane"))
    hers = make_method(merchant, customer=jane)

    answer = owner.get(URL, {"customer_email": "JOHN@example.com"})

    assert _ids(answer) == [second.reference, first.reference]
    row = answer.json()["payment_methods"][0]
    assert list(row) == [
        *("id", "customer_email", "gateway", "kind", "brand", "last4", "expires_month", "created_at")
    ]
    assert (row["brand"], row["last4"], row["expires_month"]) == (None, None, None)
    assert _ids(owner.get(URL)) == [hers.reference, second.reference, first.reference]


def test_no_token_leaves_the_house(owner, merchant):
    method = make_method(merchant, token="AUTH_secret", signature="SIG_secret")

    content = owner.get(URL).content

    assert b"secret" not in content
    assert method.token.encode() not in content


def test_a_list_costs_the_same_however_long_it_is(owner, merchant, statements):
    for _ in range(3):
        make_method(merchant)
    with statements() as told:
        owner.get(URL)

    assert len(told) == 2  # The key, and the rows with their customers.


def test_pages_lead_to_each_method_once(owner, merchant):
    made = [make_method(merchant).reference for _ in range(3)][::-1]

    first = owner.get(f"{URL}?limit=2")

    assert _ids(first) + _ids(owner.get(first.json()["next"])) == made


@pytest.mark.parametrize(
    ("query", "member"),
    [("email=a", "email"), ("limit=0", "limit"), ("customer_email=%00", "customer_email")],
)
def test_a_query_that_cannot_be_is_refused_by_name(owner, query, member):
    answer = owner.get(f"{URL}?{query}")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])


def test_a_removed_method_is_gone(owner, merchant):
    method = make_method(merchant)

    removed = owner.delete(f"{URL}/{method.reference}")
    again = owner.delete(f"{URL}/{method.reference}")

    method.refresh_from_db()
    assert (removed.status_code, removed.content) == (204, b"")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert _ids(owner.get(URL)) == []
    assert method.removed_at is not None


@pytest.mark.parametrize("status", list(SubscriptionStatus))
def test_a_method_that_is_charged_stays(owner, merchant, status):
    method = make_method(merchant)
    subscription = make_subscription(merchant, payment_method=method, status=status)

    answer = owner.delete(f"{URL}/{method.reference}")

    assert answer.status_code == (409 if status in LIVE else 204)
    if status in LIVE:
        assert answer.json()["code"] == "payment_method_in_use"
        assert subscription.reference in answer.json()["message"]
        method.refresh_from_db()
        assert method.removed_at is None


@pytest.mark.parametrize("reference", ["PM-" + "0" * 26, "1", "PM-1", "SUB-" + "0" * 26, "x" * 3_000])
def test_a_guessed_id_is_a_uniform_404(owner, reference):
    answer = owner.delete(f"{URL}/{reference}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert len(answer.content) < 400


def test_another_merchant_and_another_mode_see_nothing(stranger, live_owner, merchant):
    method = make_method(merchant)

    for caller in (stranger, live_owner):
        assert _ids(caller.get(URL)) == []
        assert caller.get(f"{URL}?cursor=after.{method.reference}").json()["code"] == "invalid_cursor"
        assert caller.delete(f"{URL}/{method.reference}").status_code == 404
    method.refresh_from_db()
    assert method.removed_at is None


def test_guests_see_nothing_and_other_methods_are_refused(guest, owner, merchant):
    path = f"{URL}/{make_method(merchant).reference}"

    assert (guest.get(URL).status_code, guest.delete(path).status_code) == (401, 401)
    assert (owner.get(path).status_code, owner.post(URL, {}).status_code) == (405, 405)
    assert owner.get(path)["Allow"] == "DELETE"


def test_a_cursor_still_leads_on_when_its_method_was_removed(owner, merchant):
    made = [make_method(merchant) for _ in range(3)][::-1]
    following = owner.get(f"{URL}?limit=2").json()["next"]
    made[1].removed_at = clock.now()
    made[1].save(update_fields=["removed_at"])

    assert _ids(owner.get(following)) == [made[2].reference]
