"""Every fault of the plan, met by a real client."""

from __future__ import annotations

import gzip
import threading
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Client

OPEN = {"email": "ada@example.com", "amount": 500_000, "reference": "f-1"}


def open_session(client: Client, **options: Any) -> httpx.Response:
    return client.http.post("/paystack/transaction/initialize", json=OPEN, headers=client.auth, **options)


def exists(client: Client, reference: str = "f-1") -> bool:
    return client.get(f"/transaction/verify/{reference}").status_code == 200


@pytest.mark.parametrize(
    ("fault", "args", "done"),
    [
        ("reset_before", {}, False),
        ("timeout_before", {"seconds": 0.1}, False),
        ("half_body", {}, True),
        ("half_body", {"n": 0}, True),
        ("half_body", {"n": 7}, True),
    ],
)
def test_a_broken_connection(client: Client, fault: str, args: dict[str, Any], done: bool) -> None:
    client.fault("initialize", fault, **args)

    with pytest.raises(httpx.TransportError):
        open_session(client)

    assert exists(client) is done


@pytest.mark.parametrize(("fault", "done"), [("timeout_before", False), ("timeout_after", True)])
def test_a_timeout_before_or_after_doing_it(client: Client, fault: str, done: bool) -> None:
    client.fault("initialize", fault, seconds=30)

    with pytest.raises(httpx.ReadTimeout):
        open_session(client, timeout=0.2)

    assert exists(client) is done


def test_a_late_answer_is_the_right_one(client: Client) -> None:
    client.fault("initialize", "timeout_after", seconds=0.3)

    begun = time.monotonic()
    reply = open_session(client)

    assert (reply.json()["status"], time.monotonic() - begun >= 0.3) == (True, True)


def test_held_threads_end_when_the_client_leaves(client: Client) -> None:
    before = threading.active_count()
    client.fault("initialize", "timeout_before", times=0)
    for _ in range(5):
        with pytest.raises(httpx.ReadTimeout):
            open_session(client, timeout=0.05)

    time.sleep(0.5)

    assert threading.active_count() <= before + 1


@pytest.mark.parametrize(
    ("fault", "status", "done"), [("500_before", 500, False), ("500_after", 500, True), ("429", 429, False)]
)
def test_an_error_status(client: Client, fault: str, status: int, done: bool) -> None:
    client.fault("initialize", fault)

    assert open_session(client).status_code == status
    assert exists(client) is done


def test_429_says_when_to_come_back(client: Client) -> None:
    client.fault("initialize", "429", retry_after=11)

    assert open_session(client).headers["Retry-After"] == "11"


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (
            "html",
            lambda reply: reply.headers["content-type"].startswith("text/html") and b"<p>" in reply.content,
        ),
        ("empty_body", lambda reply: reply.content == b""),
        ("bom", lambda reply: reply.content.startswith(b"\xef\xbb\xbf{")),
        ("wrong_content_type", lambda reply: reply.headers["content-type"] == "text/plain"),
        ("huge_body", lambda reply: len(reply.content) == 20_000_000),
    ],
)
def test_an_odd_answer_to_a_thing_done(client: Client, fault: str, found: Any) -> None:
    client.fault("initialize", fault)

    reply = open_session(client)

    assert reply.status_code == 200
    assert found(reply)
    assert exists(client)


def test_a_gzip_bomb_unpacks_to_much_more(client: Client) -> None:
    client.fault("initialize", "gzip_bomb", bytes=5_000_000)

    with client.http.stream(
        "POST", "/paystack/transaction/initialize", json=OPEN, headers=client.auth
    ) as reply:
        packed = b"".join(reply.iter_raw())

    assert len(packed) < 50_000
    assert len(gzip.decompress(packed)) > 5_000_000


def test_a_slow_body_arrives_whole(client: Client) -> None:
    client.fault("initialize", "slow_body", seconds=0.4)

    begun = time.monotonic()
    reply = open_session(client)

    assert reply.json()["status"] is True
    assert time.monotonic() - begun > 0.3


@pytest.fixture
def paid(client: Client) -> Client:
    client.initialize()
    client.pay()
    return client


@pytest.mark.parametrize(
    ("fault", "args", "name", "told"),
    [
        ("wrong_amount", {}, "amount", 50_000_000),
        ("wrong_amount", {"amount_minor": 1}, "amount", 1),
        ("wrong_currency", {}, "currency", "GHS"),
        ("wrong_currency", {"currency": "USD"}, "currency", "USD"),
        ("wrong_ref", {}, "reference", "other-r-1"),
        ("test_mode", {}, "domain", "live"),
        ("decline", {}, "status", "failed"),
        ("pending", {}, "status", "pending"),
        ("unknown_status", {}, "status", "quantum"),
        ("unknown_status", {"word": "paid?"}, "status", "paid?"),
    ],
)
def test_one_answer_lies_and_the_next_is_true(
    paid: Client, fault: str, args: dict[str, Any], name: str, told: Any
) -> None:
    truth = paid.verify()
    paid.fault("verify", fault, **args)

    lie = paid.verify()

    assert (lie[name], lie[name] != truth[name]) == (told, True)
    assert paid.verify() == truth


@pytest.mark.parametrize("raw", ['"1999.0"', "1999.0", "1e400", "NaN", "-1", "null", "[]"])
def test_the_amount_may_be_any_text(paid: Client, raw: str) -> None:
    paid.fault("verify", "wrong_amount", raw=raw)

    assert f'"amount":{raw},' in paid.get("/transaction/verify/r-1").text


def test_wrong_account_knows_nothing_of_it(paid: Client) -> None:
    paid.fault("verify", "wrong_account")

    assert paid.get("/transaction/verify/r-1").json()["code"] == "transaction_not_found"
    assert paid.verify()["status"] == "success"


def test_lookup_5xx_lets_only_lookups_fail(paid: Client) -> None:
    paid.fault("*", "lookup_5xx")
    paid.initialize("other")

    assert paid.get("/transaction/verify/r-1").status_code == 502
    assert paid.verify()["status"] == "success"


@pytest.mark.parametrize("operation", ["verify", "charge"])
def test_lookup_lag_hides_it_for_a_while(paid: Client, operation: str) -> None:
    code = paid.saved_card()
    paid.fault(operation, "lookup_lag", seconds=120)
    paid.charge(code)

    first = paid.get("/transaction/verify/c-1").json()
    paid.advance(119)
    second = paid.get("/transaction/verify/c-1").json()
    paid.advance(2)

    assert (first["code"], second["code"]) == ("transaction_not_found", "transaction_not_found")
    assert paid.verify("c-1")["status"] == "success"


@pytest.mark.parametrize("operation", ["initialize", "verify"])
def test_then_reverse_takes_the_money_back_later(client: Client, operation: str) -> None:
    client.fault(operation, "then_reverse", after_s=3_600)
    client.initialize()
    client.verify()
    client.pay()
    before = client.verify()["status"]
    client.advance(3_601)

    assert (before, client.verify()["status"]) == ("success", "reversed")
    assert [entry["kind"] for entry in client.journal()] == ["charge", "reversal"]


def test_then_reverse_of_a_charge(paid: Client) -> None:
    code = paid.saved_card()
    paid.fault("charge", "then_reverse", after_s=60)
    paid.charge(code)
    paid.advance(61)

    assert paid.verify("c-1")["status"] == "reversed"


def test_ignore_key_takes_a_reference_twice(client: Client) -> None:
    client.initialize("f-1")
    client.fault("initialize", "ignore_key")

    assert open_session(client).status_code == 200
    assert client.get("/transaction").json()["meta"]["total"] == 2


def test_ignore_key_charges_twice(client: Client) -> None:
    code = client.saved_card()
    client.fault("charge", "ignore_key")
    client.fault("charge", "ignore_key", nth=2)
    client.charge(code)
    client.charge(code)

    assert [entry["reference"] for entry in client.journal()] == ["first", "c-1", "c-1"]


def test_dup_ref_error_refuses_what_it_has_done(client: Client) -> None:
    client.fault("initialize", "dup_ref_error")

    assert open_session(client).json()["code"] == "duplicate_reference"
    assert exists(client)


@pytest.mark.parametrize(
    ("fault", "args", "status", "moved"),
    [
        ("decline", {}, "failed", (500_000, "NGN", False)),
        ("wrong_amount", {}, "success", (50_000_000, "NGN", True)),
        ("wrong_amount", {"amount_minor": 3}, "success", (3, "NGN", True)),
        ("wrong_currency", {}, "success", (500_000, "GHS", True)),
        ("unknown_status", {}, "quantum", (500_000, "NGN", True)),
    ],
)
def test_on_a_charge_the_fault_is_what_happens(
    client: Client, fault: str, args: dict[str, Any], status: str, moved: tuple[int, str, bool]
) -> None:
    code = client.saved_card()
    client.fault("charge", fault, **args)

    reply = client.charge(code)

    entry = client.journal()[-1]
    assert reply.json()["data"]["status"] == status
    assert (entry["amount_minor"], entry["currency"], entry["ok"]) == moved


def test_a_charge_after_which_the_answer_is_lost_has_happened(client: Client) -> None:
    code = client.saved_card()
    client.fault("charge", "500_after")

    assert client.charge(code).status_code == 500
    assert client.charge(code).json()["code"] == "duplicate_reference"
    assert len(client.journal()) == 2


def test_refunds_can_fail_days_later(paid: Client) -> None:
    paid.fault("refund", "decline", after_s=3 * 86_400)
    refund_id = paid.post("/refund", {"transaction": "r-1"}).json()["data"]["id"]
    paid.advance(2 * 86_400)
    before = paid.get(f"/refund/{refund_id}").json()["data"]["status"]
    paid.advance(2 * 86_400)

    assert (before, paid.get(f"/refund/{refund_id}").json()["data"]["status"]) == ("pending", "failed")


def test_a_refund_can_wait_for_ever(paid: Client) -> None:
    paid.fault("refund", "pending")
    paid.post("/refund", {"transaction": "r-1"})
    paid.advance(30 * 86_400)

    assert paid.get("/refund").json()["data"][0]["status"] == "pending"


def test_nth_counts_from_now_and_times_repeats(paid: Client) -> None:
    paid.verify()
    paid.fault("verify", "500_before", nth=2, times=2)

    statuses = [paid.get("/transaction/verify/r-1").status_code for _ in range(5)]

    assert statuses == [200, 500, 500, 200, 200]
    (fault,) = paid.http.get("/control/faults").json()["faults"]
    assert (fault["calls"], fault["hits"]) == (5, 2)


def test_times_zero_lasts_until_cleared(paid: Client) -> None:
    paid.fault("*", "500_before", times=0)
    statuses = [paid.get("/transaction").status_code for _ in range(3)]
    paid.http.delete("/control/faults")

    assert statuses == [500, 500, 500]
    assert paid.get("/transaction").status_code == 200
