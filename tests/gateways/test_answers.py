"""Whether an answer may be believed: it is about what was asked, its words are known, its list is whole."""

import pytest

from tillgate.gateways import answers
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, MethodRefused, Rejected
from tillgate.gateways.protocol import AttemptRef, GatewayState, RefundSnapshot, RefundState
from tillgate.gateways.reading import number
from tillgate.money import Money

REFUND = RefundSnapshot(state=RefundState.PENDING, gateway_id="7", amount=Money(500, "NGN"))
ATTEMPT = AttemptRef(gateway_reference="ATT-1", gateway_id=None, session_id="S-1")


@pytest.mark.parametrize(
    ("status", "is_duplicate", "error"),
    [
        (400, False, Rejected),
        (499, False, Rejected),
        (200, False, GatewayUnknown),
        (302, False, GatewayUnknown),
        (400, True, DuplicateReference),
        (200, True, DuplicateReference),
    ],
)
def test_a_refusal_says_what_may_be_done_next(status, is_duplicate, error):
    refusal = answers.refusal(status, "not so", is_duplicate=is_duplicate)

    assert type(refusal) is error
    assert "not so" in str(refusal)


@pytest.mark.parametrize(
    ("status", "is_duplicate", "error"),
    [
        (400, False, MethodRefused),
        (404, False, MethodRefused),
        (401, False, Rejected),  # Of a wrong key, whatever the sentence says.
        (200, False, GatewayUnknown),
        (500, False, GatewayUnknown),
        (400, True, DuplicateReference),  # The charge that is there may have been made.
    ],
)
def test_a_refused_method_is_one_only_where_surely_nothing_was_done(status, is_duplicate, error):
    refusal = answers.refusal(status, "no such token", is_duplicate=is_duplicate, is_method=True)

    assert type(refusal) is error


def test_a_refusal_without_a_sentence_names_the_status():
    assert str(answers.refusal(401, "", is_duplicate=False)) == "the gateway answered 401"


def test_what_the_gateway_does_not_know_is_absent():
    assert answers.absent("ATT-1").state == GatewayState.ABSENT
    assert answers.absent("ATT-1").gateway_reference == "ATT-1"
    assert answers.absent().gateway_reference == ""


def test_what_took_no_money_names_the_attempt_and_no_transaction():
    failed = answers.nothing_moved(GatewayState.FAILED, ATTEMPT, "test", "declined")
    pending = answers.nothing_moved(GatewayState.PENDING, ATTEMPT, "live")

    assert (failed.state, failed.failure.code, failed.mode) == (GatewayState.FAILED, "declined", "test")
    assert (failed.gateway_reference, failed.session_id, failed.gateway_id) == ("ATT-1", "S-1", None)
    assert (pending.state, pending.failure, pending.amount) == (GatewayState.PENDING, None, None)


@pytest.mark.parametrize("told", ["2", "", None])
def test_an_answer_about_something_else_is_unknown(told):
    answers.must_be_about("1", "1", "another order")
    with pytest.raises(GatewayUnknown, match="about another order"):
        answers.must_be_about(told, "1", "another order")


def test_a_refund_is_the_one_that_was_asked_about():
    assert answers.refund_named("7", REFUND) is REFUND
    with pytest.raises(GatewayUnknown, match="another refund"):
        answers.refund_named("8", REFUND)


@pytest.mark.parametrize("amount", [Money(501, "NGN"), Money(500, "USD")])
def test_a_refund_is_over_the_amount_that_was_asked_for(amount):
    assert answers.refund_over(Money(500, "NGN"), REFUND) is REFUND
    with pytest.raises(GatewayUnknown, match="refund of"):
        answers.refund_over(amount, REFUND)


@pytest.mark.parametrize("word", ["other", "", "GOOD", None, 5, ["good"], {}])
def test_a_word_that_is_in_no_table_is_never_guessed(word):
    assert answers.known({"good": 1}, "good", "status") == 1
    with pytest.raises(GatewayUnknown, match="sent status"):
        answers.known({"good": 1}, word, "status")


@pytest.mark.parametrize("value", [None, "", "a", "../7", 0, True])
def test_what_is_no_id_comes_into_no_path(value):
    assert answers.needed_id(7, number) == "7"
    with pytest.raises(GatewayUnknown, match="not an id"):
        answers.needed_id(value, number)


@pytest.mark.parametrize("rows", [None, {}, "rows", [1], [{}, None]])
def test_a_list_is_of_objects_or_unknown(rows):
    with pytest.raises(GatewayUnknown, match="unreadable refunds"):
        answers.rows_of(rows, "refunds")


def test_a_full_page_may_go_on_and_is_unknown():
    assert answers.rows_of([{}, {}], "refunds", fewer_than=3) == [{}, {}]
    assert answers.rows_of([], "refunds", fewer_than=1) == []
    with pytest.raises(GatewayUnknown, match="not complete"):
        answers.rows_of([{}, {}, {}], "refunds", fewer_than=3)
