"""The contract of what only some gateways can do: capture, charge a saved method, list disputes.

A gateway without the ability skips these, and says so. `contract` brings them into every adapter's tests.
"""

from datetime import timedelta

import pytest

from tillgate.gateways import declines
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown
from tillgate.gateways.protocol import (
    AttemptRef,
    CapturesApproved,
    ChargesSaved,
    DisputeState,
    EventSubject,
    GatewayState,
    ListsDisputes,
    RepeatsRefunds,
)
from tillgate.money import Money


def approved(emulated):
    emulated.need(CapturesApproved)
    attempt = emulated.started()
    emulated.pay(attempt)
    assert emulated.gateway.fetch_payment(attempt).state == GatewayState.APPROVED
    return attempt


def test_an_approval_moves_no_money(emulated):
    approved(emulated)

    assert emulated.journal() == []


def test_a_capture_repeated_is_the_same_capture(emulated, gateway, case):
    attempt = approved(emulated)

    first, again = gateway.capture_approved(attempt), gateway.capture_approved(attempt)

    assert (first.state, first.amount) == (GatewayState.SUCCEEDED, case.amount)
    assert (again.state, again.gateway_id) == (GatewayState.SUCCEEDED, first.gateway_id)
    assert gateway.fetch_payment(attempt).gateway_id == first.gateway_id
    assert [entry["ok"] for entry in emulated.journal()] == [True]


@pytest.mark.parametrize("beyond", [pytest.param(timedelta(minutes=1), id="G-17-key-forgotten")])
def test_a_capture_repeated_after_its_key_is_forgotten_captures_nothing_more(emulated, gateway, beyond):
    attempt = approved(emulated)
    first = gateway.capture_approved(attempt)
    emulated.advance(int((gateway.capture_key_kept + beyond).total_seconds()))

    again = gateway.capture_approved(attempt)

    assert (again.state, again.gateway_id) == (GatewayState.SUCCEEDED, first.gateway_id)
    assert len(emulated.journal()) == 1


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        pytest.param("timeout_after", 1, id="G-01-timeout_after"),
        pytest.param("reset_before", 0, id="G-02-reset_before"),
        pytest.param("half_body", 1, id="G-03-half_body"),
        pytest.param("500_after", 1, id="G-04-500_after"),
        pytest.param("500_before", 0, id="G-05-500_before"),
        pytest.param("html", 1, id="G-08-html"),
    ],
)
def test_a_lost_answer_to_a_capture_is_unknown_and_the_next_finds_it(emulated, gateway, case, fault, done):
    attempt = approved(emulated)
    emulated.fault(case.capture, fault)

    with pytest.raises(GatewayUnknown):
        emulated.hasty.capture_approved(attempt)

    assert len(emulated.journal()) == done
    assert gateway.capture_approved(attempt).state == GatewayState.SUCCEEDED
    assert len(emulated.journal("charge")) == 1


def test_a_capture_that_the_bank_declines_is_a_failure(emulated, gateway, case):
    emulated.need(CapturesApproved)
    attempt = emulated.started()
    emulated.pay(attempt, "decline")

    snapshot = gateway.capture_approved(attempt)

    assert (snapshot.state, snapshot.mode) == (GatewayState.FAILED, case.mode)
    assert snapshot.gateway_reference == attempt.gateway_reference
    assert snapshot.failure == declines.decline(case.declines_with)
    assert not any(entry["ok"] for entry in emulated.journal())


def test_what_nobody_approved_is_not_captured(emulated, gateway):
    emulated.need(CapturesApproved)

    assert gateway.capture_approved(emulated.started()).state == GatewayState.PENDING
    assert emulated.journal() == []


def test_a_refund_repeated_under_its_key_is_the_same_refund(emulated, gateway, case):
    emulated.need(RepeatsRefunds)
    attempt, _ = emulated.paid()

    first, again = (gateway.refund(attempt, case.part(5), key="REF_1") for _ in range(2))

    assert again.gateway_id == first.gateway_id
    assert [refund.gateway_id for refund in emulated.refunds_of(attempt)] == [first.gateway_id]


def test_a_refund_under_another_key_is_another_refund(emulated, gateway, case):
    emulated.need(RepeatsRefunds)
    attempt, _ = emulated.paid()

    made = {gateway.refund(attempt, case.part(5), key=key).gateway_id for key in ("REF_1", "REF_2")}

    assert {refund.gateway_id for refund in emulated.refunds_of(attempt)} == made
    assert len(made) == 2


def test_a_payment_leaves_a_method_to_charge_later(emulated):
    emulated.need(ChargesSaved)

    _, method = emulated.saved()

    assert method.token
    assert method.kind
    assert method.token not in repr(method)


def test_a_saved_method_is_charged_without_the_customer(emulated, gateway, case):
    emulated.need(ChargesSaved)
    _, method = emulated.saved()
    request = emulated.charge_of(method)

    snapshot = gateway.charge_saved(request)

    assert (snapshot.state, snapshot.failure) == (GatewayState.SUCCEEDED, None)
    assert (snapshot.gateway_reference, snapshot.mode) == (request.gateway_reference, case.mode)
    assert (snapshot.amount, snapshot.fee) == (case.amount, case.fee)
    assert snapshot.gateway_id
    assert emulated.journal()[-1]["initiated_by"] == "merchant"
    assert method.token not in repr(request)


def test_a_declined_charge_says_why_and_takes_nothing(emulated, gateway, case):
    emulated.need(ChargesSaved)
    first, method = emulated.saved()
    emulated.control("methods", first, next=list(case.declines))

    for code in case.declines.values():
        request = emulated.charge_of(method)
        snapshot = gateway.charge_saved(request)
        assert (snapshot.state, snapshot.failure) == (GatewayState.FAILED, declines.decline(code))
        assert (snapshot.gateway_reference, snapshot.mode) == (request.gateway_reference, case.mode)
    assert sum(entry["ok"] for entry in emulated.journal()) == 1


def test_a_charge_that_takes_its_time_is_processing(emulated, gateway):
    emulated.need(ChargesSaved)
    first, method = emulated.saved()
    emulated.control("methods", first, next=["pending"])

    snapshot = gateway.charge_saved(emulated.charge_of(method))

    assert snapshot.state == GatewayState.PROCESSING
    assert len(emulated.journal()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("timeout_after", id="G-01-timeout_after"),
        pytest.param("half_body", id="G-03-half_body"),
        pytest.param("500_after", id="G-04-500_after"),
        pytest.param("html", id="G-08-html"),
        pytest.param("empty_body", id="G-08-empty_body"),
    ],
)
def test_a_charge_whose_answer_was_lost_is_found_and_made_once(emulated, case, fault):
    emulated.need(ChargesSaved)
    _, method = emulated.saved()
    request = emulated.charge_of(method)
    emulated.fault(case.charge, fault)

    with pytest.raises(GatewayUnknown):
        emulated.hasty.charge_saved(request)

    assert resolved(emulated, request).state == GatewayState.SUCCEEDED
    assert len(emulated.journal("charge")) == 2


@pytest.mark.parametrize("fault", [pytest.param("ignore_key", id="G-15-ignore_key")])
def test_an_adapter_never_sends_a_charge_again_by_itself(emulated, case, fault):
    emulated.need(ChargesSaved)
    _, method = emulated.saved()
    emulated.faults(case.charge, [{"fault": fault, "times": 0}, {"fault": "timeout_after"}])

    with pytest.raises(GatewayUnknown):
        emulated.hasty.charge_saved(emulated.charge_of(method))

    assert len(emulated.journal("charge")) == 2


@pytest.mark.parametrize("fault", [pytest.param("dup_ref_error", id="G-16-duplicate")])
def test_a_charge_refused_as_a_repeat_may_have_been_made(emulated, gateway, case, fault):
    emulated.need(ChargesSaved)
    case.need("duplicate charge")
    _, method = emulated.saved()
    request = emulated.charge_of(method)
    emulated.fault(case.charge, fault)

    with pytest.raises(DuplicateReference):
        gateway.charge_saved(request)

    assert resolved(emulated, request).state == GatewayState.SUCCEEDED


@pytest.mark.parametrize("word", [pytest.param("quantum", id="G-07-unknown-word")])
def test_a_charge_with_an_unknown_status_is_unknown(emulated, gateway, case, word):
    emulated.need(ChargesSaved)
    _, method = emulated.saved()
    emulated.fault(case.charge, "unknown_status", word=word)

    with pytest.raises(GatewayUnknown):
        gateway.charge_saved(emulated.charge_of(method))


def resolved(emulated, request):
    """What came of a charge: asked by our reference, or sent again where its key makes that safe."""
    if emulated.gateway.charge_key_kept is None:
        attempt = AttemptRef(gateway_reference=request.gateway_reference, gateway_id=None)
        return emulated.gateway.fetch_payment(attempt)
    return emulated.gateway.charge_saved(request)


def disputes_of(emulated, attempt):
    return emulated.gateway.list_disputes(attempt, since=emulated.now() - timedelta(days=2))


def test_what_nobody_contests_has_no_disputes(emulated):
    emulated.need(ListsDisputes)
    attempt, _ = emulated.paid()

    assert disputes_of(emulated, attempt) == ()


def test_a_dispute_is_open_and_the_customers_bank_says_how_much(emulated, case):
    emulated.need(ListsDisputes)
    attempt, _ = emulated.paid()
    emulated.control("dispute", emulated.paid()[0], action="open")
    emulated.control("dispute", attempt, action="open")

    (dispute,) = disputes_of(emulated, attempt)

    assert (dispute.state, dispute.amount) == (DisputeState.OPEN, case.amount)
    assert dispute.gateway_id
    assert dispute.respond_by is None or dispute.respond_by > emulated.now()


@pytest.mark.parametrize(("action", "state"), [("won", DisputeState.WON), ("lost", DisputeState.LOST)])
def test_a_dispute_that_was_decided_says_so(emulated, case, action, state):
    emulated.need(ListsDisputes)
    attempt, _ = emulated.paid()
    emulated.control("dispute", attempt, action="open")
    (opened,) = disputes_of(emulated, attempt)
    emulated.control("dispute", attempt, action=action)

    (decided,) = disputes_of(emulated, attempt)

    assert (decided.state, decided.gateway_id) == (state, opened.gateway_id)
    assert decided.amount == Money(case.amount.minor, case.amount.currency)


@pytest.mark.parametrize("action", ["open", "won", "lost"])
def test_an_event_about_a_dispute_names_its_transaction_and_claims_no_money(emulated, gateway, action):
    emulated.need(ListsDisputes)
    attempt, _ = emulated.paid()
    emulated.control("dispute", attempt, action="open")
    if action != "open":
        emulated.control("dispute", attempt, action=action)

    event = gateway.read_event(*emulated.last_event())

    assert (event.about, event.claims_money) == (EventSubject.DISPUTE, False)
    assert attempt.gateway_reference == event.gateway_reference or attempt.gateway_id == event.gateway_id
    assert event.gateway_id in (None, attempt.gateway_id)
