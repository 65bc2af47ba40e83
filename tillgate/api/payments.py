"""/api/v1/payments and what hangs below one payment."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.authentication import Caller, caller_of
from tillgate.api.idempotency import claim_of, fingerprint
from tillgate.api.listing import list_payments
from tillgate.api.permissions import Anyone, HasKey, MayCreate
from tillgate.api.schema import documented
from tillgate.api.shapes import (
    AttemptIn,
    CancelIn,
    PaymentIn,
    ResolveIn,
    attempt_out,
    created_out,
    event_out,
    payment_out,
)
from tillgate.api.views import ApiView, success
from tillgate.api.visible import find_visible, load_incidents
from tillgate.common.throttles import ATTEMPT, CREATE, READ
from tillgate.events.models import Event
from tillgate.payments.models import Payment
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sessions import Claim, open_session
from tillgate.payments.services.start import NewPayment, create_payment
from tillgate.payments.services.sync import make_question_due


class Payments(ApiView):
    """/api/v1/payments"""

    throttles = {"POST": CREATE}

    def get_permissions(self) -> list[Any]:
        return [MayCreate()] if self.request.method == "POST" else [HasKey()]

    @documented("create_payment")
    def post(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        payment, is_new = create_payment(_new_payment(request, caller))
        headers = {"Location": f"/api/v1/payments/{payment.reference}"}
        if not is_new:
            headers["Idempotency-Replayed"] = "true"
        message = "Payment created. Send the customer to checkout_url."
        return _payment(payment, caller, message, status=201, headers=headers)

    @documented("list_payments")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        return list_payments(request, Payment.objects.for_merchant(caller.merchant, caller.mode))


class PaymentDetail(ApiView):
    """/api/v1/payments/{id}"""

    permission_classes = [Anyone]
    throttles = {"GET": READ}

    @documented("get_payment")
    def get(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        payment = find_visible(reference, caller)
        make_question_due(payment)
        # Whatever the answer shows changes together with the sequence.
        tag = f'"{payment.sequence}-{"key" if caller.has_key else "public"}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("If-None-Match", ""):
            return HttpResponseNotModified(headers=headers)
        return _payment(payment, caller, "Payment details retrieved successfully.", headers=headers)


class PaymentAttempts(ApiView):
    """/api/v1/payments/{id}/attempts"""

    permission_classes = [Anyone]
    throttles = {"POST": ATTEMPT}

    @documented("create_attempt")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        payment = find_visible(reference, caller)
        body = fields.parse(AttemptIn, request.data)
        claim = Claim(
            idempotency_hash=claim_of(request, caller, f"attempts:{reference}"),
            request_hash=fingerprint([body.gateway]),
        )
        attempt, is_new = open_session(payment, body.gateway, claim)
        replayed = not is_new and claim.idempotency_hash == attempt.idempotency_hash is not None
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        out = attempt_out(attempt)
        message = (
            "Send the customer to next_action.url." if out.next_action else f"The attempt is {out.status}."
        )
        return success("attempt", out, message, status=201 if is_new or replayed else 200, headers=headers)


class PaymentCancel(ApiView):
    """/api/v1/payments/{id}/cancel"""

    permission_classes = [HasKey]

    @documented("cancel_payment")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        fields.parse(CancelIn, request.data)
        payment = cancel_payment(find_visible(reference, caller).pk)
        return _payment(payment, caller, "Payment canceled.")


class PaymentResolve(ApiView):
    """/api/v1/payments/{id}/resolve"""

    permission_classes = [HasKey]

    @documented("resolve_payment")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        body = fields.parse(ResolveIn, request.data)
        payment = resolve_review(find_visible(reference, caller).pk, body.decision)
        message = "Payment accepted." if body.decision == "accept" else "The money is being sent back."
        return _payment(payment, caller, message)


class PaymentTimeline(ApiView):
    """/api/v1/payments/{id}/timeline"""

    permission_classes = [HasKey]

    @documented("get_timeline")
    def get(self, request: Request, reference: str) -> HttpResponse:
        payment = find_visible(reference, caller_of(request))
        stored = Event.objects.filter(subject=payment.reference).order_by("sequence")
        return success(
            "events", [created_out(payment), *map(event_out, stored)], "Timeline retrieved successfully."
        )


def _payment(
    payment: Payment,
    caller: Caller,
    message: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    if caller.has_key:
        load_incidents([payment])
    return success(
        "payment", payment_out(payment, with_key=caller.has_key), message, status=status, headers=headers
    )


def _new_payment(request: Request, caller: Caller) -> NewPayment:
    body = fields.parse(PaymentIn, request.data)
    problems = fields.Problems()
    code = problems.check("currency", lambda: fields.currency(body.currency))
    money = code and problems.check("amount", lambda: fields.amount(body.amount, code))
    if money:
        problems.check("amount", lambda: fields.within_limits(money, caller.merchant.limits))
    name = problems.check("customer_name", lambda: fields.text(body.customer_name, least=1, most=200))
    email = problems.check("customer_email", lambda: fields.email(body.customer_email))
    description = problems.check("description", lambda: fields.text(body.description, most=500))
    url = problems.check("return_url", lambda: fields.return_url(body.return_url))
    reference = problems.check(
        "merchant_reference", lambda: fields.merchant_reference(body.merchant_reference)
    )
    metadata = problems.check("metadata", lambda: fields.metadata(body.metadata))
    if not caller.has_key and (body.merchant_reference is not None or body.metadata):
        problems.add("merchant_reference" if body.merchant_reference else "metadata", "Send this with a key.")
    problems.raise_if_any()
    assert money and name and email and description is not None and url is not None and metadata is not None
    meaning = [name, email.lower(), money.minor, money.currency, description, body.gateway]
    return NewPayment(
        merchant=caller.merchant,
        mode=caller.mode,
        created_by="key" if caller.has_key else "guest",
        customer_name=name,
        customer_email=email,
        amount=money,
        description=description,
        gateway=body.gateway,
        return_url=url,
        merchant_reference=reference,
        metadata=metadata,
        expires_in=timedelta(seconds=body.expires_in),
        idempotency_hash=claim_of(request, caller, "payments", email=email),
        request_hash=fingerprint([*meaning, url, reference, metadata, body.expires_in]),
    )
