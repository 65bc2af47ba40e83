"""Surpluses and disputes, as the merchant sees them with a payment; and what it keeps about a dispute."""

import pytest

from tests.api.client import PAYMENTS
from tests.builders import make_dispute, make_payment, make_refund, make_settled, make_surplus
from tillgate.common import clock
from tillgate.payments.models import Dispute


@pytest.fixture
def paid(merchant):
    return make_settled(make_payment(merchant))


def _path(paid, below=""):
    return f"{PAYMENTS}/{paid.payment.reference}{below}"


def test_the_merchant_sees_disputes_and_surpluses_and_a_guest_does_not(owner, guest, paid):
    dispute = make_dispute(paid, reason="fraudulent", respond_by=clock.now())
    surplus = make_surplus(paid, amount_minor=700)

    shown = owner.get(_path(paid)).json()["payment"]

    assert shown["disputes"][0] | {"respond_by": "", "created_at": ""} == {
        "id": dispute.reference,
        "status": "open",
        "amount": 50.0,
        "currency": "NGN",
        "gateway": "paystack",
        "gateway_id": dispute.gateway_id,
        "reason": "fraudulent",
        "respond_by": "",
        "evidence": "",
        "created_at": "",
        "closed_at": None,
    }
    assert shown["disputes"][0]["respond_by"].endswith("Z")
    assert shown["surpluses"][0] | {"created_at": ""} == {
        "id": surplus.reference,
        "amount": 7.0,
        "currency": "NGN",
        "gateway": "paystack",
        "refund": None,
        "created_at": "",
    }
    assert {"disputes", "surpluses"}.isdisjoint(guest.get(_path(paid)).json()["payment"])


def test_most_payments_have_neither_and_cost_no_statement_more(owner, paid, statements):
    with statements() as told:
        shown = owner.get(_path(paid)).json()["payment"]

    assert (shown["disputes"], shown["surpluses"], len(told)) == ([], [], 2)


def test_a_payment_with_incidents_is_five_statements_however_many(owner, paid, statements):
    for _ in range(3):
        surplus = make_surplus(paid)
        make_refund(paid.payment, paid, surplus=surplus)
        make_dispute(paid)

    with statements() as told:
        owner.get(_path(paid))

    assert len(told) == 5


def test_a_list_reads_all_incidents_at_once(owner, merchant, statements):
    for _ in range(3):
        attempt = make_settled(make_payment(merchant))
        make_surplus(attempt)
        make_dispute(attempt)

    with statements() as told:
        payments = owner.get(PAYMENTS).json()["payments"]

    assert len(told) == 5
    assert all(len(payment["surpluses"]) == len(payment["disputes"]) == 1 for payment in payments)


def _keep(caller, paid, dispute, text):
    path = _path(paid, f"/disputes/{dispute.reference}/evidence")
    return caller.post(path, {"text": text})


def test_evidence_is_kept_and_shown(owner, paid):
    dispute = make_dispute(paid)
    tag = owner.get(_path(paid))["ETag"]

    answer = _keep(owner, paid, dispute, " Signed for on Monday.\r\nSee parcel 7. ")

    assert answer.status_code == 200
    assert answer.json()["dispute"]["evidence"] == "Signed for on Monday.\nSee parcel 7."
    fresh = owner.get(_path(paid), headers={"If-None-Match": tag})
    assert fresh.json()["payment"]["disputes"][0]["evidence"] == "Signed for on Monday.\nSee parcel 7."


@pytest.mark.parametrize("text", ["x" * 10_000, "ẹ̀" * 3_000, "a\n" * 4_999 + "b"])
def test_evidence_may_be_long_and_in_any_script(owner, paid, text):
    assert _keep(owner, paid, make_dispute(paid), text).status_code == 200


@pytest.mark.parametrize(
    "text",
    ["", " \n ", "x" * 10_001, "x\n" * 6_000, "a\x00b", "a\u202eb", "4111 1111 1111 1111", 7, None, ["x"]],
    ids=lambda text: repr(text)[:16],
)
def test_evidence_is_checked_as_names_are(owner, paid, text):
    answer = _keep(owner, paid, make_dispute(paid), text)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["text"])
    assert Dispute.objects.get().evidence == ""


def test_nobody_else_keeps_evidence(guest, stranger, live_owner, paid):
    dispute = make_dispute(paid)

    statuses = [_keep(caller, paid, dispute, "x").status_code for caller in (stranger, live_owner, guest)]

    assert statuses == [404, 404, 401]
    assert Dispute.objects.get().evidence == ""


@pytest.mark.parametrize("reference", ["DIS-1", "1", "%00"])
def test_an_unknown_dispute_is_404(owner, paid, reference):
    answer = owner.post(_path(paid, f"/disputes/{reference}/evidence"), {"text": "x"})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_dispute_of_another_payment_is_404(owner, merchant, paid):
    other = make_dispute(make_settled(make_payment(merchant)))

    assert _keep(owner, paid, other, "x").status_code == 404
