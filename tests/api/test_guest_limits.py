"""A-19, S-22: what guests may do beside their address: per e-mail, per merchant, all together, at once."""

import threading
from typing import Any

import pytest

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_payment, make_snapshot
from tests.throttling import StoppedClock
from tillgate.api.payments import PaymentDetail
from tillgate.common import throttles
from tillgate.common.throttles import Policy
from tillgate.gateways.declines import decline
from tillgate.gateways.protocol import GatewayState
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.card_testing import look_for_card_testing
from tillgate.payments.services.sync import apply_answer


@pytest.fixture(autouse=True)
def behind_a_proxy(stopped: StoppedClock, settings: Any) -> None:
    settings.TILLGATE_TRUSTED_PROXIES = 1


@pytest.fixture
def few(monkeypatch):
    """Make a policy small enough to be used up by hand."""

    def shrink(name, calls=5):
        policy = getattr(throttles, name)
        small = Policy(name=policy.name, calls=calls, window_s=60, says=policy.says)
        monkeypatch.setattr(throttles, name, small)
        monkeypatch.setattr(f"tillgate.api.payments.{name}", small, raising=False)

    return shrink


def create(caller, number=0, **members):
    return caller.post(PAYMENTS, {**MINIMAL, **members}, **seen(number))


def seen(number):
    """The address that a proxy of ours has seen."""
    return {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": f"198.51.{number // 250}.{number % 250}"}


def statuses(answers):
    return [answer.status_code for answer in answers]


def test_an_email_gets_so_many_payments_whatever_the_address_and_the_spelling(guest, few):
    few("EMAIL")
    spellings = ("john@example.com", "John@Example.com", "JOHN@EXAMPLE.COM")

    answers = [create(guest, n, customer_email=spellings[n % 3]) for n in range(6)]

    assert statuses(answers) == [201] * 5 + [429]
    assert "e-mail address" in answers[5].json()["message"]
    assert answers[5]["RateLimit"].startswith('"guest-email";r=0;t=')
    assert '"guest-create";' in answers[5]["RateLimit"]
    assert answers[5]["RateLimit-Policy"] == '"guest-email";q=5;w=60, "guest-create";q=60;w=60'
    assert create(guest, 7, customer_email="jane@example.com").status_code == 201


def test_an_email_has_a_hundred_an_hour():
    assert (throttles.EMAIL.calls, throttles.EMAIL.window_s) == (100, 3600)


def test_what_the_email_refuses_uses_up_no_other_allowance(guest, few):
    few("EMAIL")
    few("MERCHANT", calls=10)
    for n in range(5):
        create(guest, n)
    refused = [create(guest, 99) for _ in range(20)]

    answers = [create(guest, 99, customer_email=f"jane{n}@example.com") for n in range(6)]

    assert statuses(refused) == [429] * 20
    assert statuses(answers) == [201] * 5 + [429]
    assert answers[0]["RateLimit"].startswith('"guest-create";r=59;')


def test_what_the_address_refuses_uses_up_no_other_allowance(guest, few):
    few("ALL", calls=65)
    few("EMAIL", calls=1_000)
    refused = [create(guest, 1) for _ in range(80)]

    answers = [create(guest, n) for n in range(10, 16)]

    assert statuses(refused) == [201] * 60 + [429] * 20
    assert refused[79]["RateLimit-Policy"] == '"guest-create";q=60;w=60'
    assert statuses(answers) == [201] * 5 + [429]


def test_creates_and_attempts_of_one_merchant_count_together(guest, few, merchant):
    few("MERCHANT")
    payments = [create(guest, n).json()["payment"]["id"] for n in range(3)]

    answers = [
        guest.post(f"{PAYMENTS}/{payment}/attempts", {"gateway": "none"}, **seen(20 + n))
        for n, payment in enumerate(payments)
    ]

    assert statuses(answers) == [409, 409, 429]
    assert "Retry-After" in answers[2]
    assert answers[2]["RateLimit"].startswith('"guest-merchant";r=0;t=')


def test_the_guests_of_another_merchant_are_counted_apart(guest, few, merchant, other_merchant):
    few("MERCHANT")
    _, publishable = create_key(other_merchant, NewKey(mode="test", is_publishable=True))
    answers = [create(guest, n) for n in range(6)]

    assert statuses(answers) == [201] * 5 + [429]
    assert create(ApiClient(publishable), 7).status_code != 429


def test_all_guests_together_have_a_limit_too(guest, few, merchant, other_merchant):
    few("ALL")
    _, publishable = create_key(other_merchant, NewKey(mode="test", is_publishable=True))
    answers = [create(guest if n % 2 else ApiClient(publishable), n) for n in range(6)]

    assert 429 not in statuses(answers[:5])
    assert answers[5].status_code == 429


def test_nothing_is_told_of_how_many_others_there_are(guest):
    answer = create(guest)

    assert answer["RateLimit-Policy"] == '"guest-create";q=60;w=60'


@pytest.mark.parametrize("policy", ["EMAIL", "MERCHANT", "ALL"])
def test_keys_are_never_counted(key, few, policy):
    few(policy)

    assert statuses(create(ApiClient(key)) for _ in range(7)) == [201] * 7


@pytest.mark.parametrize("policy", ["EMAIL", "MERCHANT", "ALL"])
def test_loopback_is_free_of_all_of_them(guest, few, policy, settings):
    few(policy)
    settings.TILLGATE_TRUSTED_PROXIES = 0

    assert statuses(guest.create() for _ in range(7)) == [201] * 7


def test_the_checkouts_button_counts_for_the_merchant(client, few, merchant):
    few("MERCHANT")
    payments = [make_payment(merchant) for _ in range(6)]

    answers = [
        client.post(f"/pay/{p.checkout_token}", {"gateway": "none"}, **seen(n))
        for n, p in enumerate(payments)
    ]

    assert 429 not in statuses(answers[:5])
    assert answers[5].status_code == 429
    assert b"One moment" in answers[5].content


def test_an_address_holds_eight_places_at_once_and_gets_them_back(guest, payment, monkeypatch):
    inside, leave = threading.Semaphore(0), threading.Event()
    path = f"{PAYMENTS}/{payment.reference}"

    def wait(self, request, reference):
        inside.release()
        leave.wait(10)
        raise RuntimeError("and then it breaks")

    with monkeypatch.context() as slow:
        slow.setattr(PaymentDetail, "get", wait)
        slow.setattr("tillgate.api.views.caller_of", lambda request: Guest())
        threads = [threading.Thread(target=guest.get, args=[path], kwargs=seen(1)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert inside.acquire(timeout=10)
        refused = guest.get(path, **seen(1))
        leave.set()
        for thread in threads:
            thread.join()

    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert refused["RateLimit-Policy"] == '"guest-at-once";q=8;qu="concurrent-requests"'
    assert guest.get(path, **seen(1)).status_code == 200
    assert throttles._present == {}


class Guest:
    """Who calls from the threads of a test: the database is the test's own."""

    is_merchant = False


def test_a19_a_thousand_creates_a_minute_from_one_address_make_sixty_payments(guest, merchant):
    answers = [create(guest, 1, customer_email=f"c{n}@example.com") for n in range(1_000)]

    assert statuses(answers) == [201] * 60 + [429] * 940
    assert Payment.objects.count() == 60


@pytest.mark.slow
def test_a19_a_thousand_creates_a_minute_from_500_addresses_stay_below_the_merchants_limit(guest, merchant):
    answers = [create(guest, n % 500, customer_email=f"c{n}@example.com") for n in range(1_000)]

    assert statuses(answers) == [201] * 600 + [429] * 400
    assert Payment.objects.count() == 600


@pytest.mark.slow
def test_a19_what_500_addresses_can_have_a_gateway_do_has_a_limit_and_an_end(
    guest, merchant, gateway, stopped
):
    """The waves of a card tester: many payments, an attempt each, nearly all of them declined."""
    for wave in range(3):
        for n in range(300):
            try_a_card(guest, wave * 300 + n)
        decline_all()
        look_for_card_testing()
        stopped.seconds += 60

    assert gateway.called("start_payment") == 300  # Half of the merchant's 600 a minute, in the first wave.


def try_a_card(guest, number):
    created = create(guest, number % 500, customer_email=f"c{number}@example.com")
    if created.status_code == 201:
        guest.post(f"{PAYMENTS}/{created.json()['payment']['id']}/attempts", {}, **seen(number % 500))


def decline_all():
    for attempt in Attempt.objects.open():
        no: dict[str, Any] = {
            "state": GatewayState.FAILED,
            "failure": decline("declined"),
            "gateway_id": None,
            "amount": None,
        }
        apply_answer(attempt, make_snapshot(attempt, **no))
