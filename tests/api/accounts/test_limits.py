"""A-47: guessing and flooding are stopped, by the address and by what they are aimed at."""

from typing import Any

import pyotp
import pytest

from tests.api.accounts.conftest import NEW_PASSWORD, OUTSIDE, sign_in, sign_up
from tests.api.client import ApiClient
from tests.builders import PASSWORD, access_token, make_user
from tests.races.conftest import race
from tests.throttling import StoppedClock
from tillgate.common import throttles
from tillgate.merchants.errors import WrongCredentials
from tillgate.merchants.models import User
from tillgate.merchants.services.logins import Device
from tillgate.merchants.services.sign_in import Credentials
from tillgate.merchants.services.sign_in import sign_in as service
from tillgate.merchants.services.totp import begin_otp, confirm_otp

HOUR_S = 3_600


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch, settings: Any) -> StoppedClock:
    settings.TILLGATE_TRUSTED_PROXIES = 0
    clock = StoppedClock()
    monkeypatch.setattr(throttles, "time", clock)
    return clock


@pytest.fixture
def quick_hash(settings: Any) -> None:
    """A hasher that takes no time, where only the counting matters."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def statuses(answers: list[Any]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_the_11th_failure_of_a_name_is_refused_from_wherever_it_comes(guest, ada, stopped):
    wrong = [sign_in(guest, password=NEW_PASSWORD, REMOTE_ADDR=f"198.51.100.{n}") for n in range(10)]
    refused = sign_in(guest, REMOTE_ADDR=OUTSIDE)

    assert statuses(wrong) == [401] * 10
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert refused["Retry-After"] == "90"
    assert refused["RateLimit-Policy"] == '"sign-in-failures";q=10;w=900'
    assert refused["RateLimit"] == '"sign-in-failures";r=0;t=90'
    stopped.seconds += int(refused["Retry-After"])
    assert sign_in(guest).status_code == 200


def test_loopback_guesses_no_more_than_others(guest, ada):
    answers = [sign_in(guest, password=NEW_PASSWORD) for _ in range(11)]

    assert statuses(answers) == [401] * 10 + [429]


@pytest.mark.parametrize("spelling", ["ADA", " ada", "ａｄａ"])
def test_another_spelling_of_the_name_is_the_same_name(guest, ada, spelling):
    for _ in range(10):
        sign_in(guest, password=NEW_PASSWORD)

    assert sign_in(guest, spelling).status_code == 429


def test_names_that_nobody_has_are_counted_alike(guest, ada):
    known, unknown = ([sign_in(guest, name, NEW_PASSWORD) for _ in range(11)] for name in ("ada", "nobody"))

    assert statuses(known) == statuses(unknown)
    assert known[-1].json()["message"] == unknown[-1].json()["message"]


def test_that_two_names_are_one_accounts_is_not_told_by_their_count(guest, ada):
    for _ in range(10):
        sign_in(guest, "ada", NEW_PASSWORD)

    assert sign_in(guest, "ada@example.com", NEW_PASSWORD).status_code == 401


def test_a_success_forgives(guest, ada):
    for _ in range(3):
        for _ in range(9):
            sign_in(guest, password=NEW_PASSWORD)
        assert sign_in(guest).status_code == 200


def test_somebody_elses_failures_are_theirs(guest, ada):
    make_user("eve")
    for _ in range(11):
        sign_in(guest, "ada", NEW_PASSWORD)

    assert sign_in(guest, "eve").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_ten_are_looked_at(merchant, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    wrong = Credentials(username="ada", password=NEW_PASSWORD)

    results = race(*[lambda: service(wrong, Device())] * 30)

    assert sum(isinstance(result, WrongCredentials) for result in results) == 10


@pytest.mark.parametrize("path", ["/auth/jwt/create/", "/api/token/"])
def test_an_address_tries_20_sign_ins_a_minute(guest, ada, quick_hash, path):
    answers = [
        guest.post(path, {"username": f"user-{n}", "password": PASSWORD}, REMOTE_ADDR=OUTSIDE)
        for n in range(21)
    ]

    assert statuses(answers) == [401] * 20 + [429]
    assert answers[0]["RateLimit"] == '"sign-in";r=19;t=3'
    assert answers[-1]["Retry-After"] == "3"


def test_both_ways_to_a_token_share_what_an_address_may(guest, ada, quick_hash):
    for n in range(20):
        path = ("/auth/jwt/create/", "/api/token/")[n % 2]
        guest.post(path, {"username": f"user-{n}", "password": PASSWORD}, REMOTE_ADDR=OUTSIDE)

    assert sign_in(guest, REMOTE_ADDR=OUTSIDE).status_code == 429


def test_a_household_of_ipv6_addresses_is_one_address(guest, ada, quick_hash):
    answers = [sign_in(guest, f"user-{n}", REMOTE_ADDR=f"2001:db8:0:1::{n + 1:x}") for n in range(21)]

    assert answers[-1].status_code == 429


@pytest.mark.parametrize("header", ["key", "token"])
def test_nobody_is_exempt_by_being_known(ada, key, quick_hash, header):
    known = ApiClient(key if header == "key" else access_token(ada))
    answers = [sign_in(known, f"user-{n}", REMOTE_ADDR=OUTSIDE) for n in range(21)]

    assert answers[-1].status_code == 429


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("users/", {}),
        ("users/activation/", {"uid": "x", "token": "y"}),
        ("users/resend_activation/", {"email": "x"}),
        ("users/reset_password/", {"email": "x"}),
        ("users/reset_password_confirm/", {"uid": "x", "token": "y", "new_password": "z"}),
    ],
)
def test_every_open_door_counts_by_address(guest, path, body):
    answers = [guest.post(f"/auth/{path}", body, REMOTE_ADDR=OUTSIDE) for _ in range(21)]

    assert statuses(answers) == [400] * 20 + [429]
    assert answers[0]["RateLimit-Policy"] == '"account";q=20;w=60'


def test_tokens_are_renewed_as_often_as_a_whole_office_needs(guest, ada):
    answers = [guest.post("/auth/jwt/refresh/", {"refresh": "x"}, REMOTE_ADDR=OUTSIDE) for _ in range(601)]

    assert (statuses(answers[:600]), answers[-1].status_code) == ([401] * 600, 429)


@pytest.mark.parametrize("path", ["reset_password", "resend_activation"])
def test_an_address_is_sent_three_mails_an_hour_whoever_asks(guest, ada, mails, stopped, path):
    make_user("eve", email="eve@example.com", confirmed=False)
    asked = {
        who: [guest.post(f"/auth/users/{path}/", {"email": f"{who}@example.com"}) for _ in range(4)]
        for who in ("ada", "eve", "nobody")
    }

    assert [statuses(answers) for answers in asked.values()] == [[204, 204, 204, 429]] * 3
    assert len({repr({**a[-1].json(), "request_id": ""}) for a in asked.values()}) == 1
    assert asked["nobody"][-1]["Retry-After"] == "1200"
    assert asked["nobody"][-1]["RateLimit-Policy"] == '"mails-to-one-address";q=3;w=3600'
    stopped.seconds += HOUR_S
    assert guest.post(f"/auth/users/{path}/", {"email": "ada@example.com"}).status_code == 204


def test_other_letters_are_the_same_mailbox(guest, ada):
    for email in ("ada@example.com", "ADA@example.com", "ada@ＥＸＡＭＰＬＥ.com"):
        guest.post("/auth/users/reset_password/", {"email": email})

    assert guest.post("/auth/users/reset_password/", {"email": "Ada@Example.Com"}).status_code == 429


def test_signing_up_with_somebodys_address_floods_them_not_and_is_not_refused(guest, quick_hash, mails):
    made = [sign_up(guest, f"ada-{n}") for n in range(8)]
    mails()

    assert statuses(made) == [201] * 8
    assert len(mails()) == 3
    assert User.objects.count() == 8


def change_email(caller: ApiClient, email: str) -> Any:
    body = {"email": email, "current_password": PASSWORD}
    return caller.patch("/auth/users/me/", body, content_type="application/json")


def test_a_changed_e_mail_floods_nobody_either(signed_in, ada, mails):
    eve = ApiClient(access_token(make_user("eve")))
    answers = []
    for n, caller in enumerate((signed_in, signed_in, eve, eve)):
        for email in ("victim@example.com", f"mine{n}@example.com"):
            answers.append(change_email(caller, email))
            mails()

    assert statuses(answers[::2]) == [200, 200, 200, 429]
    assert answers[6]["RateLimit-Policy"] == '"mails-to-one-address";q=3;w=3600'
    assert sum(mail.to == ["victim@example.com"] for mail in mails()) == 3
    assert User.objects.get(username="eve").email == "mine3@example.com"


def test_one_account_has_six_mails_an_hour_sent_to_whatever_addresses(signed_in, ada, stopped):
    changed = [change_email(signed_in, f"somebody{n}@example.com") for n in range(6)]
    asked = signed_in.post("/auth/users/resend_activation/", {"email": "ada@example.com"})
    refused = change_email(signed_in, "somebody6@example.com")

    assert statuses([*changed, asked, refused]) == [200] * 6 + [429] * 2
    assert refused["RateLimit-Policy"] == '"mails-by-one-account";q=6;w=3600'
    assert User.objects.get().email == "somebody5@example.com"
    stopped.seconds += int(refused["Retry-After"])
    assert change_email(signed_in, "somebody6@example.com").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "me/", {"first_name": 1}),
        ("delete", "me/", {}),
        ("post", "set_password/", {}),
    ],
)
def test_every_door_to_ones_own_account_counts_by_address(signed_in, method, path, body):
    call = getattr(signed_in, method)
    answers = [
        call(f"/auth/users/{path}", body, content_type="application/json", REMOTE_ADDR=OUTSIDE)
        for _ in range(21)
    ]

    assert statuses(answers) == [400] * 20 + [429]
    assert answers[0]["RateLimit-Policy"] == '"account";q=20;w=60'


def test_a_weak_password_is_refused_before_the_present_one_is_looked_at(signed_in, ada):
    weak = {"current_password": NEW_PASSWORD, "new_password": "short"}
    answers = [signed_in.post("/auth/users/set_password/", weak) for _ in range(11)]

    assert {answer.json()["code"] for answer in answers} == {"weak_password"}


def test_who_is_signed_in_guesses_no_password_either(signed_in, ada):
    body = {"current_password": NEW_PASSWORD, "new_password": NEW_PASSWORD}
    answers = [signed_in.post("/auth/users/set_password/", body) for _ in range(11)]

    assert statuses(answers) == [400] * 10 + [429]
    assert signed_in.post("/api/v1/me/otp", {"password": PASSWORD}).status_code == 429


def test_a_code_is_not_guessed_by_who_has_the_password(guest, ada):
    confirm_otp(ada.pk, pyotp.TOTP(begin_otp(ada.pk)[0]).now())
    names = ["ada"] * 6 + ["ada@example.com"] * 5

    answers = [sign_in(guest, name, otp="000000") for name in names]

    assert statuses(answers) == [401] * 10 + [429]
    assert answers[-1]["RateLimit-Policy"] == '"otp-failures";q=10;w=3600'


def test_throttles_can_be_off(guest, ada, quick_hash, settings):
    settings.TILLGATE_THROTTLES = "off"

    assert statuses([sign_in(guest, password=NEW_PASSWORD) for _ in range(25)]) == [401] * 25
