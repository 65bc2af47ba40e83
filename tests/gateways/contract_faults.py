"""The second half of every adapter's contract: what its gateway's bad days must look like to us.

A call that may have done something is GatewayUnknown; a question may simply be asked again.
"""

import time
import tracemalloc
from dataclasses import replace

import pytest

from tests.gateways.emulated import CALM
from tests.gateways.raw_server import answer, raw_server
from tillgate.gateways import registry
from tillgate.gateways.errors import DuplicateReference, GatewayError, GatewayUnknown, Unreachable
from tillgate.gateways.protocol import AttemptRef, GatewayState
from tillgate.money import Money

LOST = [
    pytest.param("timeout_before", {"seconds": 30}, id="G-02-timeout_before"),
    pytest.param("timeout_after", {"seconds": 30}, id="G-01-timeout_after"),
    pytest.param("reset_before", {}, id="G-02-reset_before"),
    pytest.param("half_body", {}, id="G-03-half_body"),
    pytest.param("500_before", {}, id="G-05-500_before"),
    pytest.param("500_after", {}, id="G-04-500_after"),
    pytest.param("html", {}, id="G-08-html"),
    pytest.param("empty_body", {}, id="G-08-empty_body"),
    pytest.param("huge_body", {"bytes": 3_000_000}, id="G-08-huge_body"),
    pytest.param("gzip_bomb", {"bytes": 100_000_000}, id="G-08-gzip_bomb"),
    pytest.param("slow_body", {"seconds": 5}, id="G-21-slow_body"),
]
DONE_ALL_THE_SAME = {"timeout_after", "half_body", "500_after", "html", "empty_body", "slow_body"}
UNTRUE = [
    pytest.param("wrong_ref", id="G-11-wrong_ref"),
    pytest.param("test_mode", id="G-12-test_mode"),
    pytest.param("unknown_status", id="G-07-unknown_status"),
]


@pytest.mark.parametrize(("fault", "args"), LOST)
def test_a_lost_answer_to_a_start_is_unknown(emulated, gateway, case, fault, args):
    request = emulated.request()
    emulated.fault(case.start, fault, **args)
    began = time.monotonic()

    with pytest.raises(GatewayUnknown):
        emulated.hasty.start_payment(request)

    assert time.monotonic() - began < 2
    found = case.finds_lost_starts and fault in DONE_ALL_THE_SAME
    attempt = AttemptRef(gateway_reference=request.gateway_reference, gateway_id=None)
    state = gateway.fetch_payment(attempt).state
    assert state in (GatewayState.PENDING, GatewayState.ABSENT)
    assert (state == GatewayState.PENDING) >= found


@pytest.mark.parametrize(("fault", "args"), [*LOST, pytest.param("lookup_5xx", {}, id="G-05-lookup_5xx")])
def test_a_lost_answer_to_a_question_is_unreachable(emulated, gateway, case, fault, args):
    attempt = emulated.started()
    emulated.fault(case.look, fault, **args)
    began = time.monotonic()

    with pytest.raises(Unreachable):
        emulated.hasty.fetch_payment(attempt)

    assert time.monotonic() - began < 2
    assert gateway.fetch_payment(attempt).state == case.unpaid


@pytest.mark.parametrize(("fault", "args"), LOST)
def test_a_lost_answer_to_a_refund_is_unknown_and_never_a_second_refund(emulated, case, fault, args):
    attempt, _ = emulated.paid()
    emulated.fault(case.refund, fault, **args)

    with pytest.raises(GatewayUnknown):
        emulated.hasty.refund(attempt, case.part(50), key="REF_1")

    made = len(emulated.refunds_of(attempt))
    assert made == 1 if fault in DONE_ALL_THE_SAME else made in (0, 1)


@pytest.mark.parametrize("cut", [pytest.param("half_body", id="G-03-every-byte")])
def test_a_start_cut_off_after_any_byte_is_unknown(emulated, case, cut):
    length = cut_everywhere(emulated, case.start, cut)

    said = outcomes(length, lambda: emulated.gateway.start_payment(emulated.request()))

    assert_cut(said, GatewayUnknown)


@pytest.mark.parametrize("cut", [pytest.param("half_body", id="G-03-every-byte")])
def test_a_question_cut_off_after_any_byte_is_unreachable(emulated, case, cut):
    unknown = AttemptRef(gateway_reference="ATT_NOBODY", gateway_id=None, session_id="NOBODY")
    length = cut_everywhere(emulated, case.look, cut)

    said = outcomes(length, lambda: emulated.gateway.fetch_payment(unknown))

    assert_cut(said, Unreachable)


def cut_everywhere(emulated, operation, fault):
    """The n-th call from now is cut off after n bytes."""
    length = emulated.case.longest_answer
    cuts = [{"fault": fault, "nth": n + 1, "args": {"n": n}} for n in range(length)]
    emulated.faults(operation, cuts)
    return length


def assert_cut(said, doubt):
    """Every cut within the answer is a doubt; the answer must be shorter than the sweep, to know its end."""
    whole = [n for n, kind in enumerate(said) if kind is None]

    assert whole, "the answer is longer than the sweep"
    assert set(said[: whole[0]]) == {doubt}
    assert whole[0] > 50


def outcomes(most, call):
    """What so many calls come to; None, for an answer that was whole, is the last: so are all after it."""
    said: list[type[GatewayError] | None] = []
    while len(said) < most and None not in said:
        try:
            call()
            said.append(None)
        except GatewayError as error:
            said.append(type(error))
    return said


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param("start", id="G-06-start"),
        pytest.param("look", id="G-06-look"),
        pytest.param("refund", id="G-06-refund"),
        pytest.param("list", id="G-06-list"),
    ],
)
def test_too_many_requests_is_unreachable_and_says_for_how_long(emulated, gateway, case, ask):
    attempt, _ = emulated.paid()
    calls = {
        "start": lambda: gateway.start_payment(emulated.request()),
        "look": lambda: gateway.fetch_payment(attempt),
        "refund": lambda: gateway.refund(attempt, case.amount, key="REF_1"),
        "list": lambda: emulated.refunds_of(attempt),
    }
    emulated.fault(getattr(case, ask), "429", retry_after=7)

    with pytest.raises(Unreachable) as caught:
        calls[ask]()

    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize("fault", [pytest.param("dup_ref_error", id="G-16-duplicate")])
def test_a_used_reference_after_a_lost_answer_is_a_duplicate(emulated, gateway, case, fault):
    case.need("duplicate start")
    request = emulated.request()
    emulated.fault(case.start, fault)

    with pytest.raises(DuplicateReference):
        gateway.start_payment(request)

    attempt = AttemptRef(gateway_reference=request.gateway_reference, gateway_id=None)
    found = GatewayState.PENDING if case.finds_lost_starts else GatewayState.ABSENT
    assert gateway.fetch_payment(attempt).state == found


@pytest.mark.parametrize("fault", UNTRUE)
def test_an_answer_about_something_else_is_unknown(emulated, gateway, case, fault):
    if fault == "test_mode":
        case.need("mode in answers")
    attempt, _ = emulated.paid()
    emulated.fault(case.look, fault)

    with pytest.raises(GatewayUnknown):
        gateway.fetch_payment(attempt)


@pytest.mark.parametrize("fault", UNTRUE)
def test_an_answer_about_another_transaction_is_never_taken_for_ours(emulated, gateway, case, fault):
    if fault == "test_mode":
        case.need("mode in answers")
    attempt, _ = emulated.paid()
    emulated.fault(case.find, fault)

    try:
        snapshot = gateway.fetch_transaction(attempt.gateway_id)
    except GatewayUnknown:
        return
    # Asked by their id, an adapter can not know which reference of ours it must carry: the caller does.
    assert snapshot.gateway_reference != attempt.gateway_reference


@pytest.mark.parametrize("dress", [pytest.param("raw", id="G-13-raw-amounts")])
def test_an_amount_that_is_none_is_never_money(emulated, gateway, case, dress):
    attempt, _ = emulated.paid()

    for raw in case.no_amounts:
        emulated.fault(case.look, "wrong_amount", **{dress: raw})
        with pytest.raises((GatewayUnknown, Unreachable)):
            gateway.fetch_payment(attempt)
    assert gateway.fetch_payment(attempt).amount == case.amount


@pytest.mark.parametrize(
    ("factor", "more"),
    [
        pytest.param(0, 1, id="G-09-least"),
        pytest.param(1, -1, id="G-09-smaller"),
        pytest.param(1, 1, id="G-09-larger"),
        pytest.param(100, 0, id="G-09-hundredfold"),
    ],
)
def test_a_wrong_amount_is_told_as_it_is(emulated, gateway, case, factor, more):
    attempt, _ = emulated.paid()
    minor = case.amount.minor * factor + more
    emulated.fault(case.look, "wrong_amount", amount_minor=minor)

    snapshot = gateway.fetch_payment(attempt)

    assert (snapshot.state, snapshot.amount) == (GatewayState.SUCCEEDED, Money(minor, case.amount.currency))


@pytest.mark.parametrize("fault", [pytest.param("wrong_currency", id="G-10-wrong_currency")])
def test_a_wrong_currency_is_told_as_it_is(emulated, gateway, case, fault):
    attempt, _ = emulated.paid()
    emulated.fault(case.look, fault, currency=case.other_currency)

    snapshot = gateway.fetch_payment(attempt)

    assert snapshot.amount == Money(case.amount.minor, case.other_currency)


@pytest.mark.parametrize(
    "fault", [pytest.param("bom", id="G-08-bom"), pytest.param("wrong_content_type", id="G-08-content-type")]
)
def test_an_oddly_dressed_answer_is_read_rightly_or_not_at_all(emulated, gateway, case, fault):
    attempt, _ = emulated.paid()
    snapshot = gateway.fetch_payment(attempt)
    emulated.fault(case.look, fault)

    try:
        said = gateway.fetch_payment(attempt)
    except (GatewayUnknown, Unreachable):
        return
    assert said == snapshot


@pytest.mark.parametrize(
    "fault", [pytest.param("huge_body", id="G-08-huge_body"), pytest.param("gzip_bomb", id="G-08-gzip_bomb")]
)
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


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("500_before", id="G-05-500_before"),
        pytest.param("reset_before", id="G-02-reset_before"),
        pytest.param("html", id="G-08-html"),
        pytest.param("empty_body", id="G-08-empty_body"),
    ],
)
def test_a_lost_list_of_refunds_is_not_an_empty_one(emulated, case, fault):
    attempt, _ = emulated.paid()
    emulated.fault(case.list, fault)

    with pytest.raises(Unreachable):
        emulated.refunds_of(attempt)


def test_the_refunds_of_an_unnamed_transaction_are_not_everybodys(emulated, gateway, case):
    attempt, _ = emulated.paid()
    gateway.refund(attempt, case.amount, key="REF_1")

    with pytest.raises(GatewayUnknown):
        emulated.refunds_of(replace(attempt, gateway_id=None, session_id=None))


@pytest.mark.parametrize("scheme", [pytest.param("https", id="G-20-no-certificate")])
def test_a_gateway_without_a_certificate_hears_nothing(emulated, case, scheme):
    with raw_server(answer()) as server:
        account = replace(emulated.account, base_url=server.url.replace("http", scheme, 1))
        stranger = registry.connect(account, CALM)

        with pytest.raises(Unreachable):
            stranger.start_payment(emulated.request())

    assert not any(
        secret.encode() in b"".join(server.requests) for secret in case.credentials.values() if secret
    )
