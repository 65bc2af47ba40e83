"""Subscriptions to Flutterwave's own payment plans: read and stopped, never used for charging.

It tells neither the card, nor the next date, nor how often was paid.
Source: https://developer.flutterwave.com/docs/recurring-payments/payment-plans
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from tillgate.gateways import answers, plans
from tillgate.gateways.errors import Rejected
from tillgate.gateways.flutterwave import wire
from tillgate.gateways.plans import PlanInterval, PlanSubscription
from tillgate.gateways.reading import below, moment, text

INTERVALS: dict[str, tuple[PlanInterval, int]] = {
    "daily": ("daily", 1),
    "weekly": ("weekly", 1),
    "monthly": ("monthly", 1),
    "quarterly": ("quarterly", 1),
    "bi-annually": ("monthly", 6),
    "bi-anually": ("monthly", 6),  # As it is spelt in places.
    "yearly": ("yearly", 1),
}
EVERY = re.compile(r"every ([1-9][0-9]{0,2}) (day|week|month|year)s?", re.ASCII)
UNITS: dict[str, PlanInterval] = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}
IS_STOPPED = {"active": False, "cancelled": True, "deactivated": True}


class Calls(Protocol):
    """What the adapter lends."""

    def _rows(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]: ...

    def _data(self, method: str, path: str, body: Any) -> dict[str, Any]: ...


class PlanCalls:
    """See `ListsPlans`."""

    def list_plan_subscriptions(self: Calls) -> tuple[PlanSubscription, ...]:
        """Return every subscription of the account, ended ones among them."""
        plan_of = {wire.read_id(plan.get("id")): plan for plan in self._rows("/payment-plans", {})}
        rows = self._rows("/subscriptions", {})
        return tuple(read_plan(row, plan_of.get(wire.read_id(row.get("plan")), {})) for row in rows)

    def fetch_plan_subscription(self: Calls, gateway_id: str) -> PlanSubscription:
        """Look one up in the list: it cannot be asked for by itself."""
        rows = self._rows("/subscriptions", {})
        row = next((row for row in rows if wire.read_id(row.get("id")) == gateway_id), None)
        if row is None:
            raise Rejected(f"flutterwave has no subscription {gateway_id}")
        number = answers.needed_id(row.get("plan"), wire.read_id)
        return read_plan(row, self._data("GET", f"/payment-plans/{number}", None))

    def stop_plan_subscription(self: Calls, gateway_id: str) -> None:
        """Cancel one."""
        number = answers.needed_id(gateway_id, wire.read_id)
        self._data("PUT", f"/subscriptions/{number}/cancel", None)


def read_plan(data: dict[str, Any], plan: dict[str, Any]) -> PlanSubscription:
    """`data` is a row of GET /subscriptions, `plan` the object that it names: it has the currency."""
    customer, status = below(data, "customer"), text(data.get("status"), 30)
    words = text(plan.get("interval"), 60)
    interval, count = read_interval(words)
    return PlanSubscription(
        gateway_id=answers.needed_id(data.get("id"), wire.read_id),
        customer_email=text(customer.get("customer_email"), 254),
        customer_name=text(customer.get("customer_full_name"), 200),
        amount=plans.amount_or_none(wire.read_amount, data.get("amount"), plan.get("currency")),
        words=words,
        interval=interval,
        interval_count=count,
        status=status,
        is_stopped=IS_STOPPED.get(status, False),
        started_at=moment(data.get("created_at")),
        problem=plans.problem_of(status, IS_STOPPED, limit=plan.get("duration"), left=None),
    )


def read_interval(words: str) -> tuple[PlanInterval | None, int]:
    """Return our interval and its count for Flutterwave's words; None for what we do not have."""
    if every := EVERY.fullmatch(words.lower()):
        return UNITS[every[2]], int(every[1])
    return INTERVALS.get(words.lower(), (None, 0))
