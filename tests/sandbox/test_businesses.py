"""Two businesses with accounts of their own at the emulated Paystack, neither of which sees the other."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import Sandbox, start
from tests.sandbox.conftest import KEY, LIVE_KEY, Client

OTHER_KEY, NEXT_KEY = "sk_test_other", "sk_test_sandbox_next"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    keys = f"{KEY},{NEXT_KEY},{LIVE_KEY};{OTHER_KEY}"
    running = start(data_dir=tmp_path / "data", environ={"SANDBOX_PAYSTACK_SECRET_KEY": keys})
    yield running
    running.stop()


@pytest.fixture
def other(sandbox: Sandbox) -> Client:
    return Client(sandbox, OTHER_KEY)


def test_a_transaction_is_known_to_its_own_business_alone(client: Client, other: Client) -> None:
    client.initialize()
    client.pay()
    paid = client.verify()

    for path in ("/transaction/verify/r-1", f"/transaction/{paid['id']}"):
        assert other.get(path).status_code == 404 or not other.get(path).json()["status"]
    assert other.get("/transaction").json()["data"] == []
    assert other.post("/refund", {"transaction": "r-1"}).json()["status"] is False
    assert client.get("/transaction", key=NEXT_KEY).json()["meta"]["total"] == 1


def test_each_may_use_the_same_reference(client: Client, other: Client) -> None:
    client.initialize()
    other.initialize()

    assert client.verify()["id"] != other.verify()["id"]


def test_refunds_and_saved_cards_are_the_businesss_own(client: Client, other: Client) -> None:
    code = client.saved_card()
    refund = client.post("/refund", {"transaction": "first"}).json()["data"]["id"]

    assert client.get(f"/refund/{refund}").status_code == 200
    assert other.get(f"/refund/{refund}").status_code == 404
    assert other.get("/refund").json()["data"] == []
    assert other.charge(code).json()["status"] is False
    assert client.charge(code).json()["status"] is True


@pytest.mark.parametrize("key", [KEY, NEXT_KEY, OTHER_KEY])
def test_an_event_is_signed_with_the_key_of_its_transaction(sandbox: Sandbox, key: str) -> None:
    shop = Client(sandbox, key)
    shop.initialize()
    shop.pay()

    [event] = shop.events()

    signed = hmac.new(key.encode(), event["body"].encode(), hashlib.sha512).hexdigest()
    assert event["headers"]["x-paystack-signature"] == signed
