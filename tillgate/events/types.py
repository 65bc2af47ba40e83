"""What a merchant's software can be told of, and how an endpoint names what it wants."""

from collections.abc import Iterable

ALL = "*"
TEST = "endpoint.test"
CREATED = "payment.created"
TYPES = (
    CREATED,
    "payment.processing",
    "payment.completed",
    "payment.failed",
    "payment.expired",
    "payment.canceled",
    "payment.review",
    "payment.partially_refunded",
    "payment.refunded",
    "payment.disputed",
    "payment.charged_back",
    "payment.surplus",
    "refund.pending",
    "refund.succeeded",
    "refund.failed",
    "subscription.created",
    "subscription.activated",
    "subscription.renewed",
    "subscription.past_due",
    "subscription.waived",
    "subscription.paused",
    "subscription.resumed",
    "subscription.changed",
    "subscription.canceled",
    "subscription.completed",
    "subscription.expired",
    "dispute.opened",
    "dispute.updated",
    "dispute.won",
    "dispute.lost",
)
FAMILIES = tuple(sorted({f"{word.partition('.')[0]}.*" for word in TYPES}))


def is_filter(word: str) -> bool:
    """Say whether an endpoint may subscribe to this: a type, `payment.*` or `*`."""
    return word == ALL or word in TYPES or word in FAMILIES


def chosen_types(filters: Iterable[str]) -> frozenset[str]:
    """Return the types that these filters name."""
    wanted = set(filters)
    if ALL in wanted:
        return frozenset(TYPES)
    families = {word.removesuffix(ALL) for word in wanted if word.endswith(".*")}
    return frozenset(word for word in TYPES if word in wanted or word.startswith(tuple(families)))
