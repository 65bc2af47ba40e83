"""What is still known after the sandbox was stopped, and what settings it starts with."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import SettingsError
from sandbox.flutterwave import read_settings
from sandbox.server import start
from tests.sandbox.flutterwave.conftest import KEY, Shop, environ


def test_a_restart_loses_neither_money_nor_memory(tmp_path: Path) -> None:
    before = start(data_dir=tmp_path, environ=environ())
    shop = Shop(before)
    code = shop.token()
    shop.set_next("insufficient_funds")
    refund_id = shop.refund(shop.verify("first")["id"], amount=100).json()["data"]["id"]
    page = shop.open("slow").rsplit("/", 1)[1]
    shop.pay("slow", "pending")
    slow_id = shop.verify("slow")["id"]
    before.stop()

    after = start(data_dir=tmp_path, environ=environ())
    shop = Shop(after)

    assert shop.http.get(f"/flutterwave/hosted/pay/{page}").status_code == 200
    assert shop.charge(code).json()["data"]["processor_response"] == "Insufficient Funds"
    shop.advance(61)
    assert (shop.verify("slow")["status"], shop.verify("slow")["id"]) == ("successful", slow_id)
    assert shop.get(f"/refunds/{refund_id}").json()["data"]["status"] == "completed"
    assert shop.paid("new")["id"] > slow_id
    assert [entry["seq"] for entry in shop.journal()] == [1, 2, 3, 4, 5]
    after.stop()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"SECRET_KEY": "sk_test_x"}, "FLWSECK_TEST-sandbox-X"),
        ({"SECRET_KEY": f"{KEY},FLWPUBK_TEST-x-X"}, "FLWSECK_TEST-sandbox-X"),
        ({"WEBHOOK_URL": "ftp://x.test"}, "WEBHOOK_URL"),
        ({"WEBHOOK_URL": "http://[x"}, "WEBHOOK_URL"),
        ({"WEBHOOK_HASH": "two words"}, "WEBHOOK_HASH"),
        ({"WEBHOOK_HASH": "h\r\nx: y"}, "WEBHOOK_HASH"),
        ({"WEBHOOK_SHAPE": "round"}, "new, legacy"),
        ({"SIGNATURE": "none"}, "both, hash, hmac"),
        ({"REFUND_WEBHOOKS": "yes"}, "off, on"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        read_settings(environ(**change))


def test_keys_tell_the_mode() -> None:
    settings = read_settings(environ())

    assert settings is not None
    assert [account.mode for account in settings.accounts] == ["test", "live"]
    assert read_settings({}) is None
