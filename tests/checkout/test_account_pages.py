"""The pages that account mails lead to: as safe as the checkout's, and only their button does anything."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.builders import PASSWORD, make_user
from tests.checkout.test_safety import HEADERS, XSS, skeleton
from tillgate.merchants.models import Merchant, User
from tillgate.merchants.services.links import CONFIRMING, RESETTING, Kind, link_for
from tillgate.merchants.services.logins import Device
from tillgate.merchants.services.sign_in import Credentials, sign_in

NEW_PASSWORD = "another long passphrase"
OUTSIDE = "203.0.113.9"


def path_of(user: User, kind: Kind) -> str:
    return "/account/" + link_for(user, kind).partition("/account/")[2]


@pytest.fixture
def ada(merchant: Merchant) -> User:
    return make_user("ada", confirmed=False)


def confirmed() -> str | None:
    return User.objects.get(username="ada").confirmed_email


def can_sign_in(password: str) -> bool:
    return sign_in(Credentials(username="ada", password=password), Device()).pk > 0


def test_looking_changes_nothing_and_the_button_confirms(client, ada):
    path = path_of(ada, CONFIRMING)

    looked = [client.get(path) for _ in range(3)]
    assert [page.status_code for page in looked] == [200] * 3
    assert b"ada@example.com" in looked[0].content
    assert confirmed() is None

    done = client.post(path)

    assert (done.status_code, b"Your e-mail is confirmed" in done.content) == (200, True)
    assert confirmed() == "ada@example.com"
    assert client.post(path).status_code == 404


def test_looking_changes_nothing_and_the_form_replaces_the_password(client, ada):
    path = path_of(ada, RESETTING)

    page = client.get(path).content.decode()
    assert 'name="new_password"' in page
    assert can_sign_in(PASSWORD)
    done = client.post(path, {"new_password": NEW_PASSWORD})

    assert (done.status_code, b"Your password is changed" in done.content) == (200, True)
    assert can_sign_in(NEW_PASSWORD)
    assert client.post(path, {"new_password": NEW_PASSWORD}).status_code == 404


@pytest.mark.parametrize(
    ("password", "told"), [("short", "at least 12"), ("", "at least 12"), ("x" * 129, "at most 128")]
)
def test_a_weak_password_is_refused_with_the_reason_and_may_be_sent_again(client, ada, password, told):
    path = path_of(ada, RESETTING)

    refused = client.post(path, {"new_password": password})

    assert refused.status_code == 400
    assert told in refused.content.decode()
    assert client.post(path, {"new_password": NEW_PASSWORD}).status_code == 200


def test_an_address_that_another_has_confirmed_is_refused_in_plain_words(client, ada):
    make_user("eve", email="ada@example.com")

    page = client.post(path_of(ada, CONFIRMING))

    assert (page.status_code, b"Another account has this e-mail" in page.content) == (409, True)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", ["activate", "reset"])
def test_a47_every_link_that_is_not_good_has_the_same_page(client, ada, page, method):
    kind, other = (CONFIRMING, RESETTING) if page == "activate" else (RESETTING, CONFIRMING)
    uid, token = path_of(ada, kind).split("/")[-2:]
    links = [("OTk5OTk5", token), (uid, "a-b"), ("!", "x.y"), (uid, path_of(ada, other).split("/")[-1])]

    answers = [getattr(client, method)(f"/account/{page}/{one}/{two}") for one, two in links]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("kind", [CONFIRMING, RESETTING], ids=["activate", "reset"])
def test_the_pages_are_as_safe_as_the_checkouts(client, ada, kind):
    for answer in (client.get(path_of(ada, kind)), client.get("/account/reset/x/y")):
        assert {name: answer[name] for name in HEADERS} == HEADERS
        assert "form-action 'self'" in answer["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
        assert not re.search(r"<script|style=|onclick", answer.content.decode())


@pytest.mark.parametrize("typed", XSS)
def test_typed_text_never_becomes_markup(client, merchant, typed):
    def page(words: str) -> Any:
        Merchant.objects.filter(pk=merchant.pk).update(name=words)
        from tillgate.merchants.services.merchants import forget_default_merchant

        forget_default_merchant()
        user = make_user(f"{words[:50]}-{User.objects.count()}", confirmed=False, email="a@b.example")
        return skeleton(client.get(path_of(user, CONFIRMING)).content)

    assert page(typed) == page("plain words")


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_nothing_else_is_done_there(client, ada, method):
    assert getattr(client, method)(path_of(ada, CONFIRMING)).status_code == 405


def test_an_address_that_asks_too_often_gets_a_page_that_says_so(client, ada, settings):
    settings.TILLGATE_WEB_PROCESSES, settings.TILLGATE_TRUSTED_PROXIES = 1, 0

    answers = [Client().post("/account/reset/x/y", REMOTE_ADDR=OUTSIDE) for _ in range(90)]

    assert answers[-1].status_code == 429
    assert answers[-1]["Retry-After"]
    assert b"One moment" in answers[-1].content
