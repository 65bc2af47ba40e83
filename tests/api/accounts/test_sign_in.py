from typing import Any

import pytest

from tests.api.accounts.conftest import NEW_PASSWORD, OUTSIDE, sign_in
from tests.api.client import PAYMENTS, ApiClient
from tests.builders import PASSWORD, make_staff, make_user
from tillgate.common.logs import logging_config
from tillgate.merchants.hashers import SmallArgon2
from tillgate.merchants.models import Login, User
from tillgate.merchants.services.users import disable_user, enable_user, erase_user


@pytest.mark.parametrize("path", ["/auth/jwt/create/", "/api/token/"])
def test_both_addresses_give_tokens_that_open_the_account(guest, ada, path):
    answer = guest.post(path, {"username": "ada", "password": PASSWORD})

    tokens = answer.json()
    assert (answer.status_code, set(tokens)) == (200, {"access", "refresh", "token"})
    assert tokens["token"] == tokens["access"]
    for scheme in ("Bearer", "JWT", "jwt"):
        me = ApiClient().get("/auth/users/me/", headers={"Authorization": f"{scheme} {tokens['access']}"})
        assert me.json() == {
            "id": ada.pk,
            "username": "ada",
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "email_confirmed": True,
            "otp": False,
        }


@pytest.mark.parametrize(
    "name", ["ada", "ADA", "ada@example.com", "Ada@EXAMPLE.com", "ada@ｅｘａｍｐｌｅ.com"]
)
def test_one_signs_in_by_username_or_confirmed_e_mail_in_any_case(guest, ada, name):
    assert sign_in(guest, name).status_code == 200


def test_an_e_mail_that_is_not_confirmed_signs_nobody_in(guest, merchant):
    make_user("ada", confirmed=False)

    assert sign_in(guest, "ada@example.com").status_code == 401


def test_a_sign_in_remembers_from_where(guest, ada):
    sign_in(guest, REMOTE_ADDR=OUTSIDE, HTTP_USER_AGENT="Shop/1.0 \x00\u202e" + "x" * 300)

    login = Login.objects.get()
    assert (login.user, login.address) == (ada, OUTSIDE)
    assert login.user_agent.startswith("Shop/1.0 ")
    assert len(login.user_agent) == 200


@pytest.fixture
def refused(guest: ApiClient, ada: User) -> dict[str, tuple[str, str]]:
    """Every way in which a name and a password can be wrong."""
    disable_user(make_user("disabled"))
    deleted = erase_user(make_user("deleted").pk)
    make_user("unconfirmed", confirmed=False)
    return {
        "wrong password": ("ada", NEW_PASSWORD),
        "wrong password by e-mail": ("ada@example.com", NEW_PASSWORD),
        "unknown": ("nobody", PASSWORD),
        "unknown e-mail": ("nobody@example.com", PASSWORD),
        "disabled": ("disabled", PASSWORD),
        "deleted": (deleted.username, PASSWORD),
        "unconfirmed e-mail": ("unconfirmed@example.com", PASSWORD),
        "empty": ("", ""),
        "nul": ("a\x00da", PASSWORD),
        "long": ("x" * 5_000, "x" * 5_000),
    }


def test_a47_every_refused_sign_in_has_the_same_answer(guest, refused):
    answers = {why: sign_in(guest, *pair) for why, pair in refused.items()}

    assert {answer.status_code for answer in answers.values()} == {401}
    bodies = {why: {**answer.json(), "request_id": ""} for why, answer in answers.items()}
    assert len({repr(body) for body in bodies.values()}) == 1, bodies
    for why, answer in answers.items():
        assert answer["WWW-Authenticate"] == 'Bearer realm="tillgate"', why
    assert not Login.objects.exists()


def test_a47_every_refused_sign_in_takes_the_same_work(guest, refused, monkeypatch):
    worked: list[str] = []
    for name in ("encode", "verify"):
        real = getattr(SmallArgon2, name)

        def counted(self: Any, *args: Any, real: Any = real, **kwargs: Any) -> Any:
            worked.append("hash")
            return real(self, *args, **kwargs)

        monkeypatch.setattr(SmallArgon2, name, counted)
    taken = {}
    for why, pair in refused.items():
        worked.clear()
        sign_in(guest, *pair)
        taken[why] = len(worked)

    assert set(taken.values()) == {1}, taken


def test_an_enabled_account_signs_in_again_and_a_deleted_one_never(guest, ada):
    disable_user(ada)
    enable_user(ada)
    assert sign_in(guest).status_code == 200

    gone = erase_user(ada.pk)
    enable_user(gone)
    gone.refresh_from_db()
    assert not gone.is_active


@pytest.mark.parametrize("header", ["Bearer a.b.c", "Bearer sk_test_wrong", "Basic x", "JWT "])
def test_an_old_token_in_the_header_does_not_keep_anybody_from_signing_in(guest, ada, header):
    answer = guest.post(
        "/auth/jwt/create/", {"username": "ada", "password": PASSWORD}, headers={"Authorization": header}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "ada"},
        {"username": 1, "password": PASSWORD},
        {"username": "ada", "password": None},
        {"username": "ada", "password": PASSWORD, "remember": True},
        {"username": "ada", "password": "x", "otp": 1},
    ],
)
def test_a_body_that_is_no_sign_in_is_refused_by_name(guest, ada, body):
    answer = guest.post("/auth/jwt/create/", body)

    assert answer.status_code == 400
    assert set(answer.json()["errors"]) <= {"username", "password", "remember", "otp"}


def test_a_staff_token_opens_the_merchants_doors(guest, merchant):
    make_staff(merchant, "owner", "owner")
    access = sign_in(guest, "owner").json()["access"]

    assert ApiClient(access).get(PAYMENTS).status_code == 200


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the process writes into its log."""
    import io
    import logging

    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    logging_config(local=False)
    yield written
    monkeypatch.undo()
    logging_config(local=True)
    root.handlers[:] = before


def test_s34_sign_ins_are_logged_without_what_was_typed(guest, ada, lines):
    sign_in(guest, "a-password-typed-as-name", "another-password-canary", REMOTE_ADDR=OUTSIDE)
    sign_in(guest, "ada", "another-password-canary", REMOTE_ADDR=OUTSIDE)
    tokens = sign_in(guest, REMOTE_ADDR=OUTSIDE).json()

    told = lines.getvalue()
    assert told.count('"event": "login_failed"') == 2
    assert f'"user": {ada.pk}' in told
    assert '"user": null' in told
    assert told.count('"event": "login_started"') == 1
    assert OUTSIDE in told
    for secret in ("typed-as-name", "canary", PASSWORD, tokens["access"], tokens["refresh"]):
        assert secret not in told
