"""/api/v1/payments and what hangs below one payment."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.authentication import Caller, caller_of
from tillgate.api.details import read_details
from tillgate.api.export import export_payments
from tillgate.api.idempotency import claim_of, fingerprint
from tillgate.api.listing import created_within, filtered, list_page, read_query
from tillgate.api.permissions import Anyone, HasKey, MayCreate
from tillgate.api.recurring import meaning_of, read_plan
from tillgate.api.schema import documented
from tillgate.api.shapes.common import event_out
from tillgate.api.shapes.payments import (
    AttemptIn,
    CancelIn,
    PaymentFilter,
    PaymentIn,
    PaymentOut,
    ResolveIn,
    attempt_out,
    created_out,
    payment_out,
)
from tillgate.api.views import ApiView, success
from tillgate.api.visible import find_visible, load_incidents
from tillgate.common.throttles import ATTEMPT, CREATE, READ
from tillgate.events.models import Event
from tillgate.payments.models import Payment, PaymentQuerySet
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sessions import Claim, open_session
from tillgate.payments.services.start import NewPayment, create_payment
from tillgate.payments.services.sync import make_question_due
from tillgate.subscriptions.services.create import Plan, create_with_first_payment


class Payments(ApiView):
    """/api/v1/payments"""

    throttles = {"POST": CREATE}

    def get_permissions(self) -> list[Any]:
        return [MayCreate()] if self.request.method == "POST" else [HasKey()]

    @documented("create_payment")
    def post(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        new, plan = _new_payment(request, caller)
        payment, is_new = create_with_first_payment(new, plan) if plan else create_payment(new)
        headers = {"Location": f"/api/v1/payments/{payment.reference}"}
        if not is_new:
            headers["Idempotency-Replayed"] = "true"
        message = "Payment created. Send the customer to checkout_url."
        return _payment(payment, caller, message, status=201, headers=headers)

    @documented("list_payments")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        query = read_query(request, PaymentFilter)
        every = Payment.objects.for_merchant(caller.merchant, caller.mode)
        chosen = _chosen(every, query)
        if "text/csv" in request.headers.get("Accept", ""):
            return export_payments(chosen)
        return list_page(request, "payments", (every, chosen), query, payments_out)


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


def payments_out(payments: list[Payment]) -> list[PaymentOut]:
    """A page of payments as the merchant sees them."""
    load_incidents(payments)
    return [payment_out(payment, with_key=True) for payment in payments]


def _chosen(payments: PaymentQuerySet, query: PaymentFilter) -> PaymentQuerySet:
    wanted = {
        "status": query.status,
        "gateway": query.gateway,
        "currency": query.currency,
        "customer_email__iexact": query.customer_email,
        "merchant_reference": query.merchant_reference,
    }
    return filtered(payments, wanted | created_within(query))


def _new_payment(request: Request, caller: Caller) -> tuple[NewPayment, Plan | None]:
    body = fields.parse(PaymentIn, request.data)
    problems = fields.Problems()
    details = read_details(problems, body, caller.merchant)
    reference = problems.check(
        "merchant_reference", lambda: fields.merchant_reference(body.merchant_reference)
    )
    plan = read_plan(problems, body.recurring, within="recurring.") if body.recurring else None
    if not caller.has_key and (body.merchant_reference is not None or body.metadata):
        problems.add("merchant_reference" if body.merchant_reference else "metadata", "Send this with a key.")
    problems.raise_if_any()
    assert details
    email, money = details.customer_email, details.amount
    meaning = [details.customer_name, email.lower(), money.minor, money.currency, details.description]
    meaning += [body.gateway, details.return_url, reference, details.metadata, body.expires_in]
    new = NewPayment(
        merchant=caller.merchant,
        mode=caller.mode,
        created_by="key" if caller.has_key else "guest",
        customer_name=details.customer_name,
        customer_email=email,
        amount=money,
        description=details.description,
        gateway=body.gateway,
        return_url=details.return_url,
        merchant_reference=reference,
        metadata=details.metadata,
        expires_in=timedelta(seconds=body.expires_in),
        idempotency_hash=claim_of(request, caller, "payments", email=email),
        request_hash=fingerprint([*meaning, meaning_of(plan)] if plan else meaning),
    )
    return new, plan
