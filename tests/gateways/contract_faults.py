"""The second half of every adapter's contract: what its gateway's bad days must look like to us.

A call that may have done something is GatewayUnknown; a question may simply be asked again.
"""

import time
import tracemalloc
from dataclasses import replace

import pytest

from tillgate.gateways.errors import DuplicateReference, GatewayError, GatewayUnknown, Unreachable
from tillgate.gateways.protocol import AttemptRef, GatewayState
from tillgate.money import Money

LOST = [
    ("timeout_before", {"seconds": 30}),
    ("timeout_after", {"seconds": 30}),
    ("reset_before", {}),
    ("half_body", {}),
    ("500_before", {}),
    ("500_after", {}),
    ("html", {}),
    ("empty_body", {}),
    ("huge_body", {"bytes": 3_000_000}),
    ("gzip_bomb", {"bytes": 100_000_000}),
    ("slow_body", {"seconds": 5}),
]
DONE_ALL_THE_SAME = {"timeout_after", "half_body", "500_after", "html", "empty_body", "slow_body"}


@pytest.mark.parametrize(("fault", "args"), LOST)
def test_a_lost_answer_to_a_start_is_unknown(emulated, gateway, case, fault, args):
    request = emulated.request()
    emulated.fault(case.start, fault, **args)
    began = time.monotonic()

    with pytest.raises(GatewayUnknown):
        emulated.hasty.start_payment(request)

    assert time.monotonic() - began < 2
    state = gateway.fetch_payment(
        AttemptRef(gateway_reference=request.gateway_reference, gateway_id=None)
    ).state
    assert state in (GatewayState.PENDING, GatewayState.ABSENT)
    assert (state == GatewayState.PENDING) >= (fault in DONE_ALL_THE_SAME)


@pytest.mark.parametrize(("fault", "args"), [*LOST, ("lookup_5xx", {})])
def test_a_lost_answer_to_a_question_is_unreachable(emulated, gateway, case, fault, args):
    attempt = emulated.started()
    emulated.fault(case.look, fault, **args)
    began = time.monotonic()

    with pytest.raises(Unreachable):
        emulated.hasty.fetch_payment(attempt)

    assert time.monotonic() - began < 2
    assert gateway.fetch_payment(attempt).state == GatewayState.PENDING


@pytest.mark.parametrize(("fault", "args"), LOST)
def test_a_lost_answer_to_a_refund_is_unknown_and_never_a_second_refund(emulated, gateway, case, fault, args):
    attempt, _ = emulated.paid()
    emulated.fault(case.refund, fault, **args)

    with pytest.raises(GatewayUnknown):
        emulated.hasty.refund(attempt, Money(10_000, case.amount.currency), key="REF_1")

    if emulated.lists_refunds:
        assert len(gateway.list_refunds(attempt)) in ((1,) if fault in DONE_ALL_THE_SAME else (0, 1))


def test_a_start_cut_off_after_any_byte_is_unknown(emulated, case):
    length = cut_everywhere(emulated, case.start, 400)

    said = [outcome(lambda: emulated.gateway.start_payment(emulated.request())) for _ in range(length)]

    assert_cut(said, GatewayUnknown)


def test_a_question_cut_off_after_any_byte_is_unreachable(emulated, case):
    unknown = AttemptRef(gateway_reference="ATT_NOBODY", gateway_id=None)
    length = cut_everywhere(emulated, case.look, 400)

    said = [outcome(lambda: emulated.gateway.fetch_payment(unknown)) for _ in range(length)]

    assert_cut(said, Unreachable)


def cut_everywhere(emulated, operation, length):
    """The n-th call from now is cut off after n bytes."""
    cuts = [{"fault": "half_body", "nth": n + 1, "args": {"n": n}} for n in range(length)]
    emulated.faults(operation, cuts)
    return length


def assert_cut(said, doubt):
    """Every cut within the answer is a doubt; the answer must be shorter than the sweep, to know its end."""
    whole = [n for n, kind in enumerate(said) if kind is None]

    assert whole, "the answer is longer than the sweep"
    assert set(said[: whole[0]]) == {doubt}
    assert whole[0] > 50


def outcome(call):
    try:
        call()
    except GatewayError as error:
        return type(error)
    return None


def test_too_many_requests_is_unreachable_and_says_for_how_long(emulated, gateway, case):
    attempt, _ = emulated.paid()
    for operation, call in (
        (case.start, lambda: gateway.start_payment(emulated.request())),
        (case.look, lambda: gateway.fetch_payment(attempt)),
        (case.refund, lambda: gateway.refund(attempt, case.amount, key="REF_1")),
    ):
        emulated.fault(operation, "429", retry_after=7)
        with pytest.raises(Unreachable) as caught:
            call()
        assert caught.value.retry_after_s == 7


def test_a_used_reference_after_a_lost_answer_is_a_duplicate(emulated, gateway, case):
    request = emulated.request()
    emulated.fault(case.start, "dup_ref_error")

    with pytest.raises(DuplicateReference):
        gateway.start_payment(request)

    attempt = AttemptRef(gateway_reference=request.gateway_reference, gateway_id=None)
    assert gateway.fetch_payment(attempt).state == GatewayState.PENDING


@pytest.mark.parametrize("fault", ["wrong_ref", "test_mode", "unknown_status"])
def test_an_answer_about_something_else_is_unknown(emulated, gateway, case, fault):
    attempt, _ = emulated.paid()
    emulated.fault(case.look, fault)

    with pytest.raises(GatewayUnknown):
        gateway.fetch_payment(attempt)


@pytest.mark.parametrize("fault", ["wrong_ref", "test_mode", "unknown_status"])
def test_an_answer_about_another_transaction_is_unknown(emulated, gateway, case, fault):
    attempt, _ = emulated.paid()
    emulated.fault(case.look, fault)

    with pytest.raises(GatewayUnknown):
        gateway.fetch_transaction(attempt.gateway_id)


@pytest.mark.parametrize(
    "raw", ["null", "-1", "1999.0", "1e3", "1e400", "NaN", '"12.5"', "true", "[]", "{}", "1" * 40]
)
def test_an_amount_that_is_none_is_never_money(emulated, gateway, case, raw):
    attempt, _ = emulated.paid()
    emulated.fault(case.look, "wrong_amount", raw=raw)

    with pytest.raises((GatewayUnknown, Unreachable)):
        gateway.fetch_payment(attempt)


@pytest.mark.parametrize("minor", [1, 499_999, 500_001, 50_000_000])
def test_a_wrong_amount_is_told_as_it_is(emulated, gateway, case, minor):
    attempt, _ = emulated.paid()
    emulated.fault(case.look, "wrong_amount", amount_minor=minor)

    snapshot = gateway.fetch_payment(attempt)

    assert (snapshot.state, snapshot.amount) == (GatewayState.SUCCEEDED, Money(minor, case.amount.currency))


def test_a_wrong_currency_is_told_as_it_is(emulated, gateway, case):
    attempt, _ = emulated.paid()
    emulated.fault(case.look, "wrong_currency", currency="USD")

    snapshot = gateway.fetch_payment(attempt)

    assert snapshot.amount == Money(case.amount.minor, "USD")


@pytest.mark.parametrize("fault", ["bom", "wrong_content_type"])
def test_an_oddly_dressed_answer_is_read_rightly_or_not_at_all(emulated, gateway, case, fault):
    attempt, snapshot = emulated.paid()
    emulated.fault(case.look, fault)

    try:
        said = gateway.fetch_payment(attempt)
    except (GatewayUnknown, Unreachable):
        return
    assert said == snapshot


@pytest.mark.parametrize("fault", ["huge_body", "gzip_bomb"])
def test_an_endless_answer_takes_no_memory(emulated, gateway, case, fault):
    attempt = emulated.started()
    emulated.fault(case.look, fault, bytes=100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(Unreachable):
            gateway.fetch_payment(attempt)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 50_000_000


@pytest.mark.parametrize("fault", ["500_before", "reset_before", "html", "empty_body"])
def test_a_lost_list_of_refunds_is_not_an_empty_one(emulated, gateway, case, fault):
    emulated.need_list_of_refunds()
    attempt, _ = emulated.paid()
    emulated.fault(case.list, fault)

    with pytest.raises(Unreachable):
        gateway.list_refunds(attempt)


def test_the_refunds_of_an_unnamed_transaction_are_not_everybodys(emulated, gateway, case):
    emulated.need_list_of_refunds()
    attempt, _ = emulated.paid()
    gateway.refund(attempt, case.amount, key="REF_1")

    with pytest.raises(GatewayUnknown):
        gateway.list_refunds(replace(attempt, gateway_id=None))
