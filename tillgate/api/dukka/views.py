"""/dukka/api: the routes of the earlier Dukka API, over the same services as /api/v1."""

from django.http import HttpResponse
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.caller import Caller, caller_of
from tillgate.api.dukka.cards import refuse_card_data
from tillgate.api.dukka.errors import NoSubscription, NotOpened
from tillgate.api.dukka.rows import find_row, rows_out
from tillgate.api.idempotency import claim_of, fingerprint
from tillgate.api.listing import list_page, read_query
from tillgate.api.me import my_payments, my_subscriptions, stopped_message, user_of
from tillgate.api.payments import read_payment, store_payment
from tillgate.api.permissions import MayPay, SignedIn
from tillgate.api.schema import documented
from tillgate.api.shapes.common import PageFilter
from tillgate.api.shapes.dukka import InitializedOut, InitializeIn
from tillgate.api.shapes.payments import PaymentIn, attempt_out, payment_out
from tillgate.api.shapes.subscriptions import ActionIn, RecurringIn
from tillgate.api.views import ApiView, success
from tillgate.api.visible import own_payments
from tillgate.common.errors import GatewayTrouble
from tillgate.common.throttles import ATTEMPT, CREATE, READ
from tillgate.common.web import json_response
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.sessions import Claim, open_session
from tillgate.payments.services.start import NewPayment
from tillgate.subscriptions.services.create import Plan
from tillgate.subscriptions.services.history import stop_for_customer
from tillgate.subscriptions.services.stop import in_flight

GATEWAY = "paystack"
ROUTE = "dukka"
# What the payment's members are called here.
CALLED = {"customer_email": "email", "recurring.interval": "payment_interval"}


class DukkaView(ApiView):
    """Takes JSON only, also where a body is not needed: a browser sends a form to anybody."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        if request.method == "POST" and media_type not in ("", "application/json"):
            raise UnsupportedMediaType(media_type)


class InitializePayment(DukkaView):
    """/dukka/api/initialize-payment/"""

    admits = {"POST": MayPay()}
    throttles = {"POST": CREATE}

    @documented("dukka_initialize_payment")
    def post(self, request: Request) -> HttpResponse:
        refuse_card_data(request.data, request.query_params.dict())
        caller = caller_of(request).as_customer  # Whatever else they are, they pay for themselves here.
        new, plan = _asked_for(request, caller)
        payment, is_new = store_payment(request, new, plan)
        attempt, is_new_try = _open(request, caller, payment)
        headers = {"Location": f"/api/v1/payments/{payment.reference}"}
        if not (is_new or is_new_try):
            headers["Idempotency-Replayed"] = "true"
        return json_response(_initialized(payment, attempt), status=201, headers=headers)


class PaymentsHistory(DukkaView):
    """/dukka/api/payments-history/"""

    admits = {"GET": SignedIn()}
    throttles = {"GET": READ}

    @documented("dukka_payments_history")
    def get(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        query = read_query(request, PageFilter)
        every = own_payments(caller) if caller.sees_all else my_payments(caller)
        return list_page(request, "payments", (every, every), query, rows_out)


class StopPayment(DukkaView):
    """/dukka/api/stop-payment/{id}/"""

    admits = {"POST": SignedIn()}
    throttles = {"POST": ATTEMPT}

    @documented("dukka_stop_payment")
    def post(self, request: Request, number: int) -> HttpResponse:
        refuse_card_data(request.data)
        fields.parse(ActionIn, request.data)
        caller = caller_of(request)
        payment = find_row(my_payments(caller), number)
        mine = my_subscriptions(caller).filter(reference=payment.subscription_reference)
        subscription = mine.first()
        if subscription is None:
            raise NoSubscription(f"{payment.reference} is a single payment: nothing is charged again.")
        stopped = stop_for_customer(subscription.pk)
        flying = in_flight(stopped)
        message = stopped_message(stopped.status, None if flying is None else flying.reference)
        payment.refresh_from_db()  # One that was still waiting is canceled with it.
        [row] = rows_out([payment])
        return success("payment", row, message)


def _asked_for(request: Request, caller: Caller) -> tuple[NewPayment, Plan | None]:
    body = fields.parse(InitializeIn, request.data)
    problems = fields.Problems(CALLED)
    interval = body.payment_interval
    if body.subscription_plan and interval is None:
        problems.add(
            "payment_interval", "Send weekly, monthly or yearly with a subscription_plan.", "required"
        )
    if interval is not None and not body.subscription_plan:
        problems.add("subscription_plan", "Send true with a payment_interval, or leave the interval out.")
    asked = PaymentIn(
        customer_name=user_of(caller).full_name[:200],
        customer_email=body.email,
        amount=body.amount,
        gateway=GATEWAY,
        recurring=RecurringIn(interval=interval) if interval else None,
    )
    return read_payment(request, caller, asked, problems, ROUTE)


def _open(request: Request, caller: Caller, payment: Payment) -> tuple[Attempt, bool]:
    claim = Claim(
        idempotency_hash=claim_of(request, caller, f"{ROUTE}:{payment.reference}"),
        request_hash=fingerprint([GATEWAY]),
    )
    try:
        return open_session(payment, GATEWAY, claim, account_id=caller.account_id)
    except GatewayTrouble as trouble:
        payment.refresh_from_db()
        raise NotOpened(payment, trouble) from trouble


def _initialized(payment: Payment, attempt: Attempt) -> InitializedOut:
    payment.refresh_from_db()
    out = attempt_out(attempt)
    url = out.next_action.url if out.next_action else None
    return InitializedOut(
        access_code=out.access_code,
        authorization_url=url,
        reference=out.gateway_reference,
        payment=payment_out(payment, with_key=False),
        status="success",
        message="Send the customer to authorization_url." if url else f"The payment is {payment.status}.",
    )
