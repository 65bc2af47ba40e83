import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.client import PAYMENTS
from tests.builders import make_attempt, make_payment
from tillgate.common import clock
from tillgate.payments.services.cancel import cancel_payment

PAID = {"status": "completed", "received_minor": 5_000}


def _path(payment, below=""):
    return f"{PAYMENTS}/{payment.reference}{below}"


def test_a_poller_is_told_that_nothing_changed(guest, payment):
    first = guest.get(_path(payment))
    again = guest.get(_path(payment), headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert "Content-Type" not in again
    assert first["Cache-Control"] == again["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("sent", ["W/{}", '"x", {}', '{}, "y"'])
def test_a_tag_is_found_in_a_list_and_when_it_is_weak(guest, payment, sent):
    tag = guest.get(_path(payment))["ETag"]

    assert guest.get(_path(payment), headers={"If-None-Match": sent.format(tag)}).status_code == 304


def test_after_a_move_the_tag_is_another(guest, payment):
    tag = guest.get(_path(payment))["ETag"]
    cancel_payment(payment.pk)

    answer = guest.get(_path(payment), headers={"If-None-Match": tag})

    assert (answer.status_code, answer.json()["payment"]["status"]) == (200, "canceled")
    assert answer["ETag"] != tag


def test_a_guests_tag_is_not_the_merchants(guest, owner, payment):
    tag = guest.get(_path(payment))["ETag"]

    assert owner.get(_path(payment), headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("tag", ['"11-public"', '"1"', "1-public", "", "é", '"2-public"'])
def test_another_tag_gets_the_whole_answer(guest, payment, tag):
    assert guest.get(_path(payment), headers={"If-None-Match": tag}).status_code == 200


def test_head_has_the_headers_of_get_and_no_body(guest, payment):
    head, get = guest.head(_path(payment)), guest.get(_path(payment))

    assert (head.status_code, head.content) == (200, b"")
    assert {name: head[name] for name in ("ETag", "Cache-Control", "Content-Type")} == {
        name: get[name] for name in ("ETag", "Cache-Control", "Content-Type")
    }


def test_the_merchant_sees_what_is_left_after_the_fee(owner, merchant):
    payment = make_payment(merchant, **PAID, completed_at=clock.now(), fee_minor=175, surplus_minor=5)

    body = owner.get(_path(payment)).content

    for written in (b'"amount_received":50.00', b'"fee":1.75', b'"net":48.25', b'"amount_surplus":0.05'):
        assert written in body


def test_a_failed_payment_says_why(guest, merchant):
    failure = {"code": "insufficient_funds", "message": "The card has too little money.", "retryable": True}
    payment = make_payment(merchant, status="failed", failure=failure)

    assert guest.get(_path(payment)).json()["payment"]["failure"] == failure


def test_reading_an_open_payment_calls_no_gateway(guest, merchant, settings):
    settings.PAYSTACK_BASE_URL = "http://127.0.0.1:9"  # Nobody answers here.
    payment = make_payment(merchant, asked_at=clock.now())
    make_attempt(payment)

    assert guest.get(_path(payment)).status_code == 200


def test_times_are_utc_with_a_z(guest, payment):
    answer = guest.get(_path(payment)).json()["payment"]

    assert answer["created_at"].endswith("Z")
    assert "+" not in answer["expires_at"]


def test_a_payment_can_be_canceled_and_a_repeat_changes_nothing(owner, payment):
    first, again = (owner.post(_path(payment, "/cancel")) for _ in range(2))

    assert first.json()["payment"]["status"] == again.json()["payment"]["status"] == "canceled"
    assert len(owner.get(_path(payment, "/timeline")).json()["events"]) == 2


@pytest.mark.parametrize("status", ["processing", "review", "expired"])
def test_what_cannot_be_canceled_is_told_why_and_what_can(owner, merchant, status):
    payment = make_payment(merchant, status=status)

    answer = owner.post(_path(payment, "/cancel"))

    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")
    assert status in answer.json()["message"]
    assert "pending or failed" in answer.json()["message"]


@pytest.mark.parametrize("body", [{"reason": "x"}, [], b"{"])
def test_cancel_takes_no_members(owner, payment, body):
    assert owner.post(_path(payment, "/cancel"), body).status_code == 400


def _in_review(merchant):
    payment = make_payment(merchant, status="review", received_minor=4_000, review_reason="amount")
    make_attempt(
        payment,
        status="succeeded",
        received_minor=4_000,
        received_currency="NGN",
        gateway_id="77",
        verified_at=clock.now(),
    )
    return payment


def test_a_person_may_accept_what_came(owner, merchant):
    payment = _in_review(merchant)

    answer = owner.post(_path(payment, "/resolve"), {"decision": "accept"})

    assert answer.json()["payment"]["status"] == "completed"
    assert b'"amount_received":40.00' in answer.content


def test_a_person_may_send_it_back(owner, merchant):
    payment = _in_review(merchant)

    answer = owner.post(_path(payment, "/resolve"), {"decision": "refund"})

    assert (answer.status_code, answer.json()["payment"]["status"]) == (200, "review")
    assert payment.refunds.count() == 1


@pytest.mark.parametrize(
    "body", [{}, {"decision": "keep"}, {"decision": None}, {"decision": "accept", "amount": 1}]
)
def test_a_decision_is_one_of_two_words(owner, payment, body):
    answer = owner.post(_path(payment, "/resolve"), body)

    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_only_a_payment_in_review_can_be_resolved(owner, payment):
    answer = owner.post(_path(payment, "/resolve"), {"decision": "accept"})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")
    assert "pending" in answer.json()["message"]


def test_the_timeline_begins_with_the_creation(owner, payment):
    owner.post(_path(payment, "/cancel"))

    events = owner.get(_path(payment, "/timeline")).json()["events"]

    assert [(e["sequence"], e["type"]) for e in events] == [(1, "payment.created"), (2, "payment.canceled")]
    assert events[0]["data"] == {"amount": "50.00", "currency": "NGN"}


def test_the_gateways_are_listed_with_what_they_take(guest):
    (paystack,) = guest.get("/api/v1/gateways").json()["gateways"]

    assert paystack["name"] == "paystack"
    assert {"NGN", "GHS", "USD"} <= set(paystack["currencies"])
    assert "card" in paystack["channels"]


def test_another_merchant_has_no_gateway_of_the_environment(stranger):
    assert stranger.get("/api/v1/gateways").json()["gateways"] == []


def test_no_answer_shows_an_internal_id(owner, merchant):
    payment = make_payment(merchant, pk=987_654_321)
    make_attempt(payment, pk=987_654_322)

    for path in (_path(payment), PAYMENTS, _path(payment, "/timeline")):
        assert b"98765432" not in owner.get(path).content


def test_a_timeline_is_three_statements_however_long_it_is(owner, payment):
    owner.post(_path(payment, "/cancel"))
    clock.now()
    with CaptureQueriesContext(connection) as queries:
        assert len(json.loads(owner.get(_path(payment, "/timeline")).content)["events"]) == 2

    assert len(queries) == 3
