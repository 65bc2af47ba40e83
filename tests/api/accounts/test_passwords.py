from datetime import timedelta

import pytest

from tests.api.accounts.conftest import NEW_PASSWORD, link_in, sign_in, sign_up
from tests.api.accounts.test_confirming import bad_links
from tests.api.client import ApiClient
from tests.builders import PASSWORD, access_token, make_user
from tests.races.conftest import race
from tillgate.merchants.errors import LinkNotGood
from tillgate.merchants.models import Login, User
from tillgate.merchants.services.links import CONFIRMING, RESETTING, link_for
from tillgate.merchants.services.passwords import reset_password

RESET, CONFIRM, SET = (
    f"/auth/users/{name}/" for name in ("reset_password", "reset_password_confirm", "set_password")
)


def link_of(user: User) -> dict[str, str]:
    _, uid, token = link_for(user, RESETTING).rsplit("/", 2)
    return {"uid": uid, "token": token}


def test_the_link_of_the_mail_replaces_the_password_once(guest, ada, mails):
    assert guest.post(RESET, {"email": "ADA@example.com"}).status_code == 204
    (mail,) = mails()
    link = link_in(mail)

    first, again = (guest.post(CONFIRM, {**link, "new_password": NEW_PASSWORD}) for _ in range(2))

    assert (first.status_code, first.content) == (204, b"")
    assert (again.status_code, again.json()["code"]) == (400, "invalid_token")
    assert sign_in(guest, password=PASSWORD).status_code == 401
    assert sign_in(guest, password=NEW_PASSWORD).status_code == 200


def test_s14_a_replaced_password_ends_every_login_and_its_owner_is_told(guest, ada, mails):
    access = access_token(ada)

    guest.post(CONFIRM, {**link_of(ada), "new_password": NEW_PASSWORD})

    assert ApiClient(access).get("/auth/users/me/").status_code == 401
    assert set(Login.objects.values_list("end_reason", flat=True)) == {"password_reset"}
    assert [mail.subject for mail in mails()] == ["Your password for My shop was changed"]


def test_a47_a_reset_is_asked_for_with_the_same_answer_for_everybody(guest, ada, mails):
    make_user("bob", email="bob@example.com", is_active=False)

    answers = [guest.post(RESET, {"email": f"{who}@example.com"}) for who in ("ada", "bob", "nobody")]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
    assert [mail.to for mail in mails()] == [["ada@example.com"]]


@pytest.mark.parametrize("path", [RESET, "/auth/users/resend_activation/"])
def test_a47_the_same_is_done_at_once_whether_or_not_there_is_an_account(guest, ada, statements, path):
    make_user("eve", email="eve@example.com", confirmed=False)
    done = []
    for who in ("ada", "eve", "nobody"):
        with statements() as told:
            guest.post(path, {"email": f"{who}@example.com"})
        done.append([line.split()[0] for line in told])

    assert done[0] == done[1] == done[2]
    assert "INSERT" in done[0]


def test_who_has_not_confirmed_gets_a_link_too_unless_another_has(guest, mails):
    sign_up(guest, "eve")
    mails()
    guest.post(RESET, {"email": "ada@example.com"})
    assert [mail.subject for mail in mails()][1:] == ["Choose a new password for My shop"]
    assert "Hello eve," in mails()[-1].body

    make_user("ada")
    guest.post(RESET, {"email": "ada@example.com"})
    assert "Hello ada," in mails()[-1].body


def test_mail_goes_to_the_address_as_it_was_given_not_as_it_is_compared(guest, merchant, mails):
    make_user("ada", email="Ada@straße.example", confirmed_email="ada@strasse.example", confirmed=False)

    guest.post(RESET, {"email": "ada@STRASSE.example"})

    assert [mail.to for mail in mails()] == [["Ada@straße.example"]]


def test_a47_every_link_that_is_not_good_has_the_same_answer(guest, ada):
    good, other = link_of(ada), link_of(make_user("eve"))
    _, uid, token = link_for(ada, CONFIRMING).rsplit("/", 2)
    links = [*bad_links(good, other), {"uid": uid, "token": token}]

    answers = [guest.post(CONFIRM, {**link, "new_password": NEW_PASSWORD}) for link in links]

    assert {answer.status_code for answer in answers} == {400}
    assert len({repr({**answer.json(), "request_id": ""}) for answer in answers}) == 1
    assert sign_in(guest, password=PASSWORD).status_code == 200


@pytest.mark.parametrize(
    "change", [{"email": "eve@example.com"}, {"password": "x"}, {"is_active": False}], ids=str
)
def test_a_link_ends_with_what_it_was_made_for(guest, ada, change):
    link = link_of(ada)
    User.objects.update(**change)

    assert guest.post(CONFIRM, {**link, "new_password": NEW_PASSWORD}).status_code == 400


def test_a_link_is_good_for_a_day(guest, ada, monkeypatch):
    link, now = link_of(ada), RESETTING._now()
    monkeypatch.setattr(RESETTING, "_now", lambda: now + timedelta(hours=24, seconds=1))

    assert guest.post(CONFIRM, {**link, "new_password": NEW_PASSWORD}).status_code == 400


@pytest.mark.parametrize("password", ["short", "password1234", "ada@example.com", "x" * 129])
def test_s12_a_weak_password_is_refused_and_the_link_stays_good(guest, ada, password):
    link = link_of(ada)

    answer = guest.post(CONFIRM, {**link, "new_password": password})

    assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")
    assert list(answer.json()["errors"]) == ["new_password"]
    assert guest.post(CONFIRM, {**link, "new_password": NEW_PASSWORD}).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_of_two_uses_of_a_link_at_once_one_wins(merchant):
    link = link_of(make_user("ada"))

    results = race(*[lambda: reset_password(link["uid"], link["token"], NEW_PASSWORD)] * 2)

    assert sorted(type(result).__name__ for result in results) == [LinkNotGood.__name__, "User"]


def test_who_knows_the_password_replaces_it_and_every_login_ends(signed_in, ada, mails):
    elsewhere = access_token(ada)

    answer = signed_in.post(SET, {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    assert (answer.status_code, answer.content) == (204, b"")
    for caller in (signed_in, ApiClient(elsewhere)):
        assert caller.get("/auth/users/me/").status_code == 401
    assert sign_in(ApiClient(), password=NEW_PASSWORD).status_code == 200
    assert [mail.subject for mail in mails()] == ["Your password for My shop was changed"]


@pytest.mark.parametrize("current", [NEW_PASSWORD, "", PASSWORD.upper(), f" {PASSWORD}"])
def test_a_password_is_replaced_by_one_who_knows_it(signed_in, current):
    answer = signed_in.post(SET, {"current_password": current, "new_password": NEW_PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_password")
    assert list(answer.json()["errors"]) == ["current_password"]
    assert Login.objects.filter(ended_at__isnull=True).count() == 1


@pytest.mark.parametrize("new", ["short", "password1234", "ada@example.com", "", "x" * 129])
def test_s12_a_password_is_replaced_by_a_good_one(signed_in, new):
    answer = signed_in.post(SET, {"current_password": PASSWORD, "new_password": new})

    assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")
    assert list(answer.json()["errors"]) == ["new_password"]
    assert Login.objects.filter(ended_at__isnull=True).count() == 1


def test_only_who_is_signed_in_replaces_a_password(guest, key):
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

    assert guest.post(SET, body).status_code == 401
    assert ApiClient(key).post(SET, body).status_code == 403


def test_an_unconfirmed_address_is_told_of_nothing_but_what_was_asked_for(guest, mails):
    user = make_user("ada", confirmed=False)

    ApiClient(access_token(user)).post(SET, {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    assert mails() == []
