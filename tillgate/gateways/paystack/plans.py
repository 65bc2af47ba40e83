"""Subscriptions to Paystack's own plans: read and stopped, never used for charging.

Source: https://paystack.com/docs/api/subscription/
"""

import re
from typing import Any, Protocol

from tillgate.gateways import answers, http, plans
from tillgate.gateways.paystack import wire
from tillgate.gateways.plans import PlanInterval, PlanSubscription
from tillgate.gateways.reading import below, moment, text

INTERVALS: dict[str, tuple[PlanInterval, int]] = {
    "daily": ("daily", 1),
    "weekly": ("weekly", 1),
    "monthly": ("monthly", 1),
    "quarterly": ("quarterly", 1),
    "biannually": ("monthly", 6),
    "annually": ("yearly", 1),
}
IS_STOPPED = {
    "active": False,
    "attention": False,  # Its last charge failed; the next is tried all the same.
    "non-renewing": True,
    "complete": True,
    "completed": True,
    "cancelled": True,
}
CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")


class Calls(Protocol):
    """What the adapter lends."""

    def _send(self, method: str, path: str, body: Any = None) -> http.Answer: ...
    def _accept(self, answer: http.Answer) -> dict[str, Any]: ...
    def _data(self, method: str, path: str, body: Any) -> dict[str, Any]: ...


class PlanCalls:
    """See `ListsPlans`."""

    def list_plan_subscriptions(self: Calls) -> tuple[PlanSubscription, ...]:
        """Return every subscription of the account, ended ones among them."""

        def page_of(page: int) -> tuple[object, object]:
            body = self._accept(self._send("GET", f"/subscription?perPage=100&page={page}"))
            return body.get("data"), below(body, "meta").get("pageCount")

        return tuple({row.gateway_id: row for row in map(read_plan, plans.every_row(page_of))}.values())

    def fetch_plan_subscription(self: Calls, gateway_id: str) -> PlanSubscription:
        """Ask about one by its code."""
        return read_plan(_fetched(self, gateway_id))

    def stop_plan_subscription(self: Calls, gateway_id: str) -> None:
        """Disable one; the token that this takes is asked for first."""
        payload = {"code": gateway_id, "token": text(_fetched(self, gateway_id).get("email_token"))}
        self._accept(self._send("POST", "/subscription/disable", payload))


def read_plan(data: dict[str, Any]) -> PlanSubscription:
    """`data` is a row of GET /subscription, or the `data` object of GET /subscription/:code."""
    plan, customer, status = below(data, "plan"), below(data, "customer"), text(data.get("status"), 30)
    words, card = text(plan.get("interval"), 30), below(data, "authorization")
    interval, count = INTERVALS.get(words, (None, 0))
    names = (text(customer.get(name), 99) for name in ("first_name", "last_name"))
    left = plans.payments_left(data.get("invoice_limit"), data.get("payments_count"))
    return PlanSubscription(
        gateway_id=answers.needed_id(data.get("subscription_code"), _code),
        customer_email=text(customer.get("email"), 254),
        customer_name=" ".join(filter(None, names)),
        amount=plans.amount_or_none(wire.read_amount, data.get("amount"), plan.get("currency")),
        words=words,
        interval=interval,
        interval_count=count,
        status=status,
        is_stopped=IS_STOPPED.get(status, False),
        next_payment_at=moment(data.get("next_payment_date")),
        payments_left=left,
        # A number tells whether a card is reusable in lists, true or false elsewhere.
        saved_method=wire.read_method({**card, "reusable": bool(card.get("reusable"))}),
        problem=plans.problem_of(status, IS_STOPPED, limit=data.get("invoice_limit"), left=left),
    )


def _fetched(calls: Calls, gateway_id: str) -> dict[str, Any]:
    code = answers.needed_id(gateway_id, _code)
    data = calls._data("GET", f"/subscription/{code}", None)
    answers.must_be_about(text(data.get("subscription_code")), code, "another subscription")
    return data


def _code(value: object) -> str | None:
    return value if isinstance(value, str) and CODE.fullmatch(value) else None
