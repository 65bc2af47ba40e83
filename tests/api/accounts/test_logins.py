from datetime import timedelta

import pytest

from tests.api.accounts.conftest import OUTSIDE, sign_in
from tests.api.client import ApiClient
from tests.builders import access_token, make_user
from tillgate.common import clock
from tillgate.merchants.models import Login
from tillgate.merchants.services.logins import Device, end_logins, start_login

LOGINS = "/api/v1/me/logins"


def test_one_sees_where_one_is_signed_in(guest, ada):
    phone = sign_in(guest, REMOTE_ADDR=OUTSIDE, HTTP_USER_AGENT="Phone/2").json()["access"]
    desk = sign_in(guest, HTTP_USER_AGENT="Desk/1").json()["access"]

    answer = ApiClient(desk).get(LOGINS)

    first, second = answer.json()["logins"]
    assert (first["user_agent"], first["current"]) == ("Desk/1", True)
    assert (second["user_agent"], second["address"], second["current"]) == ("Phone/2", OUTSIDE, False)
    assert set(first) == {"id", "address", "user_agent", "created_at", "last_used_at", "current"}
    assert ApiClient(phone).get(LOGINS + "/").status_code == 200


def test_ended_and_forgotten_logins_are_not_shown(signed_in, ada):
    ended, forgotten = (start_login(ada, Device()) for _ in range(2))
    end_logins(Login.objects.filter(pk=ended.pk), reason="logout")
    Login.objects.filter(pk=forgotten.pk).update(last_used_at=clock.now() - timedelta(days=8))

    shown = signed_in.get(LOGINS).json()["logins"]

    assert [login["current"] for login in shown] == [True]


def test_one_ends_a_login_and_its_tokens_with_it(signed_in, ada):
    lost = access_token(ada)
    reference = Login.objects.last().reference

    answers = [signed_in.delete(f"{LOGINS}/{reference}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert ApiClient(lost).get("/auth/users/me/").status_code == 401
    assert signed_in.get("/auth/users/me/").status_code == 200
    assert Login.objects.get(reference=reference).end_reason == "ended_by_user"


def test_one_ends_the_login_by_which_one_asks(signed_in):
    reference = signed_in.get(LOGINS).json()["logins"][0]["id"]

    assert signed_in.delete(f"{LOGINS}/{reference}").status_code == 204
    assert signed_in.get(LOGINS).status_code == 401


def test_one_ends_all_others_at_once(signed_in, ada):
    others = [access_token(ada) for _ in range(3)]
    elsewhere = access_token(make_user("eve"))

    assert signed_in.delete(LOGINS).status_code == 204

    assert [ApiClient(token).get(LOGINS).status_code for token in others] == [401] * 3
    assert signed_in.get(LOGINS).status_code == 200
    assert ApiClient(elsewhere).get(LOGINS).status_code == 200


@pytest.mark.parametrize("reference", ["LGN-" + "0" * 26, "1", "x" * 500, "%00", "LGN-%27"])
def test_another_persons_login_is_not_there(signed_in, reference):
    access_token(make_user("eve"))
    theirs = Login.objects.last()

    hidden, never = (signed_in.delete(f"{LOGINS}/{name}") for name in (theirs.reference, reference))

    assert (hidden.status_code, never.status_code) == (404, 404)
    theirs.refresh_from_db()
    assert theirs.ended_at is None


@pytest.mark.parametrize("path", [LOGINS, f"{LOGINS}/LGN-1", "/api/v1/me/export"])
def test_logins_are_a_persons_own(guest, key, path):
    method = "get" if path in (LOGINS, "/api/v1/me/export") else "delete"

    assert getattr(guest, method)(path).status_code == 401
    assert getattr(ApiClient(key), method)(path).status_code == 403
