"""Paystack keeps the contract of every adapter."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping

import pytest

from tests.environment import PAYSTACK_TEST_KEY
from tests.gateways.contract import *  # noqa: F403
from tests.gateways.contract_faults import *  # noqa: F403
from tests.gateways.emulated import CALM, AdapterCase, Signed
from tillgate.gateways.paystack import wire
from tillgate.gateways.paystack.gateway import PaystackGateway
from tillgate.gateways.protocol import ChargesSaved, ForgetsSaved, Gateway, GatewayAccount, ListsDisputes
from tillgate.money import Money

HEADER = "x-paystack-signature"


def sign(key: str, body: bytes, algorithm: str = "sha512") -> str:
    return hmac.new(key.encode(), body, algorithm).hexdigest()


def forgeries(headers: Mapping[str, str], body: bytes) -> Iterator[Signed]:
    genuine, key = headers[HEADER], PAYSTACK_TEST_KEY
    for position in range(0, len(body), max(1, len(body) // 100)):
        yield headers, body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
    for position in range(0, 128, 2):
        flipped = "0" if genuine[position] != "0" else "1"
        yield {HEADER: genuine[:position] + flipped + genuine[position + 1 :]}, body
    for length in range(0, 128, 4):
        yield {HEADER: genuine[:length]}, body
    for other in (
        body + b" ",
        b" " + body,
        body + b"\n",
        body[:-1],
        b"",
        body.replace(b":", b": "),
        body * 2,
    ):
        yield headers, other
    for algorithm in ("md5", "sha1", "sha256", "sha384", "sha3_512", "blake2b"):
        yield {HEADER: sign(key, body, algorithm)}, body
    for wrong in ("", " ", key.upper(), key[:-1], f"{key} ", f" {key}", "sk_test_", "null", "undefined"):
        yield {HEADER: sign(wrong, body)}, body
    yield {HEADER: hashlib.sha512(body).hexdigest()}, body
    yield {HEADER: hashlib.sha512(key.encode() + body).hexdigest()}, body
    for changed in (
        genuine.upper(),
        f"{genuine} ",
        f" {genuine}",
        f"{genuine}00",
        f"sha512={genuine}",
        f"{genuine}, {genuine}",
        f"{genuine},{'0' * 128}",
        f'"{genuine}"',
        f"{genuine}\x00",
        "é" * 128,
        "\ud800" * 128,
        "0" * 128,
        "*",
        "true",
        " ",
        "x" * 10_000_000,
    ):
        yield {HEADER: changed}, body
    yield {}, body
    yield {HEADER.upper(): genuine}, body
    yield {"x-signature": genuine}, body


CASE = AdapterCase(
    gateway="paystack",
    credentials={"secret_key": PAYSTACK_TEST_KEY},
    wrong_credentials={"secret_key": "sk_test_of_somebody_else"},
    amount=Money(500_000, "NGN"),
    fee=Money(17_500, "NGN"),
    unsupported=Money(5_000, "KWD"),
    blank=tuple({"secret_key": blank} for blank in ("", " ", "\t\r\n", "\u00a0")),
    sign_with=lambda credentials, body: {HEADER: sign(credentials["secret_key"], body)},
    forgeries=forgeries,
    words=wire.PAYMENT_STATES,
    declines={
        "declined": "declined",
        "insufficient_funds": "insufficient_funds",
        "expired_card": "expired_card",
        "do_not_honor": "do_not_honor",
    },
    read_decline=wire.read_decline,
)


@pytest.fixture
def case() -> AdapterCase:
    return CASE


def test_it_satisfies_the_protocols() -> None:
    account = GatewayAccount(
        gateway="paystack", mode="test", base_url="http://127.0.0.1:9", credentials=CASE.credentials
    )
    paystack = PaystackGateway(account, CALM)
    # The types say it to mypy, and the instances to the running product.
    gateway: Gateway = paystack
    charges: ChargesSaved = paystack
    disputes: ListsDisputes = paystack
    forgets: ForgetsSaved = paystack

    assert gateway.name == "paystack"
    assert isinstance(charges, ChargesSaved)
    assert isinstance(disputes, ListsDisputes)
    assert isinstance(forgets, ForgetsSaved)
    assert (charges.charge_key_kept, charges.refuses_repeated_charges) == (None, True)
