"""The doors of refunds: what may be asked, what is answered, and who may."""

from typing import Any

import pytest
from django.db import connection

from tests.api.client import PAYMENTS
from tests.builders import (
    make_dispute,
    make_payment,
    make_payment_in,
    make_refund,
    make_settled,
    make_surplus,
)
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.gateways.errors import Rejected
from tillgate.gateways.protocol import RefundSnapshot, RefundState
from tillgate.payments.models import Refund

SUCCESS = lambda ref, amount, key: RefundSnapshot(  # noqa: E731
    state=RefundState.SUCCEEDED, gateway_id=key, amount=amount
)


@pytest.fixture
def paid(merchant, gateway):
    """The attempt that settled a payment of 50.00."""
    return make_settled(make_payment(merchant))


def _path(paid, below="/refunds"):
    return f"{PAYMENTS}/{paid.payment.reference}{below}"


def _refund(caller, paid, key="k-1", **body):
    return caller.post(_path(paid), body, headers={"Idempotency-Key": key})


def test_a_refund_is_accepted_and_can_be_followed(owner, paid, gateway):
    gateway.says("refund", SUCCESS)

    made = _refund(owner, paid, amount=20, reason="broken")
    run_due_jobs()
    found = owner.get(made["Location"])

    refund = made.json()["refund"]
    assert (made.status_code, refund["status"], refund["origin"]) == (201, "pending", "key")
    assert (refund["payment"], refund["reason"]) == (paid.payment.reference, "broken")
    assert b'"amount":20.00' in made.content
    assert made["Location"] == f"/api/v1/refunds/{refund['id']}"
    assert found.json()["refund"]["status"] == "succeeded"
    assert found.json()["refund"]["finished_at"].endswith("Z")
    assert b'"amount_refunded":20.00' in owner.get(_path(paid, "")).content


@pytest.mark.parametrize("body", [{}, {"amount": None}, {"amount": 50}, {"amount": "50.00"}])
def test_all_of_it_goes_back_where_no_amount_is_named(owner, paid, body):
    assert b'"amount":50.00' in _refund(owner, paid, **body).content


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (0, "amount_too_small"),
        (-1, "amount_too_small"),
        ("1.001", "invalid_amount"),
        (True, "invalid_amount"),
        ("1e1", "invalid_amount"),
        ("١", "invalid_amount"),
        ({}, "invalid_amount"),
        (10**13, "amount_too_large"),
    ],
)
def test_an_amount_is_read_as_at_creation(owner, paid, amount, code):
    answer = _refund(owner, paid, amount=amount)

    assert (answer.status_code, answer.json()["code"], list(answer.json()["errors"])) == (
        400,
        code,
        ["amount"],
    )
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\u202eb"}, "reason"),
        ({"currency": "USD"}, "currency"),
    ],
)
def test_what_cannot_be_is_refused_by_name(owner, paid, body, member):
    answer = _refund(owner, paid, **body)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])


def test_without_an_idempotency_key_no_money_goes_back(owner, paid):
    answer = owner.post(_path(paid), {})

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert "Idempotency-Key" in answer.json()["message"]
    assert not Refund.objects.exists()


def test_the_same_request_again_shows_the_refund_as_it_is_now(owner, paid, gateway):
    gateway.says("refund", SUCCESS)
    first = _refund(owner, paid, amount=20)
    run_due_jobs()

    again = _refund(owner, paid, amount="20.00")

    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert "Idempotency-Replayed" not in first
    assert again.json()["refund"]["id"] == first.json()["refund"]["id"]
    assert again.json()["refund"]["status"] == "succeeded"
    assert Refund.objects.count() == 1


def test_another_body_under_the_key_is_422(owner, paid):
    _refund(owner, paid, amount=20)

    answer = _refund(owner, paid, amount=21)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_refused_refund_does_not_use_up_its_key(owner, paid):
    assert _refund(owner, paid, amount=51).status_code == 409

    assert "Idempotency-Replayed" not in _refund(owner, paid, amount=50)


@pytest.mark.parametrize("status", ["pending", "review", "disputed", "refunded", "charged_back", "canceled"])
def test_what_cannot_be_refunded_says_its_state(owner, merchant, status):
    payment = make_payment_in(status, merchant)

    answer = owner.post(f"{PAYMENTS}/{payment.reference}/refunds", {}, headers={"Idempotency-Key": "k"})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")
    assert f"is {status}" in answer.json()["message"]


def test_more_than_is_left_says_what_is(owner, paid):
    _refund(owner, paid, amount=30)

    answer = _refund(owner, paid, "k-2", amount=21)

    assert (answer.status_code, answer.json()["code"]) == (409, "refund_too_large")
    assert answer.json()["message"].startswith("NGN 20.00 of ")


def test_the_refunds_of_a_payment_are_listed_newest_first(owner, paid):
    ids = [_refund(owner, paid, f"k-{n}", amount=n).json()["refund"]["id"] for n in (1, 2, 3)]

    listed = owner.get(_path(paid)).json()["refunds"]

    assert [refund["id"] for refund in listed] == ids[::-1]


def test_a_failed_refund_says_why_in_the_gateways_words(owner, paid, gateway):
    gateway.says("refund", Rejected("Insufficient balance"))
    made = _refund(owner, paid)
    run_due_jobs()

    failure = owner.get(made["Location"]).json()["refund"]["failure"]

    assert failure == {"code": "refund_failed", "message": "Insufficient balance"}


def test_a_parked_refund_says_that_a_person_has_to_look(owner, paid):
    parked = make_refund(paid.payment, paid, status="unknown", explanation="Look in its dashboard.")

    failure = owner.get(f"/api/v1/refunds/{parked.reference}").json()["refund"]["failure"]

    assert failure == {"code": "needs_a_person", "message": "Look in its dashboard."}


def test_a_surplus_is_shown_sent_back_and_shown_again(owner, paid, gateway):
    surplus = make_surplus(paid)
    before = owner.get(_path(paid, ""))
    path = _path(paid, f"/surplus/{surplus.reference}/refund")

    first, again = owner.post(path), owner.post(path, {})
    after = owner.get(_path(paid, ""))

    assert (first.status_code, again.status_code) == (201, 200)
    refund = first.json()["refund"]
    assert (refund["surplus"], refund["id"]) == (surplus.reference, again.json()["refund"]["id"])
    assert first["Location"] == f"/api/v1/refunds/{refund['id']}"
    shown = [answer.json()["payment"]["surpluses"][0]["refund"] for answer in (before, after)]
    assert shown == [None, refund["id"]]
    assert before["ETag"] != after["ETag"]


def test_a_failed_refund_of_a_surplus_is_no_longer_shown_as_its_refund(owner, paid, gateway):
    surplus = make_surplus(paid)
    gateway.says("refund", Rejected("not now"))
    owner.post(_path(paid, f"/surplus/{surplus.reference}/refund"))
    tag = owner.get(_path(paid, ""))["ETag"]

    run_due_jobs()
    answer = owner.get(_path(paid, ""), headers={"If-None-Match": tag})

    assert (answer.status_code, answer.json()["payment"]["surpluses"][0]["refund"]) == (200, None)


def test_a_contested_surplus_waits_for_the_bank(owner, paid):
    surplus = make_surplus(paid)
    make_dispute(paid, surplus=surplus)

    answer = owner.post(_path(paid, f"/surplus/{surplus.reference}/refund"))

    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")


def test_a_surplus_refund_takes_no_members(owner, paid):
    surplus = make_surplus(paid)

    assert owner.post(_path(paid, f"/surplus/{surplus.reference}/refund"), {"amount": 1}).status_code == 400


def test_nobody_else_sees_or_makes_a_refund(guest, stranger, live_owner, paid):
    refund, surplus = make_refund(paid.payment, paid), make_surplus(paid)
    doors: list[tuple[str, str, Any]] = [
        ("get", f"/api/v1/refunds/{refund.reference}", None),
        ("get", _path(paid), None),
        ("post", _path(paid), {}),
        ("post", _path(paid, f"/surplus/{surplus.reference}/refund"), {}),
    ]

    for method, path, body in doors:
        statuses = [
            getattr(caller, method)(path, body, headers={"Idempotency-Key": "k"}).status_code
            for caller in (stranger, live_owner, guest)
        ]
        assert statuses == [404, 404, 401], path
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("reference", ["REF-1", "1", "REF-" + "0" * 26, "%00", "x" * 500])
def test_an_unknown_refund_or_surplus_is_404(owner, paid, reference):
    for answer in (
        owner.get(f"/api/v1/refunds/{reference}"),
        owner.post(_path(paid, f"/surplus/{reference}/refund")),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_surplus_of_another_payment_is_404(owner, merchant, paid):
    surplus = make_surplus(make_settled(make_payment(merchant)))

    assert owner.post(_path(paid, f"/surplus/{surplus.reference}/refund")).status_code == 404


def test_accepting_a_refund_is_eleven_statements(owner, paid, statements):
    clock.now()
    with statements() as told:
        _refund(owner, paid)

    # Key, payment; then the eight of the service, on PostgreSQL nine; then the line of the audit trail.
    assert len(told) == 11 + (connection.vendor == "postgresql")
