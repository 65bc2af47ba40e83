"""No case of the matrix is left out in silence."""

from itertools import product

from tests.reliability import (  # noqa: F401  # Each says at import which cases it runs.
    test_doorbell,
    test_lost_answers,
    test_money_back,
    test_renewal_answers,
    test_renewal_crashes,
    test_renewal_times,
    test_untrue_answers,
)
from tests.reliability.matrix import EXCEPT, IDS, RENEWALS, RENEWED, RUN, WAYS
from tillgate.gateways.registry import GATEWAYS


def test_every_case_runs_at_every_gateway_or_says_why_it_cannot():
    assert set(product(IDS, GATEWAYS)) == RUN | {(case, name) for case, name in EXCEPT if name in GATEWAYS}
    assert not RUN & set(EXCEPT)


def test_every_case_of_a_renewal_runs_at_every_gateway():
    assert set(product(RENEWALS, GATEWAYS)) == RENEWED


def test_every_exception_has_a_reason_and_every_gateway_a_way():
    assert all(len(reason) > 20 for reason in EXCEPT.values())
    assert set(WAYS) >= set(GATEWAYS)
