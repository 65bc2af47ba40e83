from datetime import timedelta
from functools import partial
from typing import Any

import pyotp
import pytest

from tests.api.accounts.conftest import link_in, sign_in, sign_up
from tests.api.client import ApiClient
from tests.builders import PASSWORD, access_token, make_user
from tests.races.conftest import race
from tillgate.merchants.errors import LinkNotGood
from tillgate.merchants.models import User
from tillgate.merchants.services.links import CONFIRMING, link_for
from tillgate.merchants.services.totp import begin_otp, confirm_otp
from tillgate.merchants.services.users import confirm_email

ACTIVATION, RESEND, ME = "/auth/users/activation/", "/auth/users/resend_activation/", "/auth/users/me/"

LOVELACE = {"email": "lovelace@example.com"}


def change(caller: ApiClient, body: dict[str, Any]) -> Any:
    return caller.patch(ME, body, content_type="application/json")


def link_of(user: User) -> dict[str, str]:
    _, uid, token = link_for(user, CONFIRMING).rsplit("/", 2)
    return {"uid": uid, "token": token}


def is_confirmed(username: str = "ada") -> bool:
    return User.objects.get(username=username).confirmed_email is not None


def test_the_link_of_the_mail_confirms_the_e_mail_once(guest, mails):
    sign_up(guest)
    (mail,) = mails()
    assert mail.to == ["ada@example.com"]

    first, again = (guest.post(ACTIVATION, link_in(mail)) for _ in range(2))

    assert (first.status_code, first.content) == (204, b"")
    assert is_confirmed()
    assert sign_in(guest, "ADA@example.com").status_code == 200
    assert (again.status_code, again.json()["code"]) == (400, "invalid_token")


def test_a_link_is_good_for_a_day(guest, settings, merchant, monkeypatch):
    user = make_user(confirmed=False)
    link = link_of(user)
    now = CONFIRMING._now()

    monkeypatch.setattr(CONFIRMING, "_now", lambda: now + timedelta(hours=24, seconds=1))
    assert guest.post(ACTIVATION, link).status_code == 400
    monkeypatch.setattr(CONFIRMING, "_now", lambda: now + timedelta(hours=23, minutes=59))
    assert guest.post(ACTIVATION, link).status_code == 204


def test_a_link_is_for_the_address_that_it_was_mailed_to(guest, mails):
    sign_up(guest)
    (mail,) = mails()
    User.objects.update(email="victim@example.com")

    assert guest.post(ACTIVATION, link_in(mail)).status_code == 400
    assert not is_confirmed()


def bad_links(good: dict[str, str], other: dict[str, str]) -> list[dict[str, str]]:
    return [
        {**good, "uid": other["uid"]},
        {**good, "token": other["token"]},
        {**good, "uid": "OTk5OTk5"},  # Nobody's.
        {**good, "uid": "not base64!"},
        {**good, "uid": "é"},
        {**good, "uid": ""},
        {**good, "uid": "x" * 5_000},
        {**good, "uid": "MS0x"},
        {**good, "token": ""},
        {**good, "token": good["token"] + "x"},
        {**good, "token": good["token"].upper()},
        {**good, "token": "a-b"},
        {**good, "token": "\x00"},
    ]


def test_a47_every_link_that_is_not_good_has_the_same_answer(guest, merchant):
    good, other = (link_of(make_user(name, confirmed=False)) for name in ("ada", "eve"))

    answers = [guest.post(ACTIVATION, link) for link in bad_links(good, other)]

    bodies = {repr({**answer.json(), "request_id": ""}) for answer in answers}
    assert {answer.status_code for answer in answers} == {400}
    assert len(bodies) == 1
    assert not is_confirmed("ada")
    assert guest.post(ACTIVATION, good).status_code == 204


def test_a_disabled_account_confirms_nothing(guest, merchant):
    link = link_of(make_user(confirmed=False, is_active=False))

    assert guest.post(ACTIVATION, link).status_code == 400


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("ada@example.com", "ADA@Example.COM"),
        ("ada@example.com", "ada@ｅｘａｍｐｌｅ.com"),
        ("ada@strasse.example", "ada@straße.example"),  # One host, as mail is sent.
        ("ada@xn--bcher-kva.example", "ada@bücher.example"),
    ],
)
def test_a48_two_accounts_never_have_one_mailbox(guest, merchant, theirs, mine):
    links = [
        link_of(make_user(name, email=email, confirmed=False))
        for name, email in zip("ab", (theirs, mine), strict=True)
    ]

    first, second = (guest.post(ACTIVATION, link) for link in links)

    assert first.status_code == 204
    assert (second.status_code, second.json()["code"]) == (409, "email_taken")
    assert "Another account has confirmed" in second.json()["message"]
    assert User.objects.exclude(confirmed_email=None).count() == 1


def test_a48_other_mailboxes_stay_apart(guest, merchant):
    addresses = ["ada@example.com", "a.da@example.com", "ada+x@example.com", "ada@example.org"]
    links = [link_of(make_user(f"u{n}", email=e, confirmed=False)) for n, e in enumerate(addresses)]

    assert [guest.post(ACTIVATION, link).status_code for link in links] == [204] * 4


@pytest.mark.django_db(transaction=True)
def test_of_two_uses_at_once_one_wins(merchant):
    for seed in range(3):
        user = make_user(f"ada{seed}", confirmed=False)
        link = link_of(user)

        results = race(*[partial(confirm_email, **link)] * 2, seed=seed)

        assert sorted(type(result).__name__ for result in results) == [LinkNotGood.__name__, "User"]


def test_another_e_mail_is_not_confirmed_and_both_mailboxes_are_told(signed_in, ada, mails):
    changed = change(signed_in, {**LOVELACE, "current_password": PASSWORD})

    assert changed.status_code == 200
    assert (changed.json()["email"], changed.json()["email_confirmed"]) == ("lovelace@example.com", False)
    assert [mail.to for mail in mails()] == [["ada@example.com"], ["lovelace@example.com"]]
    assert ApiClient().post(ACTIVATION, link_in(mails()[1])).status_code == 204
    assert sign_in(ApiClient(), "lovelace@example.com").status_code == 200
    assert sign_in(ApiClient(), "ada@example.com").status_code == 401


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        ({}, "required"),
        ({"current_password": ""}, "required"),
        ({"current_password": "not the one of ada"}, "invalid_password"),
    ],
)
def test_another_e_mail_needs_the_password_for_who_reads_its_mails_can_reset_that(
    signed_in, ada, mails, proof, code
):
    answer = change(signed_in, {**LOVELACE, "first_name": "Eve", **proof})

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert list(answer.json()["errors"]) == ["current_password"]
    ada.refresh_from_db()
    assert (ada.email, ada.first_name) == ("ada@example.com", "Ada")
    assert is_confirmed()
    assert mails() == []


def test_another_e_mail_needs_the_second_factor_where_there_is_one(signed_in, ada):
    codes = confirm_otp(ada.pk, pyotp.TOTP(begin_otp(ada.pk)[0]).now())
    proofs: list[dict[str, Any]] = [{}, {"otp": None}, {"otp": "000000"}, {"otp": codes[0]}]

    answers = [change(signed_in, {**LOVELACE, "current_password": PASSWORD, **proof}) for proof in proofs]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 200]
    assert [list(answer.json()["errors"]) for answer in answers[:3]] == [["otp"]] * 3
    assert (answers[3].json()["otp"], "current_password" in answers[3].json()) == (True, False)


def test_the_same_mailbox_in_other_letters_stays_confirmed(signed_in, ada, mails):
    changed = change(signed_in, {"email": "Ada@Example.com", "current_password": PASSWORD})

    assert changed.json()["email_confirmed"] is True
    assert mails() == []


def test_names_are_changed_and_nothing_else(signed_in, ada):
    changed = change(signed_in, {"first_name": "Augusta", "last_name": "", "email": ada.email})

    assert (changed.json()["first_name"], changed.json()["last_name"]) == ("Augusta", "")
    assert is_confirmed()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"username": "eve"}, "read_only"),
        ({"id": 1}, "read_only"),
        ({"otp": False}, "invalid_field"),
        ({"email_confirmed": True}, "read_only"),
        ({"confirmed_email": "eve@example.com"}, "unknown_member"),
        ({"is_active": True}, "unknown_member"),
        ({"password": "another long passphrase"}, "unknown_member"),
        ({"email": "nothing"}, "invalid_email"),
        ({"first_name": "a\u202eb"}, "invalid_field"),
        ({"last_name": "x" * 101}, "invalid_field"),
    ],
)
def test_a16_what_cannot_be_changed_is_refused_by_name(signed_in, ada, body, code):
    answer = signed_in.patch(ME, body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert list(answer.json()["errors"]) == list(body)


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_an_account_is_for_its_owner(guest, key, method):
    for caller, status in ((guest, 401), (ApiClient(key), 403)):
        assert getattr(caller, method)(ME, {}, content_type="application/json").status_code == status


def test_who_works_for_several_merchants_has_one_account(merchant, other_merchant):
    from tillgate.merchants.roles import Role
    from tillgate.merchants.services.staff import put_on_staff

    user = make_user("busy")
    for employer in (merchant, other_merchant):
        put_on_staff(employer, user, Role.CASHIER)

    assert ApiClient(access_token(user)).get(ME).status_code == 200
    assert ApiClient(access_token(user)).get("/api/v1/me/logins").status_code == 200


def test_the_link_is_sent_again_and_nothing_tells_whether_it_was(guest, mails):
    make_user("ada", confirmed=False)
    make_user("eve", email="eve@example.com")  # Has confirmed already.

    answers = [guest.post(RESEND, {"email": f"{who}@example.com"}) for who in ("ada", "eve", "nobody")]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
    assert [mail.to for mail in mails()] == [["ada@example.com"]]
    assert guest.post(ACTIVATION, link_in(mails()[0])).status_code == 204


def test_who_is_signed_in_gets_the_link_for_the_own_account(mails, merchant):
    mine = make_user("first", email="ada@example.com", confirmed=False)
    make_user("second", email="ada@example.com", confirmed=False)

    for caller in (ApiClient(access_token(mine)), ApiClient()):
        caller.post(RESEND, {"email": "ada@example.com"})
        mails()

    assert ["Hello first" in mail.body for mail in mails()] == [True, False]
