"""Flutterwave keeps the contract of every adapter."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from sandbox import server as sandbox_server
from tests.environment import FLUTTERWAVE_TEST_HASH, FLUTTERWAVE_TEST_KEY, SANDBOX_ENVIRON
from tests.gateways.contract import *  # noqa: F403
from tests.gateways.contract_faults import *  # noqa: F403
from tests.gateways.emulated import CALM, AdapterCase, Emulated, Signed
from tillgate.gateways.errors import MethodRefused
from tillgate.gateways.flutterwave import wire
from tillgate.gateways.flutterwave.gateway import FlutterwaveGateway
from tillgate.gateways.protocol import (
    ChargesSaved,
    ForgetsSaved,
    Gateway,
    GatewayAccount,
    GatewayState,
    ListsDisputes,
)
from tillgate.money import Money

HASH, HMAC = "verif-hash", "flutterwave-signature"
KEY = FLUTTERWAVE_TEST_HASH
FLUTTERWAVE_ONLY = {name: value for name, value in SANDBOX_ENVIRON.items() if "FLUTTERWAVE" in name}


def sign(key: str, body: bytes, algorithm: str = "sha256") -> str:
    return base64.b64encode(hmac.new(key.encode(), body, algorithm).digest()).decode()


def forgeries(headers: Mapping[str, str], body: bytes) -> Iterator[Signed]:
    genuine = headers[HMAC]
    for position in range(0, len(body), max(1, len(body) // 100)):
        yield headers, body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
    for position in range(len(genuine) - 2):  # The last letter before the padding has bits to spare.
        flipped = "A" if genuine[position] != "A" else "B"
        wrong = genuine[:position] + flipped + genuine[position + 1 :]
        yield {HMAC: wrong}, body
        yield {**headers, HMAC: wrong}, body
    for length in range(0, len(genuine), 4):
        yield {HMAC: genuine[:length]}, body
    for length in range(len(KEY)):
        yield {HASH: KEY[:length]}, body
        yield {**headers, HASH: KEY[:length]}, body
    for other in (body + b" ", b" " + body, body[:-1], b"", body.replace(b":", b": "), body * 2):
        yield headers, other
        yield {HMAC: genuine}, other
    for algorithm in ("md5", "sha1", "sha384", "sha512", "sha3_256", "blake2s"):
        yield {HMAC: sign(KEY, body, algorithm)}, body
    yield from (
        (headers_of(key, body), body) for key in (KEY.upper(), f"{KEY} ", f" {KEY}", "undefined", "x")
    )
    # The plain form in that header is somebody else's convention, and would bind no body.
    yield {HMAC: KEY}, body
    yield {HASH: KEY, HMAC: KEY}, body
    yield {HASH: genuine}, body
    yield {HMAC: hmac.new(KEY.encode(), body, "sha256").hexdigest()}, body
    yield {HMAC: base64.b64encode(hashlib.sha256(KEY.encode() + body).digest()).decode()}, body
    for changed in (
        f"{genuine}, {genuine}",
        f'"{genuine}"',
        f"sha256={genuine}",
        "é" * 44,
        "\ud800",
        "",
        "*",
    ):
        yield {HMAC: changed}, body
        yield {HASH: changed}, body
        yield {HASH: KEY, HMAC: changed}, body
    yield {HASH: "x" * 10_000_000}, body
    yield {}, body
    yield {HASH.upper(): KEY, "x-signature": genuine}, body


def headers_of(secret_hash: str, body: bytes) -> Mapping[str, str]:
    return {HASH: secret_hash, HMAC: sign(secret_hash, body)}


CASE = AdapterCase(
    gateway="flutterwave",
    credentials={"secret_key": FLUTTERWAVE_TEST_KEY, "webhook_hash": FLUTTERWAVE_TEST_HASH},
    wrong_credentials={
        "secret_key": "FLWSECK_TEST-of-somebody-else-X",
        "webhook_hash": "the-hash-of-somebody-else",
    },
    blank=tuple(
        {"secret_key": FLUTTERWAVE_TEST_KEY, "webhook_hash": blank} for blank in ("", " ", "\t\r\n", "\u00a0")
    ),
    sign_with=lambda credentials, body: headers_of(credentials["webhook_hash"], body),
    forgeries=forgeries,
    amount=Money(500_000, "NGN"),
    fee=Money(10_000, "NGN"),
    unsupported=Money(5_000, "JPY"),
    start="payments",
    charge="tokenized",
    lags="payments",
    # Flutterwave knows a transaction only once the customer has tried to pay.
    unpaid=GatewayState.ABSENT,
    finds_lost_starts=False,
    no_amounts=(
        "null",
        "-1",
        "1999.005",
        "1e3",
        "1e400",
        "NaN",
        '"12.505"',
        "true",
        "[]",
        "{}",
        "1" * 40,
        "0",
    ),
    words=wire.PAYMENT_STATES,
    declines={
        "declined": "declined",
        "insufficient_funds": "insufficient_funds",
        "expired_card": "expired_card",
        "do_not_honor": "do_not_honor",
    },
    read_decline=wire.read_decline,
    lacks={
        "mode in answers": "only the key tells it",
        "reversal": "a refunded transaction stays `successful`, and chargebacks are told outside the API",
        "one start": "a used tx_ref makes another link, and each try is a transaction of its own",
        "signature": "a card's token is new with each payment, and nothing else names the card",
        "duplicate start": "a used tx_ref makes another link",
    },
)


@pytest.fixture
def case() -> AdapterCase:
    return CASE


def test_it_satisfies_the_protocols() -> None:
    account = GatewayAccount(
        gateway="flutterwave", mode="test", base_url="http://127.0.0.1:9", credentials=CASE.credentials
    )
    flutterwave = FlutterwaveGateway(account, CALM)
    # The types say it to mypy, and the instances to the running product.
    gateway: Gateway = flutterwave
    charges: ChargesSaved = flutterwave

    assert gateway.name == "flutterwave"
    assert isinstance(charges, ChargesSaved)
    assert (charges.charge_key_kept, charges.refuses_repeated_charges) == (None, False)
    assert not isinstance(gateway, ForgetsSaved | ListsDisputes)


def test_a_token_is_refused_as_a_method_after_its_year(emulated, gateway):
    _, method = emulated.saved()
    emulated.advance(366 * 86_400)

    with pytest.raises(MethodRefused, match="expired"):
        gateway.charge_saved(emulated.charge_of(method))


def test_a_try_that_failed_later_does_not_hide_the_money(emulated, gateway):
    attempt = emulated.started()
    request = emulated.request(gateway_reference=attempt.gateway_reference)
    emulated.pay(attempt)
    first = gateway.fetch_payment(attempt)
    gateway.start_payment(request)  # Another page under the same reference.
    emulated.pay(attempt, "decline")

    snapshot = gateway.fetch_payment(attempt)

    assert (snapshot.state, snapshot.gateway_id) == (GatewayState.SUCCEEDED, first.gateway_id)
    assert [entry["ok"] for entry in emulated.journal()] == [True, False]


def test_money_on_its_way_is_not_hidden_by_a_try_that_failed_later(emulated, gateway):
    attempt = emulated.started()
    emulated.pay(attempt, "pending")
    waiting = gateway.fetch_payment(attempt)
    emulated.pay(attempt, "decline")

    snapshot = gateway.fetch_payment(attempt)

    assert (snapshot.state, snapshot.gateway_id) == (GatewayState.PROCESSING, waiting.gateway_id)


def test_of_twenty_tries_the_one_that_paid_is_found(emulated, gateway):
    attempt = emulated.started()
    emulated.pay(attempt)
    paid = gateway.fetch_payment(attempt)
    gateway.start_payment(emulated.request(gateway_reference=attempt.gateway_reference))
    for _ in range(20):
        emulated.pay(attempt, "decline")

    assert gateway.fetch_payment(attempt).gateway_id == paid.gateway_id


def test_refunds_on_later_pages_are_found_and_none_twice(emulated, gateway, case):
    attempt, _ = emulated.paid()
    other, _ = emulated.paid()
    made = [gateway.refund(attempt, case.part(50), key=f"REF_{number}") for number in range(3)]
    for number in range(25):
        gateway.refund(other, case.part(50), key=f"REF_{number}")

    assert [one.gateway_id for one in emulated.refunds_of(attempt)] == [one.gateway_id for one in made[::-1]]


@pytest.mark.parametrize("hours", [-11, 0, 1, 14])
def test_a_refund_is_listed_whatever_zone_the_day_is_reckoned_in(emulated, gateway, case, hours):
    attempt, _ = emulated.paid()
    made = gateway.refund(attempt, case.part(5), key="REF_1")
    since = emulated.now().astimezone(timezone(timedelta(hours=hours)))

    assert [one.gateway_id for one in gateway.list_refunds(attempt, since=since)] == [made.gateway_id]


def test_francs_are_asked_for_told_and_refunded_whole(emulated, gateway):
    attempt = emulated.started(amount=Money(5_025, "XOF"))
    emulated.pay(attempt)
    snapshot = gateway.fetch_payment(attempt)
    named = replace(attempt, gateway_id=snapshot.gateway_id)

    refund = gateway.refund(named, Money(25, "XOF"), key="REF_1")

    assert (snapshot.amount, snapshot.requested) == (Money(5_025, "XOF"), Money(5_025, "XOF"))
    assert refund.amount == emulated.refunds_of(named)[0].amount == Money(25, "XOF")


@pytest.mark.parametrize("minor", [1, 10, 35_247, 99_999_999_999, 999_999_999_999])
def test_what_is_sent_is_what_is_asked_for_to_the_last_kobo(emulated, gateway, minor):
    attempt = emulated.started(amount=Money(minor, "NGN"))
    emulated.pay(attempt)

    assert gateway.fetch_payment(attempt).amount == Money(minor, "NGN")


def test_a_charge_that_waits_for_the_customer_is_not_over(emulated, gateway):
    first, method = emulated.saved()
    emulated.control("methods", first, next=["paused"])

    snapshot = gateway.charge_saved(emulated.charge_of(method))

    assert snapshot.state == GatewayState.PROCESSING
    assert len(emulated.journal()) == 1


@pytest.mark.parametrize("shape", ["new", "legacy"])
@pytest.mark.parametrize("signature", ["hash", "hmac", "both"])
def test_every_shape_of_event_is_known_by_every_signature(case, tmp_path, shape, signature):
    switches = {"WEBHOOK_SHAPE": shape, "SIGNATURE": signature}
    environ = {f"SANDBOX_FLUTTERWAVE_{name}": value for name, value in switches.items()}
    running = sandbox_server.start(data_dir=tmp_path, port=0, environ={**FLUTTERWAVE_ONLY, **environ})
    emulated = Emulated(case, running)
    try:
        attempt, snapshot = emulated.paid()
        headers, body = emulated.last_event()
    finally:
        emulated.control_client.close()
        running.stop()

    event = emulated.gateway.read_event(headers, body)

    assert (event.gateway_reference, event.gateway_id) == (attempt.gateway_reference, snapshot.gateway_id)
    assert event.claims_money is True
    assert emulated.gateway.read_event({HASH: "other", **headers, HMAC: "other"}, body) is None
