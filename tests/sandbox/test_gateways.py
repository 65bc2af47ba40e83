"""Which gateways are served, and what becomes of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import SettingsError
from sandbox.server import start
from tests.sandbox.conftest import Client, environ
from tests.sandbox.flutterwave.conftest import Shop
from tests.sandbox.flutterwave.conftest import environ as flutterwave_environ

NAMES = ("SANDBOX_PAYSTACK_SECRET_KEY", "SANDBOX_FLUTTERWAVE_SECRET_KEY", "SANDBOX_PAYPAL_CLIENT_ID")


@pytest.mark.parametrize("settings", [{}, dict.fromkeys(NAMES, " , ".strip(", "))])
def test_without_any_key_the_three_settings_are_named(tmp_path: Path, settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refusal:
        start(data_dir=tmp_path, environ=settings)

    assert all(name in str(refusal.value) for name in NAMES)


def test_a_gateway_without_a_key_is_not_served(tmp_path: Path) -> None:
    sandbox = start(data_dir=tmp_path, environ=flutterwave_environ())
    client = Client(sandbox)
    served = client.http.get("/").json()["gateways"]
    fault = {"faults": [{"match": "paystack.verify", "fault": "html"}]}
    refusal = client.http.post("/control/faults", json=fault)
    missing = client.get("/transaction")
    sandbox.stop()

    assert list(served) == ["flutterwave"]
    assert (refusal.status_code, missing.status_code) == (400, 404)


def test_two_gateways_share_one_journal_and_one_clock(tmp_path: Path) -> None:
    sandbox = start(data_dir=tmp_path, environ={**environ(), **flutterwave_environ()})
    client, shop = Client(sandbox), Shop(sandbox)
    client.initialize("same")
    client.pay("same", "pending")
    shop.open("same")
    shop.pay("same", "pending")
    shop.advance(61)
    entries = shop.journal()
    sandbox.stop()

    assert [entry["gateway"] for entry in entries] == ["paystack", "flutterwave"]


def test_what_is_due_waits_while_its_gateway_is_not_served(tmp_path: Path) -> None:
    both = {**environ(), **flutterwave_environ()}
    first = start(data_dir=tmp_path, environ=both)
    shop = Shop(first)
    shop.open("slow")
    shop.pay("slow", "pending")
    first.stop()

    second = start(data_dir=tmp_path, environ=environ())
    client = Client(second)
    client.initialize("other")
    client.pay("other", "pending")
    client.advance(61)
    meanwhile = client.journal()
    second.stop()
    third = start(data_dir=tmp_path, environ=both)
    shop = Shop(third)
    status = shop.verify("slow")["status"]
    entries = shop.journal()
    third.stop()

    assert [entry["reference"] for entry in meanwhile] == ["other"]
    assert (status, [entry["reference"] for entry in entries]) == ("successful", ["other", "slow"])
