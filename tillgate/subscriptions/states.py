"""What a subscription and its cycles can be, and what each may become. `moves.py` is the only writer."""

from enum import StrEnum


class SubscriptionStatus(StrEnum):
    """Where a recurring payment stands; the words are those of the public API."""

    INCOMPLETE = "incomplete"  # Its first payment was not made yet.
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    COMPLETED = "completed"
    EXPIRED = "expired"  # Its first payment was not made in time.


class CycleStatus(StrEnum):
    """Where one due date stands."""

    OPEN = "open"
    PAID = "paid"
    UNPAID = "unpaid"  # Nobody tries to collect it any more.
    SKIPPED = "skipped"  # It was never to be collected: missed, or due in a pause.


class Interval(StrEnum):
    """The step from one due date to the next."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class Collection(StrEnum):
    """How a cycle is collected."""

    CHARGE = "charge"  # By the saved method, without the customer.
    SEND_LINK = "send_link"  # By a payment link that the customer gets before the due date.


_S, _C = SubscriptionStatus, CycleStatus

SUBSCRIPTION_MOVES: dict[SubscriptionStatus, frozenset[SubscriptionStatus]] = {
    _S.INCOMPLETE: frozenset({_S.ACTIVE, _S.CANCELED, _S.EXPIRED}),
    _S.ACTIVE: frozenset({_S.PAST_DUE, _S.PAUSED, _S.CANCELED, _S.COMPLETED}),
    _S.PAST_DUE: frozenset({_S.ACTIVE, _S.PAUSED, _S.CANCELED}),
    _S.PAUSED: frozenset({_S.ACTIVE, _S.CANCELED}),
}  # A status with no entry is final.

CYCLE_MOVES: dict[CycleStatus, frozenset[CycleStatus]] = {
    _C.OPEN: frozenset({_C.PAID, _C.UNPAID}),
    _C.UNPAID: frozenset({_C.PAID}),  # A customer may pay what we gave up.
}

COLLECTING = frozenset({_S.ACTIVE, _S.PAST_DUE})  # New cycles are opened, and charged.
LIVE = COLLECTING | {_S.INCOMPLETE, _S.PAUSED}
