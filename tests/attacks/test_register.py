"""The register says of every item of the plan what proves it, and says it truly."""

import pytest

from tests.attacks.answers import BY_NAME, Answer, Node, functions, numbered, proofs, troubles_with
from tests.attacks.register import NUMBERS, REGISTER
from tests.reliability.matrix import IDS, RENEWALS

LEAST = 10  # Letters of a reason.


def test_every_item_of_the_plan_is_there_and_no_other():
    assert list(REGISTER) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_every_item_has_a_test_or_says_why_it_has_none(number):
    answer = REGISTER[number]
    reasons = [reason for reason in (answer.because, answer.later) if reason]

    assert proofs(number, answer) or reasons or answer.pending
    assert all(len(reason) >= LEAST for reason in reasons)
    assert answer.tried[0].islower() or answer.tried.split()[0] in ("JSON", "Django's", "PayPal's")
    assert answer.here.endswith(".")


@pytest.mark.parametrize("number", NUMBERS)
def test_every_test_that_is_named_is_there_and_runs_somewhere(number):
    found = proofs(number, REGISTER[number])

    assert [trouble for node in found for trouble in troubles_with(node)] == []
    assert len(set(REGISTER[number].tests)) == len(REGISTER[number].tests)


def test_no_test_carries_a_number_that_the_plan_does_not_have():
    others = {number for number in numbered() if number[0] in "AMS"} - set(NUMBERS)

    assert others == set()
    assert {number for number in numbered() if number[0] in "GW"} <= IDS | RENEWALS


def test_a_test_that_is_not_there_or_never_runs_would_be_seen():
    nobody = Node.of("attacks/test_register.py::test_nobody")

    assert list(troubles_with(nobody)) == ["tests/attacks/test_register.py::test_nobody does not exist"]
    assert len(functions()) > 1_000
    assert BY_NAME.match("test_a06_a11_a_bad_signature_is_401")[1] == "a06_a11_"
    assert proofs("A-06", Answer("x", "X."))[0].name.startswith("test_a06")
