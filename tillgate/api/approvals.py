"""/api/v1/approvals: refunds that wait for a second person."""

from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited, tell
from tillgate.api.caller import caller_of
from tillgate.api.listing import list_page, read_query
from tillgate.api.permissions import Merchants, Owners
from tillgate.api.schema import documented
from tillgate.api.shapes.people import ApprovalFilter, ApprovalOut, DecisionIn, approval_out
from tillgate.api.views import ApiView, success
from tillgate.api.visible import find_approval
from tillgate.common import clock
from tillgate.merchants.errors import NotProved
from tillgate.merchants.models import Approval, User
from tillgate.merchants.roles import Scope
from tillgate.merchants.services.approvals import needs_proof
from tillgate.merchants.services.sign_in import prove_factors
from tillgate.payments.services.approvals import approve, reject


class Approvals(ApiView):
    """/api/v1/approvals"""

    admits = {"GET": Merchants(Scope.READ)}

    @documented("list_approvals")
    def get(self, request: Request) -> HttpResponse:
        caller, query = caller_of(request), read_query(request, ApprovalFilter)
        own = Approval.objects.filter(merchant=caller.merchant, mode=caller.mode)
        every = own.select_related("requested_by", "decided_by")
        chosen = every if query.status is UNSET else every.filter(_standing(query.status))
        return list_page(request, "approvals", (every, chosen), query, _page_out)


class ApprovalDetail(ApiView):
    """/api/v1/approvals/{id}"""

    admits = {"GET": Merchants(Scope.READ)}

    @documented("get_approval")
    def get(self, request: Request, reference: str) -> HttpResponse:
        approval = find_approval(reference, caller_of(request))
        return success("approval", approval_out(approval), "Approval retrieved successfully.")


class ApprovalApproval(ApiView):
    """/api/v1/approvals/{id}/approve"""

    admits = {"POST": Owners()}

    @documented("approve")
    def post(self, request: Request, reference: str) -> HttpResponse:
        return self._decide(request, _to_decide(request, reference), reference=reference)

    @audited("approval.approved")
    def _decide(self, request: Request, approval: Approval, **kwargs: Any) -> HttpResponse:
        decided, is_new = approve(approval.pk, _owner(request))
        tell(request, payment=decided.payment_reference, refund=decided.refund_reference)
        message = "Approved. GET the refund to see when the money has gone back."
        return _decided(request, decided, message, is_new=is_new)


class ApprovalRejection(ApiView):
    """/api/v1/approvals/{id}/reject"""

    admits = {"POST": Owners()}

    @documented("reject")
    def post(self, request: Request, reference: str) -> HttpResponse:
        return self._decide(request, _to_decide(request, reference), reference=reference)

    @audited("approval.rejected")
    def _decide(self, request: Request, approval: Approval, **kwargs: Any) -> HttpResponse:
        decided, is_new = reject(approval.pk, _owner(request))
        tell(request, payment=decided.payment_reference)
        return _decided(request, decided, "Rejected: no money goes back.", is_new=is_new)


def _to_decide(request: Request, reference: str) -> Approval:
    """Find it, and see that the caller may decide. Before the transaction: a password is slow to check."""
    owner = _owner(request)
    approval = find_approval(reference, caller_of(request))
    body = fields.parse(DecisionIn, request.data)
    if needs_proof(approval, owner):
        if not body.password:
            raise NotProved(
                "You are the only owner, and asked for this yourself: send your password with it."
            )
        prove_factors(owner, body.password, body.otp or None)
    return approval


def _owner(request: Request) -> User:
    user = caller_of(request).user
    assert user is not None, "an owner is a person"
    return user


def _decided(request: Request, approval: Approval, message: str, *, is_new: bool) -> HttpResponse:
    shown = find_approval(approval.reference, caller_of(request))
    headers = {} if is_new else {"Idempotency-Replayed": "true"}
    return success("approval", approval_out(shown), message, headers=headers)


def _standing(status: str) -> Q:
    """What has passed its time is stored as pending."""
    if status not in ("pending", "expired"):
        return Q(status=status)
    is_open = Q(expires_at__gt=clock.now())
    return Q(status="pending") & (is_open if status == "pending" else ~is_open)


def _page_out(approvals: list[Approval]) -> list[ApprovalOut]:
    return list(map(approval_out, approvals))
