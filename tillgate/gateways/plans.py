"""Plans that a gateway itself collects: a merchant's older subscriptions there. We charge by none of them."""

import json
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol, runtime_checkable

from tillgate.gateways.answers import rows_of
from tillgate.gateways.errors import GatewayUnknown
from tillgate.gateways.protocol import SavedMethod
from tillgate.gateways.reading import below, money, text
from tillgate.money import EXPONENTS, Money

PlanInterval = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]
MOST_PAGES = 100


@dataclass(frozen=True, kw_only=True)
class PlanSubscription:
    """One customer's subscription to a plan, as its gateway tells it.

    `words` are the gateway's for how often. `next_payment_at` and `started_at` are None where it does not
    tell them, and so is `payments_left` where it has no end. `problem` says what stands against taking it
    over; empty when nothing does.
    """

    gateway_id: str
    customer_email: str
    customer_name: str
    amount: Money | None
    words: str
    interval: PlanInterval | None
    interval_count: int
    status: str
    is_stopped: bool
    next_payment_at: datetime | None = None
    started_at: datetime | None = None
    payments_left: int | None = None
    saved_method: SavedMethod | None = None
    problem: str = ""


@runtime_checkable
class ListsPlans(Protocol):
    """The gateway tells of the subscriptions that it collects itself, and can stop them."""

    def list_plan_subscriptions(self) -> tuple[PlanSubscription, ...]:
        """Return every one of the account. Raises GatewayUnknown rather than leave one out."""

    def fetch_plan_subscription(self, gateway_id: str) -> PlanSubscription:
        """Ask about one anew. Raises Rejected for one that the gateway does not know."""

    def stop_plan_subscription(self, gateway_id: str) -> None:
        """Have the gateway collect it no more; one that is stopped already stays so.

        Whether it is stopped, only `fetch_plan_subscription` tells.
        """


def every_row(page_of: Callable[[int], tuple[object, object]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a list; `page_of` returns the rows of a page, and how many pages there are.

    What is added meanwhile shifts the pages, so that a row may come twice, but none is missed. Raises
    GatewayUnknown rather than leave one out.
    """
    for page in range(1, MOST_PAGES + 1):
        rows, pages = page_of(page)
        if type(pages) is not int:
            raise GatewayUnknown("the list of subscriptions does not say how long it is")
        yield from rows_of(rows, "subscriptions")
        if page >= pages:
            return
    raise GatewayUnknown("the list of subscriptions is too long to be read to its end")


def amount_or_none(read: Callable[[object, object], Money], value: object, currency: object) -> Money | None:
    """Return an amount; None for one that cannot be read, which must hide no other subscription."""
    try:
        return read(value, currency)
    except GatewayUnknown:
        return None


def payments_left(limit: object, made: object) -> int | None:
    """Return how many payments are left; None where there is no limit, or what is told does not say."""
    return max(limit - made, 0) if type(limit) is int and limit > 0 and type(made) is int else None


def problem_of(status: str, known: Container[str], *, limit: object, left: int | None) -> str:
    """Return what a gateway's answer leaves open about a subscription, if anything."""
    if status not in known:
        return f"the gateway calls it {status!r}, which is not known here"
    is_open = limit not in (None, 0) and left is None
    return "it ends after some payments, and how many are left is not told" if is_open else ""


@dataclass(frozen=True, kw_only=True)
class PlanNews:
    """What a person is shown of an event about a plan; None and empty for what its body does not tell."""

    amount: Money | None
    customer_email: str


@dataclass(frozen=True, kw_only=True)
class _Body:
    """Where one gateway's events hold the amount, its currency and the customer, by paths of names."""

    amounts: tuple[str, ...]
    currencies: tuple[str, ...]
    customers: tuple[str, ...]
    exponent: int = 0  # By which its amounts are smaller than major units.


_BODIES: Mapping[str, _Body] = {
    "paystack": _Body(
        amounts=("data.amount", "data.plan.amount"),
        currencies=("data.currency", "data.plan.currency", "data.transaction.currency"),
        customers=("data.customer.email",),
        exponent=2,
    ),
    "flutterwave": _Body(
        amounts=("data.amount", "amount"),
        currencies=("data.currency", "currency"),
        customers=("data.customer.email", "data.customer.customer_email", "customer.email"),
    ),
    "paypal": _Body(
        amounts=(
            *("resource.amount.total", "resource.amount.value"),
            "resource.billing_info.last_payment.amount.value",
        ),
        currencies=(
            *("resource.amount.currency", "resource.amount.currency_code"),
            "resource.billing_info.last_payment.amount.currency_code",
        ),
        customers=("resource.subscriber.email_address", "resource.payer.email_address"),
    ),
}


def read_news(gateway: str, body: bytes) -> PlanNews:
    """Return what an event's body tells a person. Nothing is decided by it."""
    try:
        told = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        told = {}
    where = _BODIES[gateway]
    emails = (text(_at(told, path)) for path in where.customers)
    return PlanNews(amount=_amount(told, where), customer_email=next(filter(None, emails), ""))


def _amount(told: object, where: _Body) -> Money | None:
    number = _first(told, where.amounts)
    try:
        major = Decimal(str(number)).scaleb(-where.exponent)
    except ArithmeticError:
        return None
    written = f"{major.normalize():f}" if major.is_finite() and abs(major.adjusted()) < 20 else ""
    return money(written, _first(told, where.currencies), frozenset(EXPONENTS))


def _first(told: object, paths: tuple[str, ...]) -> Any:
    found = (_at(told, path) for path in paths)
    return next((value for value in found if value not in (None, "")), None)


def _at(told: object, path: str) -> object:
    *above, name = path.split(".")
    return below(told, *above).get(name)
