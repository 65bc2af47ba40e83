"""The page for a person with a browser: every gateway, its money, its faults, and the clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import start
from tests.sandbox.conftest import Client, environ
from tests.sandbox.flutterwave.conftest import Shop
from tests.sandbox.flutterwave.conftest import environ as flutterwave_environ

HTML = {"Accept": "text/html"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    sandbox = start(data_dir=tmp_path, environ={**environ(), **flutterwave_environ()})
    yield Client(sandbox)
    sandbox.stop()


def page(client: Client, path: str = "/") -> str:
    return client.http.get(path, headers=HTML).text


def section(text: str, gateway: str) -> str:
    """The card of one gateway."""
    return next(part for part in text.split('<section class="card">') if f'id="{gateway}"' in part)


def test_every_gateway_is_shown_with_its_address(client: Client) -> None:
    text = page(client)

    assert "<h1>Payment gateways, offline</h1>" in text
    for name, title in (("paystack", "Paystack"), ("flutterwave", "Flutterwave")):
        assert f">{title}</h2>" in section(text, name)
        assert f"{client.sandbox.url}/{name}</code>" in section(text, name)


def test_front_page_and_control_page_are_one(client: Client) -> None:
    without_clock = [re.sub("It is .+? here", "", page(client, path)) for path in ("/", "/control")]

    assert without_clock[0] == without_clock[1]


def test_newest_movements_stand_with_their_gateway(client: Client) -> None:
    for number in range(7):
        client.initialize(f"paystack-{number}")
        client.pay(f"paystack-{number}")
    shop = Shop(client.sandbox)
    shop.open("flutterwave-1", amount="1234567.5")
    shop.pay("flutterwave-1")
    shop.paid("flutterwave-2", currency="UGX", amount=70_000)
    shop.open("flutterwave-3")
    shop.pay("flutterwave-3", "decline")

    text = page(client)

    theirs = section(text, "paystack")
    assert re.findall(r"paystack-\d", theirs) == [f"paystack-{number}" for number in (6, 5, 4, 3, 2)]
    assert "flutterwave-1" not in theirs
    ours = section(text, "flutterwave")
    assert "NGN 1,234,567.50" in ours
    assert "UGX 70,000<" in ours
    assert "charge: nothing moved" in ours


def test_before_any_money_has_moved_the_page_says_so(client: Client) -> None:
    assert page(client).count("No money has moved yet.") == 2


def test_each_gateway_has_its_own_fault_switches(client: Client) -> None:
    ours = section(page(client), "flutterwave")

    assert "<option>flutterwave.tokenized</option>" in ours
    assert "<option>flutterwave.event</option>" in ours
    assert "<option>lookup_lag</option>" in ours
    assert "paystack" not in ours
    assert "test_mode" not in ours


def test_a_fault_set_on_the_page_strikes(client: Client) -> None:
    form = {"match": "flutterwave.verify", "fault": "wrong_account", "nth": "1", "times": "1", "args": ""}
    shop = Shop(client.sandbox)
    shop.paid()

    reply = client.http.post("/control/faults", data=form)

    assert (reply.status_code, "wrong_account" in page(client)) == (303, True)
    assert (shop.ask().status_code, shop.ask().status_code) == (400, 200)


@pytest.mark.parametrize("seconds", ["60", "3600", "86400"])
def test_the_clock_moves_by_a_button(client: Client, seconds: str) -> None:
    assert f'name="advance_s" value="{seconds}"' in page(client)
    client.http.post("/control/clock", data={"advance_s": seconds})

    assert client.http.get("/control/clock").json()["offset_s"] == int(seconds)


def test_webhooks_name_their_gateway(client: Client) -> None:
    Shop(client.sandbox).paid("<r-1>")

    text = page(client).split("<h2>Webhooks</h2>")[1]

    assert ("<td>flutterwave</td>" in text, "&lt;r-1&gt;" in text, "<r-1>" in text) == (True, True, False)


def test_labels_and_fields_belong_together(client: Client) -> None:
    text = page(client)
    ids = re.findall(r' id="([^"]+)"', text)

    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<label for="([^"]+)"', text)) <= set(ids)
    assert not re.search(r"<script|src=|https://", text)
