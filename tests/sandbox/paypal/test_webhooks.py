"""Webhooks, verified as a receiver does that knows nothing of the sandbox but its authority."""

from __future__ import annotations

import base64
import json
import stat
import time
import zlib
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.verification import PolicyBuilder, Store

from sandbox.server import start
from tests.loopback import NO_TLS
from tests.sandbox.conftest import Receiver, wait_for
from tests.sandbox.paypal.conftest import WEBHOOK_ID, PayPalClient, draft, environ, taken

VERIFY = "/v1/notifications/verify-webhook-signature"
HOST = "messageverificationcerts.sandbox.paypal.com"


def chain(url: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(httpx.get(url, trust_env=False, verify=NO_TLS).content)


def is_signed(headers: dict[str, str], body: bytes, webhook_id: str = WEBHOOK_ID) -> bool:
    public = chain(headers["paypal-cert-url"])[0].public_key()
    assert isinstance(public, RSAPublicKey)
    parts = headers["paypal-transmission-id"], headers["paypal-transmission-time"], webhook_id
    message = "|".join((*parts, str(zlib.crc32(body) & 0xFFFFFFFF))).encode()
    try:
        public.verify(base64.b64decode(headers["paypal-transmission-sig"]), message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def postback(headers: dict[str, str], body: bytes, **change: Any) -> bytes:
    """The verification call, with the original bytes spliced in."""
    members = {
        "auth_algo": headers["paypal-auth-algo"],
        "cert_url": headers["paypal-cert-url"],
        "transmission_id": headers["paypal-transmission-id"],
        "transmission_sig": headers["paypal-transmission-sig"],
        "transmission_time": headers["paypal-transmission-time"],
        "webhook_id": WEBHOOK_ID,
        **change,
    }
    return json.dumps(members)[:-1].encode() + b', "webhook_event" : ' + body + b" }"


def verdict(client: PayPalClient, content: bytes) -> str:
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
    reply = client.http.post(f"/paypal{VERIFY}", content=content, headers=headers)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["verification_status"])


def test_the_exact_bytes_are_signed(client: PayPalClient, receiver: Receiver) -> None:
    client.paid()

    (first, opened), (second, captured) = receiver.wait(2)

    assert is_signed(first, opened)
    assert is_signed(second, captured)
    assert not is_signed(first, captured)
    assert not is_signed(second, captured + b" ")
    assert not is_signed(second, captured, "WEBHOOK2")
    assert (second["paypal-auth-algo"], second["paypal-auth-version"]) == ("SHA256withRSA", "v2")


def test_the_time_of_sending_is_real_time(client: PayPalClient, receiver: Receiver) -> None:
    client.advance(30 * 86_400)
    client.create()
    client.pay()

    headers, body = receiver.wait(1)[0]

    sent = datetime.strptime(headers["paypal-transmission-time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    created = datetime.fromisoformat(json.loads(body)["create_time"])
    assert abs(sent.timestamp() - time.time()) < 10
    assert created.timestamp() > time.time() + 29 * 86_400


def test_the_certificate_was_signed_by_the_sandboxs_authority(
    client: PayPalClient, receiver: Receiver, data_dir: Path
) -> None:
    client.create()
    client.pay()
    leaf, authority = chain(receiver.wait(1)[0][0]["paypal-cert-url"])

    kept = x509.load_pem_x509_certificate((data_dir / "paypal-ca.pem").read_bytes())
    verifier = PolicyBuilder().store(Store([kept])).build_server_verifier(x509.DNSName(HOST))

    assert authority == kept
    assert verifier.verify(leaf, [])[0] == leaf
    assert leaf.not_valid_after_utc.year - datetime.now(UTC).year > 10


def test_the_authority_is_made_once_and_keeps_its_keys_to_itself(tmp_path: Path) -> None:
    start(data_dir=tmp_path, environ=environ()).stop()
    first = {path.name: path.read_bytes() for path in tmp_path.glob("paypal-*")}
    start(data_dir=tmp_path, environ=environ()).stop()
    again = {path.name: path.read_bytes() for path in tmp_path.glob("paypal-*")}

    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("paypal-*.key")}

    assert (again == first, sorted(first)) == (
        True,
        ["paypal-ca.key", "paypal-ca.pem", "paypal-leaf.key", "paypal-leaf.pem"],
    )
    assert modes == {0o600}


def test_paypal_itself_says_whether_a_signature_is_right(client: PayPalClient, receiver: Receiver) -> None:
    client.create()
    client.pay()
    headers, body = receiver.wait(1)[0]
    respelled = json.dumps(json.loads(body), indent=1).encode()

    assert verdict(client, postback(headers, body)) == "SUCCESS"
    assert verdict(client, postback(headers, respelled)) == "FAILURE"
    assert verdict(client, postback(headers, body, webhook_id="ANOTHER")) == "FAILURE"
    assert verdict(client, postback(headers, body, transmission_sig="!")) == "FAILURE"
    assert verdict(client, postback(headers, body, cert_url="https://evil.example/CERT-1")) == "FAILURE"
    assert verdict(client, postback(headers, body, auth_algo="SHA1withRSA")) == "FAILURE"


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{}", 400), (b"[]", 400), (b'{"webhook_event": {}}', 400), (b'{"a": "\xff"}', 400)],
)
def test_a_wrong_verification_call_is_refused(client: PayPalClient, content: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}

    assert client.http.post(f"/paypal{VERIFY}", content=content, headers=headers).status_code == status


def test_the_event_must_be_an_object_and_utf_8(client: PayPalClient, receiver: Receiver) -> None:
    client.create()
    client.pay()
    headers, body = receiver.wait(1)[0]
    auth = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}

    contents = postback(headers, b"[]"), postback(headers, body).decode().encode("utf-16")
    statuses = [
        client.http.post(f"/paypal{VERIFY}", content=one, headers=auth).status_code for one in contents
    ]

    assert statuses == [400, 400]


def test_an_unknown_certificate_is_not_found(client: PayPalClient) -> None:
    assert client.http.get("/paypal/v1/notifications/certs/CERT-1-2-3").status_code == 404


def test_events_carry_what_they_are_about(client: PayPalClient, receiver: Receiver) -> None:
    order = client.paid()
    refund = client.refund(taken(order)["id"]).json()

    approved, captured, refunded = [json.loads(body) for _, body in receiver.wait(3)]

    assert approved["id"].startswith("WH-")
    assert (approved["resource_type"], approved["resource"]["id"]) == ("checkout-order", order["id"])
    assert (captured["resource_type"], captured["resource"]["custom_id"]) == ("capture", "a-1")
    assert captured["resource"]["supplementary_data"]["related_ids"]["order_id"] == order["id"]
    assert (refunded["resource_type"], refunded["resource"]) == ("refund", refund)
    up = next(link["href"] for link in refunded["resource"]["links"] if link["rel"] == "up")
    assert up.endswith(f"/v2/payments/captures/{taken(order)['id']}")


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_success_acknowledges(client: PayPalClient, receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    client.create()
    client.pay()

    event = wait_for(lambda: [one for one in client.events() if one["attempts"]])[0]

    assert event["status"] == "delivered"


def _was_tried(client: PayPalClient, tries: int) -> bool:
    return bool(client.events()[0]["attempts"] == tries)


def test_it_is_tried_again_25_times_in_three_days(client: PayPalClient, receiver: Receiver) -> None:
    receiver.statuses = [500, 302, 404] + [503] * 30
    client.create()
    client.pay()
    for tries in range(1, 26):
        wait_for(partial(_was_tried, client, tries))
        client.advance(3 * 86_400 // 25 + 1)

    wait_for(lambda: client.events()[0]["status"] == "given_up")

    assert len(receiver.received) == 26
    assert len({body for _, body in receiver.received}) == 1


def test_a_forged_event_comes_with_a_signature_of_another_key(
    client: PayPalClient, receiver: Receiver
) -> None:
    client.fault("event", "event_forge")
    client.create()
    client.pay()

    (forged, body), (good, same) = receiver.wait(2)

    assert (is_signed(forged, body), is_signed(good, same), body == same) == (False, True, True)
    assert verdict(client, postback(forged, body)) == "FAILURE"


def test_event_faults_work_here_too(client: PayPalClient, receiver: Receiver) -> None:
    client.fault("event", "event_drop", event="CHECKOUT.ORDER.APPROVED")
    client.fault("event", "event_dup", event="PAYMENT.CAPTURE.COMPLETED", copies=2)
    client.paid()

    bodies = [json.loads(body) for _, body in receiver.wait(3)]

    assert {body["event_type"] for body in bodies} == {"PAYMENT.CAPTURE.COMPLETED"}
    assert len({body["id"] for body in bodies}) == 1


def test_an_event_may_come_before_the_answer(client: PayPalClient, receiver: Receiver) -> None:
    vault_id = client.saved()
    receiver.wait(3)
    client.fault("event", "event_early")

    client.charge(vault_id)
    answered_at = time.monotonic()

    assert receiver.received_at[3] < answered_at


def test_without_an_address_events_are_held(data_dir: Path) -> None:
    sandbox = start(data_dir=data_dir, environ=environ())
    client = PayPalClient(sandbox)
    client.post("/v2/checkout/orders", draft())
    client.pay()
    events = client.events()
    sandbox.stop()

    assert [event["status"] for event in events] == ["held"]
