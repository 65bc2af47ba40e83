from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.api.client import PAYMENTS
from tests.builders import make_attempt, make_payment
from tests.environment import PAYSTACK_TEST_KEY
from tillgate.common import clock
from tillgate.gateways.http import Patience
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services import sessions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "IN_REQUEST", Patience(total_s=1, slot_s=0))


def _open(caller: Any, payment: Payment, body: Any = None, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return caller.post(f"{PAYMENTS}/{payment.reference}/attempts", body or {}, headers=headers)


def _break(sandbox: Any, fault: str, **args: Any) -> None:
    plan = {"faults": [{"match": "paystack.initialize", "fault": fault, "args": args}]}
    assert httpx2.post(f"{sandbox.url}/control/faults", json=plan, trust_env=False).status_code == 200


def test_a_session_is_opened_and_the_customer_is_sent_there(sandbox, guest, payment):
    answer = _open(guest, payment, {"gateway": "paystack"})

    attempt = answer.json()["attempt"]
    assert answer.status_code == 201
    assert attempt["next_action"] == {
        "type": "redirect",
        "url": f"{sandbox.url}/paystack/checkout/{attempt['access_code']}",
    }
    assert (attempt["status"], attempt["gateway"], attempt["failure"]) == ("pending", "paystack", None)
    assert attempt["gateway_reference"] == Attempt.objects.get().gateway_reference
    assert guest.get(f"{PAYMENTS}/{payment.reference}").json()["payment"]["status"] == "pending"


@pytest.mark.parametrize("body", [b"", {}, {"gateway": None}])
def test_where_no_gateway_is_named_the_first_usable_one_is_taken(sandbox, guest, payment, body):
    answer = guest.post(f"{PAYMENTS}/{payment.reference}/attempts", body)

    assert (answer.status_code, answer.json()["attempt"]["gateway"]) == (201, "paystack")


def test_an_open_session_is_returned_again_and_is_no_replay(sandbox, guest, owner, payment):
    first, again, merchants = _open(guest, payment), _open(guest, payment), _open(owner, payment, key="k-1")

    assert (first.status_code, again.status_code, merchants.status_code) == (201, 200, 200)
    assert first.json()["attempt"] == again.json()["attempt"] == merchants.json()["attempt"]
    assert "Idempotency-Replayed" not in again


def test_the_same_key_returns_the_same_attempt(sandbox, guest, payment):
    first, again = _open(guest, payment, key="k-1"), _open(guest, payment, key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["attempt"] == first.json()["attempt"]


def test_a_replay_after_the_end_shows_the_end(sandbox, guest, payment):
    _open(guest, payment, key="k-1")
    Attempt.objects.update(status="superseded")

    again = _open(guest, payment, key="k-1")

    assert (again.status_code, again.json()["attempt"]["status"]) == (201, "superseded")
    assert again.json()["attempt"]["next_action"] is None
    assert again.json()["message"] == "The attempt is superseded."


def test_the_same_key_with_another_body_is_refused(sandbox, guest, payment):
    first = _open(guest, payment, key="k-1").json()["attempt"]

    refused = _open(guest, payment, {"gateway": "paystack"}, key="k-1")

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert first["id"].encode() not in refused.content


def test_one_key_serves_each_payment_apart(sandbox, guest, payment, merchant):
    other = make_payment(merchant)

    ids = {_open(guest, each, key="k-1").json()["attempt"]["id"] for each in (payment, other)}

    assert len(ids) == 2


def test_the_same_key_while_the_first_is_running_is_told_to_wait(guest, payment):
    make_attempt(payment, status="sent", redirect_url="")

    answer = _open(guest, payment, key="k-1")

    assert (answer.status_code, answer.json()["code"]) == (409, "request_still_running")
    assert answer["Retry-After"] == "2"


@pytest.mark.parametrize(
    "fault", ["timeout_after", "timeout_before", "500_after", "500_before", "html", "half_body", "empty_body"]
)
def test_a_lost_answer_is_504_and_the_request_may_be_sent_again(sandbox, guest, payment, fault):
    _break(sandbox, fault, **({"seconds": 3} if "timeout" in fault else {}))

    lost = _open(guest, payment)
    again = _open(guest, payment)

    assert (lost.status_code, lost.json()["code"]) == (504, "gateway_timeout")
    assert lost["Retry-After"] == "2"
    assert Attempt.objects.earliest("pk").status == "unknown"
    assert again.status_code == 201
    assert guest.get(f"{PAYMENTS}/{payment.reference}").json()["payment"]["status"] == "pending"


def test_a_gateway_that_asks_to_slow_down_says_when_to_come_back(sandbox, guest, payment):
    _break(sandbox, "429", retry_after=7)

    answer = _open(guest, payment)

    assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unavailable")
    assert answer["Retry-After"] == "7"


def test_a_gateway_that_cannot_be_reached_is_503(guest, payment, settings):
    settings.PAYSTACK_BASE_URL = "http://127.0.0.1:9"

    answer = _open(guest, payment)

    assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unavailable")
    assert answer["Retry-After"]
    assert b"127.0.0.1:9" not in answer.content
    assert Attempt.objects.get().status == "failed"


def test_a_gateway_that_does_not_take_our_key_is_502_and_the_key_stays_secret(
    sandbox, guest, payment, settings
):
    settings.PAYSTACK_SECRET_KEY = PAYSTACK_TEST_KEY.replace("not_a", "other")

    answer = _open(guest, payment)

    assert (answer.status_code, answer.json()["code"]) == (502, "gateway_refused")
    assert b"sk_test" not in answer.content


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("completed", "not_in_this_state"),
        ("canceled", "not_in_this_state"),
        ("processing", "not_in_this_state"),
    ],
)
def test_only_an_open_payment_can_be_paid(guest, merchant, status, code):
    paid = {"completed_at": clock.now(), "received_minor": 5_000} if status == "completed" else {}
    payment = make_payment(merchant, status=status, **paid)

    answer = _open(guest, payment)

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert status in answer.json()["message"]
    assert "pending or failed" in answer.json()["message"]


def test_an_expired_payment_cannot_be_paid(guest, merchant):
    payment = make_payment(merchant, expires_at=clock.now() - timedelta(seconds=1))

    assert "expired" in _open(guest, payment).json()["message"]


def test_a_payment_takes_ten_attempts(guest, payment):
    for _ in range(10):
        make_attempt(payment, status="failed")

    answer = _open(guest, payment)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_attempts")


@pytest.mark.parametrize(("currency", "gateway"), [("EUR", None), ("EUR", "paystack"), ("NGN", "stripe")])
def test_without_a_usable_gateway_nothing_is_opened(guest, merchant, currency, gateway):
    payment = make_payment(merchant, currency=currency)

    answer = _open(guest, payment, {"gateway": gateway})

    assert (answer.status_code, answer.json()["code"]) == (409, "no_gateway")
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    "body", [{"amount": 1}, {"gateway": 1}, {"gateway": "x" * 21}, {"gateway": "Paystack\n"}, []]
)
def test_a_wrong_body_is_refused(guest, payment, body):
    answer = guest.post(f"{PAYMENTS}/{payment.reference}/attempts", body)

    assert answer.status_code == 400
    assert not Attempt.objects.exists()
