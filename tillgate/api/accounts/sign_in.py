"""/auth/jwt and /api/token: tokens for who can sign in, new ones for old, and their end."""

from typing import ClassVar

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from tillgate.api import fields
from tillgate.api.accounts.base import SIGN_IN, TOKENS, OpenView, device_of, nothing
from tillgate.api.accounts.bodies import LogoutIn, RefreshIn, SignInIn, VerifyIn
from tillgate.api.accounts.tokens import LOGIN, read_token, refreshed, require_good, token_pair
from tillgate.api.authentication import TOKEN_SCHEMES
from tillgate.api.errors import Unauthorized
from tillgate.common.throttles import Policy
from tillgate.merchants.models import Login
from tillgate.merchants.services.logins import end_logins
from tillgate.merchants.services.sign_in import Credentials, sign_in


class Create(OpenView):
    """/auth/jwt/create and /api/token; the latter's `token` is the access token."""

    limits: ClassVar[dict[str, Policy]] = {"POST": SIGN_IN}

    def post(self, request: Request) -> Response:
        body = fields.parse(SignInIn, request.data)
        credentials = Credentials(username=body.username, password=body.password, otp=body.otp)
        access, refresh = token_pair(sign_in(credentials, device_of(request)))
        return Response({"access": access, "refresh": refresh, "token": access})


class Refresh(OpenView):
    """/auth/jwt/refresh and /api/token/refresh: a refresh token is good once."""

    limits: ClassVar[dict[str, Policy]] = {"POST": TOKENS}

    def post(self, request: Request) -> Response:
        access, refresh = refreshed(fields.parse(RefreshIn, request.data).refresh)
        return Response({"access": access, "refresh": refresh, "token": access})


class Verify(OpenView):
    """/auth/jwt/verify"""

    limits: ClassVar[dict[str, Policy]] = {"POST": TOKENS}

    def post(self, request: Request) -> Response:
        require_good(fields.parse(VerifyIn, request.data).token)
        return Response({})


class Logout(OpenView):
    """/auth/jwt/logout"""

    limits: ClassVar[dict[str, Policy]] = {"POST": TOKENS}

    def post(self, request: Request) -> HttpResponse:
        refresh = fields.parse(LogoutIn, request.data).refresh
        token = _in_header(request) if refresh is None else read_token(RefreshToken, refresh)
        end_logins(Login.objects.filter(reference=token[LOGIN]), reason="logout")
        return nothing()


def _in_header(request: Request) -> Token:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in TOKEN_SCHEMES:
        raise Unauthorized("Send the refresh token, or the access token in the header Authorization.")
    return read_token(AccessToken, text.strip())
