"""What a payment, an attempt and a refund can be, and what each may become. `moves.py` is the only writer."""

from collections.abc import Iterable
from enum import StrEnum


class PaymentStatus(StrEnum):
    """Where a payment stands; the words are those of the public API."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    REVIEW = "review"
    EXPIRED = "expired"
    CANCELED = "canceled"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"


class AttemptStatus(StrEnum):
    """Where one try at one gateway stands. CREATED and SENT are committed before the gateway is called."""

    CREATED = "created"
    SENT = "sent"
    PENDING = "pending"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class RefundStatus(StrEnum):
    """Where money on its way back stands."""

    PENDING = "pending"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DisputeStatus(StrEnum):
    """Where a contested payment stands."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


class RefundOrigin(StrEnum):
    """Who wanted a refund."""

    KEY = "key"  # The merchant, through the API.
    REVIEW = "review"  # The merchant, deciding about a payment in review.
    GATEWAY = "gateway"  # Made at the gateway, and found there.


class MethodSaving(StrEnum):
    """Whether a payment's customer is asked to let the method be charged again."""

    NO = "no"
    OFFERED = "offered"  # They may pay without it.
    REQUIRED = "required"


_P, _A, _R, _D = PaymentStatus, AttemptStatus, RefundStatus, DisputeStatus

PAYMENT_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    _P.PENDING: frozenset({_P.PROCESSING, _P.COMPLETED, _P.FAILED, _P.REVIEW, _P.EXPIRED, _P.CANCELED}),
    _P.PROCESSING: frozenset({_P.COMPLETED, _P.FAILED, _P.REVIEW}),
    _P.FAILED: frozenset({_P.PROCESSING, _P.COMPLETED, _P.REVIEW, _P.EXPIRED, _P.CANCELED}),
    _P.REVIEW: frozenset({_P.COMPLETED, _P.REFUNDED}),
    _P.EXPIRED: frozenset({_P.COMPLETED, _P.REVIEW}),
    _P.CANCELED: frozenset({_P.REVIEW}),
    _P.COMPLETED: frozenset({_P.PARTIALLY_REFUNDED, _P.REFUNDED, _P.DISPUTED}),
    _P.PARTIALLY_REFUNDED: frozenset({_P.REFUNDED, _P.DISPUTED, _P.COMPLETED}),
    _P.REFUNDED: frozenset({_P.DISPUTED, _P.COMPLETED, _P.PARTIALLY_REFUNDED}),
    _P.DISPUTED: frozenset({_P.COMPLETED, _P.PARTIALLY_REFUNDED, _P.REFUNDED, _P.CHARGED_BACK}),
}  # A status with no entry is final.

ATTEMPT_MOVES: dict[AttemptStatus, frozenset[AttemptStatus]] = {
    _A.CREATED: frozenset({_A.SENT, _A.FAILED}),
    # An event may overtake the answer that opens the session, so SENT may end at once.
    _A.SENT: frozenset({_A.PENDING, _A.UNKNOWN, _A.SUCCEEDED, _A.FAILED}),
    _A.PENDING: frozenset({_A.SUCCEEDED, _A.FAILED, _A.SUPERSEDED}),
    _A.UNKNOWN: frozenset({_A.PENDING, _A.SUCCEEDED, _A.FAILED}),
    _A.FAILED: frozenset({_A.SUCCEEDED}),
    _A.SUPERSEDED: frozenset({_A.SUCCEEDED}),
}

REFUND_MOVES: dict[RefundStatus, frozenset[RefundStatus]] = {
    _R.PENDING: frozenset({_R.SUCCEEDED, _R.FAILED, _R.UNKNOWN}),
    _R.UNKNOWN: frozenset({_R.SUCCEEDED, _R.FAILED}),
    _R.SUCCEEDED: frozenset({_R.FAILED}),  # A bank may send it back days later.
}

DISPUTE_MOVES: dict[DisputeStatus, frozenset[DisputeStatus]] = {
    _D.OPEN: frozenset({_D.UNDER_REVIEW, _D.WON, _D.LOST}),
    _D.UNDER_REVIEW: frozenset({_D.WON, _D.LOST}),
}

PAYABLE = frozenset({_P.PENDING, _P.FAILED})
UNSETTLED = frozenset({_P.PENDING, _P.PROCESSING, _P.FAILED, _P.EXPIRED})
OPEN_ATTEMPTS = frozenset({_A.CREATED, _A.SENT, _A.PENDING, _A.UNKNOWN})
# The ladder goes on for these: money may still come in by them. A gateway's page that declined one
# card takes the next one, in the same transaction.
ASKED_ATTEMPTS = OPEN_ATTEMPTS | {_A.SUPERSEDED, _A.FAILED}
UNANSWERED = frozenset({_A.SENT, _A.UNKNOWN})
OPEN_REFUNDS = frozenset({_R.PENDING, _R.UNKNOWN})
COUNTED_REFUNDS = OPEN_REFUNDS | {_R.SUCCEEDED}  # What they take can not be refunded again.
OPEN_DISPUTES = frozenset({_D.OPEN, _D.UNDER_REVIEW})
REFUNDABLE = frozenset({_P.COMPLETED, _P.PARTIALLY_REFUNDED})
FOLLOWS_REFUNDS = REFUNDABLE | {_P.REFUNDED}  # Nothing but its refunds says which of these a payment is.
SETTLED = frozenset({_P.COMPLETED, _P.PARTIALLY_REFUNDED, _P.REFUNDED, _P.DISPUTED, _P.CHARGED_BACK})


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the words as a column's choices."""
    return [(word.value, word.value) for word in words]


def values(words: Iterable[StrEnum]) -> list[str]:
    """Return the words as a constraint's values; sorted, or a migration would differ from run to run."""
    return sorted(word.value for word in words)
