"""The gateway's own Node.js library works against the emulator as it does against Flutterwave.

It needs `node`, and the library in `node_modules` beside this file: `npm ci` puts it there. Without them
these tests are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.requires import skip_without
from tests.sandbox.flutterwave.conftest import KEY, Shop

FOLDER = Path(__file__).parent
ROOT = Path(__file__).parents[3]
DRIVER = Path(__file__).with_name("sdk_driver.js")
PACKAGE = "flutterwave-node-v3"
PUBLIC_KEY = "FLWPUBK_TEST-sandbox-X"
Call = tuple[str, str, dict[str, Any]]


class Library:
    """The library in a process of its own, sent to one sandbox."""

    def __init__(self, node: str, package: Path, url: str, state: Path) -> None:
        self._command = [node, str(DRIVER), str(package), f"{url}/flutterwave", PUBLIC_KEY, KEY]
        self._env = {"PATH": os.environ["PATH"], "FLW_SDK_STATE_PATH": str(state)}
        self.sent: list[str] = []
        self.refused: list[str] = []

    def __call__(self, *calls: Call) -> list[Any]:
        command = [*self._command, json.dumps(calls)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=self._env)
        told = json.loads(done.stdout)
        self.sent += told["sent"]
        self.refused += told["refused"]
        return list(told["answers"])


@pytest.fixture
def library(shop: Shop, tmp_path: Path) -> Library:
    node, package = shutil.which("node"), FOLDER / "node_modules" / PACKAGE
    if node is None or not (package / "package.json").is_file():
        skip_without(
            "node",
            f"node or {PACKAGE} is not here; with node and npm: npm ci --prefix {FOLDER.relative_to(ROOT)}",
        )
    return Library(node, package, shop.sandbox.url, tmp_path / "sdk.json")


def test_a_payment_is_verified_refunded_and_listed(shop: Shop, library: Library) -> None:
    number = shop.paid()["id"]

    verified, by_reference, refunded, listed = library(
        ("Transaction", "verify", {"id": number}),
        ("Transaction", "verify_by_tx", {"tx_ref": "r-1"}),
        ("Transaction", "refund", {"id": str(number), "amount": 1_000.5}),
        ("Transaction", "fetch", {"tx_ref": "r-1", "page": "1"}),
    )

    assert verified == by_reference == shop.ask().json()
    assert (refunded["status"], refunded["data"]["tx_id"]) == ("success", number)
    assert refunded["data"]["amount_refunded"] == 1_000.5
    assert [row["id"] for row in listed["data"]] == [str(number)]
    shop.advance(31)
    assert [entry["amount_minor"] for entry in shop.journal()] == [500_000, 100_050]


def test_a_token_is_charged(shop: Shop, library: Library) -> None:
    charge = {
        "token": shop.token(),
        "currency": "NGN",
        "amount": 700.25,
        "email": "ada@example.com",
        "narration": "October",
        "tx_ref": "c-1",
    }
    shop.set_next("success", "insufficient_funds")

    charged, again, declined = library(
        ("Tokenized", "charge", charge),
        ("Tokenized", "charge", charge),
        ("Tokenized", "charge", {**charge, "tx_ref": "c-2"}),
    )

    assert (charged["data"]["status"], charged["data"]["amount"]) == ("successful", 700.25)
    assert again == {"status": "error", "message": "Duplicate transaction reference", "data": None}
    assert (declined["status"], declined["data"]["status"]) == ("success", "failed")
    moves = [(entry["reference"], entry["amount_minor"], entry["ok"]) for entry in shop.journal()[1:]]
    assert moves == [("c-1", 70_025, True), ("c-2", 70_025, False)]


def test_a_fee_is_asked_and_a_hook_sent_again(shop: Shop, library: Library) -> None:
    number = shop.paid()["id"]

    fee, hook = library(
        ("Transaction", "fee", {"amount": "1000", "currency": "NGN"}),
        ("Transaction", "resend_hooks", {"id": number}),
    )

    assert (fee["data"]["fee"], hook["data"]) == (20, "hook sent")
    assert len(shop.events()) == 2


def test_nothing_it_calls_of_its_own_accord_leaves_this_machine(shop: Shop, library: Library) -> None:
    (unknown,) = library(("Transaction", "verify", {"id": 1}))

    assert unknown["message"] == "No transaction was found for this id"
    assert library.sent == ["GET /v3/transactions/1/verify"]
    assert "api.ravepay.co" in library.refused
