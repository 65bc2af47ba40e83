from typing import Any

import pytest

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.throttling import StoppedClock
from tillgate.common import throttles
from tillgate.common.errors import TooMany

OUTSIDE = "203.0.113.9"


@pytest.fixture(autouse=True)
def still(stopped: StoppedClock) -> None:
    pass


def _create(caller: ApiClient, address: str = OUTSIDE, forwarded_for: str | None = None) -> Any:
    extra = {} if forwarded_for is None else {"HTTP_X_FORWARDED_FOR": forwarded_for}
    # An empty body costs nothing more than the count.
    return caller.post(PAYMENTS, {}, REMOTE_ADDR=address, **extra)


def _refused(answers: list[Any]) -> int:
    return sum(answer.status_code == 429 for answer in answers)


def test_the_61st_payment_of_a_minute_is_refused_and_told_when_to_come_back(guest, stopped):
    assert _refused([_create(guest) for _ in range(60)]) == 0

    refused = _create(guest)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert refused["Retry-After"] == "1"
    assert refused["RateLimit-Policy"] == '"guest-create";q=60;w=60'
    assert refused["RateLimit"].startswith('"guest-create";r=0;t=')
    stopped.seconds += int(refused["Retry-After"])
    assert guest.post(PAYMENTS, MINIMAL, REMOTE_ADDR=OUTSIDE).status_code == 201


def test_every_policy_admits_exactly_its_calls(guest, payment):
    reads = [guest.get("/api/v1/gateways", REMOTE_ADDR=OUTSIDE).status_code for _ in range(601)]

    assert (reads.count(200), reads.count(429)) == (600, 1)


def test_an_answer_says_how_many_calls_are_left(guest):
    first, second = (guest.post(PAYMENTS, MINIMAL, REMOTE_ADDR=OUTSIDE) for _ in range(2))

    assert first["RateLimit"] == '"guest-create";r=59;t=1'
    assert second["RateLimit"] == '"guest-create";r=58;t=2'


def test_a_minute_later_the_whole_allowance_is_back(guest, stopped):
    for _ in range(60):
        _create(guest)
    stopped.seconds += 60

    assert _refused([_create(guest) for _ in range(61)]) == 1


def test_the_web_processes_share_the_allowance(guest, settings):
    settings.TILLGATE_WEB_PROCESSES = 4

    assert _refused([_create(guest) for _ in range(16)]) == 1


def test_a14_s22_a_rotating_forwarded_for_gains_nothing(guest):
    answers = [_create(guest, forwarded_for=f"198.51.100.{i}") for i in range(70)]

    assert _refused(answers) == 10


def test_behind_a_proxy_each_of_its_clients_has_its_own_allowance(guest, settings):
    settings.TILLGATE_TRUSTED_PROXIES = 1

    answers = [_create(guest, "127.0.0.1", f"198.51.100.{i}") for i in range(70)]

    assert _refused(answers) == 0


def test_a14_behind_a_proxy_what_the_client_wrote_itself_counts_for_nothing(guest, settings):
    settings.TILLGATE_TRUSTED_PROXIES = 1

    answers = [_create(guest, "127.0.0.1", f"127.0.0.{i}, 198.51.100.7") for i in range(70)]

    assert _refused(answers) == 10


def test_behind_two_proxies_the_outer_ones_word_counts(guest, settings):
    settings.TILLGATE_TRUSTED_PROXIES = 2

    answers = [_create(guest, "127.0.0.1", f"10.0.0.{i}, 198.51.100.7, 192.0.2.{i}") for i in range(70)]

    assert _refused(answers) == 10


def test_s22_a_household_of_ipv6_addresses_is_one_address(guest):
    same = [_create(guest, f"2001:db8:0:1::{i:x}") for i in range(1, 71)]
    neighbour = _create(guest, "2001:db8:0:2::1")

    assert _refused(same) == 10
    assert neighbour.status_code == 400


def test_an_ipv4_address_in_ipv6_spelling_is_the_same_address(guest):
    answers = [_create(guest, OUTSIDE if i % 2 else f"::ffff:{OUTSIDE}") for i in range(70)]

    assert _refused(answers) == 10


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_free(guest, address):
    answers = [_create(guest, address) for _ in range(70)]

    assert _refused(answers) == 0
    assert "RateLimit" not in answers[0]


@pytest.mark.parametrize(
    "forwarded_for", ["unknown", "", "198.51.100.7:1234", "fe80::1%eth0", "'; --", "1.2.3.4.5"]
)
def test_a14_an_address_that_cannot_be_read_is_limited_too(guest, settings, forwarded_for):
    settings.TILLGATE_TRUSTED_PROXIES = 1

    answers = [_create(guest, "192.0.2.1", forwarded_for) for _ in range(61)]

    assert [answers[0].status_code, answers[-1].status_code] == [400, 429]


def test_a14_who_goes_round_the_proxy_is_limited_by_his_own_address(guest, settings):
    settings.TILLGATE_TRUSTED_PROXIES = 1

    answers = [_create(guest, OUTSIDE) for _ in range(61)]

    assert answers[-1].status_code == 429


def test_a_key_is_not_counted(key):
    answers = [_create(ApiClient(key)) for _ in range(70)]

    assert _refused(answers) == 0


def test_throttles_can_be_off(guest, settings):
    settings.TILLGATE_THROTTLES = "off"

    assert _refused([_create(guest) for _ in range(70)]) == 0


def test_a_head_counts_as_a_read(guest, payment):
    path = f"{PAYMENTS}/{payment.reference}"

    assert "RateLimit" in guest.head(path, REMOTE_ADDR=OUTSIDE)


def test_attempts_are_counted_apart_from_payments(guest, payment):
    path = f"{PAYMENTS}/{payment.reference}/attempts"
    answers = [guest.post(path, {"gateway": "none"}, REMOTE_ADDR=OUTSIDE) for _ in range(61)]

    assert answers[-1].status_code == 429
    assert _create(guest).status_code == 400


def test_what_is_aimed_at_one_subject_is_counted_wherever_it_comes_from(stopped):
    policy = throttles.Policy(name="guesses", calls=3, window_s=60)
    told = [throttles.admit_subject(policy, "ada") for _ in range(3)]

    with pytest.raises(TooMany) as refused:
        throttles.admit_subject(policy, "ada")

    assert told[0] == {"RateLimit-Policy": '"guesses";q=3;w=60', "RateLimit": '"guesses";r=2;t=20'}
    assert refused.value.headers["Retry-After"] == "20"
    throttles.admit_subject(policy, "eve")
    throttles.forgive(policy, "ada")
    assert throttles.admit_subject(policy, "ada")["RateLimit"] == '"guesses";r=2;t=20'


def test_a_share_of_few_is_rounded_up(settings):
    settings.TILLGATE_WEB_PROCESSES = 2
    policy = throttles.Policy(name="mails", calls=3, window_s=3600)
    for _ in range(2):
        throttles.admit_subject(policy, "ada")

    with pytest.raises(TooMany):
        throttles.admit_subject(policy, "ada")


def test_what_is_remembered_has_a_limit(monkeypatch):
    monkeypatch.setattr(throttles, "MAX_SUBJECTS", 10)

    for i in range(100):
        throttles._take([(throttles.CREATE, str(i))])

    assert len(throttles._used_up_at) == 10
