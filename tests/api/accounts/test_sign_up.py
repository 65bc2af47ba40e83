from typing import Any

import pytest
from django.db import connection

from tests.api.accounts.conftest import sign_in, sign_up
from tests.builders import PASSWORD, make_user
from tillgate.api.accounts.urls import ROUTES
from tillgate.merchants.models import User

# Whatever an account has beyond what its owner may say of it.
NOT_THEIRS = [
    *sorted(
        {field.attname for field in User._meta.concrete_fields}
        - {"username", "email", "password", "first_name", "last_name"}
    ),
    "is_staff",
    "is_superuser",
    "role",
    "memberships",
    "groups",
    "pk",
    "otp",
    "email_confirmed",
]


def test_who_signs_up_can_sign_in_at_once(guest):
    made = sign_up(guest, "Ada", first_name="Ada", last_name="Lovelace")

    assert made.status_code == 201
    assert made.json() == {
        "username": "Ada",
        "email": "ada@example.com",
        "id": User.objects.get().pk,
        "first_name": "Ada",
        "last_name": "Lovelace",
    }
    assert sign_in(guest, "Ada").status_code == 200


def test_s12_a_password_is_stored_as_argon2id_alone(guest):
    sign_up(guest)

    assert User.objects.get().password.startswith("argon2$argon2id$v=19$m=47104,t=1,p=1$")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM merchants_user")
        assert PASSWORD not in repr(cursor.fetchall())


def test_the_e_mail_is_not_confirmed_by_being_given(guest):
    sign_up(guest)

    user = User.objects.get()
    assert (user.email, user.confirmed_email, user.is_active) == ("ada@example.com", None, True)


@pytest.mark.parametrize("taken", ["ada", "Ada", "ADA", " ada "])
def test_a_username_is_taken_in_any_case_and_that_may_be_said(guest, ada, taken):
    answer = sign_up(guest, taken, email="other@example.com")

    assert (answer.status_code, answer.json()["code"]) == (400, "username_taken")
    assert list(answer.json()["errors"]) == ["username"]
    assert User.objects.count() == 1


@pytest.mark.parametrize(("first", "second"), [("Ünal", "üNAL"), ("ｏｍａｒ", "omar"), ("ΩMEGA", "ωmega")])
def test_a48_letters_that_are_the_same_make_the_same_username(guest, first, second):
    assert sign_up(guest, first).status_code == 201

    assert sign_up(guest, second).json()["code"] == "username_taken"
    assert sign_in(guest, second).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "x" * 61,
        "a@b.example",
        "ad＠a",
        "a\u202eda",
        "ad\na",
        "ad\x00a",
        "\u2066ada",
        "",
        "   ",
        12345,
        None,
        "4084084084084081",
        ["ada"],
        "ﷺﷺﷺﷺ",
    ],
    ids=repr,
)
def test_a_username_that_cannot_be_one_is_refused_by_name(guest, name):
    answer = sign_up(guest, name)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["username"]
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "name", ["Ọláńrewájú", "אבי", "مُحَمَّد", "名前です", "می‌خواهم", "O'Brien-Smith", "a.b_c"]
)
def test_a_real_name_in_any_script_is_kept(guest, name):
    assert sign_up(guest, name).status_code == 201
    assert sign_in(guest, name).status_code == 200


def test_the_message_about_an_at_says_how_to_sign_in_by_e_mail(guest):
    assert "e-mail can sign in with that" in sign_up(guest, "a@b.example").json()["message"]


def test_a47_sign_up_never_tells_that_an_e_mail_is_known(guest, ada):
    known, unknown = (
        sign_up(guest, "eve", email="ADA@example.com"),
        sign_up(guest, "bob", email="b@example.com"),
    )

    assert (known.status_code, unknown.status_code) == (201, 201)
    assert set(known.json()) == set(unknown.json())
    assert list(User.objects.filter(username="eve").values_list("confirmed_email", flat=True)) == [None]


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short-11-ch", "12 characters"),
        ("password1234", "too common"),
        ("ada-lovelace-1815", "too similar"),
        ("x" * 129, "128"),
        ("", "blank"),
        (None, "null"),
        (123456789012345, "string"),
        ([PASSWORD], "string"),
    ],
)
def test_s12_a_password_that_is_no_good_is_refused_and_not_repeated(guest, password, why):
    answer = sign_up(guest, "ada-lovelace", password=password)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["password"]
    assert why in answer.json()["message"]
    assert "1815" not in answer.content.decode()
    assert not User.objects.exists()


def test_a_password_is_kept_as_it_was_typed(guest):
    typed = "  spaces around and Ünïcödé  "
    sign_up(guest, password=typed)

    assert sign_in(guest, password=typed).status_code == 200
    assert sign_in(guest, password=typed.strip()).status_code == 401


@pytest.mark.parametrize(
    "email",
    [
        "ada",
        "a@b",
        '"x" <a@b.example>,c@d.example',
        "ada@example.com\nBcc: all@example.com",
        "a@b.example,c@d.ex",
        "Kate@example.com",
        "a@" + "x" * 64 + ".example",
        "",
        None,
        7,
        "a@b..example",
    ],
    ids=repr,
)
def test_a34_an_address_is_one_address(guest, email):
    answer = sign_up(guest, email=email)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["email"]


@pytest.mark.parametrize("member", NOT_THEIRS)
def test_a16_no_other_member_is_taken(guest, member):
    wrong: dict[str, Any] = {member: 1}
    answer = sign_up(guest, **wrong)

    assert (answer.status_code, answer.json()["code"]) == (
        400,
        "read_only" if member == "id" else "unknown_member",
    )
    assert member in answer.json()["errors"]
    assert not User.objects.exists()


@pytest.mark.parametrize("route", [route for route, _, _ in ROUTES])
def test_an_address_has_one_meaning_with_and_without_its_slash(guest, route):
    bare, slashed = (guest.post(path, {"unknown": 1}) for path in (f"/{route}", f"/{route}/"))

    assert bare.status_code == slashed.status_code != 404
    assert bare.json()["code"] == slashed.json()["code"]


@pytest.mark.parametrize(
    "path",
    [
        "/auth/users/1/",
        "/auth/users/set_username/",
        "/auth/users/reset_username/",
        "/auth/token/login/",
        "/auth/",
    ],
)
def test_no_account_is_reached_by_its_number_and_no_list_is_there(guest, signed_in, path):
    for caller in (guest, signed_in):
        assert caller.get(path).status_code == 404
        assert caller.post(path, {}).status_code == 404


def test_the_accounts_are_listed_nowhere(signed_in):
    assert signed_in.get("/auth/users/").status_code == 405


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
@pytest.mark.parametrize(
    "route", ["/auth/users/", "/auth/jwt/create/", "/api/token/", "/auth/users/reset_password/"]
)
def test_a44_what_a_foreign_page_can_send_is_refused(guest, route, content_type):
    answer = guest.post(route, b'{"username": "ada"}', content_type=content_type)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "Set-Cookie" not in answer.headers


def test_two_accounts_may_have_given_one_e_mail(guest):
    make_user("eve", email="ada@example.com", confirmed=False)

    assert sign_up(guest).status_code == 201
    assert User.objects.filter(email="ada@example.com").count() == 2
