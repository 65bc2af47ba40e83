"""/api/v1/me/proof: showing once more that it is you, before what a stolen token must not do."""

from typing import ClassVar

from django.http import HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.accounts.base import ACCOUNT, AccountView, login_of, nothing, user_of
from tillgate.api.permissions import SignedIn
from tillgate.api.schema import documented
from tillgate.api.shapes.accounts import ProofIn
from tillgate.common.throttles import Policy
from tillgate.merchants.services.logins import note_proof
from tillgate.merchants.services.sign_in import prove_factors


class MyProof(AccountView):
    """/api/v1/me/proof"""

    http_method_names = ["post"]
    admits: ClassVar[dict[str, BasePermission]] = {"POST": SignedIn()}
    limits: ClassVar[dict[str, Policy]] = {"POST": ACCOUNT}

    @documented("prove")
    def post(self, request: Request) -> HttpResponse:
        body = fields.parse(ProofIn, request.data)
        prove_factors(user_of(request), body.password, body.otp)
        note_proof(login_of(request))
        return nothing()
