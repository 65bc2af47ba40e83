"""A sandbox per test, a client that speaks to it, and a receiver for its webhooks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox, start
from tests.loopback import NO_TLS

KEY = "sk_test_sandbox"
LIVE_KEY = "sk_live_sandbox"
Json = dict[str, Any]


def wait_for(found: Callable[[], Any], *, seconds: float = 5) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


@dataclass
class Receiver:
    """Takes webhooks; answers with `statuses` in turn, then 200."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    received_at: list[float] = field(default_factory=list)

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        wait_for(lambda: len(self.received) >= count)
        return self.received


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    box = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            box.received_at.append(time.monotonic())
            self.send_response(box.statuses.pop(0) if box.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box.url = f"http://127.0.0.1:{server.server_address[1]}/hook?from=paystack"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield box
    server.shutdown()
    server.server_close()


opened: list[httpx.Client] = []


@pytest.fixture(autouse=True)
def close_clients() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


class Client:
    """What a merchant and a tester say to one sandbox."""

    def __init__(self, sandbox: Sandbox, key: str = KEY) -> None:
        self.sandbox, self.key = sandbox, key
        self.http = httpx.Client(base_url=sandbox.url, timeout=10, verify=NO_TLS, trust_env=False)
        opened.append(self.http)
        self.auth = {"Authorization": f"Bearer {key}"}

    def post(self, path: str, body: Json, *, key: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else self.auth
        return self.http.post(f"/paystack{path}", json=body, headers=headers)

    def get(self, path: str, *, key: str | None = None, **query: str | int) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else self.auth
        return self.http.get(f"/paystack{path}", params=query, headers=headers)

    def initialize(self, reference: str = "r-1", **more: Any) -> Json:
        body = {
            "email": "ada@example.com",
            "amount": 500_000,
            "currency": "NGN",
            "reference": reference,
            **more,
        }
        reply = self.post("/transaction/initialize", body)
        assert reply.status_code == 200, reply.text
        return dict(reply.json()["data"])

    def verify(self, reference: str = "r-1") -> Json:
        reply = self.get(f"/transaction/verify/{reference}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json()["data"])

    def control(self, path: str, **body: Any) -> Json:
        reply = self.http.post(f"/control/{path}", json=body)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def pay(self, reference: str = "r-1", outcome: str = "success", **more: Any) -> Json:
        return self.control("pay", gateway="paystack", reference=reference, outcome=outcome, **more)

    def fault(self, match: str, fault: str, *, nth: int = 1, times: int | None = None, **args: Any) -> None:
        plan: Json = {"match": f"paystack.{match}", "fault": fault, "nth": nth, "args": args}
        self.control("faults", faults=[plan if times is None else {**plan, "times": times}])

    def advance(self, seconds: int) -> None:
        self.control("clock", advance_s=seconds)

    def journal(self) -> list[Json]:
        return list(self.http.get("/control/journal").json()["entries"])

    def events(self) -> list[Json]:
        return list(self.http.get("/control/events").json()["events"])

    def saved_card(self, email: str = "ada@example.com", reference: str = "first") -> str:
        self.initialize(reference, email=email)
        self.pay(reference)
        return str(self.verify(reference)["authorization"]["authorization_code"])

    def charge(self, code: str, reference: str = "c-1", **more: Any) -> httpx.Response:
        body = {
            "email": "ada@example.com",
            "amount": 500_000,
            "authorization_code": code,
            "reference": reference,
        }
        return self.post("/transaction/charge_authorization", {**body, **more})


def environ(webhook_url: str = "") -> dict[str, str]:
    return {
        "SANDBOX_PAYSTACK_SECRET_KEY": f"{KEY},{LIVE_KEY}",
        "SANDBOX_PAYSTACK_WEBHOOK_URL": webhook_url,
    }


@pytest.fixture
def sandbox(tmp_path: Path, receiver: Receiver) -> Iterator[Sandbox]:
    running = start(data_dir=tmp_path / "data", environ=environ(receiver.url))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)
