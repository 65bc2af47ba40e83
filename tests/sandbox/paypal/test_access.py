"""Access tokens, settings, and calls that come from nobody."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.errors import SettingsError
from sandbox.paypal.settings import read_settings
from sandbox.server import Sandbox, start
from tests.sandbox.conftest import environ as paystack_environ
from tests.sandbox.paypal.conftest import CLIENT_ID, CLIENT_SECRET, PayPalClient, environ

ROOT = Path(__file__).parents[3]


def test_the_app_gets_a_token(client: PayPalClient) -> None:
    told = client.grant().json()

    assert (told["token_type"], told["expires_in"]) == ("Bearer", 32_400)
    assert client.get("/v2/checkout/orders/NOBODY").status_code == 404


@pytest.mark.parametrize(("client_id", "secret"), [(CLIENT_ID, "wrong"), ("other", CLIENT_SECRET), ("", "")])
def test_a_wrong_app_is_refused_in_the_tokens_own_shape(
    client: PayPalClient, client_id: str, secret: str
) -> None:
    reply = client.grant(client_id, secret)

    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic /w==", "Bearer x", f"Bearer {base64.b64encode(b'a:b').decode()}"],
)
def test_an_odd_header_is_no_app(sandbox: Sandbox, client: PayPalClient, header: str) -> None:
    form = {"grant_type": "client_credentials"}
    reply = client.http.post("/paypal/v1/oauth2/token", data=form, headers={"Authorization": header})

    assert reply.status_code == 401


def test_another_grant_or_a_json_body_is_refused(client: PayPalClient) -> None:
    auth = (CLIENT_ID, CLIENT_SECRET)
    password = client.http.post("/paypal/v1/oauth2/token", data={"grant_type": "password"}, auth=auth)
    json = client.http.post("/paypal/v1/oauth2/token", json={"grant_type": "client_credentials"}, auth=auth)

    assert [reply.json()["error"] for reply in (password, json)] == ["unsupported_grant_type"] * 2


def test_a_token_ends_with_the_sandboxs_clock(client: PayPalClient) -> None:
    client.advance(32_399)
    before = client.get("/v2/checkout/orders/NOBODY").status_code
    client.advance(2)

    after = client.get("/v2/checkout/orders/NOBODY")

    assert (before, after.status_code, after.json()["name"]) == (404, 401, "INVALID_TOKEN")


def test_the_fault_ends_a_token_early(client: PayPalClient) -> None:
    client.fault("order", "token_expired")

    refused = client.post("/v2/checkout/orders", {"intent": "CAPTURE"})
    again = client.get("/v2/checkout/orders/NOBODY")
    client.token = client.grant().json()["access_token"]

    assert (refused.status_code, again.status_code) == (401, 401)
    assert client.create()["status"] == "PAYER_ACTION_REQUIRED"


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc"])
def test_without_a_bearer_it_is_an_authentication_failure(client: PayPalClient, header: str) -> None:
    reply = client.http.get("/paypal/v2/checkout/orders/X", headers={"Authorization": header})

    assert (reply.status_code, reply.json()["name"]) == (401, "AUTHENTICATION_FAILURE")


def test_old_tokens_are_forgotten_and_none_is_written_down(client: PayPalClient, data_dir: Path) -> None:
    client.advance(40_000)

    state = (data_dir / "state.jsonl").read_text()

    assert client.token not in state
    assert state.count('"paypal.access_token"') == 3  # Two came, one went.


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"SANDBOX_PAYPAL_CLIENT_SECRET": ""}, "SANDBOX_PAYPAL_CLIENT_SECRET"),
        ({"SANDBOX_PAYPAL_CLIENT_ID": "a:b"}, "colon"),
        ({"SANDBOX_PAYPAL_WEBHOOK_ID": "WH-1"}, "SANDBOX_PAYPAL_WEBHOOK_ID"),
        ({"SANDBOX_PAYPAL_WEBHOOK_URL": "shop"}, "SANDBOX_PAYPAL_WEBHOOK_URL"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        read_settings({**environ(), **change})


def test_without_a_client_paypal_is_not_served_and_costs_nothing(tmp_path: Path) -> None:
    assert read_settings({}) is None
    code = "import sandbox.server, sys; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    running = start(data_dir=tmp_path, environ=paystack_environ())
    running.stop()

    assert done.stdout.strip() == "False"
    assert list(tmp_path.glob("paypal*")) == []


def test_unknown_paths_and_methods_answer_like_paypal(client: PayPalClient) -> None:
    assert client.get("/v2/nothing").json()["name"] == "RESOURCE_NOT_FOUND"
    assert client.call("PUT", "/v2/checkout/orders").status_code == 404


def test_the_front_page_knows_paypal(client: PayPalClient) -> None:
    client.paid()

    page = client.http.get("/", headers={"Accept": "text/html"}).text

    assert client.http.get("/").json()["gateways"] == {"paypal": f"{client.sandbox.url}/paypal"}
    assert ("PayPal" in page, "paypal.capture" in page, "a-1" in page) == (True, True, True)
