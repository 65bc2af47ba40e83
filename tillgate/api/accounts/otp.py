"""/api/v1/me/otp: the second factor of one's own account."""

from typing import ClassVar

from django.http import HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.accounts.base import ACCOUNT, AccountView, nothing, user_of
from tillgate.api.permissions import SignedIn
from tillgate.api.schema import documented
from tillgate.api.shapes.accounts import OtpBeginIn, OtpConfirmIn, OtpOut, OtpRemoveIn, RecoveryCodesOut
from tillgate.api.views import success
from tillgate.common.throttles import Policy
from tillgate.merchants.services.sign_in import prove_factors, prove_password
from tillgate.merchants.services.totp import begin_otp, confirm_otp, remove_otp


class MyOtp(AccountView):
    """/api/v1/me/otp"""

    http_method_names = ["post", "delete"]
    admits: ClassVar[dict[str, BasePermission]] = dict.fromkeys(("POST", "DELETE"), SignedIn())
    limits: ClassVar[dict[str, Policy]] = dict.fromkeys(("POST", "DELETE"), ACCOUNT)

    @documented("begin_otp")
    def post(self, request: Request) -> HttpResponse:
        user = user_of(request)
        prove_password(user, fields.parse(OtpBeginIn, request.data).password)
        secret, uri = begin_otp(user.pk)
        message = (
            "Put the secret into an authenticator app, and confirm it with a code. It is not shown again."
        )
        return success("otp", OtpOut(secret=secret, uri=uri), message)

    @documented("remove_otp")
    def delete(self, request: Request) -> HttpResponse:
        body = fields.parse(OtpRemoveIn, request.data)
        prove_factors(user_of(request), body.password, body.otp)
        remove_otp(user_of(request).pk)
        return nothing()


class MyOtpConfirm(AccountView):
    """/api/v1/me/otp/confirm"""

    http_method_names = ["post"]
    admits: ClassVar[dict[str, BasePermission]] = {"POST": SignedIn()}
    limits: ClassVar[dict[str, Policy]] = {"POST": ACCOUNT}

    @documented("confirm_otp")
    def post(self, request: Request) -> HttpResponse:
        codes = confirm_otp(user_of(request).pk, fields.parse(OtpConfirmIn, request.data).otp)
        message = "From now on a sign-in asks for otp. Keep the recovery codes: they are not shown again."
        return success("otp", RecoveryCodesOut(recovery_codes=codes), message)
