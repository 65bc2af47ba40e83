"""The contract of every adapter, over its emulator by real HTTP.

An adapter's test module has a fixture `case` that returns its `AdapterCase`, and imports everything
here: `from tests.gateways.contract import *  # noqa: F403`. The faults are in `contract_faults`.
"""

from dataclasses import replace

import pytest

from tests.gateways.emulated import Emulated
from tillgate.common.references import new_reference
from tillgate.gateways import registry
from tillgate.gateways.errors import DuplicateReference, Rejected
from tillgate.gateways.protocol import AttemptRef, GatewayState, RefundRef, RefundState
from tillgate.money import Money


@pytest.fixture
def emulated(case, sandbox):
    emulated = Emulated(case, sandbox.url)
    yield emulated
    emulated.control_client.close()


@pytest.fixture
def gateway(emulated):
    return emulated.gateway


def test_starting_says_where_the_customer_goes(emulated, gateway):
    started = gateway.start_payment(emulated.request())

    assert started.redirect_url.startswith(emulated.account.base_url)
    assert emulated.journal() == []


def test_nobody_has_paid_yet_is_pending(emulated, gateway):
    attempt = emulated.started()

    assert gateway.fetch_payment(attempt).state == GatewayState.PENDING


def test_a_customer_who_walked_away_is_pending(emulated, gateway):
    attempt = emulated.started()
    emulated.pay(attempt, "abandon")

    assert gateway.fetch_payment(attempt).state == GatewayState.PENDING


def test_a_payment_is_told_exactly(emulated, gateway, case):
    attempt = emulated.started()
    emulated.pay(attempt)

    snapshot = gateway.fetch_payment(attempt)

    assert snapshot.state == GatewayState.SUCCEEDED
    assert snapshot.gateway_reference == attempt.gateway_reference
    assert (snapshot.amount, snapshot.requested, snapshot.fee) == (case.amount, case.amount, case.fee)
    assert (snapshot.mode, snapshot.channel, snapshot.failure) == (case.mode, "card", None)
    assert snapshot.gateway_id
    assert snapshot.paid_at.tzinfo is not None
    assert [entry["ok"] for entry in emulated.journal()] == [True]


def test_a_decline_says_why(emulated, gateway):
    attempt = emulated.started()
    emulated.pay(attempt, "decline")

    snapshot = gateway.fetch_payment(attempt)

    assert snapshot.state == GatewayState.FAILED
    assert (snapshot.failure.code, snapshot.failure.retryable) == ("declined", True)
    assert snapshot.failure.message.endswith(".")


def test_a_reference_nobody_used_is_absent(gateway):
    unknown = AttemptRef(gateway_reference=new_reference("ATT"), gateway_id=None)

    snapshot = gateway.fetch_payment(unknown)

    assert (snapshot.state, snapshot.gateway_reference) == (GatewayState.ABSENT, unknown.gateway_reference)


@pytest.mark.parametrize("odd", ["../refund", "a/b", "a?b=c", "a#b", "%2e%2e", "ä", " ", "a\r\nb", "."])
def test_an_odd_reference_asks_about_itself_only(gateway, odd):
    snapshot = gateway.fetch_payment(AttemptRef(gateway_reference=odd, gateway_id=None))

    assert snapshot.state == GatewayState.ABSENT


def test_a_slow_transfer_is_processing_until_it_arrives(emulated, gateway):
    attempt = emulated.started()
    emulated.pay(attempt, "pending")
    before = gateway.fetch_payment(attempt)
    emulated.advance(61)

    after = gateway.fetch_payment(attempt)

    assert (before.state, before.fee) == (GatewayState.PROCESSING, None)
    assert (after.state, after.channel) == (GatewayState.SUCCEEDED, "bank_transfer")


def test_a_look_up_that_lags_is_absent_for_now(emulated, gateway, case):
    emulated.fault(case.start, "lookup_lag", seconds=60)
    attempt = emulated.started()
    before = gateway.fetch_payment(attempt)
    emulated.advance(61)

    assert (before.state, gateway.fetch_payment(attempt).state) == (GatewayState.ABSENT, GatewayState.PENDING)


def test_money_that_went_back_is_reversed(emulated, gateway, case):
    emulated.fault(case.start, "then_reverse", after_s=60)
    attempt, before = emulated.paid()
    emulated.advance(61)

    after = gateway.fetch_payment(attempt)

    assert (before.state, after.state) == (GatewayState.SUCCEEDED, GatewayState.REVERSED)
    assert (after.amount, after.gateway_id) == (before.amount, before.gateway_id)


def test_a_transaction_is_found_by_the_gateways_own_id(emulated, gateway):
    attempt, snapshot = emulated.paid()

    assert gateway.fetch_transaction(attempt.gateway_id) == snapshot


@pytest.mark.parametrize("strange", ["9" * 12, "1"])
def test_an_id_nobody_has_is_absent(gateway, strange):
    assert gateway.fetch_transaction(strange).state == GatewayState.ABSENT


def test_of_two_payments_under_one_reference_each_can_be_asked_about(emulated, gateway):
    attempt, first = emulated.paid()
    emulated.pay(attempt, "twice")

    second = gateway.fetch_payment(attempt)

    assert second.gateway_id != first.gateway_id
    assert gateway.fetch_transaction(first.gateway_id) == first
    assert gateway.fetch_transaction(second.gateway_id) == second
    assert first.gateway_reference == second.gateway_reference


def test_another_amount_than_asked_for_is_told_as_it_is(emulated, gateway, case):
    attempt = emulated.started()
    emulated.pay(attempt, "other_amount", amount_minor=123_456)

    snapshot = gateway.fetch_payment(attempt)

    assert (snapshot.amount, snapshot.requested) == (Money(123_456, case.amount.currency), case.amount)


def test_a_fee_that_the_customer_bears_is_told_apart(emulated, gateway, case):
    attempt = emulated.started()
    emulated.pay(attempt, customer_pays_fee=True)

    snapshot = gateway.fetch_payment(attempt)

    assert (snapshot.amount, snapshot.requested) == (case.amount + case.fee, case.amount)


def test_one_reference_starts_once(emulated, gateway):
    request = emulated.request()
    gateway.start_payment(request)

    with pytest.raises(DuplicateReference):
        gateway.start_payment(request)


def test_a_wrong_key_is_rejected_and_not_told(emulated, case):
    stranger = emulated.connect(case.wrong_credentials)
    attempt, _ = emulated.paid()

    for call in (
        lambda: stranger.start_payment(emulated.request()),
        lambda: stranger.fetch_payment(attempt),
        lambda: stranger.fetch_transaction(attempt.gateway_id),
        lambda: stranger.refund(attempt, case.amount, key="REF_1"),
    ):
        with pytest.raises(Rejected) as caught:
            call()
        assert not any(secret in str(caught.value) for secret in case.wrong_credentials.values())


def test_a_currency_that_it_does_not_take_is_rejected(emulated, gateway, case):
    assert case.unsupported.currency not in gateway.currencies
    assert case.amount.currency in gateway.currencies

    with pytest.raises(Rejected):
        gateway.start_payment(emulated.request(amount=case.unsupported))


def test_a_request_that_it_refuses_is_rejected(emulated, gateway):
    request = replace(emulated.request(), customer_email="nobody")

    with pytest.raises(Rejected, match=r"[Ee]mail"):
        gateway.start_payment(request)


def test_a_refund_is_pending_and_then_done(emulated, gateway, case):
    attempt, _ = emulated.paid()
    amount = Money(100_000, case.amount.currency)

    refund = gateway.refund(attempt, amount, key="REF_1")
    ref = refund_ref(attempt, amount, refund.gateway_id)
    before = gateway.fetch_refund(ref)
    emulated.advance(31)

    assert (refund.state, refund.amount) == (RefundState.PENDING, amount)
    assert before == refund
    assert gateway.fetch_refund(ref) == replace(refund, state=RefundState.SUCCEEDED)
    assert gateway.fetch_payment(attempt).state in (GatewayState.SUCCEEDED, GatewayState.REVERSING)


def test_a_refund_that_fails_says_so(emulated, gateway, case):
    attempt, _ = emulated.paid()
    emulated.fault(case.refund, "decline", after_s=30)
    refund = gateway.refund(attempt, case.amount, key="REF_1")
    emulated.advance(31)

    found = gateway.fetch_refund(refund_ref(attempt, case.amount, refund.gateway_id))

    assert found.state == RefundState.FAILED


def test_more_than_was_paid_is_not_refunded(emulated, gateway, case):
    attempt, _ = emulated.paid()

    with pytest.raises(Rejected):
        gateway.refund(attempt, case.amount + Money(1, case.amount.currency), key="REF_1")


def test_what_nobody_paid_is_not_refunded(emulated, gateway, case):
    with pytest.raises(Rejected):
        gateway.refund(emulated.started(), case.amount, key="REF_1")


def test_a_refund_that_it_does_not_know_is_none(emulated, gateway, case):
    attempt, _ = emulated.paid()

    assert gateway.fetch_refund(refund_ref(attempt, case.amount, "999999999")) is None


def test_refunds_are_listed_newest_first_and_of_this_attempt_only(emulated, gateway, case):
    emulated.need_list_of_refunds()
    attempt, _ = emulated.paid()
    other, _ = emulated.paid()
    gateway.refund(other, case.amount, key="REF_0")
    amounts = [Money(minor, case.amount.currency) for minor in (10_000, 20_000, 30_000)]
    made = [gateway.refund(attempt, amount, key="REF_1") for amount in amounts]

    assert list(gateway.list_refunds(attempt)) == made[::-1]
    assert gateway.list_refunds(emulated.paid()[0]) == ()


def test_its_own_event_is_verified_and_names_the_attempt(emulated, gateway):
    attempt, snapshot = emulated.paid()

    event = gateway.read_event(*emulated.last_event())

    assert (event.gateway_reference, event.gateway_id) == (attempt.gateway_reference, snapshot.gateway_id)
    assert event.claims_money is True


def test_a_second_delivery_is_the_same_news_and_another_payment_is_not(emulated, gateway):
    emulated.paid()
    first = gateway.read_event(*emulated.last_event())
    again = gateway.read_event(*emulated.last_event())
    emulated.paid()

    other = gateway.read_event(*emulated.last_event())

    assert first == again
    assert other.dedupe_key != first.dedupe_key


def test_two_hundred_forgeries_verify_nothing(emulated, gateway, case):
    emulated.paid()
    headers, body = emulated.last_event()
    forgeries = list(case.forgeries(headers, body))

    passed = [number for number, forgery in enumerate(forgeries) if gateway.read_event(*forgery) is not None]

    assert len(forgeries) >= 200
    assert passed == []
    assert gateway.read_event(headers, body) is not None


def test_another_accounts_event_is_not_ours(emulated, case):
    emulated.paid()

    assert emulated.connect(case.wrong_credentials).read_event(*emulated.last_event()) is None


def test_blank_credentials_verify_nothing(emulated, case):
    body = b'{"event": "charge.success"}'

    for blank in case.blank:
        headers = case.sign_with(blank, body)
        assert emulated.connect(blank).read_event(headers, body) is None


def test_an_account_never_shows_its_credentials(emulated, case):
    shown = f"{emulated.account!r} {emulated.account} {emulated.gateway!r} {vars(emulated.account).keys()}"

    assert not any(secret in shown for secret in case.credentials.values())


def test_the_registry_knows_it(emulated, case):
    assert registry.GATEWAYS[case.gateway].name == case.gateway == emulated.gateway.name


def refund_ref(attempt, amount, gateway_id):
    return RefundRef(attempt=attempt, amount=amount, gateway_reference="REF_1", gateway_id=gateway_id)
