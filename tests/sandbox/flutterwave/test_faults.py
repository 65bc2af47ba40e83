"""The faults that are Flutterwave's own, and its own words for those that all gateways share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.sandbox.flutterwave.conftest import NO_TRANSACTION, Shop

TROUBLE = {"status": "error", "message": "An error occurred. Please contact support", "data": None}


@pytest.fixture
def paid(shop: Shop) -> Shop:
    shop.paid()
    return shop


@pytest.mark.parametrize(
    ("fault", "args", "name", "told"),
    [
        ("wrong_amount", {}, "amount", 500_000),
        ("wrong_amount", {}, "charged_amount", 500_000),
        ("wrong_amount", {"amount_minor": 1}, "amount", Decimal("0.01")),
        ("wrong_currency", {}, "currency", "GHS"),
        ("wrong_currency", {"currency": "USD"}, "currency", "USD"),
        ("wrong_ref", {}, "tx_ref", "other-r-1"),
        ("decline", {}, "status", "failed"),
        ("decline", {}, "app_fee", None),
        ("pending", {}, "status", "pending"),
        ("unknown_status", {}, "status", "quantum"),
        ("unknown_status", {"word": "success-pending-validation"}, "status", "success-pending-validation"),
    ],
)
def test_one_answer_lies_and_the_next_is_true(
    paid: Shop, fault: str, args: dict[str, Any], name: str, told: Any
) -> None:
    truth = paid.verify()
    paid.fault("verify", fault, **args)

    lie = paid.verify()

    assert (lie[name], lie[name] != truth[name]) == (told, True)
    assert paid.verify() == truth


def test_a_lie_about_the_end_hides_the_token(paid: Shop) -> None:
    paid.fault("verify", "decline")

    assert "token" not in paid.verify()["card"]


def test_a_lie_about_a_transfer_works_too(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="other_amount", amount_minor=500)
    shop.fault("verify", "pending")

    assert shop.verify()["status"] == "pending"


@pytest.mark.parametrize("raw", ['"1999.0"', "1999.0", "1e400", "NaN", "-1", "null", "[]"])
def test_the_amount_may_be_any_text(paid: Shop, raw: str) -> None:
    paid.fault("verify", "wrong_amount", raw=raw)

    text = paid.ask().text

    assert f'"amount":{raw},' in text
    assert f'"charged_amount":{raw},' in text


def test_wrong_account_knows_nothing_of_it(paid: Shop) -> None:
    paid.fault("verify", "wrong_account")

    assert paid.ask().json() == NO_TRANSACTION
    assert paid.verify()["status"] == "successful"


def test_lookup_5xx_lets_only_lookups_fail(paid: Shop) -> None:
    paid.fault("*", "lookup_5xx")
    paid.open("other")

    reply = paid.ask()

    assert (reply.status_code, reply.json()) == (503, TROUBLE)
    assert paid.verify()["status"] == "successful"


@pytest.mark.parametrize("fault", ["500_before", "500_after"])
def test_trouble_is_told_in_their_own_words(shop: Shop, fault: str) -> None:
    shop.fault("payments", fault)

    reply = shop.post("/payments", shop.order())

    assert (reply.status_code, reply.json()) == (500, TROUBLE)
    pay = {"gateway": "flutterwave", "reference": "r-1", "outcome": "success"}
    done = shop.http.post("/control/pay", json=pay).status_code == 200
    assert done is (fault == "500_after")


def test_too_many_requests_are_told_in_their_own_words(shop: Shop) -> None:
    shop.fault("payments", "429", retry_after=11)

    reply = shop.post("/payments", shop.order())

    assert (reply.status_code, reply.headers["Retry-After"], reply.json()["status"]) == (429, "11", "error")


def test_a_lost_answer_to_a_charge_has_charged(shop: Shop) -> None:
    code = shop.token()
    shop.fault("tokenized", "half_body")

    with pytest.raises(httpx.TransportError):
        shop.charge(code)

    assert shop.charge(code).json()["message"] == "Duplicate transaction reference"
    assert len(shop.journal()) == 2


@pytest.mark.parametrize("operation", ["payments", "verify", "tokenized"])
def test_lookup_lag_hides_it_for_a_while(shop: Shop, operation: str) -> None:
    code = shop.token()
    shop.fault(operation, "lookup_lag", seconds=120)
    if operation == "tokenized":
        shop.charge(code)
    else:
        shop.open("c-1")
        shop.pay("c-1")

    first = shop.ask("c-1").json()
    shop.advance(119)
    second, listed = shop.ask("c-1").json(), shop.get("/transactions", tx_ref="c-1").json()["data"]
    shop.advance(2)

    assert (first, second, listed) == (NO_TRANSACTION, NO_TRANSACTION, [])
    assert shop.verify("c-1")["status"] == "successful"


def test_while_the_latest_try_is_hidden_the_one_before_is_told(shop: Shop) -> None:
    shop.open()
    shop.pay(outcome="decline")
    shop.pay()
    shop.fault("verify", "lookup_lag")

    assert (shop.verify()["status"], shop.verify()["status"]) == ("failed", "failed")
    shop.advance(61)
    assert shop.verify()["status"] == "successful"


def test_ignore_key_charges_twice(shop: Shop) -> None:
    code = shop.token()
    shop.fault("tokenized", "ignore_key", times=2)
    shop.charge(code)
    shop.charge(code)

    assert [entry["reference"] for entry in shop.journal()] == ["first", "c-1", "c-1"]


def test_dup_ref_error_refuses_what_it_has_done(shop: Shop) -> None:
    code = shop.token()
    shop.fault("tokenized", "dup_ref_error")

    assert shop.charge(code).json()["message"] == "Duplicate transaction reference"
    assert shop.verify("c-1")["status"] == "successful"


@pytest.mark.parametrize(
    ("fault", "args", "status", "moved"),
    [
        ("decline", {}, "failed", (500_000, "NGN", False)),
        ("wrong_amount", {}, "successful", (50_000_000, "NGN", True)),
        ("wrong_amount", {"amount_minor": 3}, "successful", (3, "NGN", True)),
        ("wrong_currency", {}, "successful", (500_000, "GHS", True)),
        ("unknown_status", {}, "quantum", (500_000, "NGN", True)),
        ("wrong_ref", {}, "successful", (500_000, "NGN", True)),
    ],
)
def test_on_a_charge_the_fault_is_what_happens(
    shop: Shop, fault: str, args: dict[str, Any], status: str, moved: tuple[int, str, bool]
) -> None:
    code = shop.token()
    shop.fault("tokenized", fault, **args)

    reply = shop.charge(code)

    entry = shop.journal()[-1]
    assert reply.json()["data"]["status"] == status
    assert (entry["amount_minor"], entry["currency"], entry["ok"]) == moved


def test_on_a_charge_pending_is_what_happens(shop: Shop) -> None:
    code = shop.token()
    shop.fault("tokenized", "pending")
    before = shop.charge(code).json()["data"]["status"]
    shop.advance(61)

    assert (before, shop.verify("c-1")["status"]) == ("pending", "successful")


def test_refunds_can_fail_days_later(paid: Shop) -> None:
    paid.fault("refund", "decline", after_s=3 * 86_400)
    refund_id = paid.refund(paid.verify()["id"]).json()["data"]["id"]
    paid.advance(2 * 86_400)
    before = paid.get(f"/refunds/{refund_id}").json()["data"]["status"]
    paid.advance(2 * 86_400)

    assert (before, paid.get(f"/refunds/{refund_id}").json()["data"]["status"]) == ("pending", "failed")
    assert [entry["ok"] for entry in paid.journal()] == [True, False]


def test_a_refund_can_wait_for_ever(paid: Shop) -> None:
    paid.fault("refund", "pending")
    paid.refund(paid.verify()["id"])
    paid.advance(30 * 86_400)

    assert paid.get("/refunds").json()["data"][0]["status"] == "pending"
