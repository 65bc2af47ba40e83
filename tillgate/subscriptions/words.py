"""How a recurring payment is put in words, the same on every page and in every mail."""

from datetime import datetime
from zoneinfo import ZoneInfo

from tillgate.customers.models import PaymentMethod
from tillgate.subscriptions.states import Interval

UNITS = {
    Interval.DAILY: "day",
    Interval.WEEKLY: "week",
    Interval.MONTHLY: "month",
    Interval.QUARTERLY: "quarter",
    Interval.YEARLY: "year",
}
KINDS = {"card": "Card", "paypal": "PayPal", "bank": "Bank account", "mobile_money": "Mobile money"}
BRANDS = {"mastercard": "Mastercard", "american express": "American Express", "amex": "American Express"}


def rhythm(interval: str, count: int) -> str:
    """Return how often: `every month`, `every 2 weeks`, `every quarter`."""
    if count == 1:
        return f"every {UNITS[Interval(interval)]}"
    if interval == Interval.QUARTERLY:
        return f"every {count * 3} months"  # Nobody says "every 2 quarters".
    return f"every {count} {UNITS[Interval(interval)]}s"


def times(cycles: int | None) -> str:
    """Return for how long, to the payer: `12 times`, `once`, `until you stop it`."""
    if cycles is None:
        return "until you stop it"
    return "once" if cycles == 1 else f"{cycles} times"


def day(moment: datetime, zone: str) -> str:
    """Return the day on which a moment falls in a zone: `22 December 2026`."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y}"


def method_name(method: PaymentMethod) -> str:
    """Return a saved method as its owner knows it: `Visa ending 4081`, `PayPal`."""
    brand = BRANDS.get(method.brand.lower(), method.brand.title())
    name = brand or KINDS.get(method.kind, method.kind.replace("_", " ").capitalize())
    name = name or "The saved way to pay"
    return f"{name} ending {method.last4}" if method.last4 else name
