"""Flutterwave's webhooks: two signatures, and what the many shapes tell."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.contracts import example
from tillgate.gateways.flutterwave.signature import HASH_HEADER, HMAC_HEADER, is_signed, read_event
from tillgate.gateways.protocol import EventSubject

KEY = "a-hash-of-our-own-5f2c9e81"
BODY = b'{"event": "charge.completed", "data": {"amount": 5.0}}'


def sign(body: bytes, key: str = KEY) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def told(**body):
    return read_event(json.dumps(body).encode())


def charge(kind="charge.completed", **data):
    whole = {"id": 285_959_875, "tx_ref": "ATT_1", "status": "successful", **data}
    return told(**{"event": kind, "data": whole, "event.type": "CARD_TRANSACTION"})


@pytest.mark.parametrize("body", [b"{}", b"", b"\xff\x00", "née".encode(), b" " * 1_000_000])
def test_any_bytes_can_be_signed_in_either_way(body):
    assert is_signed({HASH_HEADER: KEY}, body, KEY)
    assert is_signed({HMAC_HEADER: sign(body)}, body, KEY)
    assert is_signed({HASH_HEADER: KEY, HMAC_HEADER: sign(body)}, body, KEY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HASH_HEADER: ""},
        {HMAC_HEADER: ""},
        {HASH_HEADER: KEY, HMAC_HEADER: ""},
        {HASH_HEADER: KEY, HMAC_HEADER: sign(b"other")},
        {HASH_HEADER: KEY[:-1], HMAC_HEADER: sign(BODY)},
        {HASH_HEADER: "", HMAC_HEADER: sign(BODY)},
        {HMAC_HEADER: KEY},
        {HASH_HEADER: KEY, HMAC_HEADER: KEY},
        {HASH_HEADER: sign(BODY)},
        {"x-verif-hash": KEY},
    ],
)
def test_each_signature_that_is_there_must_be_right(headers):
    assert not is_signed(headers, BODY, KEY)


def test_the_bytes_count_and_not_their_meaning():
    again = json.dumps(json.loads(BODY), separators=(",", ":")).encode()

    assert is_signed({HMAC_HEADER: sign(BODY)}, BODY, KEY)
    assert not is_signed({HMAC_HEADER: sign(BODY)}, again, KEY)


@pytest.mark.parametrize(
    "blank",
    [
        "",
        " ",
        "\t",
        "\r\n",
        "\u00a0",
        "\u3000",
        " " * 40,
        "fifteen-letters",
        "changeme-changeme",
        "my-Password-0123",
    ],
)
def test_a07_a_hash_that_is_blank_or_easy_to_guess_signs_nothing(blank):
    assert not is_signed({HASH_HEADER: blank}, b"{}", blank)
    assert not is_signed({HMAC_HEADER: sign(b"{}", blank)}, b"{}", blank)


@pytest.mark.parametrize("header", ["é", "\ud800", "\x00", "\x80" * 44, "x" * 10_000_000])
@pytest.mark.parametrize("name", [HASH_HEADER, HMAC_HEADER])
def test_an_odd_signature_is_refused_and_no_crash(name, header):
    assert not is_signed({name: header}, b"{}", KEY)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.binary(max_size=50))
def test_no_guess_is_a_signature(guess, body):
    assert is_signed({HMAC_HEADER: guess}, body, KEY) == (guess == sign(body))
    assert is_signed({HASH_HEADER: guess}, body, KEY) == (guess == KEY)


def test_a_charge_names_its_transaction_and_claims_money():
    event = charge()

    assert (event.kind, event.gateway_reference, event.gateway_id) == (
        "charge.completed",
        "ATT_1",
        "285959875",
    )
    assert (event.dedupe_key, event.about) == ("charge.completed:285959875:successful", EventSubject.PAYMENT)
    assert event.claims_money is True


@pytest.mark.parametrize(
    ("status", "claims"),
    [
        ("successful", True),
        ("success", True),
        ("failed", False),
        ("pending", False),
        ("success-pending-validation", False),
        ("SUCCESSFUL", False),
        ("quantum", False),
        (None, False),
        (True, False),
        ({}, False),
    ],
)
def test_the_same_event_comes_for_failures_and_only_the_status_tells(status, claims):
    assert charge(status=status).claims_money is claims


def test_the_next_step_of_the_same_thing_is_other_news():
    assert charge(status="pending").dedupe_key != charge(status="successful").dedupe_key


def test_a_charge_without_an_id_is_told_by_its_bytes():
    body = b'{"event": "charge.completed", "data": {"tx_ref": "ATT_1", "status": "successful"}}'

    event = read_event(body)

    assert (event.gateway_reference, event.gateway_id) == ("ATT_1", None)
    assert event.dedupe_key == hashlib.sha256(body).hexdigest()


def test_the_old_flat_shape_tells_the_same():
    event = told(
        **{"id": 126_122, "txRef": "ATT_1", "status": "successful", "event.type": "CARD_TRANSACTION"}
    )

    assert (event.gateway_reference, event.gateway_id) == ("ATT_1", "126122")
    assert (event.kind, event.about, event.claims_money) == ("CARD_TRANSACTION", EventSubject.PAYMENT, True)


def test_a_refund_is_flat_and_names_the_transaction_by_its_number_alone():
    event = told(id=75_923, AmountRefunded=69, status="completed", TransactionId=908_790, FlwRef="URF_1")

    assert (event.gateway_reference, event.gateway_id) == (None, "908790")
    assert (event.kind, event.dedupe_key) == ("refund", "refund:75923:completed")
    assert (event.about, event.claims_money) == (EventSubject.REFUND, False)


@pytest.mark.parametrize("number", [None, "", "x", [], True, 0])
def test_a_refund_of_nothing_names_nothing(number):
    event = told(id=None, TransactionId=number, status="completed")

    assert (event.gateway_reference, event.gateway_id, event.about) == (None, None, EventSubject.REFUND)
    assert len(event.dedupe_key) == 64


@pytest.mark.parametrize(
    "body",
    [
        {"event": "transfer.completed", "data": {"id": 1, "reference": "ATT_1", "status": "SUCCESSFUL"}},
        {"event.type": "Transfer", "transfer": {"id": 1, "reference": "ATT_1"}},
        {"event": "bvn.completed", "data": {"reference": "ATT_1"}},
        {"event": "singlebillpayment.status", "data": {"tx_ref": "ATT_1", "status": "success"}},
        {
            "id": "wbk_1",
            "timestamp": 1,
            "type": "charge.completed",
            "data": {"id": "chg_1", "reference": "A"},
        },
        {"otp": "123456", "type": "virtual_card.otp", "card_id": "1"},
        {"event": "charge.completed", "data": [1]},
        {"event": "charge.completed"},
        {},
    ],
)
def test_what_is_not_about_a_payment_of_ours_names_nothing(body):
    event = told(**body)

    assert (event.about, event.claims_money) == (EventSubject.OTHER, False)
    assert (event.gateway_reference, event.gateway_id) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"5", b"\xff\xfe", b"[" * 100_000, b'{"event": null, "data": null}'),
        *(b'{"event": {"a": 1}, "data": [1, 2]}', b'{"data": {"id": ' + b"9" * 5_000 + b"}}"),
    ],
)
def test_a_signed_body_that_says_nothing_is_kept_by_its_bytes(body):
    event = read_event(body)

    assert (event.gateway_reference, event.gateway_id, event.claims_money) == (None, None, False)
    assert event.dedupe_key == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("reference", [None, 5, [], {}, "", "\x00\n"])
def test_a_reference_that_is_none_is_left_out(reference):
    assert charge(tx_ref=reference).gateway_reference is None
    assert told(id=1, txRef=reference, status="successful").gateway_reference is None


def test_what_an_event_says_fits_into_a_table():
    event = charge("charge." + "a\x00b\ud800" * 100, tx_ref="ATT\x00" + "y" * 500, status="\n" + "x" * 500)

    for text, longest in ((event.kind, 80), (event.dedupe_key, 200), (event.gateway_reference, 120)):
        assert len(text) <= longest
        assert text.isprintable()


@pytest.mark.parametrize(
    ("name", "reference", "gateway_id", "kind"),
    [
        ("webhook_charge_completed", "Links-616626414629", "285959875", "charge.completed"),
        ("webhook_legacy_flat", "rave-pos-121775237991", "126122", "CARD_TRANSACTION"),
    ],
)
def test_their_examples_are_read(name, reference, gateway_id, kind):
    event = read_event(json.dumps(example(f"flutterwave/{name}.json")).encode())

    assert (event.kind, event.gateway_reference, event.gateway_id) == (kind, reference, gateway_id)
    assert (event.claims_money, event.about) == (True, EventSubject.PAYMENT)
