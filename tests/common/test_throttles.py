"""Counting what is no address, and counting under all policies or none."""

import threading

import pytest

from tillgate.common.errors import TooMany
from tillgate.common.throttles import (
    Policy,
    _take,
    _used_up_at,
    admit_subject,
    forgive,
)

LOGIN = Policy(name="login", calls=10, window_s=600, says="Wait {wait_s} s before the next try.")
OTHER = Policy(name="other", calls=2, window_s=600)


@pytest.fixture(autouse=True)
def still(stopped):
    pass


def refused(policy, subject):
    try:
        admit_subject(policy, subject)
    except TooMany:
        return True
    return False


def test_a_subject_is_refused_in_the_policys_own_words():
    assert [refused(LOGIN, "ada") for _ in range(10)] == [False] * 10

    with pytest.raises(TooMany, match=r"Wait \d+ s before the next try") as told:
        admit_subject(LOGIN, "ada")

    assert int(told.value.headers["Retry-After"]) <= 60
    assert told.value.headers["RateLimit-Policy"] == '"login";q=10;w=600'
    assert not refused(LOGIN, "bola")


def test_who_is_forgiven_has_all_calls_back():
    for _ in range(10):
        admit_subject(LOGIN, "ada")

    forgive(LOGIN, "ada")
    forgive(LOGIN, "nobody")

    assert [refused(LOGIN, "ada") for _ in range(11)] == [False] * 10 + [True]


def test_the_headers_tell_what_is_left():
    assert admit_subject(LOGIN, "ada")["RateLimit"] == '"login";r=9;t=60'


def test_throttles_that_are_off_count_no_subject(settings):
    settings.TILLGATE_THROTTLES = "off"

    assert not any(refused(OTHER, "ada") for _ in range(10))


def test_two_policies_of_one_name_are_two():
    twin = Policy(name="other", calls=2, window_s=600)

    assert [refused(policy, "ada") for policy in (OTHER, OTHER, OTHER, twin)] == [False, False, True, False]


def test_where_one_policy_refuses_nothing_is_counted_under_the_others():
    _take([(OTHER, "b"), (OTHER, "b2")])
    _take([(OTHER, "b")])

    for _ in range(5):
        _, refusal = _take([(LOGIN, "a"), (OTHER, "b")])
        assert refusal
        assert refusal.policy is OTHER

    assert (LOGIN, "a") not in _used_up_at


def test_many_at_the_same_time_get_exactly_the_allowance():
    together, passed = threading.Barrier(40), []

    def call():
        together.wait()
        passed.append(not refused(LOGIN, "ada"))

    threads = [threading.Thread(target=call) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(passed) == 10
