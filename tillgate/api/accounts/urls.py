"""The addresses of accounts. A view's module is loaded by its first request: the libraries that read tokens
take 9 MB in each process, and guests need none of them."""

from collections.abc import Callable
from functools import cache
from importlib import import_module

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from tillgate.api.pages import for_browsers, sign_up_page

# Address, module and view. No list of users, no account by its number, and no change of a username.
ROUTES = (
    ("auth/users", "users", "Users"),
    ("auth/users/me", "users", "Me"),
    ("auth/users/activation", "users", "Activation"),
    ("auth/users/resend_activation", "users", "ResendActivation"),
    ("auth/users/set_password", "users", "SetPassword"),
    ("auth/users/reset_password", "users", "ResetPassword"),
    ("auth/users/reset_password_confirm", "users", "ResetPasswordConfirm"),
    ("auth/jwt/create", "sign_in", "Create"),
    ("auth/jwt/refresh", "sign_in", "Refresh"),
    ("auth/jwt/verify", "sign_in", "Verify"),
    ("auth/jwt/logout", "sign_in", "Logout"),
    ("api/token", "sign_in", "Create"),
    ("api/token/refresh", "sign_in", "Refresh"),
)


def later(module: str, name: str) -> Callable[..., HttpResponseBase]:
    """Return a view that is loaded when it is first asked."""

    @cache
    def load() -> Callable[..., HttpResponseBase]:
        found: Callable[..., HttpResponseBase]
        found = getattr(import_module(f"tillgate.api.accounts.{module}"), name).as_view()
        return found

    def view(request: HttpRequest) -> HttpResponseBase:
        return load()(request)

    return csrf_exempt(view)  # No cookie is read there.


SIGN_UP, *OTHERS = [(route, later(module, name)) for route, module, name in ROUTES]
urlpatterns = [
    path(SIGN_UP[0], for_browsers(sign_up_page, SIGN_UP[1]), name=SIGN_UP[0]),
    *(path(route, view, name=route) for route, view in OTHERS),
]
