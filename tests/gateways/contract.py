"""The contract of every adapter, over its emulator by real HTTP.

An adapter's test module has a fixture `case` that returns its `AdapterCase`, and imports everything
here: `from tests.gateways.contract import *  # noqa: F403`. The faults are in `contract_faults`; what
only some gateways can do comes along from `contract_abilities`. Case numbers (G-14) are those of the
reliability plan's table "the gateway says odd things".
"""

from dataclasses import replace

import pytest

from tests.gateways.contract_abilities import *  # noqa: F403
from tests.gateways.contract_saved import *  # noqa: F403
from tests.gateways.emulated import Emulated
from tillgate.common.references import new_reference
from tillgate.gateways import declines, registry
from tillgate.gateways.errors import DuplicateReference, Rejected
from tillgate.gateways.protocol import (
    AttemptRef,
    CapturesApproved,
    EventSubject,
    GatewayState,
    RefundRef,
    RefundState,
)
from tillgate.money import Money


@pytest.fixture
def emulated(case, sandbox):
    emulated = Emulated(case, sandbox)
    yield emulated
    emulated.control_client.close()


@pytest.fixture
def gateway(emulated):
    return emulated.gateway


def test_starting_says_where_the_customer_goes(emulated, gateway):
    started = gateway.start_payment(emulated.request())

    assert started.redirect_url.startswith(emulated.account.base_url)
    assert emulated.journal() == []


def test_nobody_has_paid_yet(emulated, gateway, case):
    attempt = emulated.started()

    assert gateway.fetch_payment(attempt).state == case.unpaid


def test_a_customer_who_walked_away_has_not_paid(emulated, gateway, case):
    attempt = emulated.started()
    emulated.pay(attempt, "abandon")

    assert gateway.fetch_payment(attempt).state == case.unpaid


def test_a_payment_is_told_exactly(emulated, case):
    attempt = emulated.started()
    emulated.pay(attempt)

    snapshot = emulated.outcome(attempt)

    assert snapshot.state == GatewayState.SUCCEEDED
    assert snapshot.gateway_reference == attempt.gateway_reference
    assert (snapshot.amount, snapshot.requested, snapshot.fee) == (case.amount, case.amount, case.fee)
    assert (snapshot.mode, snapshot.channel, snapshot.failure) == (case.mode, case.channel, None)
    assert snapshot.gateway_id
    assert snapshot.paid_at.tzinfo is not None
    assert [entry["ok"] for entry in emulated.journal()] == [True]


def test_a_decline_says_why(emulated, case):
    attempt = emulated.started()
    emulated.pay(attempt, "decline")

    snapshot = emulated.outcome(attempt)

    assert (snapshot.state, snapshot.mode) == (GatewayState.FAILED, case.mode)
    assert snapshot.gateway_reference == attempt.gateway_reference
    assert snapshot.failure == declines.decline(case.declines_with)


@pytest.mark.parametrize("word", ["Martian refusal 17", "", "x" * 5_000, "\x00\n\ud800"])
def test_a_decline_that_no_table_has_is_told_as_such(case, word):
    failure = case.read_decline(word)

    assert (failure.code, failure.retryable) == ("unknown", True)
    assert 0 < len(failure.unmapped) <= 80
    assert failure.unmapped.isprintable()


def test_every_status_has_one_meaning(emulated, gateway, case):
    case.need("status words")
    attempt = emulated.started()
    emulated.pay(attempt, "decline")  # Where money has come in, an adapter may look beyond this answer.

    for word, state in case.words.items():
        emulated.fault(case.look, "unknown_status", word=word)
        assert (word, gateway.fetch_payment(attempt).state) == (word, state)
    assert case.words


def test_a_reference_nobody_used_is_absent(gateway):
    unknown = AttemptRef(gateway_reference=new_reference("ATT"), gateway_id=None)

    snapshot = gateway.fetch_payment(unknown)

    assert (snapshot.state, snapshot.gateway_reference) == (GatewayState.ABSENT, unknown.gateway_reference)


@pytest.mark.parametrize(
    "odd", ["../refund", "a/b", "a?b=c", "a#b", "a&b", "%2e%2e", "ä", " ", "a\r\nb", "."]
)
def test_an_odd_reference_asks_about_itself_only(gateway, odd):
    snapshot = gateway.fetch_payment(AttemptRef(gateway_reference=odd, gateway_id=None))

    assert snapshot.state == GatewayState.ABSENT


def test_slow_money_is_processing_until_it_arrives(emulated, gateway, case):
    attempt = emulated.started()
    emulated.pay(attempt, "pending")
    before = emulated.outcome(attempt)
    emulated.pay(attempt, "settle")

    after = gateway.fetch_payment(attempt)

    assert (before.state, before.fee) == (GatewayState.PROCESSING, None)
    assert (after.state, after.channel) == (GatewayState.SUCCEEDED, case.slow_channel)


@pytest.mark.parametrize("seconds", [pytest.param(60, id="G-14-lag")])
def test_a_look_up_that_lags_is_absent_for_now(emulated, gateway, case, seconds):
    emulated.fault(case.lags, "lookup_lag", seconds=seconds)
    attempt = emulated.started()
    emulated.pay(attempt)
    before = gateway.fetch_payment(attempt)
    emulated.advance(seconds + 1)

    assert before.state == GatewayState.ABSENT
    assert emulated.outcome(attempt).state == GatewayState.SUCCEEDED


@pytest.mark.parametrize("after_s", [pytest.param(3_600, id="G-18-reversed")])
def test_money_that_went_back_is_reversed(emulated, gateway, case, after_s):
    case.need("reversal")
    emulated.fault(case.reverses, "then_reverse", after_s=after_s)
    attempt, before = emulated.paid()
    emulated.advance(after_s + 1)

    after = gateway.fetch_payment(attempt)

    assert after.state == GatewayState.REVERSED
    assert (after.amount, after.gateway_id) == (before.amount, before.gateway_id)


def test_a_transaction_is_found_by_the_gateways_own_id(emulated, gateway):
    attempt, snapshot = emulated.paid()

    assert told(gateway.fetch_transaction(attempt.gateway_id)) == told(snapshot)


def test_an_id_nobody_has_is_absent(gateway, case):
    for strange in case.strange_ids:
        assert gateway.fetch_transaction(strange).state == GatewayState.ABSENT


def test_of_two_payments_under_one_reference_each_can_be_asked_about(emulated, gateway, case):
    case.need("two payments")
    attempt, first = emulated.paid()
    emulated.pay(attempt, "twice")

    second = gateway.fetch_payment(attempt)

    assert second.gateway_id != first.gateway_id
    assert told(gateway.fetch_transaction(first.gateway_id)) == told(first)
    assert told(gateway.fetch_transaction(second.gateway_id)) == told(second)
    assert first.gateway_reference == second.gateway_reference


@pytest.mark.parametrize("minor", [pytest.param(123_456, id="G-09-another-amount")])
def test_another_amount_than_asked_for_is_told_as_it_is(emulated, gateway, case, minor):
    case.need("other amount")
    attempt = emulated.started()
    emulated.pay(attempt, "other_amount", amount_minor=minor)

    snapshot = gateway.fetch_payment(attempt)

    assert snapshot.amount == Money(minor, case.amount.currency)
    assert snapshot.state == GatewayState.SUCCEEDED


def test_a_fee_that_the_customer_bears_is_told_apart(emulated, gateway, case):
    case.need("fee on top")
    attempt = emulated.started()
    emulated.pay(attempt, customer_pays_fee=True)

    snapshot = gateway.fetch_payment(attempt)

    assert (snapshot.amount, snapshot.requested) == (case.amount + case.fee, case.amount)


def test_one_reference_starts_once(emulated, gateway, case):
    case.need("one start")
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
        lambda: stranger.list_refunds(attempt, since=emulated.now()),
    ):
        with pytest.raises(Rejected) as caught:
            call()
        assert not any(secret in str(caught.value) for secret in case.wrong_credentials.values() if secret)


@pytest.mark.parametrize("why", [pytest.param("not taken", id="G-30-currency")])
def test_a_currency_that_it_does_not_take_is_rejected(emulated, gateway, case, why):
    assert not gateway.takes(case.unsupported), why
    assert gateway.takes(case.amount)
    assert case.amount.currency in gateway.currencies

    with pytest.raises(Rejected):
        gateway.start_payment(emulated.request(amount=case.unsupported))


def test_a_request_that_it_refuses_is_rejected(emulated, gateway, case):
    request = replace(emulated.request(), **case.refused)

    with pytest.raises(Rejected, match=case.refused_words):
        gateway.start_payment(request)


def test_a_refund_begins_and_is_then_done(emulated, gateway, case):
    attempt, _ = emulated.paid()
    amount = case.part(5)

    refund = gateway.refund(attempt, amount, key="REF_1")
    ref = refund_ref(attempt, amount, refund.gateway_id)
    before = gateway.fetch_refund(ref)
    emulated.advance(31)

    assert (refund.state, refund.amount) == (case.refund_begins_as, amount)
    assert same(before) == same(refund)
    assert same(gateway.fetch_refund(ref)) == same(replace(refund, state=RefundState.SUCCEEDED))
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

    assert gateway.fetch_refund(refund_ref(attempt, case.amount, case.strange_refund)) is None


def test_refunds_are_listed_newest_first_and_of_this_attempt_only(emulated, gateway, case):
    attempt, _ = emulated.paid()
    other, _ = emulated.paid()
    gateway.refund(other, case.amount, key="REF_0")
    made = [gateway.refund(attempt, case.part(share), key=f"REF_{share}") for share in (50, 40, 30)]

    assert list(map(same, emulated.refunds_of(attempt))) == list(map(same, made[::-1]))
    assert emulated.refunds_of(emulated.paid()[0]) == ()


def test_a_listed_refund_carries_our_name_for_it(emulated, gateway, case):
    case.need("refund note")
    attempt, _ = emulated.paid()
    gateway.refund(attempt, case.part(5), key="REF_1")

    assert [refund.note for refund in emulated.refunds_of(attempt)] == ["REF_1"]


def test_refunds_made_before_the_time_asked_about_hide_no_later_one(emulated, gateway, case):
    attempt, _ = emulated.paid()
    gateway.refund(attempt, case.part(50), key="REF_1")
    emulated.advance(10 * 86_400)
    since = emulated.now()
    late = gateway.refund(attempt, case.part(40), key="REF_2")

    assert same(gateway.list_refunds(attempt, since=since)[0]) == same(late)


def test_refunds_made_in_the_dashboard_are_listed(emulated, gateway, case):
    attempt, _ = emulated.paid()
    emulated.control("refund", attempt, amount_minor=case.part(5).minor)

    listed = emulated.refunds_of(attempt)

    assert [(refund.state, refund.amount) for refund in listed] == [(RefundState.SUCCEEDED, case.part(5))]
    assert gateway.fetch_refund(refund_ref(attempt, case.part(5), listed[0].gateway_id)) is not None


def test_its_own_event_is_verified_and_names_the_attempt(emulated, gateway):
    attempt, snapshot = emulated.paid()

    event = gateway.read_event(*emulated.last_event())

    assert (event.gateway_reference, event.gateway_id) == (attempt.gateway_reference, snapshot.gateway_id)
    assert (event.claims_money, event.about) == (True, EventSubject.PAYMENT)


def test_an_event_about_a_refund_names_its_transaction_and_claims_no_money(emulated, gateway, case):
    case.need("refund events")
    attempt, _ = emulated.paid()
    emulated.control("refund", attempt, amount_minor=case.part(5).minor)

    event = gateway.read_event(*emulated.last_event())

    assert (event.about, event.claims_money) == (EventSubject.REFUND, False)
    assert attempt.gateway_reference == event.gateway_reference or attempt.gateway_id == event.gateway_id


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
    adapter = registry.GATEWAYS[case.gateway]

    assert adapter.name == case.gateway == emulated.gateway.name
    assert adapter.settings[0].startswith(case.gateway.upper())
    assert adapter.page_origins
    assert isinstance(emulated.gateway, CapturesApproved) == hasattr(adapter, "capture_key_kept")


def refund_ref(attempt, amount, gateway_id):
    return RefundRef(attempt=attempt, amount=amount, gateway_reference="REF_1", gateway_id=gateway_id)


def told(snapshot):
    """What every look-up of one transaction must say alike."""
    names = ("state", "gateway_reference", "gateway_id", "mode", "amount", "fee")
    return {name: getattr(snapshot, name) for name in names}


def same(refund):
    """A refund without its note, which not every answer repeats."""
    return refund.state, refund.gateway_id, refund.amount
