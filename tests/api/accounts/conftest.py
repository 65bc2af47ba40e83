"""People with accounts, as their apps speak to the API; and the mails they get."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail as outbox_of

from tests.api.client import ApiClient
from tests.builders import PASSWORD, access_token, make_user
from tillgate.common.jobs import run_due_jobs
from tillgate.merchants.models import Merchant, User

NEW_PASSWORD = "another long passphrase"
OUTSIDE = "203.0.113.9"
LINK = re.compile(r"/account/(\w+)/([\w=-]+)/([\w-]+)")


@pytest.fixture(autouse=True)
def one_process(settings: Any) -> None:
    """Each of several admits a share of what a policy allows."""
    settings.TILLGATE_WEB_PROCESSES = 1


@pytest.fixture
def guest(merchant: Merchant) -> ApiClient:
    return ApiClient()


@pytest.fixture
def ada(merchant: Merchant) -> User:
    """An account whose e-mail is confirmed."""
    return make_user("ada", first_name="Ada", last_name="Lovelace")


@pytest.fixture
def signed_in(ada: User) -> ApiClient:
    return ApiClient(access_token(ada))


@pytest.fixture
def mails(merchant: Merchant) -> Callable[[], list[Any]]:
    """Let the worker send what is queued; return what was sent in this test so far."""

    def sent() -> list[Any]:
        run_due_jobs()
        return list(outbox_of.outbox)

    return sent


def link_in(message: Any) -> dict[str, str]:
    """The uid and the token of the link in a mail."""
    found = LINK.search(message.body)
    assert found, message.body
    return {"uid": found[2], "token": found[3]}


def sign_in(client: ApiClient, username: str = "ada", password: str = PASSWORD, **more: Any) -> Any:
    extra = {name: more.pop(name) for name in ("REMOTE_ADDR", "HTTP_USER_AGENT") if name in more}
    return client.post("/auth/jwt/create/", {"username": username, "password": password, **more}, **extra)


def sign_up(client: ApiClient, username: str = "ada", **more: Any) -> Any:
    body = {"username": username, "email": "ada@example.com", "password": PASSWORD, **more}
    return client.post("/auth/users/", body)
