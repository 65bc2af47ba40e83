"""What a payment, an attempt and a refund can be, and what each may become. `moves.py` is the only writer."""

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


_P, _A, _R = PaymentStatus, AttemptStatus, RefundStatus

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
}

PAYABLE = frozenset({_P.PENDING, _P.FAILED})
UNSETTLED = frozenset({_P.PENDING, _P.PROCESSING, _P.FAILED, _P.EXPIRED})
OPEN_ATTEMPTS = frozenset({_A.CREATED, _A.SENT, _A.PENDING, _A.UNKNOWN})
# The ladder goes on for these: money may still come in by them. A gateway's page that declined one
# card takes the next one, in the same transaction.
ASKED_ATTEMPTS = OPEN_ATTEMPTS | {_A.SUPERSEDED, _A.FAILED}
OPEN_REFUNDS = frozenset({_R.PENDING, _R.UNKNOWN})
