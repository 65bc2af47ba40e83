"""The product in one process over the emulated Paystack, and people who make accounts with it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from tests.builders import PASSWORD
from tests.reliability.world import World
from tillgate.common.jobs import run_due_jobs
from tillgate.payments.models import Attempt

CONFIRMING = re.compile(r"/activate/([\w-]+)/([\w-]+)")


class Person:
    """Somebody with a browser of their own. `scheme` is how their app sends the token."""

    def __init__(self, world: World, scheme: str = "Bearer") -> None:
        self.world, self.scheme = world, scheme
        self._client = Client(raise_request_exception=False)
        self._headers: dict[str, str] = {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One call that is answered well; what it says."""
        answer = self.ask(method, path, body, **headers)
        assert answer.status_code < 300, answer.content
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One call, whatever is answered."""
        sent: dict[str, Any] = {"headers": {**self._headers, **headers}}
        if method == "get":
            return self._client.get(path, **sent)
        call = getattr(self._client, method)
        return call(path, {} if body is None else body, content_type="application/json", **sent)

    def sign_up(self, username: str, email: str) -> None:
        form = {"username": username, "email": email, "password": PASSWORD}
        self.call("post", "/auth/users/", form)

    def sign_in(self, username: str, route: str = "/auth/jwt/create/", member: str = "access") -> None:
        tokens = self.call("post", route, {"username": username, "password": PASSWORD})
        self._headers = {"Authorization": f"{self.scheme} {tokens[member]}"}

    def confirm(self, email: str) -> None:
        """Follow the link in the newest mail to this address."""
        run_due_jobs()
        told = [message.body for message in mail.outbox if message.to == [email]]
        uid, token = CONFIRMING.findall(str(told[-1]))[-1]
        self.call("post", "/auth/users/activation/", {"uid": uid, "token": token})

    def pay_at_gateway(self, gateway_reference: str) -> None:
        """Pay on Paystack's page, and let the product hear of it."""
        self.world.pay(Attempt.objects.get(gateway_reference=gateway_reference))
        self.world.wait(20)

    def paid(self) -> list[str]:
        """The ids and statuses of their history."""
        rows = self.call("get", "/api/v1/me/payments")["payments"]
        return [f"{row['id']} {row['status']}" for row in rows]


@pytest.fixture
def world(sandbox: Any, key: str) -> Iterator[World]:
    the_world = World("paystack", sandbox.url, key)
    yield the_world
    the_world.close()
