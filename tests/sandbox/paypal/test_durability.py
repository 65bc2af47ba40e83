"""What is still known after a kill: money, orders, ids, keys, and work that was due."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import start
from tests.sandbox import test_durability
from tests.sandbox.paypal.conftest import PayPalClient, environ, taken, wallet


@pytest.fixture
def process(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(test_durability, "environ", environ)
    process = test_durability.Process(data_dir)
    yield process
    if process.child.poll() is None:
        process.end(signal.SIGKILL)


def test_kill_9_loses_neither_money_nor_memory(process: Any) -> None:
    client = PayPalClient(process)
    vault_id = client.saved()
    order = client.create("slow", "key-1")
    client.pay("slow", "pending")
    client.capture(order["id"])
    part = {"amount": {"currency_code": "USD", "value": "1.00"}}
    first = client.refund(taken(client.paid())["id"], part, "key-2").json()
    token = client.token
    process.end(signal.SIGKILL)
    process.run()
    client = PayPalClient(process)
    client.token = token

    again = client.refund(first["links"][1]["href"].rpartition("/")[2], part, "key-2").json()
    charged = client.charge(vault_id, key="key-3").json()
    client.advance(86_401)

    assert (again, charged["status"]) == (first, "COMPLETED")
    assert taken(client.order(order["id"]))["status"] == "COMPLETED"
    kinds = [entry["kind"] for entry in client.journal()]
    assert kinds == ["charge", "charge", "refund", "charge", "charge"]


def test_a_restart_keeps_references_invoices_refunds_and_disputes(data_dir: Path) -> None:
    sandbox = start(data_dir=data_dir, environ=environ())
    client = PayPalClient(sandbox)
    first = client.paid(invoice_id="inv-1", payment_source=wallet(saves=True))
    part = {"amount": {"currency_code": "USD", "value": "1.00"}}
    refund = client.refund(taken(first)["id"], part).json()
    client.control("dispute", reference="a-1", action="open")
    sandbox.stop()

    sandbox = start(data_dir=data_dir, environ=environ())
    client = PayPalClient(sandbox)
    second = client.create("a-2", invoice_id="inv-1")
    client.pay("a-2")
    refused = client.capture(second["id"])
    payments = client.order(first["id"])["purchase_units"][0]["payments"]
    lost = client.control("dispute", reference="a-1", action="lost")["dispute"]
    sandbox.stop()

    assert refused.json()["details"][0]["issue"] == "DUPLICATE_INVOICE_ID"
    assert (lost["outcome"], [one["id"] for one in payments["refunds"]]) == ("lost", [refund["id"]])
