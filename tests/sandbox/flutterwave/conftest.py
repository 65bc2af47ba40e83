"""A sandbox that serves Flutterwave, and a shop that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox, start
from tests.sandbox.conftest import Client, Json, Receiver

KEY = "FLWSECK_TEST-sandbox-X"
LIVE_KEY = "FLWSECK-sandbox-X"
SECRET_HASH = "secret-hash"
NO_TRANSACTION = {"status": "error", "message": "No transaction was found for this id", "data": None}


class Shop(Client):
    """What a merchant and a tester say to one sandbox about Flutterwave."""

    def __init__(self, sandbox: Sandbox, key: str = KEY) -> None:
        super().__init__(sandbox, key)

    def post(self, path: str, body: Json, *, key: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else self.auth
        return self.http.post(f"/flutterwave/v3{path}", json=body, headers=headers)

    def get(self, path: str, *, key: str | None = None, **query: str | int) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else self.auth
        return self.http.get(f"/flutterwave/v3{path}", params=query, headers=headers)

    def order(self, tx_ref: str = "r-1", **more: Any) -> Json:
        body: Json = {
            "tx_ref": tx_ref,
            "amount": 5_000,
            "currency": "NGN",
            "redirect_url": "https://shop.example/back",
            "customer": {"email": "ada@example.com", "name": "Ada Obi", "phonenumber": "08100000000"},
        }
        return {**body, **more}

    def open(self, tx_ref: str = "r-1", *, key: str | None = None, **more: Any) -> str:
        reply = self.post("/payments", self.order(tx_ref, **more), key=key)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["data"]["link"])

    def pay(self, reference: str = "r-1", outcome: str = "success", **more: Any) -> Json:
        return self.control("pay", gateway="flutterwave", reference=reference, outcome=outcome, **more)

    def paid(self, tx_ref: str = "r-1", **more: Any) -> Json:
        """Open a page, pay on it, and return what a verification then tells."""
        self.open(tx_ref, **more)
        self.pay(tx_ref)
        return self.verify(tx_ref)

    def ask(self, tx_ref: str = "r-1") -> httpx.Response:
        return self.get("/transactions/verify_by_reference", tx_ref=tx_ref)

    def verify(self, reference: str = "r-1") -> Json:
        reply = self.ask(reference)
        assert reply.status_code == 200, reply.text
        return dict(reply.json(parse_float=Decimal)["data"])

    def fault(self, match: str, fault: str, *, nth: int = 1, times: int | None = None, **args: Any) -> None:
        plan: Json = {"match": f"flutterwave.{match}", "fault": fault, "nth": nth, "args": args}
        self.control("faults", faults=[plan if times is None else {**plan, "times": times}])

    def token(self, tx_ref: str = "first") -> str:
        return str(self.paid(tx_ref)["card"]["token"])

    def charge(self, code: str, reference: str = "c-1", **more: Any) -> httpx.Response:
        body = {"token": code, "email": "ada@example.com", "currency": "NGN", "amount": 5_000}
        return self.post("/tokenized-charges", {**body, "tx_ref": reference, **more})

    def set_next(self, *outcomes: str) -> None:
        self.control("methods", gateway="flutterwave", reference="first", next=list(outcomes))

    def refund(self, transaction_id: int, **body: Any) -> httpx.Response:
        return self.post(f"/transactions/{transaction_id}/refund", body)


def environ(webhook_url: str = "", **more: str) -> dict[str, str]:
    return {
        "SANDBOX_FLUTTERWAVE_SECRET_KEY": f"{KEY},{LIVE_KEY}",
        "SANDBOX_FLUTTERWAVE_WEBHOOK_URL": webhook_url,
        "SANDBOX_FLUTTERWAVE_WEBHOOK_HASH": SECRET_HASH,
        **{f"SANDBOX_FLUTTERWAVE_{name}": value for name, value in more.items()},
    }


@pytest.fixture
def switches() -> dict[str, str]:
    """What the account's dashboard is set to; a test's parameters change it."""
    return {}


@pytest.fixture
def sandbox(tmp_path: Path, receiver: Receiver, switches: dict[str, str]) -> Iterator[Sandbox]:
    running = start(data_dir=tmp_path / "data", environ=environ(receiver.url, **switches))
    yield running
    running.stop()


@pytest.fixture
def shop(sandbox: Sandbox) -> Shop:
    return Shop(sandbox)
