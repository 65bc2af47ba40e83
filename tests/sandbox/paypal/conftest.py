"""A sandbox that serves PayPal alone, and a merchant with an app of theirs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.paypal import authority
from sandbox.paypal.access import LIFETIME_S
from sandbox.server import Sandbox, start
from tests.loopback import NO_TLS
from tests.sandbox.conftest import Json, Receiver, opened

CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID = "sandbox-app", "app-secret", "8PT597110X687430L"
RETURN = {"return_url": "https://shop.example/back?cart=1", "cancel_url": "https://shop.example/cancel"}
WHOLE = {"Prefer": "return=representation"}


class PayPalClient:
    """What a merchant and a tester say to one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = httpx.Client(base_url=sandbox.url, timeout=10, verify=NO_TLS, trust_env=False)
        opened.append(self.http)
        self.token = self.grant().json()["access_token"]

    def grant(self, client_id: str = CLIENT_ID, secret: str = CLIENT_SECRET) -> httpx.Response:
        form = {"grant_type": "client_credentials"}
        return self.http.post("/paypal/v1/oauth2/token", data=form, auth=(client_id, secret))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        auth = {"Authorization": f"Bearer {self.token}", **headers}
        return self.http.request(method, f"/paypal{path}", json=body, headers=auth)

    def post(self, path: str, body: Any = None, key: str = "", *, whole: bool = True) -> httpx.Response:
        headers = {**(WHOLE if whole else {}), **({"PayPal-Request-Id": key} if key else {})}
        return self.call("POST", path, {} if body is None else body, **headers)

    def get(self, path: str) -> httpx.Response:
        return self.call("GET", path)

    def create(self, reference: str = "a-1", key: str = "", **more: Any) -> Json:
        reply = self.post("/v2/checkout/orders", draft(reference, **more), key)
        assert reply.status_code in (200, 201), reply.text
        return dict(reply.json())

    def order(self, order_id: str) -> Json:
        reply = self.get(f"/v2/checkout/orders/{order_id}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def capture(self, order_id: str, key: str = "", *, whole: bool = True) -> httpx.Response:
        return self.post(f"/v2/checkout/orders/{order_id}/capture", key=key, whole=whole)

    def paid(self, reference: str = "a-1", outcome: str = "success", **more: Any) -> Json:
        """A captured order, whatever came of the capture."""
        order = self.create(reference, **more)
        self.pay(reference, outcome)
        reply = self.capture(order["id"])
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    def refund(self, capture_id: str, body: Json | None = None, key: str = "") -> httpx.Response:
        return self.post(f"/v2/payments/captures/{capture_id}/refund", body, key)

    def saved(self, reference: str = "first") -> str:
        """The id of a payer who was saved by a payment."""
        order = self.paid(reference, payment_source=wallet(saves=True))
        return str(order["payment_source"]["paypal"]["attributes"]["vault"]["id"])

    def charge(
        self, vault_id: str, reference: str = "c-1", key: str = "key-1", **more: Any
    ) -> httpx.Response:
        source = {"paypal": {"vault_id": vault_id}}
        return self.post("/v2/checkout/orders", draft(reference, payment_source=source, **more), key)

    def control(self, path: str, **body: Any) -> Json:
        reply = self.http.post(f"/control/{path}", json={"gateway": "paypal", **body})
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def refusal(self, path: str, **body: Any) -> str:
        reply = self.http.post(f"/control/{path}", json={"gateway": "paypal", **body})
        assert reply.status_code in (400, 404), reply.text
        return str(reply.json()["error"])

    def pay(self, reference: str = "a-1", outcome: str = "success", **more: Any) -> Json:
        return self.control("pay", reference=reference, outcome=outcome, **more)

    def fault(self, match: str, fault: str, *, nth: int = 1, times: int = 1, **args: Any) -> None:
        plan = {"match": f"paypal.{match}", "fault": fault, "nth": nth, "times": times, "args": args}
        reply = self.http.post("/control/faults", json={"faults": [plan]})
        assert reply.status_code == 200, reply.text

    def advance(self, seconds: int) -> None:
        """Move the clock; a step that no token survives is followed by a fresh one."""
        self.http.post("/control/clock", json={"advance_s": seconds}).raise_for_status()
        if seconds >= LIFETIME_S:
            self.token = self.grant().json()["access_token"]

    def journal(self) -> list[Json]:
        return list(self.http.get("/control/journal").json()["entries"])

    def moves(self) -> list[tuple[str, int, bool]]:
        return [(entry["kind"], entry["amount_minor"], entry["ok"]) for entry in self.journal()]

    def events(self) -> list[Json]:
        return list(self.http.get("/control/events").json()["events"])

    def told(self) -> list[str]:
        return [event["type"] for event in self.events()]


def wallet(*, saves: bool = False, customer: str = "") -> Json:
    """A `payment_source` for a payer who is there."""
    paypal: Json = {"experience_context": RETURN}
    if saves:
        paypal["attributes"] = {"vault": {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}}
    if customer:
        paypal["attributes"]["customer"] = {"id": customer}
    return {"paypal": paypal}


def draft(reference: str = "a-1", *, value: Any = "100.00", currency: str = "USD", **more: Any) -> Json:
    """The body that creates an order."""
    source = more.pop("payment_source", wallet())
    unit = {"custom_id": reference, "amount": {"currency_code": currency, "value": value}, **more}
    body: Json = {"intent": "CAPTURE", "purchase_units": [unit]}
    return {**body, "payment_source": source} if source else body


def taken(order: Json) -> Json:
    """The one capture of an order."""
    return dict(order["purchase_units"][0]["payments"]["captures"][0])


def issue(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, str(reply.json()["details"][0]["issue"])


def environ(webhook_url: str = "") -> dict[str, str]:
    return {
        "SANDBOX_PAYPAL_CLIENT_ID": CLIENT_ID,
        "SANDBOX_PAYPAL_CLIENT_SECRET": CLIENT_SECRET,
        "SANDBOX_PAYPAL_WEBHOOK_ID": WEBHOOK_ID,
        "SANDBOX_PAYPAL_WEBHOOK_URL": webhook_url,
    }


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys take long to make, so the tests share them."""
    folder = tmp_path_factory.mktemp("certificates")
    authority.ensure(folder)
    return folder


@pytest.fixture
def data_dir(tmp_path: Path, certificates: Path) -> Path:
    return Path(shutil.copytree(certificates, tmp_path / "data"))


@pytest.fixture
def sandbox(data_dir: Path, receiver: Receiver) -> Iterator[Sandbox]:
    running = start(data_dir=data_dir, environ=environ(receiver.url))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: Sandbox) -> PayPalClient:
    return PayPalClient(sandbox)
