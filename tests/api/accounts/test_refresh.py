from functools import partial

import pytest

from tests.api.accounts.conftest import sign_in
from tests.api.client import ApiClient
from tests.builders import make_user
from tests.races.conftest import race
from tillgate.api.accounts.tokens import refreshed, token_pair
from tillgate.merchants.errors import LoginEnded
from tillgate.merchants.models import Login
from tillgate.merchants.services.logins import Device, start_login

REFRESH, LOGOUT = "/auth/jwt/refresh/", "/auth/jwt/logout/"


@pytest.mark.parametrize("path", [REFRESH, "/api/token/refresh/"])
def test_a_refresh_answers_a_new_pair_of_the_same_login(guest, ada, path):
    first = sign_in(guest).json()

    second = guest.post(path, {"refresh": first["refresh"]}).json()

    assert set(second) == {"access", "refresh", "token"}
    assert second["refresh"] != first["refresh"]
    assert Login.objects.count() == 1


def test_a_chain_of_refreshes_goes_on(guest, ada):
    token = sign_in(guest).json()["refresh"]
    for _ in range(5):
        token = guest.post(REFRESH, {"refresh": token}).json()["refresh"]

    assert guest.post(REFRESH, {"refresh": token}).status_code == 200


@pytest.mark.parametrize("later", [1, 3])
def test_a25_a_refresh_token_that_is_used_twice_ends_the_login(guest, ada, later):
    stolen = newest = sign_in(guest).json()["refresh"]
    for _ in range(later):
        answer = guest.post(REFRESH, {"refresh": newest}).json()
        newest = answer["refresh"]

    again = guest.post(REFRESH, {"refresh": stolen})

    assert (again.status_code, again.json()["code"]) == (401, "token_not_valid")
    assert again["WWW-Authenticate"]
    assert guest.post(REFRESH, {"refresh": newest}).status_code == 401
    assert ApiClient(answer["access"]).get("/auth/users/me/").status_code == 401
    assert Login.objects.get().end_reason == "token_reused"


def test_a_reuse_ends_no_other_login(guest, ada):
    other = sign_in(guest).json()
    first = sign_in(guest).json()["refresh"]
    for _ in range(2):
        guest.post(REFRESH, {"refresh": first})

    assert ApiClient(other["access"]).get("/auth/users/me/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_refreshes_at_once_one_wins_and_the_login_ends(merchant):
    for seed in range(5):
        login = start_login(make_user(f"ada{seed}"), Device())
        token = token_pair(login)[1]

        results = race(*[partial(refreshed, token)] * 2, seed=seed)

        assert sorted(type(result).__name__ for result in results) == [LoginEnded.__name__, "tuple"]
        login.refresh_from_db()
        assert login.end_reason == "token_reused"


def test_logout_ends_the_login_of_a_refresh_token(guest, ada):
    tokens = sign_in(guest).json()

    assert guest.post(LOGOUT, {"refresh": tokens["refresh"]}).status_code == 204

    assert ApiClient(tokens["access"]).get("/auth/users/me/").status_code == 401
    assert guest.post(REFRESH, {"refresh": tokens["refresh"]}).status_code == 401
    assert Login.objects.get().end_reason == "logout"


@pytest.mark.parametrize("scheme", ["Bearer", "JWT"])
def test_logout_ends_the_login_of_the_access_token_in_the_header(guest, ada, scheme):
    access = sign_in(guest).json()["access"]
    headers = {"Authorization": f"{scheme} {access}"}

    answers = [guest.post(LOGOUT, {}, headers=headers), guest.post(LOGOUT, headers=headers)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert Login.objects.get().end_reason == "logout"


def test_logout_is_good_twice_and_with_a_token_that_was_rotated(guest, ada):
    old = sign_in(guest).json()["refresh"]
    new = guest.post(REFRESH, {"refresh": old}).json()["refresh"]

    answers = [guest.post(LOGOUT, {"refresh": token}).status_code for token in (old, old, new)]

    assert answers == [204, 204, 204]
    assert Login.objects.get().end_reason == "logout"


@pytest.mark.parametrize("header", [None, "Bearer sk_test_x", "Basic x", "Bearer a.b.c", "JWT"])
def test_logout_without_a_token_is_refused(guest, ada, header):
    answer = guest.post(LOGOUT, {}, headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
