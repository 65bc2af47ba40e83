"""A refund over the limit is not made by one person: another owner agrees, or the only one proves itself."""

import time
from datetime import timedelta

import pyotp
import pytest

from tests.api.client import PAYMENTS, ApiClient
from tests.builders import (
    PASSWORD,
    access_token,
    make_attempt_in,
    make_dispute,
    make_payment,
    make_payment_in,
    make_settled,
    make_staff,
    make_surplus,
)
from tillgate.common import clock
from tillgate.common.crypto import encrypt
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.merchants.models import Approval, AuditEntry, Merchant, User
from tillgate.merchants.services.keys import create_api_key
from tillgate.payments.models import Refund

APPROVALS = "/api/v1/approvals"


@pytest.fixture
def shop(merchant):
    """One person may refund up to 20.00 of a payment alone."""
    Merchant.objects.update(refund_limits={"NGN": 2_000})
    return merchant


@pytest.fixture
def paid(shop):
    """The attempt that settled a payment of 50.00."""
    return make_settled(make_payment(shop))


def _person(shop, role, name):
    return ApiClient(access_token(make_staff(shop, role, name)))


@pytest.fixture
def ada(shop):
    return _person(shop, "owner", "ada")


@pytest.fixture
def manager(shop, ada):
    return _person(shop, "manager", "bob")


def _refund(caller, paid, key="k-1", **body):
    path = f"{PAYMENTS}/{paid.payment.reference}/refunds"
    return caller.post(path, body, headers={"Idempotency-Key": key})


def _asked(caller, paid, key="k-1", **body):
    """Ask for more than one person may; return the id of what waits."""
    answer = _refund(caller, paid, key, **body)
    assert (answer.status_code, answer.json()["code"]) == (409, "approval_required"), answer.content
    return answer.json()["approval"]


def _decide(caller, approval, word="approve", **body):
    return caller.post(f"{APPROVALS}/{approval}/{word}", body)


@pytest.mark.parametrize(
    ("amount", "status"), [("20.00", 201), ("20.01", 409), (None, 409)], ids=["limit", "over", "all"]
)
@pytest.mark.parametrize("role", ["owner", "manager"])
def test_s42_one_person_refunds_up_to_the_limit(shop, paid, role, amount, status):
    caller = _person(shop, role, "cleo")

    assert _refund(caller, paid, amount=amount).status_code == status
    assert Refund.objects.count() == (status == 201)


def test_s42_over_the_limit_nothing_is_made_and_somebody_is_asked(ada, manager, paid):
    jobs, events = Job.objects.count(), Event.objects.count()

    answer = _refund(manager, paid, amount=30, reason="broken")

    approval = answer.json()["approval"]
    assert approval in answer.json()["message"]
    assert (Refund.objects.count(), Job.objects.count(), Event.objects.count()) == (0, jobs, events)
    shown = ada.get(f"{APPROVALS}/{approval}").json()["approval"]
    assert shown | {"created_at": "", "expires_at": ""} == {
        "id": approval,
        "status": "pending",
        "payment": paid.payment.reference,
        "subject": None,
        "amount": 30.0,
        "currency": "NGN",
        "reason": "broken",
        "requested_by": "bob",
        "decided_by": None,
        "refund": None,
        "test": True,
        "created_at": "",
        "expires_at": "",
        "decided_at": None,
    }
    assert [line.action for line in AuditEntry.objects.all()] == ["approval.requested"]


def test_s42_another_owner_approves_and_the_refund_is_made_as_it_was_asked_for(ada, manager, paid):
    approval = _asked(manager, paid, amount=30, reason="broken")

    decided = _decide(ada, approval)

    refund = Refund.objects.get()
    shown = decided.json()["approval"]
    assert (decided.status_code, shown["status"]) == (200, "approved")
    assert (shown["refund"], shown["decided_by"]) == (refund.reference, "ada")
    assert (refund.amount_minor, refund.reason, refund.origin) == (3_000, "broken", "key")
    assert [line.action for line in AuditEntry.objects.order_by("pk")] == [
        "approval.requested",
        "approval.approved",
    ]


def test_s42_all_that_was_left_at_the_time_goes_back_and_not_more(ada, manager, paid):
    approval = _asked(manager, paid)

    _decide(ada, approval)

    assert Refund.objects.get().amount_minor == 5_000


def test_s42_the_same_request_again_is_the_same_approval_and_then_its_refund(ada, manager, paid):
    first, again = (_asked(manager, paid, amount=30) for _ in range(2))
    _decide(ada, first)
    later = _refund(manager, paid, amount="30.00")

    assert first == again
    assert (later.status_code, later["Idempotency-Replayed"]) == (201, "true")
    assert later.json()["refund"]["id"] == Refund.objects.get().reference
    assert Approval.objects.count() == 1
    assert [line.action for line in AuditEntry.objects.order_by("pk")] == [
        "approval.requested",
        "approval.approved",
    ]


def test_another_body_under_the_key_is_422(manager, paid):
    _asked(manager, paid, amount=30)

    answer = _refund(manager, paid, amount=31)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_s42_an_approval_is_used_once(ada, manager, paid):
    approval = _asked(manager, paid, amount=30)

    statuses = [_decide(ada, approval).status_code for _ in range(3)]
    rejected = _decide(ada, approval, "reject")

    assert statuses == [200, 200, 200]
    assert Refund.objects.count() == 1
    assert AuditEntry.objects.filter(action="approval.approved").count() == 1
    assert (rejected.status_code, rejected.json()["code"]) == (409, "approval_ended")


def test_what_was_rejected_is_not_made_and_can_be_asked_for_anew(ada, manager, paid):
    approval = _asked(manager, paid, amount=30)
    statuses = [_decide(ada, approval, "reject").status_code for _ in range(2)]

    too_late, again = _decide(ada, approval), _refund(manager, paid, amount=30)

    assert statuses == [200, 200]
    assert [(a.status_code, a.json()["code"]) for a in (too_late, again)] == [(409, "approval_ended")] * 2
    assert "new Idempotency-Key" in again.json()["message"]
    assert _asked(manager, paid, "k-2", amount=30) != approval
    assert not Refund.objects.exists()


def test_after_a_week_nobody_can_approve_it(ada, manager, paid):
    approval = _asked(manager, paid, amount=30)
    clock.advance(7 * 86_400 - 60)
    assert ada.get(f"{APPROVALS}?status=pending").json()["approvals"][0]["id"] == approval
    clock.advance(61)

    late, again = _decide(ada, approval), _refund(manager, paid, amount=30)

    assert [(a.status_code, a.json()["code"]) for a in (late, again)] == [(409, "approval_ended")] * 2
    assert ada.get(f"{APPROVALS}/{approval}").json()["approval"]["status"] == "expired"
    assert ada.get(f"{APPROVALS}?status=pending").json()["approvals"] == []
    assert [row["id"] for row in ada.get(f"{APPROVALS}?status=expired").json()["approvals"]] == [approval]


def test_s42_nobody_approves_what_they_asked_for_themselves(shop, ada, paid):
    _person(shop, "owner", "cleo")
    approval = _asked(ada, paid, amount=30)

    answers = [_decide(ada, approval, word, password=PASSWORD) for word in ("approve", "reject")]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(403, "second_person_required")] * 2
    assert not Refund.objects.exists()


@pytest.mark.parametrize("role", ["manager", "cashier", "auditor"])
def test_s42_who_is_no_owner_decides_about_nothing(shop, manager, paid, role):
    approval = _asked(manager, paid, amount=30)
    caller = _person(shop, role, "cleo")
    key = ApiClient(create_api_key(shop, "test"))

    for word in ("approve", "reject"):
        assert [_decide(it, approval, word).status_code for it in (caller, key)] == [403, 403]
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 403, "reauthentication_required"),
        ({"otp": "123456"}, 403, "reauthentication_required"),
        ({"password": "wrong horse"}, 400, "invalid_password"),
        ({"password": PASSWORD.upper()}, 400, "invalid_password"),
    ],
)
def test_s42_the_only_owner_shows_who_they_are(ada, paid, body, status, code):
    approval = _asked(ada, paid, amount=30)

    refused = _decide(ada, approval, **body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert not Refund.objects.exists()
    assert _decide(ada, approval, password=PASSWORD).status_code == 200
    assert Refund.objects.count() == 1


def test_s16_with_a_second_factor_the_password_alone_is_not_enough(ada, paid):
    secret = pyotp.random_base32()
    User.objects.update(totp_secret=encrypt(secret), totp_confirmed_at=clock.now())
    code = pyotp.TOTP(secret).at(int(time.time()))
    first, second = (_asked(ada, paid, f"k-{n}", amount=21) for n in (1, 2))

    told = [
        _decide(ada, first, password=PASSWORD).json().get("code"),
        _decide(ada, first, password=PASSWORD, otp="000000").json().get("code"),
        _decide(ada, first, password="wrong horse", otp=code).json().get("code"),
        _decide(ada, first, password=PASSWORD, otp=code).json().get("code"),
        _decide(ada, second, password=PASSWORD, otp=code).json().get("code"),
    ]

    assert told == [
        "otp_required",
        "otp_invalid",
        "invalid_password",
        None,
        "otp_invalid",  # No code counts twice.
    ]
    assert Refund.objects.count() == 1


def test_s42_a_stolen_token_does_not_guess_the_password(ada, paid, settings):
    settings.TILLGATE_WEB_PROCESSES = 1
    approval = _asked(ada, paid, amount=30)

    statuses = [_decide(ada, approval, password=f"guess {n}").status_code for n in range(10)]
    refused = _decide(ada, approval, password=PASSWORD)

    assert statuses == [400] * 10
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert int(refused["Retry-After"]) > 0


def test_two_refunds_that_are_over_the_limit_together_need_a_second_person(ada, manager, paid):
    assert _refund(manager, paid, "k-1", amount=15).status_code == 201

    assert _refund(manager, paid, "k-2", amount="5.01").status_code == 409
    assert _refund(ada, paid, "k-3", amount="5.01").status_code == 409
    assert _refund(ada, paid, "k-4", amount=5).status_code == 201


@pytest.mark.parametrize("limits", [{}, {"USD": 1}])
def test_without_a_limit_of_its_currency_one_person_refunds_anything(manager, paid, limits):
    Merchant.objects.update(refund_limits=limits)

    assert _refund(manager, paid).status_code == 201


def test_a_limit_of_nothing_lets_nobody_refund_alone(manager, paid):
    Merchant.objects.update(refund_limits={"NGN": 0})

    _asked(manager, paid, amount=1)


def test_a_key_has_no_person_behind_it_and_no_limit(shop, paid):
    caller = ApiClient(create_api_key(shop, "test"))

    assert _refund(caller, paid).status_code == 201
    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({"amount": 51}, 409, "refund_too_large"), ({"amount": 0}, 400, "amount_too_small")],
)
def test_nobody_is_asked_about_what_cannot_be(manager, paid, body, status, code):
    answer = _refund(manager, paid, **body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Approval.objects.exists()


def test_s42_what_went_back_meanwhile_does_not_go_back_again(shop, ada, manager, paid):
    approval = _asked(manager, paid, amount=30)
    _refund(ApiClient(create_api_key(shop, "test")), paid, amount=25)

    answer = _decide(ada, approval)

    assert (answer.status_code, answer.json()["code"]) == (409, "refund_too_large")
    assert "NGN 25.00" in answer.json()["message"]
    assert [refund.amount_minor for refund in Refund.objects.all()] == [2_500]
    assert ada.get(f"{APPROVALS}/{approval}").json()["approval"]["status"] == "pending"


def test_a_surplus_over_the_limit_waits_too(ada, manager, paid):
    surplus = make_surplus(paid)
    path = f"{PAYMENTS}/{paid.payment.reference}/surplus/{surplus.reference}/refund"

    asked, again = (manager.post(path, {}).json()["approval"] for _ in range(2))
    decided = _decide(ada, asked)
    after = manager.post(path, {})

    refund = Refund.objects.get()
    assert asked == again
    assert decided.json()["approval"]["subject"] == surplus.reference
    assert (refund.surplus, refund.amount_minor) == (surplus, 5_000)
    assert (after.status_code, after.json()["refund"]["id"]) == (200, refund.reference)


def test_a_surplus_that_went_back_meanwhile_is_not_sent_again(shop, ada, manager, paid):
    surplus = make_surplus(paid)
    path = f"{PAYMENTS}/{paid.payment.reference}/surplus/{surplus.reference}/refund"
    asked = manager.post(path, {}).json()["approval"]
    ApiClient(create_api_key(shop, "test")).post(path, {})

    answer = _decide(ada, asked)

    assert (answer.status_code, answer.json()["code"]) == (409, "approval_outdated")
    assert Refund.objects.count() == 1


@pytest.fixture
def reviewed(shop):
    """A payment whose money did not match: all 50.00 of it is held."""
    payment = make_payment_in("review", shop)
    return make_attempt_in("succeeded", payment)


def _resolve(caller, attempt, decision):
    return caller.post(f"{PAYMENTS}/{attempt.payment.reference}/resolve", {"decision": decision})


def test_money_in_review_over_the_limit_goes_back_with_a_second_person(ada, manager, reviewed):
    asked = _resolve(manager, reviewed, "refund").json()["approval"]

    decided = _decide(ada, asked)

    refund = Refund.objects.get()
    assert (decided.json()["approval"]["subject"], refund.origin) == ("review", "review")
    assert _resolve(manager, reviewed, "refund").status_code == 200
    assert Refund.objects.count() == 1


def test_money_in_review_is_accepted_by_one_person_and_its_refund_is_then_none(ada, manager, reviewed):
    asked = _resolve(manager, reviewed, "refund").json()["approval"]

    accepted = _resolve(manager, reviewed, "accept")
    answer = _decide(ada, asked)

    assert (accepted.status_code, accepted.json()["payment"]["status"]) == (200, "completed")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")
    assert not Refund.objects.exists()


def test_a_rejected_surplus_can_be_asked_for_again(ada, manager, paid):
    surplus = make_surplus(paid)
    path = f"{PAYMENTS}/{paid.payment.reference}/surplus/{surplus.reference}/refund"
    first = manager.post(path, {}).json()["approval"]
    _decide(ada, first, "reject")

    assert manager.post(path, {}).json()["approval"] != first


def test_part_of_a_surplus_that_its_bank_took_is_no_longer_what_was_agreed_to(ada, manager, paid):
    surplus = make_surplus(paid)
    path = f"{PAYMENTS}/{paid.payment.reference}/surplus/{surplus.reference}/refund"
    asked = manager.post(path, {}).json()["approval"]
    make_dispute(paid, surplus=surplus, status="lost", amount_minor=1_000)

    answer = _decide(ada, asked)

    assert (answer.status_code, answer.json()["code"]) == (409, "approval_outdated")
    assert not Refund.objects.exists()


def test_approvals_are_listed_newest_first_and_by_status(ada, manager, paid):
    ids = [_asked(manager, paid, f"k-{n}", amount=21 + n) for n in range(3)]
    _decide(ada, ids[0], "reject")
    _decide(ada, ids[1])

    def listed(query=""):
        return [row["id"] for row in manager.get(f"{APPROVALS}{query}").json()["approvals"]]

    assert listed() == ids[::-1]
    assert [listed(f"?status={word}") for word in ("rejected", "approved", "pending", "expired")] == [
        [ids[0]],
        [ids[1]],
        [ids[2]],
        [],
    ]
    assert manager.get(f"{APPROVALS}?status=else").status_code == 400


def test_an_approval_says_until_when_it_waits(manager, paid):
    approval = Approval.objects.get(reference=_asked(manager, paid, amount=30))

    assert approval.expires_at - approval.created_at == timedelta(days=7)
