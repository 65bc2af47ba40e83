"""What is asked for a recurring payment, read member by member."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.caller import Caller
from tillgate.api.details import read_details
from tillgate.api.idempotency import claim_of, fingerprint
from tillgate.api.shapes.subscriptions import ChangeIn, PreviewFilter, RecurringIn, SubscriptionIn
from tillgate.api.visible import find_method
from tillgate.common import clock
from tillgate.customers.models import PaymentMethod
from tillgate.merchants.models import Merchant
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.change import Change
from tillgate.subscriptions.services.create import NewSubscription, Plan
from tillgate.subscriptions.states import Collection, Interval

# No more than three years from one payment to the next: few cards live longer.
MOST_BETWEEN = {
    Interval.DAILY: 365,
    Interval.WEEKLY: 156,
    Interval.MONTHLY: 36,
    Interval.QUARTERLY: 12,
    Interval.YEARLY: 3,
}
FARTHEST_START = timedelta(days=731)


def read_plan(problems: fields.Problems, body: RecurringIn | SubscriptionIn, *, within: str = "") -> Plan:
    """Read rhythm and start; what is wrong is noted under names that begin with `within`."""
    interval = Interval(body.interval)
    problems.check(f"{within}interval_count", lambda: _count(body.interval_count, interval))
    return Plan(
        interval=interval,
        interval_count=body.interval_count,
        cycles=body.cycles,
        starts_at=problems.check(f"{within}starts_at", lambda: _start(body.starts_at)),
        trial_days=body.trial_days if isinstance(body, SubscriptionIn) else 0,
        collection=Collection(body.collection),
    )


def meaning_of(plan: Plan) -> list[object]:
    """Return what a plan means, for the fingerprint of a request."""
    starts_at = None if plan.starts_at is None else plan.starts_at.isoformat()
    return [plan.interval, plan.interval_count, plan.cycles, starts_at, plan.trial_days, plan.collection]


def read_subscription(request: Request, caller: Caller) -> NewSubscription:
    """Read the body of a new subscription. Raises InvalidRequest with all that is wrong."""
    body = fields.parse(SubscriptionIn, request.data)
    problems = fields.Problems()
    details = read_details(problems, body, caller.merchant)
    plan = read_plan(problems, body)
    method = _method_in(problems, body, caller)
    problems.raise_if_any()
    assert details
    meaning: list[Any] = [details.customer_name, details.customer_email.lower(), details.amount.minor]
    meaning += [details.amount.currency, details.description, details.return_url, details.metadata]
    meaning += [*meaning_of(plan), body.gateway, body.payment_method]
    return NewSubscription(
        merchant=caller.merchant,
        mode=caller.mode,
        customer_name=details.customer_name,
        customer_email=details.customer_email,
        amount=details.amount,
        created_by=caller.created_by,
        plan=plan,
        description=details.description,
        gateway=body.gateway,
        payment_method=method,
        return_url=details.return_url,
        metadata=details.metadata,
        idempotency_hash=claim_of(request, caller, "subscriptions"),
        request_hash=fingerprint(meaning),
    )


def read_change(request: Request, subscription: Subscription, caller: Caller) -> Change:
    """Read the body of a change. Raises InvalidRequest."""
    body = fields.parse(ChangeIn, request.data)
    problems = fields.Problems()
    if not request.data:
        problems.add("amount", "Send at least one member that shall be different.", "required")
    method = _method_in(problems, body, caller)
    problems.raise_if_any()
    return change_of(body, subscription, caller.merchant, method)


def change_of(
    body: ChangeIn | PreviewFilter,
    subscription: Subscription,
    merchant: Merchant,
    method: PaymentMethod | None = None,
) -> Change:
    """Return what shall be different of a subscription. Raises InvalidRequest."""
    problems = fields.Problems()
    interval = subscription.interval if body.interval is UNSET else body.interval
    count = subscription.interval_count if body.interval_count is UNSET else body.interval_count
    problems.check("interval_count", lambda: _count(count, Interval(interval)))
    amount = None
    if body.amount is not UNSET:
        # What was agreed in a currency goes on in it, whatever the merchant takes for new ones.
        amount = fields.money_in(problems, body.amount, subscription.currency, merchant)
    problems.raise_if_any()
    changes_rhythm = body.interval is not UNSET or body.interval_count is not UNSET
    collection = body.collection if isinstance(body, ChangeIn) else UNSET
    return Change(
        amount=amount,
        interval=Interval(interval) if changes_rhythm else None,
        interval_count=count if changes_rhythm else None,
        payment_method=method,
        collection=None if collection is UNSET else Collection(collection),
    )


def _method_in(
    problems: fields.Problems, body: SubscriptionIn | ChangeIn, caller: Caller
) -> PaymentMethod | None:
    if not isinstance(body.payment_method, str):
        return None
    method = find_method(body.payment_method, caller)
    gateway = body.gateway if isinstance(body, SubscriptionIn) else None
    if method is None:
        problems.add("payment_method", "Send the id of a saved method: see GET /api/v1/payment-methods.")
    elif gateway is not None and gateway != method.gateway:
        problems.add("gateway", f"{method.reference} is charged by {method.gateway}: leave this out.")
    if body.collection == "send_link":
        problems.add("collection", "A saved method is charged; by link, the customer pays with any.")
    return method


def _count(value: int, interval: Interval) -> int:
    if value > MOST_BETWEEN[interval]:
        raise fields.FieldError(f"With {interval.value} send at most {MOST_BETWEEN[interval]}.")
    return value


def _start(value: datetime | None) -> datetime | None:
    # That it lies ahead is asked by the service, of what is new: a repeat may come when it has begun.
    moment = None if value is None else fields.moment(value)
    if moment is not None and moment > clock.now() + FARTHEST_START:
        raise fields.FieldError("Send a time at most two years ahead.")
    return moment
