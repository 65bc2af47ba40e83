"""PayPal's webhooks: the signature over raw bytes, by certificate or by asking, and what an event tells."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.contracts import example
from tests.gateways.paypal.signing import Made, Signer, key
from tests.gateways.paypal.test_certificates import PATH, WEBHOOK_ID, account
from tests.gateways.raw_server import answer, in_turn, raw_server
from tillgate.gateways import registry
from tillgate.gateways.errors import Unreachable
from tillgate.gateways.http import Patience
from tillgate.gateways.paypal.signature import read_event
from tillgate.gateways.protocol import CertificateTrust, EventSubject

CA = Made(key=key("authority"), is_ca=True)
SIGNER = Signer("leaf")
TOKEN = answer(b'{"access_token": "A21AA", "expires_in": 32400}')
CAPTURES = "https://api-m.paypal.com/v2/payments/captures"
CAPTURE = {"id": "3C679366HH908993F", "custom_id": "ATT-1"}


@pytest.fixture
def certified(tmp_path):
    """Verify an event with a certificate that really is fetched; returns what the adapter makes of it."""
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(CA.pem())
    with raw_server(answer(Made(key=key("leaf"), signed_by=CA).pem())) as server:
        trust = CertificateTrust(origin=server.url, ca_file=str(ca_file))

        def verify(body, *, webhook_id=WEBHOOK_ID, **more):
            headers = SIGNER.headers(body, webhook_id, url=f"{server.url}{PATH}", **more)
            return connect("test", trust).read_event(headers, body)

        yield verify


def connect(*args, **more):
    return registry.connect(account(*args, **more), Patience(total_s=5, slot_s=0))


def event(kind, resource=None, **more):
    return read_event(json.dumps({"id": "WH-1", "event_type": kind, "resource": resource, **more}).encode())


def names(told):
    return told.about, told.gateway_reference, told.gateway_id


@pytest.mark.parametrize("body", [b"{}", b"", b"\xff\x00", "née".encode(), b" " * 1_000_000])
def test_any_bytes_can_be_signed(certified, body):
    assert certified(body) is not None


@pytest.mark.parametrize(
    "time", ["2026-01-31T12:00:00Z", "2020-01-31T12:00:00.123Z", "2026-01-31T12:00:00+01:00"]
)
def test_a_retry_keeps_its_first_time_and_is_still_good(certified, time):
    assert certified(b"{}", time=time) is not None


def test_A13_an_event_whose_certificate_is_not_believed_is_refused(tmp_path):
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(CA.pem())
    with raw_server(answer(Made(key=key("leaf")).pem())) as server:
        trust = CertificateTrust(origin=server.url, ca_file=str(ca_file))
        headers = SIGNER.headers(b"{}", WEBHOOK_ID, url=f"{server.url}{PATH}")

        assert connect("test", trust).read_event(headers, b"{}") is None
        assert server.connections == 1


@pytest.mark.parametrize("webhook_id", ["WEBHOOK_ID", "", WEBHOOK_ID.lower(), "ANOTHERWEBHOOK"])
def test_what_is_signed_for_another_webhook_is_not_ours(certified, webhook_id):
    assert certified(b"{}", webhook_id=webhook_id) is None


def test_the_simulators_webhook_id_verifies_nothing_even_where_it_is_set(tmp_path):
    gateway = connect()
    gateway._account.credentials["webhook_id"] = "WEBHOOK_ID"

    assert gateway.read_event(SIGNER.headers(b"{}", "WEBHOOK_ID"), b"{}") is None


def test_the_bytes_count_and_not_their_meaning(certified):
    body = b'{"id": "WH-1", "amount": 5.0}'
    assert certified(body).dedupe_key == "WH-1"

    headers = SIGNER.headers(body, WEBHOOK_ID, url=f"http://127.0.0.1:9{PATH}")
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert connect("test").read_event(headers, again) is None


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(SIGNER.headers(b"", ""))), st.text(max_size=400)))
def test_no_guess_is_a_signature(guess):
    assert connect().read_event(guess, b"{}") is None


def asked(said, body=b'{"id": "WH-1",  "amount": 5.0}', status=200):
    """What the adapter makes of an event when PayPal, asked about it, answers `said`; and the question."""
    answers = in_turn(
        TOKEN, answer(said if isinstance(said, bytes) else json.dumps(said).encode(), status=status)
    )
    with raw_server(answers) as server:
        gateway = connect("test", verification="api", base_url=server.url)
        told = gateway.read_event(SIGNER.headers(body, WEBHOOK_ID), body)
        return told, server.requests[1:]


def test_paypal_is_asked_with_the_events_own_bytes():
    body = b'{"id": "WH-1",  "amount": 5.0, "b": "\xc3\xa9"}'
    told, (question,) = asked({"verification_status": "SUCCESS"}, body)

    head, sent = question.split(b"\r\n\r\n")
    assert told.dedupe_key == "WH-1"
    assert b"POST /v1/notifications/verify-webhook-signature HTTP/1.1" in head
    assert b"Content-Type: application/json" in head
    assert sent.endswith(b', "webhook_event": ' + body + b"}")
    assert json.loads(sent)["webhook_id"] == WEBHOOK_ID
    assert set(json.loads(sent)) == {
        *("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time"),
        *("webhook_id", "webhook_event"),
    }


@pytest.mark.parametrize(
    ("said", "status"),
    [({"verification_status": "FAILURE"}, 200), ({"name": "VALIDATION_ERROR"}, 400), ({"name": "X"}, 422)],
)
def test_what_paypal_does_not_confirm_is_not_paypals(said, status):
    assert asked(said, status=status)[0] is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 200),
        ({"verification_status": "success"}, 200),
        ({"verification_status": True}, 200),
        ({"verification_status": "SUCCESS"}, 201),
        ({"verification_status": "SUCCESS"}, 301),
        ({"name": "NOT_AUTHORIZED"}, 403),
        ({"name": "NOT_FOUND"}, 404),
        ({}, 500),
        ({}, 429),
        (b"<html>", 200),
    ],
)
def test_an_answer_that_is_neither_yes_nor_no_lets_paypal_send_again(said, status):
    with pytest.raises(Unreachable, match="sent an event"):
        asked(said, status=status)


@pytest.mark.parametrize(
    "body",
    [
        b'{}, "webhook_id": "OTHER"',
        b'{"a": 1}, "webhook_event": {"id": "WH-1"}',
        b"",
        b"[1]",
        b"5",
        b"{",
        b"\xff\xfe{}",
        b'\xef\xbb\xbf{"id": "WH-1"}',
        '{"id": "WH-1"}'.encode("utf-16"),
        b"[" * 100_000,
    ],
)
def test_A13_bytes_that_could_rewrite_the_question_are_not_asked_about(body):
    told, questions = asked({"verification_status": "SUCCESS"}, body)

    assert (told, questions) == (None, [])


def test_a_capture_names_itself_and_claims_money():
    told = event("PAYMENT.CAPTURE.COMPLETED", CAPTURE)

    assert names(told) == (EventSubject.PAYMENT, "ATT-1", "3C679366HH908993F")
    assert (told.kind, told.dedupe_key, told.claims_money) == ("PAYMENT.CAPTURE.COMPLETED", "WH-1", True)


@pytest.mark.parametrize("kind", ["PENDING", "DENIED", "DECLINED", "MADE.UP"])
def test_other_news_of_a_capture_claims_nothing(kind):
    told = event(f"PAYMENT.CAPTURE.{kind}", CAPTURE)

    assert names(told) == (EventSubject.PAYMENT, "ATT-1", "3C679366HH908993F")
    assert told.claims_money is False


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("PAYMENT.CAPTURE.REFUNDED", EventSubject.REFUND),
        ("PAYMENT.REFUND.PENDING", EventSubject.REFUND),
        ("PAYMENT.REFUND.FAILED", EventSubject.REFUND),
        ("PAYMENT.CAPTURE.REVERSED", EventSubject.PAYMENT),
    ],
)
def test_news_of_a_refund_names_the_capture_and_never_the_refund(kind, about):
    refund = {"id": "1JU08902", "custom_id": "ATT-1", "links": [{"rel": "up", "href": f"{CAPTURES}/3C679"}]}

    assert names(event(kind, refund)) == (about, "ATT-1", "3C679")
    assert event(kind, refund).claims_money is False


@pytest.mark.parametrize("kind", ["PAYMENT.CAPTURE.REFUNDED", "PAYMENT.REFUND.PENDING"])
def test_a_refund_without_its_link_names_no_capture(kind):
    assert names(event(kind, {"id": "1JU08902"})) == (EventSubject.REFUND, None, None)


def test_an_approval_names_the_attempt_and_no_transaction():
    order = {"id": "5O190127TN364715T", "purchase_units": [{"custom_id": "ATT-1"}]}
    told = event("CHECKOUT.ORDER.APPROVED", order)

    assert names(told) == (EventSubject.PAYMENT, "ATT-1", None)
    assert told.claims_money is False


@pytest.mark.parametrize("kind", ["CREATED", "UPDATED", "RESOLVED"])
def test_a_dispute_names_the_transaction_that_is_disputed(kind):
    disputed = {
        "dispute_id": "PP-D-1",
        "disputed_transactions": [{"seller_transaction_id": "3C679", "custom": "ATT-1"}],
    }

    assert names(event(f"CUSTOMER.DISPUTE.{kind}", disputed)) == (EventSubject.DISPUTE, "ATT-1", "3C679")


OLD_SALE = {"id": "80021663DE681814L", "amount": {"total": "-0.48", "currency": "USD"}, "state": "refunded"}


@pytest.mark.parametrize("kind", ["PAYMENT.SALE.COMPLETED", "PAYMENT.SALE.REFUNDED"])
@pytest.mark.parametrize("custom", [None, "", "order 17", "ATT-1", {"a": 1}])
def test_an_old_sale_of_somebody_elses_is_about_nothing_of_ours(kind, custom):
    told = event(kind, {**OLD_SALE, "custom": custom})

    assert names(told) == (EventSubject.PLAN, None, None)
    assert told.claims_money is False


def test_an_old_sale_that_names_one_of_ours_is_asked_about():
    ours = "ATT-" + "7" * 26
    told = event("PAYMENT.SALE.COMPLETED", {**OLD_SALE, "custom": ours})

    assert names(told) == (EventSubject.PAYMENT, ours, None)
    assert told.claims_money is True


@pytest.mark.parametrize(
    "kind",
    ["BILLING.SUBSCRIPTION.CREATED", "VAULT.PAYMENT-TOKEN.CREATED", "BILLING.PLAN.CREATED", "", "MADE.UP"],
)
def test_what_is_about_no_payment_names_none(kind):
    resource = {**CAPTURE, "plan_id": "P-1", "purchase_units": [{"custom_id": "ATT-1"}]}

    about = EventSubject.PLAN if kind.startswith("BILLING.") else EventSubject.OTHER
    assert names(event(kind, resource)) == (about, None, None)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"5", b"\xff\xfe", b"[" * 100_000),
        b'{"event_type": null, "resource": null}',
        b'{"event_type": {"a": 1}, "resource": [1, 2], "id": {}}',
        b'{"event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {"id": 5, "links": {}}, "id": 7}',
        b'{"event_type": "CHECKOUT.ORDER.APPROVED", "resource": {"purchase_units": ["text"]}, "id": ""}',
        b'{"event_type": "CHECKOUT.ORDER.APPROVED", "resource": {"purchase_units": {}}, "id": "a b"}',
        b'{"event_type": "CUSTOMER.DISPUTE.CREATED", "resource": {"disputed_transactions": []}}',
    ],
)
def test_a_signed_body_that_says_nothing_is_kept_by_its_bytes(body):
    told = read_event(body)

    assert (told.gateway_reference, told.gateway_id) == (None, None)
    assert told.dedupe_key == hashlib.sha256(body).hexdigest()


def test_what_an_event_says_fits_into_a_table():
    long = {"id": "x" * 500, "custom_id": "ATT\x00" + "y" * 500}
    told = event("PAYMENT.CAPTURE.\x00\ud800" + "Z" * 500, long, id="W" * 500)

    assert (told.gateway_reference, told.gateway_id) == (None, None)
    for text, longest in ((told.kind, 80), (told.dedupe_key, 64)):
        assert len(text) <= longest
        assert text.isprintable()


@pytest.mark.parametrize(
    ("name", "about", "dedupe_key"),
    [
        ("webhook_order_approved", EventSubject.PAYMENT, "WH-COC11055RA711503B-4YM959094A144403T"),
        ("webhook_sale_completed_v1", EventSubject.PLAN, "WH-2WR32451HC0233532-67976317FL4543714"),
    ],
)
def test_their_examples_are_read(name, about, dedupe_key):
    told = read_event(json.dumps(example(f"paypal/{name}.json")).encode())

    assert names(told) == (about, None, None)
    assert told.dedupe_key == dedupe_key
