"""Refunds: of a payment, and of money that came on top of one."""

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited, tell
from tillgate.api.caller import Caller, caller_of
from tillgate.api.idempotency import claim_of, fingerprint
from tillgate.api.limits import limited
from tillgate.api.permissions import Merchants
from tillgate.api.schema import documented
from tillgate.api.shapes.returns import RefundIn, SurplusRefundIn, refund_out
from tillgate.api.views import ApiView, success
from tillgate.api.visible import find_refund, find_surplus, find_visible
from tillgate.common.errors import InvalidRequest
from tillgate.merchants.roles import Scope
from tillgate.money import Money
from tillgate.payments.models import Payment
from tillgate.payments.services.refunds import RefundOrder, create_refund, refund_surplus


class PaymentRefunds(ApiView):
    """/api/v1/payments/{id}/refunds"""

    admits = {"POST": Merchants(Scope.REFUND), "GET": Merchants(Scope.READ)}

    @documented("create_refund")
    @audited("refund.created")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        payment = find_visible(reference, caller)
        order = _order(request, caller, payment)
        tell(request, payment=payment.reference)
        refund, is_new = limited(caller, payment, lambda: create_refund(payment.pk, order), order=order)
        tell(request, amount=str(refund.amount))
        headers = {"Location": f"/api/v1/refunds/{refund.reference}"}
        if not is_new:
            headers["Idempotency-Replayed"] = "true"
        message = "Refund accepted. GET it to see when the money has gone back."
        return success("refund", refund_out(refund), message, status=201, headers=headers)

    @documented("list_refunds")
    def get(self, request: Request, reference: str) -> HttpResponse:
        payment = find_visible(reference, caller_of(request))
        newest_first = payment.refunds.select_related("payment", "surplus", "attempt").order_by(
            "-created_at", "-pk"
        )
        return success("refunds", list(map(refund_out, newest_first)), "Refunds retrieved successfully.")


class RefundDetail(ApiView):
    """/api/v1/refunds/{id}"""

    admits = {"GET": Merchants(Scope.READ)}

    @documented("get_refund")
    def get(self, request: Request, reference: str) -> HttpResponse:
        refund = find_refund(reference, caller_of(request))
        return success("refund", refund_out(refund), "Refund retrieved successfully.")


class SurplusRefund(ApiView):
    """/api/v1/payments/{id}/surplus/{surplus_id}/refund"""

    admits = {"POST": Merchants(Scope.REFUND)}

    @documented("refund_surplus")
    @audited("surplus.refunded")
    def post(self, request: Request, reference: str, surplus: str) -> HttpResponse:
        caller = caller_of(request)
        payment = find_visible(reference, caller)
        found = find_surplus(payment, surplus)
        fields.parse(SurplusRefundIn, request.data)
        tell(request, payment=payment.reference, surplus=found.reference)
        refund, is_new = limited(caller, payment, lambda: refund_surplus(found), subject=found.reference)
        tell(request, amount=str(refund.amount))
        headers = {"Location": f"/api/v1/refunds/{refund.reference}"}
        if not is_new:
            headers["Idempotency-Replayed"] = "true"
        message = "The surplus is being sent back." if is_new else f"The refund is {refund.status}."
        return success("refund", refund_out(refund), message, status=201 if is_new else 200, headers=headers)


def _order(request: Request, caller: Caller, payment: Payment) -> RefundOrder:
    body = fields.parse(RefundIn, request.data)
    claim = claim_of(request, caller, f"refunds:{payment.reference}")
    if claim is None:
        raise InvalidRequest(
            "Send an Idempotency-Key with a refund: the same request sent again then finds the first refund, "
            "and no money goes back twice.",
            code="idempotency_key_required",
        )
    problems = fields.Problems()
    reason = problems.check("reason", lambda: fields.text(body.reason, most=500))
    amount: Money | None = None
    if body.amount is not None:
        amount = problems.check("amount", lambda: fields.amount(body.amount, payment.currency))
    problems.raise_if_any()
    assert reason is not None
    meaning = fingerprint([amount.minor if amount else None, reason])
    return RefundOrder(amount=amount, reason=reason, idempotency_hash=claim, request_hash=meaning)
