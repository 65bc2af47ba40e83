"""What PayPal could answer though its emulator never does."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.gateways.paypal.test_certificates import account
from tests.gateways.paypal.test_wire import REQUEST, capture, dispute, order, refund, usd
from tests.gateways.paypal.test_wire_outside import CHARGE, LINK
from tests.gateways.raw_server import answer, in_turn, raw_server
from tillgate.gateways import declines, registry
from tillgate.gateways.errors import (
    DuplicateReference,
    GatewayUnknown,
    MethodRefused,
    Rejected,
    Unreachable,
)
from tillgate.gateways.http import Patience
from tillgate.gateways.paypal.gateway import DISPUTES_PAGE
from tillgate.gateways.protocol import AttemptRef, DisputeState, GatewayState, RefundRef
from tillgate.money import Money

AMOUNT = Money(100, "USD")
ATTEMPT = AttemptRef(
    gateway_reference="ATT-1", gateway_id="3C679366HH908993F", session_id="5O190127TN364715T"
)
REFUND = RefundRef(attempt=ATTEMPT, amount=AMOUNT, gateway_reference="REF-1", gateway_id="1JU08902")
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
OUR_CHARGE = replace(CHARGE, gateway_reference="ATT-1")
TOKEN = answer(b'{"access_token": "A21AA", "expires_in": 32400}')


class Told:
    """Call with answers and a question; returns what the adapter makes of them. `requests` are those sent."""

    def __init__(self):
        self.requests = []

    def __call__(self, body, ask, *more, status=200):
        bodies = [(body, status), *((each, 200) for each in more)]
        says = [answer(json.dumps(each).encode(), status=code) for each, code in bodies]
        with raw_server(in_turn(TOKEN, *says)) as server:
            try:
                return ask(
                    registry.connect(account("test", base_url=server.url), Patience(total_s=5, slot_s=0))
                )
            finally:
                self.requests = server.requests[1:]


@pytest.fixture
def told():
    return Told()


def start(gateway):
    return gateway.start_payment(REQUEST)


def fetch(gateway):
    return gateway.fetch_payment(ATTEMPT)


def find(gateway):
    return gateway.fetch_transaction(ATTEMPT.gateway_id)


def take(gateway):
    return gateway.capture_approved(ATTEMPT)


def charge(gateway):
    return gateway.charge_saved(OUR_CHARGE)


def send_back(gateway):
    return gateway.refund(ATTEMPT, AMOUNT, key="REF-1")


def looked_up(gateway):
    return gateway.fetch_refund(REFUND)


def listed(gateway):
    return gateway.list_refunds(ATTEMPT, since=SINCE)


def disputed(gateway):
    return gateway.list_disputes(ATTEMPT, since=SINCE)


MOVES, LOOKS = [start, take, charge, send_back], [fetch, find, looked_up, listed, disputed]


def refusal(issue="", name="UNPROCESSABLE_ENTITY"):
    return {"name": name, "details": [{"issue": issue, "description": "Not\nliked"}], "debug_id": "e3c3"}


@pytest.mark.parametrize("ask", [*MOVES, fetch, find, looked_up, listed])
@pytest.mark.parametrize("body", [{}, {"id": "X"}, {"status": "COMPLETED"}, {"purchase_units": None}])
def test_an_answer_that_says_too_little_is_unknown(told, ask, body):
    with pytest.raises(GatewayUnknown):
        told(body, ask)


@pytest.mark.parametrize("status", [202, 204, 301, 307])
@pytest.mark.parametrize("ask", MOVES)
def test_another_status_is_unknown(told, ask, status):
    with pytest.raises(GatewayUnknown):
        told(order(capture()), ask, status=status)


@pytest.mark.parametrize("status", [400, 403, 404, 415])
@pytest.mark.parametrize("ask", [*MOVES, *LOOKS])
def test_a_refusal_is_told_in_paypals_words(told, ask, status):
    with pytest.raises(Rejected, match=r"^INVALID_PARAMETER_VALUE: Notliked \(debug id e3c3\)$"):
        told(refusal("INVALID_PARAMETER_VALUE", "INVALID_REQUEST"), ask, status=status)


@pytest.mark.parametrize("ask", MOVES)
def test_a_call_like_it_that_is_still_running_is_unknown(told, ask):
    with pytest.raises(GatewayUnknown, match="409"):
        told(refusal("PREVIOUS_REQUEST_IN_PROGRESS", "RESOURCE_CONFLICT"), ask, status=409)


@pytest.mark.parametrize("ask", MOVES)
def test_G16_a_used_invoice_id_is_a_duplicate(told, ask):
    with pytest.raises(DuplicateReference, match="DUPLICATE_INVOICE_ID"):
        told(refusal("DUPLICATE_INVOICE_ID"), ask, status=422)


@pytest.mark.parametrize("ask", [take, charge])
@pytest.mark.parametrize(
    ("issue", "code"),
    [("INSTRUMENT_DECLINED", "declined"), ("PAYER_CANNOT_PAY", "declined"), ("CARD_EXPIRED", "expired_card")],
)
def test_an_issue_about_the_payer_is_a_failure(told, ask, issue, code):
    snapshot = told(refusal(issue), ask, status=422)

    assert (snapshot.state, snapshot.failure) == (GatewayState.FAILED, declines.decline(code))
    assert (snapshot.gateway_reference, snapshot.mode, snapshot.gateway_id) == ("ATT-1", "test", None)


@pytest.mark.parametrize("ask", [take, charge])
def test_an_issue_about_the_request_is_rejected(told, ask):
    with pytest.raises(Rejected, match="PAYEE_ACCOUNT_RESTRICTED"):
        told(refusal("PAYEE_ACCOUNT_RESTRICTED"), ask, status=422)


@pytest.mark.parametrize("status", [403, 422])
@pytest.mark.parametrize("ask", [take, charge])
def test_G07_an_issue_in_no_table_is_unknown(told, ask, status):
    with pytest.raises(GatewayUnknown, match="QUANTUM"):
        told(refusal("QUANTUM"), ask, status=status)


@pytest.mark.parametrize("ask", [start, send_back])
def test_any_issue_with_a_start_or_a_refund_is_rejected(told, ask):
    with pytest.raises(Rejected, match="QUANTUM"):
        told(refusal("QUANTUM"), ask, status=422)


@pytest.mark.parametrize("body", [refusal("INVALID_RESOURCE_ID", "X"), {"name": "RESOURCE_NOT_FOUND"}])
def test_what_paypal_does_not_know_is_absent(told, body):
    assert told(body, fetch, status=404).state == GatewayState.ABSENT
    assert told(body, find, status=404).state == GatewayState.ABSENT
    assert told(body, take, status=404).state == GatewayState.ABSENT
    assert told(body, looked_up, status=404) is None
    for ask in (listed, send_back, charge):
        with pytest.raises(Rejected):
            told(body, ask, status=404)


@pytest.mark.parametrize("ask", [fetch, find, take, looked_up])
def test_not_found_by_somebody_else_is_not_absent(told, ask):
    with pytest.raises(Rejected):
        told({"message": "no Route matched with those values"}, ask, status=404)
    with pytest.raises((GatewayUnknown, Unreachable)):
        told({"name": "RESOURCE_NOT_FOUND"}, ask, status=500)


@pytest.mark.parametrize(
    "change",
    [
        {"purchase_units": [{"custom_id": "ATT-9", "amount": usd()}]},
        {"purchase_units": [{"amount": usd()}]},
        {"purchase_units": [{"custom_id": "ATT-1"}, {"custom_id": "ATT-1"}]},
    ],
)
def test_G11_an_order_that_does_not_carry_our_name_is_never_ours(told, change):
    for ask in (fetch, take, charge, listed):
        with pytest.raises(GatewayUnknown):
            told(order(status="CREATED", **change), ask)


def test_G11_another_order_or_capture_than_asked_about_is_unknown(told):
    with pytest.raises(GatewayUnknown, match="another order"):
        told(order(capture(), id="ANOTHER"), fetch)
    with pytest.raises(GatewayUnknown, match="another capture"):
        told(capture(id="ANOTHER"), find)


def test_an_order_without_a_session_is_absent_and_nobody_is_asked(told):
    nobody = AttemptRef(gateway_reference="ATT-1", gateway_id=None)

    snapshot = told({}, lambda gateway: gateway.fetch_payment(nobody))

    assert (snapshot.state, snapshot.gateway_reference) == (GatewayState.ABSENT, "ATT-1")
    assert told.requests == []


def test_the_keys_of_the_calls_are_the_attempts_own(told):
    for ask, path, key in (
        (start, b"/v2/checkout/orders", b"ATT-1"),
        (take, b"/v2/checkout/orders/5O190127TN364715T/capture", b"ATT-1-capture"),
        (charge, b"/v2/checkout/orders", b"ATT-1"),
    ):
        told(order(capture(), links=[{"rel": "approve", "href": LINK}]), ask)
        (request,) = told.requests
        assert request.startswith(b"POST " + path + b" HTTP/1.1\r\n")
        assert b"PayPal-Request-Id: " + key + b"\r\n" in request
        assert b"Prefer: return=representation\r\n" in request
    told(refund(), send_back)
    assert b"PayPal-Request-Id: REF-1\r\n" in told.requests[0]
    assert b'"invoice_id": "REF-1"' in told.requests[0]


def test_an_order_captured_before_is_read(told):
    snapshot = told(refusal("ORDER_ALREADY_CAPTURED"), take, order(capture()), status=422)

    assert (snapshot.state, snapshot.gateway_id) == (GatewayState.SUCCEEDED, "3C679366HH908993F")
    assert told.requests[1].startswith(b"GET /v2/checkout/orders/5O190127TN364715T HTTP/1.1")


@pytest.mark.parametrize("body", [order(status="APPROVED"), order(status="CREATED")])
def test_G14_an_order_captured_before_that_shows_no_capture_yet_is_unknown(told, body):
    with pytest.raises(GatewayUnknown, match="names no capture"):
        told(refusal("ORDER_ALREADY_CAPTURED"), take, body, status=422)


def test_what_nobody_approved_is_pending(told):
    snapshot = told(refusal("ORDER_NOT_APPROVED"), take, status=422)

    assert (snapshot.state, snapshot.mode) == (GatewayState.PENDING, "test")


@pytest.mark.parametrize("word", ["CREATED", "PAYER_ACTION_REQUIRED"])
def test_a_charge_that_the_customer_must_confirm_has_failed(told, word):
    snapshot = told(order(status=word), charge, status=201)

    assert (snapshot.state, snapshot.failure.code) == (GatewayState.FAILED, "authentication_failed")


def test_a_charge_says_which_order_it_was(told):
    snapshot = told(order(capture()), charge, status=201)

    assert (snapshot.state, snapshot.session_id) == (GatewayState.SUCCEEDED, "5O190127TN364715T")


@pytest.mark.parametrize("links", [[], [{"rel": "up", "href": "https://x/v2/payments/captures/ANOTHER"}]])
def test_a_refund_of_another_capture_is_never_ours(told, links):
    row = refund(links=links)
    with_refunds = order(capture())
    with_refunds["purchase_units"][0]["payments"]["refunds"] = [refund(), row]
    for ask, body in ((send_back, row), (looked_up, row), (listed, with_refunds)):
        with pytest.raises(GatewayUnknown, match="another capture"):
            told(body, ask)


def test_a_refund_of_another_amount_is_unknown(told):
    with pytest.raises(GatewayUnknown, match=r"1\.01"):
        told(refund(amount=usd("1.01")), send_back)


def test_another_refund_than_the_one_asked_about_is_unknown(told):
    with pytest.raises(GatewayUnknown, match="another refund"):
        told(refund(id="ANOTHER"), looked_up)


def test_refunds_are_listed_newest_first(told):
    rows = [
        refund(id="A", create_time="2026-01-31T12:00:00Z"),
        refund(id="B", create_time="2026-01-31T12:00:00Z"),
        refund(id="C", create_time="2026-01-30T12:00:00Z"),
    ]
    whole = order(capture())
    whole["purchase_units"][0]["payments"]["refunds"] = rows

    assert [row.gateway_id for row in told(whole, listed)] == ["B", "A", "C"]
    assert told(order(capture()), listed) == ()


@pytest.mark.parametrize("refunds", [None, {}, "text", [None], [[]]])
def test_a_list_of_refunds_that_cannot_be_read_is_unknown(told, refunds):
    whole = order(capture())
    whole["purchase_units"][0]["payments"]["refunds"] = refunds

    with pytest.raises(GatewayUnknown, match="unreadable refunds"):
        told(whole, listed)


def test_how_a_dispute_ended_is_asked_on_its_own_page(told):
    resolved = dispute(status="RESOLVED", dispute_outcome={"outcome_code": "RESOLVED_BUYER_FAVOUR"})

    (snapshot,) = told({"items": [dispute(status="RESOLVED")]}, disputed, resolved)

    assert (snapshot.state, snapshot.gateway_id) == (DisputeState.LOST, "PP-D-1")
    assert b"disputed_transaction_id=3C679366HH908993F&" in told.requests[0]
    assert told.requests[1].startswith(b"GET /v1/customer/disputes/PP-D-1 HTTP/1.1")
    with pytest.raises(GatewayUnknown, match="another dispute"):
        told({"items": [dispute(status="RESOLVED")]}, disputed, {**resolved, "dispute_id": "PP-D-2"})


@pytest.mark.parametrize("items", [None, {}, "text", [None], ["text"], [{}], [dispute()] * DISPUTES_PAGE])
def test_a_list_of_disputes_that_is_not_the_whole_list_is_unknown(told, items):
    with pytest.raises(GatewayUnknown):
        told({"items": items}, disputed)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (refusal("TOKEN_ID_NOT_FOUND"), 422),
        (refusal("MISMATCHED_VAULT_ID_TO_PAYMENT_SOURCE"), 422),
        (refusal("INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND"), 404),
        (refusal(name="RESOURCE_NOT_FOUND"), 404),
    ],
)
def test_a_wallet_that_paypal_does_not_charge_is_refused_as_a_method(told, body, status):
    with pytest.raises(MethodRefused):
        told(body, charge, status=status)


@pytest.mark.parametrize("issue", ["NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE", "PERMISSION_DENIED"])
def test_what_the_merchants_account_may_not_do_says_nothing_about_the_wallet(told, issue):
    with pytest.raises(Rejected) as caught:
        told(refusal(issue), charge, status=422)

    assert not isinstance(caught.value, MethodRefused)


def forget(gateway):
    return gateway.forget_saved("8kk8451t", "ada@example.com")


@pytest.mark.parametrize(("body", "status"), [({}, 204), ({}, 200), (refusal("INVALID_RESOURCE_ID"), 404)])
def test_a_wallet_is_forgotten_by_its_id(told, body, status):
    told(body, forget, status=status)

    assert told.requests[0].startswith(b"DELETE /v3/vault/payment-tokens/8kk8451t HTTP/1.1")


@pytest.mark.parametrize(("status", "error"), [(403, Rejected), (500, GatewayUnknown), (202, GatewayUnknown)])
def test_a_wallet_is_not_taken_for_forgotten(told, status, error):
    with pytest.raises(error):
        told(refusal("PERMISSION_DENIED"), forget, status=status)


@pytest.mark.parametrize("gateway_id", [None, "", "7/../8", "7?x=1", "٣", "a b", "x" * 61])
def test_an_id_that_is_none_is_not_asked_about(told, gateway_id):
    attempt = AttemptRef(gateway_reference="ATT-1", gateway_id=gateway_id, session_id=gateway_id)

    for ask in (
        lambda gateway: gateway.fetch_transaction(gateway_id),
        lambda gateway: gateway.capture_approved(attempt),
        lambda gateway: gateway.list_refunds(attempt, since=SINCE),
        lambda gateway: gateway.list_disputes(attempt, since=SINCE),
        lambda gateway: gateway.fetch_refund(replace(REFUND, gateway_id=gateway_id)),
        lambda gateway: gateway.refund(attempt, AMOUNT, key="REF-1"),
    ):
        with pytest.raises((GatewayUnknown, Rejected)):
            told({}, ask)
        assert told.requests == []


def test_G30_what_paypal_does_not_take_is_refused_before_any_call(told):
    for amount in (Money(1_000, "NGN"), Money(1_050, "HUF")):
        for ask in (
            lambda gateway, amount=amount: gateway.start_payment(replace(REQUEST, amount=amount)),
            lambda gateway, amount=amount: gateway.charge_saved(replace(CHARGE, amount=amount)),
            lambda gateway, amount=amount: gateway.refund(ATTEMPT, amount, key="REF-1"),
        ):
            with pytest.raises(Rejected, match="takes no"):
                told({}, ask)
            assert told.requests == []
