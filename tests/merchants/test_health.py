"""The circuit breaker: when it opens, who may try, how it closes, and that well gateways cost no write."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from tests.several import account_of
from tillgate.common import clock
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, Rejected, Unreachable
from tillgate.merchants.errors import GatewayResting
from tillgate.merchants.models import GatewayHealth, Merchant
from tillgate.merchants.services.health import (
    FAULTS_TO_OPEN,
    LONGEST_OPEN_S,
    OPEN_S,
    TRIAL_S,
    Entry,
    enter,
    merchants_resting,
    note_outcome,
    resting,
)
from tillgate.merchants.services.merchants import default_merchant

ACCOUNT = account_of("paystack")
FAULT = GatewayUnknown("no answer in time")


@pytest.fixture(autouse=True)
def shop(merchant: Merchant) -> None:
    default_merchant()


def mine() -> int:
    return default_merchant().pk


def call(error=None, *, alone=False, account=ACCOUNT) -> Entry:
    entry = enter(mine(), account, alone=alone)
    note_outcome(entry, error)
    return entry


def fail(times: int = FAULTS_TO_OPEN) -> None:
    for _ in range(times):
        call(FAULT)


def refused(*, alone: bool = False) -> int:
    with pytest.raises(GatewayResting) as resting_now:
        enter(mine(), ACCOUNT, alone=alone)
    assert resting_now.value.http_status == 503
    return int(resting_now.value.headers["Retry-After"])


def test_a_call_at_a_well_gateway_is_one_statement_and_no_write(statements):
    with statements() as told:
        call()

    assert len(told) == 1
    assert told[0].startswith("SELECT")
    assert not GatewayHealth.objects.exists()


@pytest.mark.parametrize("error", [FAULT, Unreachable("connection refused")], ids=["unknown", "unreachable"])
def test_g21_three_faults_in_a_row_open_the_circuit(error):
    for _ in range(FAULTS_TO_OPEN):
        assert resting(mine(), "test") == frozenset()
        call(error)

    assert resting(mine(), "test") == {"paystack"}
    assert refused() == OPEN_S


@pytest.mark.parametrize(
    "error",
    [Rejected("a wrong key"), DuplicateReference("known"), Unreachable("slow down", retry_after_s=7)],
    ids=["rejected", "duplicate", "429"],
)
def test_a_gateway_that_answers_no_is_not_down(error):
    fail(FAULTS_TO_OPEN - 1)

    call(error)

    assert resting(mine(), "test") == frozenset()
    call()


def test_a_success_in_between_begins_the_count_anew():
    fail(FAULTS_TO_OPEN - 1)
    call()
    fail(FAULTS_TO_OPEN - 1)

    assert resting(mine(), "test") == frozenset()


def test_g22_after_its_rest_one_caller_tries_and_the_others_wait():
    fail()
    clock.advance(OPEN_S)

    trial = enter(mine(), ACCOUNT, alone=False)

    assert trial.trial
    assert refused() == TRIAL_S
    note_outcome(trial, None)
    assert not enter(mine(), ACCOUNT, alone=False).trial


def test_a_failed_trial_doubles_the_rest_up_to_ten_minutes():
    fail()
    rests = []
    for _ in range(7):
        rests.append(refused())
        clock.advance(rests[-1])
        call(FAULT)

    assert rests == [30, 60, 120, 240, 480, LONGEST_OPEN_S, LONGEST_OPEN_S]


def test_a_success_after_a_long_rest_forgets_all_of_it():
    fail()
    for rest in (30, 60):
        clock.advance(rest)
        call(FAULT)
    clock.advance(120)
    call()

    fail()

    assert refused() == OPEN_S


def test_faults_of_calls_that_began_before_it_opened_prolong_nothing():
    entries = [enter(mine(), ACCOUNT, alone=False) for _ in range(8)]

    for entry in entries:
        note_outcome(entry, FAULT)

    assert GatewayHealth.objects.get().failures == FAULTS_TO_OPEN
    assert refused() == OPEN_S


def test_a_late_success_of_a_call_that_began_before_it_opened_closes_it():
    call(FAULT)
    early = enter(mine(), ACCOUNT, alone=False)
    fail(FAULTS_TO_OPEN - 1)

    note_outcome(early, None)

    assert resting(mine(), "test") == frozenset()


def test_a_trial_whose_caller_died_is_followed_by_another():
    fail()
    clock.advance(OPEN_S)
    enter(mine(), ACCOUNT, alone=False)

    clock.advance(TRIAL_S)

    assert enter(mine(), ACCOUNT, alone=False).trial


def test_a_lone_gateway_is_tried_now_and_then_while_it_rests():
    fail()
    assert refused(alone=True) == TRIAL_S
    clock.advance(TRIAL_S)

    assert refused() == OPEN_S - TRIAL_S
    assert enter(mine(), ACCOUNT, alone=True).trial
    assert refused(alone=True) == TRIAL_S


def test_modes_and_gateways_are_apart():
    fail()
    live = type(ACCOUNT)(gateway="paystack", mode="live", base_url="", credentials={})

    assert resting(mine(), "live") == frozenset()
    assert not enter(mine(), account_of("paypal"), alone=False).trial
    assert not enter(mine(), live, alone=False).trial
    assert str(GatewayHealth.objects.get()) == "paystack test"


def test_one_merchants_trouble_rests_no_gateway_for_the_others(other_merchant):
    fail()

    assert resting(mine(), "test") == {"paystack"}
    assert resting(other_merchant.pk, "test") == frozenset()
    assert merchants_resting("test") == {"paystack": {mine()}}
    assert not enter(other_merchant.pk, ACCOUNT, alone=False).trial


@pytest.mark.parametrize("merchants", [1, 2])
def test_a_wrong_key_rests_nothing_for_anybody(other_merchant, merchants):
    for merchant_id in [mine(), other_merchant.pk][:merchants]:
        for _ in range(FAULTS_TO_OPEN + 1):
            note_outcome(enter(merchant_id, ACCOUNT, alone=False), Rejected("Invalid key"))

    assert merchants_resting("test") == {}


@pytest.mark.django_db(transaction=True)
def test_g22_of_many_callers_at_once_one_is_the_trial():
    fail()
    clock.advance(OPEN_S)
    together = threading.Barrier(8)

    def knock(_):
        try:
            together.wait()
            return enter(mine(), ACCOUNT, alone=False).trial
        except GatewayResting:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as callers:
        let_in = list(callers.map(knock, range(8)))

    assert sum(let_in) == 1
