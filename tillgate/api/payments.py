"""/api/v1/payments and what hangs below one payment."""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.http import HttpResponse, HttpResponseNotModified
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited, leave_line, tell
from tillgate.api.caller import Caller, caller_of
from tillgate.api.details import read_details
from tillgate.api.export import export_payments
from tillgate.api.idempotency import claim_of, fingerprint
from tillgate.api.limits import limited
from tillgate.api.listing import created_within, filtered, list_page, read_query
from tillgate.api.permissions import Anyone, MayAttempt, MayCreate, Merchants
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
from tillgate.api.visible import find_visible, load_incidents, own_payments
from tillgate.common.throttles import ATTEMPT, CREATE, EMAIL, READ, client_address
from tillgate.events.models import Event
from tillgate.merchants.roles import Scope
from tillgate.payments.models import Payment, PaymentQuerySet
from tillgate.payments.services.approvals import REVIEW
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sessions import Claim, open_session
from tillgate.payments.services.start import NewPayment, create_payment
from tillgate.payments.services.sync import make_question_due
from tillgate.subscriptions.services.create import Plan, create_with_first_payment


class Payments(ApiView):
    """/api/v1/payments"""

    admits = {"POST": MayCreate(), "GET": Merchants(Scope.READ, Scope.TODAY)}
    throttles = {"POST": CREATE}

    @documented("create_payment")
    @audited("payment.created", people_only=True)
    def post(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        asked = fields.parse(PaymentIn, request.data)
        new, plan = read_payment(request, caller, asked, fields.Problems())
        self.admission.also((EMAIL, new.customer_email.lower()))
        payment, is_new = store_payment(request, new, plan)
        headers = {"Location": f"/api/v1/payments/{payment.reference}"}
        if not is_new:
            headers["Idempotency-Replayed"] = "true"
        message = "Payment created. Send the customer to checkout_url."
        return _payment(payment, caller, message, status=201, headers=headers)

    @documented("list_payments")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        query = read_query(request, PaymentFilter)
        every = own_payments(caller)
        chosen = _chosen(every, query)
        if "text/csv" in request.headers.get("Accept", ""):
            return _export(request, chosen)
        return list_page(request, "payments", (every, chosen), query, payments_out)


class PaymentDetail(ApiView):
    """/api/v1/payments/{id}"""

    admits = {"GET": Anyone()}
    throttles = {"GET": READ}

    @documented("get_payment")
    def get(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        payment = find_visible(reference, caller)
        make_question_due(payment)
        # Whatever the answer shows changes together with the sequence.
        tag = f'"{payment.sequence}-{"key" if caller.sees_all else "public"}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("If-None-Match", ""):
            return HttpResponseNotModified(headers=headers)
        return _payment(payment, caller, "Payment details retrieved successfully.", headers=headers)


class PaymentAttempts(ApiView):
    """/api/v1/payments/{id}/attempts"""

    admits = {"POST": MayAttempt()}
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
        attempt, is_new = open_session(
            payment, body.gateway, claim, account_id=caller.account_id, by_merchant=caller.is_merchant
        )
        replayed = not is_new and claim.idempotency_hash == attempt.idempotency_hash is not None
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        out = attempt_out(attempt)
        message = (
            "Send the customer to next_action.url." if out.next_action else f"The attempt is {out.status}."
        )
        return success("attempt", out, message, status=201 if is_new or replayed else 200, headers=headers)


class PaymentCancel(ApiView):
    """/api/v1/payments/{id}/cancel"""

    admits = {"POST": Merchants(Scope.CREATE)}

    @documented("cancel_payment")
    @audited("payment.canceled")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        fields.parse(CancelIn, request.data)
        payment = cancel_payment(find_visible(reference, caller).pk)
        return _payment(payment, caller, "Payment canceled.")


class PaymentResolve(ApiView):
    """/api/v1/payments/{id}/resolve"""

    admits = {"POST": Merchants(Scope.REFUND)}

    @documented("resolve_payment")
    @audited("payment.resolved")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        body = fields.parse(ResolveIn, request.data)
        tell(request, decision=body.decision)
        found = find_visible(reference, caller)
        if body.decision == "accept":
            return _payment(resolve_review(found.pk, "accept"), caller, "Payment accepted.")
        payment = limited(caller, found, lambda: resolve_review(found.pk, "refund"), subject=REVIEW)
        return _payment(payment, caller, "The money is being sent back.")


class PaymentTimeline(ApiView):
    """/api/v1/payments/{id}/timeline"""

    admits = {"GET": Merchants(Scope.READ, Scope.TODAY)}

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
    if caller.sees_all:
        load_incidents([payment])
    out = payment_out(payment, with_key=caller.sees_all)
    return success("payment", out, message, status=status, headers=headers)


def _export(request: Request, payments: PaymentQuerySet) -> HttpResponse:
    with transaction.atomic():
        tell(request, filters=sorted(request.query_params))  # Not their values: they are of customers.
        leave_line(request, "payments.exported", "")
    return export_payments(payments)


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


def store_payment(request: Request, new: NewPayment, plan: Plan | None) -> tuple[Payment, bool]:
    """Create what was asked for, one payment or the first of several; say whether it is new."""
    if plan is None:
        return create_payment(new)
    address = client_address(request._request)
    return create_with_first_payment(new, plan, address=None if address is None else str(address))


def read_payment(
    request: Request, caller: Caller, body: PaymentIn, problems: fields.Problems, route: str = "payments"
) -> tuple[NewPayment, Plan | None]:
    """Read what a new payment is to be; its Idempotency-Key counts at `route`. Raises InvalidRequest."""
    details = read_details(problems, body, caller.merchant)
    reference = problems.check(
        "merchant_reference", lambda: fields.merchant_reference(body.merchant_reference)
    )
    plan = read_plan(problems, body.recurring, within="recurring.") if body.recurring else None
    if not caller.is_merchant and (body.merchant_reference is not None or body.metadata):
        problems.add("merchant_reference" if body.merchant_reference else "metadata", "Send this with a key.")
    problems.raise_if_any()
    assert details
    email, money = details.customer_email, details.amount
    meaning = [details.customer_name, email.lower(), money.minor, money.currency, details.description]
    meaning += [body.gateway, details.return_url, reference, details.metadata, body.expires_in]
    new = NewPayment(
        merchant=caller.merchant,
        mode=caller.mode,
        created_by=caller.created_by,
        account_id=caller.account_id,
        customer_name=details.customer_name,
        customer_email=email,
        amount=money,
        description=details.description,
        gateway=body.gateway,
        return_url=details.return_url,
        merchant_reference=reference,
        metadata=details.metadata,
        expires_in=timedelta(seconds=body.expires_in),
        idempotency_hash=claim_of(request, caller, route, email=email),
        request_hash=fingerprint([*meaning, meaning_of(plan)] if plan else meaning),
    )
    return new, plan
