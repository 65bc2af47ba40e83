"""Events as the gateway itself would sign them, for bodies that it never sent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.flutterwave import webhooks as flutterwave
from sandbox.paypal import webhooks as paypal
from sandbox.paypal.certificates import Certificates
from sandbox.paystack import webhooks as paystack
from tests.environment import FLUTTERWAVE_TEST_HASH, PAYPAL_TEST_WEBHOOK, PAYSTACK_TEST_KEY

Event = dict[str, Any]
Headers = dict[str, str]


def signed(event: Event, body: str, folder: Path) -> Event:
    """An event of the same gateway with this body; `folder` holds the keys of the emulated PayPal."""
    return {**event, "body": body, "headers": SIGNERS[event["gateway"]](event["headers"], body, folder)}


def changed(event: Event, folder: Path, **members: Any) -> Event:
    """The event with other members where its gateway keeps the event's id; None removes one."""
    told = json.loads(event["body"])
    place = told if event["gateway"] == "paypal" else told["data"]
    return signed(event, json.dumps(_replaced(told, place, members)), folder)


def about_transaction(event: Event, gateway_id: Any, folder: Path) -> Event:
    """The event, telling of another transaction."""
    told = json.loads(event["body"])
    place = told["resource"] if event["gateway"] == "paypal" else told["data"]
    return signed(event, json.dumps(_replaced(told, place, {"id": gateway_id})), folder)


def rearranged(event: Event, folder: Path) -> Event:
    """The same news in other bytes."""
    told = json.loads(event["body"])
    return signed(event, json.dumps(dict(reversed(told.items())), indent=3), folder)


def _replaced(told: Event, place: Event, members: dict[str, Any]) -> Event:
    for name, value in members.items():
        place[name] = value
        if value is None:
            del place[name]
    return told


def _as_paystack(headers: Headers, body: str, folder: Path) -> Headers:
    return {paystack.SIGNATURE_HEADER: paystack.sign(body, PAYSTACK_TEST_KEY)}


def _as_flutterwave(headers: Headers, body: str, folder: Path) -> Headers:
    return {
        flutterwave.HASH_HEADER: FLUTTERWAVE_TEST_HASH,
        flutterwave.HMAC_HEADER: flutterwave.sign(body, FLUTTERWAVE_TEST_HASH),
    }


def _as_paypal(headers: Headers, body: str, folder: Path) -> Headers:
    message = paypal.signed_message(headers, PAYPAL_TEST_WEBHOOK, body.encode())
    return {**headers, "PAYPAL-TRANSMISSION-SIG": Certificates(folder).sign(message)}


SIGNERS: dict[str, Callable[[Headers, str, Path], Headers]] = {
    "paystack": _as_paystack,
    "flutterwave": _as_flutterwave,
    "paypal": _as_paypal,
}
