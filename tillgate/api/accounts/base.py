"""What the doors of accounts share. None of these modules loads a library of accounts by itself, but for
`forms` and `tokens`."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tillgate.api.permissions import Anyone
from tillgate.api.views import ApiView, method_of
from tillgate.common.mail import one_line
from tillgate.common.throttles import Policy, admit, client_address
from tillgate.common.web import request_id_of
from tillgate.merchants.models import Login, User
from tillgate.merchants.services.audit import Actor
from tillgate.merchants.services.logins import Device

SIGN_IN = Policy(name="sign-in", calls=20, window_s=60)
ACCOUNT = Policy(name="account", calls=20, window_s=60)
TOKENS = Policy(name="tokens", calls=600, window_s=60)
EXPORT = Policy(name="export", calls=10, window_s=3600)


class AccountView(ApiView):
    """A door of which every call counts, whoever calls, by the address."""

    limits: ClassVar[dict[str, Policy]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if policy := self.limits.get(method_of(request)):
            self.admission = admit(request._request, policy)


class OpenView(AccountView):
    """A door for who is not signed in. What the header says is not read: an app that asks for new tokens
    sends the old one along."""

    http_method_names = ["post"]
    authentication_classes: Sequence[type[BaseAuthentication]] = []
    admits: ClassVar[dict[str, BasePermission]] = {"POST": Anyone()}
    limits: ClassVar[dict[str, Policy]] = {"POST": ACCOUNT}


def user_of(request: Request) -> User:
    """Return who is signed in; the view admits nobody else."""
    assert isinstance(request.user, User), "the view admits who is signed in"
    return request.user


def login_of(request: Request) -> Login:
    """Return by which login."""
    assert isinstance(request.auth, Login), "the view admits who is signed in"
    return request.auth


def device_of(request: Request) -> Device:
    """Return from where a request comes."""
    address = client_address(request._request)
    agent = one_line(request.headers.get("User-Agent", ""))
    return Device(address=None if address is None else str(address), user_agent=agent)


def themselves(request: Request) -> Actor:
    """Return who is signed in as the trail of a merchant names them who act for none just now."""
    address = device_of(request).address
    name, request_id = user_of(request).username, request_id_of(request._request)
    return Actor(kind="staff", name=name, address=address, request_id=request_id)


def nothing() -> HttpResponse:
    """Return the answer to what was done and has nothing to tell."""
    return HttpResponse(status=204)
