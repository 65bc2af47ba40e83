"""/api/v1/me/logins: where one is signed in, and ending that."""

from datetime import timedelta
from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tillgate.api.accounts.base import AccountView, login_of, nothing, user_of
from tillgate.api.permissions import SignedIn
from tillgate.api.schema import documented
from tillgate.api.shapes.accounts import login_out
from tillgate.api.views import success
from tillgate.common import clock
from tillgate.common.errors import NotFound
from tillgate.merchants.models import Login, User
from tillgate.merchants.services.logins import end_logins

UNUSED_FOR = timedelta(days=7)  # As long as a refresh token is good: what was not used since has ended.
SHOWN = 100
BY_USER = "ended_by_user"


class MyLogins(AccountView):
    """/api/v1/me/logins"""

    http_method_names = ["get", "head", "delete"]
    admits: ClassVar[dict[str, BasePermission]] = dict.fromkeys(("GET", "DELETE"), SignedIn())

    @documented("list_logins")
    def get(self, request: Request) -> HttpResponse:
        current = login_of(request)
        shown = [login_out(login, current=login == current) for login in live_logins(user_of(request))]
        return success("logins", shown, "Logins retrieved successfully.")

    @documented("end_other_logins")
    def delete(self, request: Request) -> HttpResponse:
        end_logins(user_of(request).logins.exclude(pk=login_of(request).pk), reason=BY_USER)
        return nothing()


class MyLogin(AccountView):
    """/api/v1/me/logins/{id}"""

    http_method_names = ["delete"]
    admits: ClassVar[dict[str, BasePermission]] = {"DELETE": SignedIn()}

    @documented("end_login")
    def delete(self, request: Request, reference: str) -> HttpResponse:
        mine = user_of(request).logins.filter(reference=reference[:30].replace("\0", ""))
        if not mine.exists():
            raise NotFound(f"You have no login {reference[:40]!r}.")
        end_logins(mine, reason=BY_USER)
        return nothing()


def live_logins(user: User) -> QuerySet[Login]:
    """Return where somebody is signed in, the last used first."""
    used_since = clock.now() - UNUSED_FOR
    return user.logins.filter(ended_at__isnull=True, last_used_at__gt=used_since).order_by(
        "-last_used_at", "-pk"
    )[:SHOWN]
