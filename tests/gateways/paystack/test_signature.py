"""Paystack's webhooks: the signature over raw bytes, and what an event tells."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.contracts import example
from tillgate.gateways.paystack.signature import HEADER, is_signed, read_event
from tillgate.gateways.protocol import EventSubject

KEY = "sk_test_0123456789abcdef"


def sign(body: bytes, key: str = KEY) -> dict[str, str]:
    return {HEADER: hmac.new(key.encode(), body, hashlib.sha512).hexdigest()}


def event(kind="charge.success", **data):
    return read_event(json.dumps({"event": kind, "data": data}).encode())


@pytest.mark.parametrize("body", [b"{}", b"", b"\xff\x00", "née".encode(), b" " * 1_000_000])
def test_any_bytes_can_be_signed(body):
    assert is_signed(sign(body), body, KEY)


def test_the_bytes_count_and_not_their_meaning():
    body = b'{"event": "charge.success", "data": {"amount": 5.0}}'
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()

    assert is_signed(sign(body), body, KEY)
    assert not is_signed(sign(body), again, KEY)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r\n", "\u00a0", "\u3000"])
def test_an_empty_key_signs_nothing(blank):
    assert not is_signed(sign(b"{}", blank), b"{}", blank)


@pytest.mark.parametrize("header", ["é", "\ud800", "\x00", "\x80" * 128, "x" * 10_000_000, ""])
def test_an_odd_signature_is_refused_and_no_crash(header):
    assert not is_signed({HEADER: header}, b"{}", KEY)


def test_no_signature_is_refused():
    assert not is_signed({}, b"{}", KEY)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.binary(max_size=50))
def test_no_guess_is_a_signature(guess, body):
    assert is_signed({HEADER: guess}, body, KEY) == (guess == sign(body)[HEADER])


def test_a_charge_names_its_transaction_and_claims_money():
    told = event(id=5_805_764_100, status="success", reference="ATT_1", amount=1)

    assert (told.kind, told.gateway_reference, told.gateway_id) == ("charge.success", "ATT_1", "5805764100")
    assert told.dedupe_key == "charge.success:5805764100:success"
    assert told.claims_money is True


def test_a_refund_is_told_by_its_bytes_for_two_may_look_alike():
    body = example_of_refund()

    first, again, other = read_event(body), read_event(body), read_event(body + b" ")

    assert (first.gateway_reference, first.gateway_id, first.claims_money) == ("ATT_1", None, False)
    assert first == again
    assert other.dedupe_key != first.dedupe_key


def example_of_refund():
    data = {
        "status": "processed",
        "transaction_reference": "ATT_1",
        "amount": "10000",
        "currency": "NGN",
        "id": 7,
    }
    return json.dumps({"event": "refund.processed", "data": data}).encode()


def test_a_dispute_names_the_transaction_within_and_never_itself():
    told = event(
        "charge.dispute.create", id=42, status="awaiting", transaction={"reference": "ATT_1", "id": 9}
    )

    assert (told.gateway_reference, told.gateway_id, told.claims_money) == ("ATT_1", "9", False)
    assert told.dedupe_key == "charge.dispute.create:42:awaiting"


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("charge.success", EventSubject.PAYMENT),
        ("charge.failed", EventSubject.PAYMENT),
        ("charge.dispute.create", EventSubject.DISPUTE),
        ("charge.dispute.remind", EventSubject.DISPUTE),
        ("charge.dispute.resolve", EventSubject.DISPUTE),
        ("refund.pending", EventSubject.REFUND),
        ("refund.needs-attention", EventSubject.REFUND),
        ("transfer.success", EventSubject.OTHER),
        ("subscription.create", EventSubject.PLAN),
        ("refunds", EventSubject.OTHER),
        ("", EventSubject.OTHER),
    ],
)
def test_the_name_of_an_event_says_what_it_is_about(kind, about):
    told = event(kind, id=7, reference="ATT_1")

    assert told.about == about
    assert told.gateway_reference == (None if about in ("other", "plan") else "ATT_1")
    assert told.gateway_id == ("7" if about == EventSubject.PAYMENT else None)


def test_the_next_step_of_the_same_thing_is_other_news():
    pending, done = event("x", id=1, status="pending"), event("x", id=1, status="done")

    assert pending.dedupe_key != done.dedupe_key


@pytest.mark.parametrize("kind", ["charge.failed", "subscription.create", "transfer.success", "", "made.up"])
def test_any_other_event_claims_nothing(kind):
    assert event(kind, id=1).claims_money is False


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"5",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"event": null, "data": null}',
        b'{"event": {"a": 1}, "data": [1, 2]}',
        b'{"event": "subscription.expiring_cards", "data": [{"reference": "ATT_1"}]}',
        b'{"data": {"reference": 5, "transaction": "ATT_1", "id": {}}}',
        b'{"data": {"reference": "", "transaction_reference": [], "id": true}}',
        b'{"data": {"id": ' + b"9" * 5_000 + b"}}",
    ],
)
def test_a_signed_body_that_says_nothing_is_kept_by_its_bytes(body):
    told = read_event(body)

    assert (told.gateway_reference, told.gateway_id, told.claims_money) == (None, None, False)
    assert told.dedupe_key == hashlib.sha256(body).hexdigest()


def test_what_an_event_says_fits_into_a_table():
    told = event("charge.\x00b\ud800" * 100, id=1, status="\n" + "x" * 500, reference="ATT\x00" + "y" * 500)

    for text, longest in ((told.kind, 80), (told.dedupe_key, 200), (told.gateway_reference, 120)):
        assert len(text) <= longest
        assert text.isprintable()


@pytest.mark.parametrize(
    ("name", "reference", "gateway_id", "claims_money"),
    [
        ("webhook_charge_success", "qTPrJoy9Bx", "302961", True),
        ("webhook_refund_pending", "tvunjbbd_412829_4b18075d_c7had", None, False),
        ("webhook_invoice_payment_failed", None, None, False),
        ("webhook_subscription_create", None, None, False),
    ],
)
def test_their_examples_are_read(name, reference, gateway_id, claims_money):
    told = read_event(json.dumps(example(f"paystack/{name}.json")).encode())

    assert (told.gateway_reference, told.gateway_id) == (reference, gateway_id)
    assert told.claims_money is claims_money
