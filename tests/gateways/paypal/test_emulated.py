"""What is PayPal's alone, over its emulator by real HTTP: tokens, keys that are forgotten, events."""

import pytest

from tests.gateways.emulated import HASTY, Emulated
from tests.gateways.paypal.test_contract import case  # noqa: F401
from tillgate.gateways.errors import DuplicateReference, Unreachable
from tillgate.gateways.protocol import GatewayState
from tillgate.money import Money

BEYOND_SIX_HOURS = 6 * 3_600 + 60


@pytest.fixture
def played(case, sandbox):  # noqa: F811
    played = Emulated(case, sandbox)
    yield played
    played.control_client.close()


@pytest.fixture
def gateway(played):
    return played.gateway


def approved(played, **changes):
    attempt = played.started(**changes)
    played.pay(attempt)
    return attempt


@pytest.mark.parametrize("operation", ["order", "get", "capture", "refund"])
def test_G19_a_token_that_ends_in_the_middle_is_renewed_unseen(played, gateway, operation):
    played.fault(operation, "token_expired")

    attempt, snapshot = played.paid()
    refund = gateway.refund(attempt, Money(100, "USD"), key="REF_1")

    assert (snapshot.state, refund.amount) == (GatewayState.SUCCEEDED, Money(100, "USD"))
    assert [entry["kind"] for entry in played.journal()] == ["charge", "refund"]


def test_G19_a_token_that_has_ended_by_the_clock_is_renewed_unseen(played, gateway):
    attempt, _ = played.paid()
    played.advance(10 * 3_600)

    assert gateway.fetch_payment(attempt).state == GatewayState.SUCCEEDED


@pytest.mark.parametrize("fault", ["500_before", "reset_before", "html", "empty_body", "timeout_before"])
def test_G19_without_a_token_nothing_is_captured_and_the_call_may_be_made_again(played, gateway, fault):
    attempt = approved(played)
    gateway._tokens._keep("", 0.0)
    played.fault("token", fault)

    with pytest.raises(Unreachable):
        played.connect(patience=HASTY).capture_approved(attempt)

    assert played.journal() == []
    assert gateway.capture_approved(attempt).state == GatewayState.SUCCEEDED


def test_a_start_repeated_is_the_same_order(played, gateway):
    request = played.request()

    assert gateway.start_payment(request) == gateway.start_payment(request)


def test_G17_a_charge_repeated_after_its_key_is_forgotten_is_refused_by_its_invoice_id(played, gateway):
    request = played.charge_of(played.saved()[1])
    gateway.charge_saved(request)
    played.advance(BEYOND_SIX_HOURS)

    with pytest.raises(DuplicateReference):
        gateway.charge_saved(request)

    assert len(played.journal("charge")) == 2


def test_a_wallet_that_is_saved_later_is_told_later(played, gateway):
    attempt = approved(played, save_method=True)
    played.fault("capture", "vault_later", after_s=60)
    before = gateway.capture_approved(attempt)
    played.advance(61)

    assert before.saved_method is None
    assert gateway.fetch_payment(attempt).saved_method.kind == "paypal"


@pytest.mark.parametrize("amount", [Money(100_000, "JPY"), Money(100_000, "HUF"), Money(150_000, "TWD")])
def test_G30_whole_currencies_are_paid_to_the_unit(played, gateway, amount):
    attempt = approved(played, amount=amount)

    snapshot = gateway.capture_approved(attempt)

    assert (snapshot.state, snapshot.amount, snapshot.requested) == (GatewayState.SUCCEEDED, amount, amount)
    (entry,) = played.journal()
    assert (entry["amount_minor"], entry["currency"]) == (amount.minor, amount.currency)


def test_an_event_about_our_refund_names_the_attempt(played, gateway):
    attempt, _ = played.paid()
    gateway.refund(attempt, Money(100, "USD"), key="REF_1")

    event = gateway.read_event(*played.last_event())

    assert (event.gateway_reference, event.gateway_id) == (attempt.gateway_reference, attempt.gateway_id)


def test_paypal_itself_can_be_asked_whether_it_sent_an_event(played):
    asking = played.connect({**played.case.credentials, "webhook_verification": "api"})
    attempt, _ = played.paid()
    headers, body = played.last_event()

    assert asking.read_event(headers, body).gateway_reference == attempt.gateway_reference
    assert asking.read_event(headers, body.replace(b"USD", b"EUR", 1)) is None
    played.fault("verify_signature", "500_before")
    with pytest.raises(Unreachable):
        asking.read_event(headers, body)


def test_without_its_certificate_an_event_is_neither_believed_nor_refused(played, gateway):
    played.paid()
    played.fault("certificate", "500_before")

    with pytest.raises(Unreachable):
        gateway.read_event(*played.last_event())
