"""PayPal keeps the contract of every adapter."""

import base64
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from sandbox.paypal.authority import CA_FILE
from tests.environment import PAYPAL_TEST_ID, PAYPAL_TEST_SECRET, PAYPAL_TEST_WEBHOOK
from tests.gateways.contract import *  # noqa: F403
from tests.gateways.contract_faults import *  # noqa: F403
from tests.gateways.emulated import CALM, AdapterCase, Signed
from tests.gateways.paypal.signing import Signer
from tillgate.gateways.paypal import wire
from tillgate.gateways.paypal.gateway import PayPalGateway
from tillgate.gateways.protocol import (
    CapturesApproved,
    CertificateTrust,
    ChargesSaved,
    Failure,
    ForgetsSaved,
    Gateway,
    GatewayAccount,
    ListsDisputes,
    RefundState,
    RepeatsRefunds,
)
from tillgate.money import Money

ID, TIME, SIG = "paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig"
CERT, ALGO = "paypal-cert-url", "paypal-auth-algo"
STRANGER = Signer()
OUR_OWN_URL = "https://shop.example/webhooks/paypal"


def forgeries(headers: Mapping[str, str], body: bytes) -> Iterator[Signed]:
    yield from _changed_bytes(headers, body)
    yield from _changed_headers(headers, body)
    yield from _signed_by_others(headers, body)


def _changed_bytes(headers: Mapping[str, str], body: bytes) -> Iterator[Signed]:
    genuine = headers[SIG]
    for position in range(0, len(body), max(1, len(body) // 100)):
        yield headers, body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
    for position in range(0, 344, 4):
        flipped = "A" if genuine[position] != "A" else "B"
        yield {**headers, SIG: genuine[:position] + flipped + genuine[position + 1 :]}, body
    for length in range(0, 344, 8):
        yield {**headers, SIG: genuine[:length]}, body
    for other in (
        body + b" ",
        b" " + body,
        body + b"\n",
        body[:-1],
        b"",
        body * 2,
        body.replace(b":", b": "),
    ):
        yield headers, other


def _changed_headers(headers: Mapping[str, str], body: bytes) -> Iterator[Signed]:
    genuine = headers[SIG]
    for name in (ID, TIME, SIG, CERT, ALGO):
        yield {other: value for other, value in headers.items() if other != name}, body
        for changed in (
            "",
            " ",
            "é",
            "\ud800",
            "|",
            f"{headers[name]} ",
            f" {headers[name]}",
            "x" * 1_000_000,
        ):
            yield {**headers, name: changed}, body
    for algorithm in ("SHA1withRSA", "SHA512withRSA", "sha256withrsa", "none", "SHA256withRSA,none"):
        yield {**headers, ALGO: algorithm}, body
    for changed in (
        genuine + "=",
        genuine[:-2],
        genuine.replace("==", "=A"),
        genuine.lower(),
        f"{genuine}\n",
    ):
        yield {**headers, SIG: changed}, body
    yield {**headers, ID: f"{headers[ID]}|{headers[TIME]}"}, body
    yield {**headers, TIME: "2020-01-01T00:00:00Z"}, body
    yield {name.upper(): value for name, value in headers.items()}, body


def _signed_by_others(headers: Mapping[str, str], body: bytes) -> Iterator[Signed]:
    for webhook_id in ("WEBHOOK_ID", "", "null", PAYPAL_TEST_WEBHOOK.lower(), PAYPAL_TEST_WEBHOOK + "X"):
        yield STRANGER.headers(body, webhook_id, url=headers[CERT]), body
    yield STRANGER.headers(body, PAYPAL_TEST_WEBHOOK, url=headers[CERT]), body
    yield {**headers, SIG: base64.b64encode(bytes(256)).decode()}, body
    yield {**headers, SIG: base64.b64encode(zlib.crc32(body).to_bytes(256, "big")).decode()}, body


def sign_with(credentials: Mapping[str, str], body: bytes) -> Mapping[str, str]:
    return STRANGER.headers(body, credentials["webhook_id"], url=STRANGER.real_url)


def read_decline(word: str) -> Failure:
    amount = {"currency_code": "USD", "value": "1.00"}
    # Without any word a decline is a plain one; so here it is said to be odd.
    details = {"reason": word or "?"}
    capture = {"id": "1AB", "status": "DECLINED", "amount": amount, "status_details": details}
    failure = wire.read_capture(capture).failure
    assert failure is not None
    return failure


CREDENTIALS = {
    "client_id": PAYPAL_TEST_ID,
    "client_secret": PAYPAL_TEST_SECRET,
    "webhook_id": PAYPAL_TEST_WEBHOOK,
    "webhook_verification": "certificate",
}
CASE = AdapterCase(
    gateway="paypal",
    credentials=CREDENTIALS,
    wrong_credentials={
        **CREDENTIALS,
        "client_secret": "the-secret-of-somebody-else",
        "webhook_id": "WEBHOOKOFSOMEBODYELSE",
    },
    amount=Money(500_000, "USD"),
    fee=Money(17_499, "USD"),
    unsupported=Money(500_000, "NGN"),
    blank=tuple(
        {**CREDENTIALS, "webhook_id": blank} for blank in ("", " ", "\t\r\n", "\u00a0", "WEBHOOK_ID")
    ),
    sign_with=sign_with,
    forgeries=forgeries,
    start="order",
    look="get",
    find="get",
    refund="refund",
    list="get",
    charge="order",
    forget="vault",
    capture="capture",
    lags="order",
    reverses="capture",
    finds_lost_starts=False,
    channel="paypal",
    slow_channel="paypal",
    other_currency="EUR",
    refund_begins_as=RefundState.SUCCEEDED,
    strange_ids=("9" * 12, "1"),
    refused={"return_url": "nothing"},
    refused_words="return_url|INVALID",
    longest_answer=2_000,
    no_amounts=("null", "-1", "1999.0", "1e3", "NaN", '"1e3"', '"-1.00"', '"0.00"', '"12.505"', "12.5", "[]"),
    words=wire.PAYMENT_STATES,
    declines={
        "insufficient_funds": "declined",
        "declined": "declined",
        "expired_card": "expired_card",
        "refused": "declined",
        "compliance": "compliance",
        "paused": "authentication_failed",
        "deactivated": "method_not_usable",
    },
    read_decline=read_decline,
    lacks={
        "mode in answers": "its hosts are the modes, and answers name neither",
        "two payments": "an order is captured once",
        "other amount": "the customer agrees to the order's sum",
        "fee on top": "the merchant bears the fee",
        "used references": "a repeat under its request id returns the first answer",
        "address of a method": "a wallet is charged by its id alone",
        "signature": "a wallet says nothing about the card behind it",
        "other channels": "whatever the customer has is behind the wallet",
        "one start": "a repeat under its request id returns the first order",
        "status words": "an order's word and its capture's are two; test_wire has the tables",
    },
)


@pytest.fixture(autouse=True)
def _token_at_hand(request):
    """A hasty adapter's time is for the call that a test is about, not for its token."""
    if "emulated" in request.fixturenames:
        request.getfixturevalue("emulated").gateway.fetch_transaction("NOBODY")


@pytest.fixture
def case(paypal_authority) -> AdapterCase:
    ca_file = str(paypal_authority / CA_FILE)
    return replace(CASE, trust=lambda sandbox: CertificateTrust(origin=sandbox.url, ca_file=ca_file))


def test_it_satisfies_the_protocols() -> None:
    account = GatewayAccount(
        gateway="paypal", mode="test", base_url="http://127.0.0.1:9", credentials=CREDENTIALS
    )
    paypal = PayPalGateway(account, CALM)
    # The types say it to mypy, and the instances to the running product.
    gateway: Gateway = paypal
    captures: CapturesApproved = paypal
    charges: ChargesSaved = paypal
    disputes: ListsDisputes = paypal
    forgets: ForgetsSaved = paypal
    refunds: RepeatsRefunds = paypal

    assert gateway.name == "paypal"
    for ability in (CapturesApproved, ChargesSaved, ForgetsSaved, ListsDisputes, RepeatsRefunds):
        assert isinstance(paypal, ability)
    assert captures.capture_key_kept == charges.charge_key_kept
    assert not charges.refuses_repeated_charges
    assert forgets.forget_saved is not None
    assert refunds.refund_key_kept.days == 45
    assert disputes.list_disputes is not None
