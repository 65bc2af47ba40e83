"""/auth/users: sign up, one's own account, and what is done by the links of mails."""

from typing import ClassVar

from django.http import HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from tillgate.api import fields
from tillgate.api.accounts import members
from tillgate.api.accounts.base import ACCOUNT, AccountView, OpenView, nothing, user_of
from tillgate.api.accounts.bodies import DeleteIn, EmailIn, LinkIn, NewPasswordIn, ResetIn
from tillgate.api.accounts.closing import close_account
from tillgate.api.accounts.forms import Account, SignUp
from tillgate.api.permissions import SignedIn
from tillgate.common.throttles import Policy
from tillgate.merchants.models import User
from tillgate.merchants.services.passwords import ask_to_reset, change_password, reset_password
from tillgate.merchants.services.sign_in import prove_factors
from tillgate.merchants.services.users import ask_to_confirm, confirm_email


class Users(OpenView):
    """/auth/users"""

    def post(self, request: Request) -> Response:
        form = SignUp(data=request.data)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(dict(form.data), status=201)


class Me(AccountView):
    """/auth/users/me"""

    http_method_names = ["get", "head", "patch", "delete"]
    admits: ClassVar[dict[str, BasePermission]] = dict.fromkeys(("GET", "PATCH", "DELETE"), SignedIn())
    limits: ClassVar[dict[str, Policy]] = dict.fromkeys(("PATCH", "DELETE"), ACCOUNT)

    def get(self, request: Request) -> Response:
        return Response(dict(Account(user_of(request)).data))

    def patch(self, request: Request) -> Response:
        form = Account(user_of(request), data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(dict(form.data))

    def delete(self, request: Request) -> HttpResponse:
        body = fields.parse(DeleteIn, request.data)
        prove_factors(user_of(request), body.current_password, body.otp, member="current_password")
        close_account(request)
        return nothing()


class Activation(OpenView):
    """/auth/users/activation"""

    def post(self, request: Request) -> HttpResponse:
        body = fields.parse(LinkIn, request.data)
        confirm_email(body.uid, body.token)
        return nothing()


class ResendActivation(OpenView):
    """/auth/users/resend_activation: who is signed in asks for the own account."""

    authentication_classes = AccountView.authentication_classes

    def post(self, request: Request) -> HttpResponse:
        ask_to_confirm(_email(request), request.user if isinstance(request.user, User) else None)
        return nothing()


class SetPassword(AccountView):
    """/auth/users/set_password"""

    http_method_names = ["post"]
    admits: ClassVar[dict[str, BasePermission]] = {"POST": SignedIn()}
    limits: ClassVar[dict[str, Policy]] = {"POST": ACCOUNT}

    def post(self, request: Request) -> HttpResponse:
        body = fields.parse(NewPasswordIn, request.data)
        change_password(user_of(request), body.current_password, body.new_password)
        return nothing()


class ResetPassword(OpenView):
    """/auth/users/reset_password"""

    def post(self, request: Request) -> HttpResponse:
        ask_to_reset(_email(request))
        return nothing()


class ResetPasswordConfirm(OpenView):
    """/auth/users/reset_password_confirm"""

    def post(self, request: Request) -> HttpResponse:
        body = fields.parse(ResetIn, request.data)
        reset_password(body.uid, body.token, body.new_password)
        return nothing()


def _email(request: Request) -> str:
    body, problems = fields.parse(EmailIn, request.data), fields.Problems()
    email = problems.check("email", lambda: members.email(body.email))
    problems.raise_if_any()
    assert email is not None
    return email
