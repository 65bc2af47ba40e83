"""What the payments services refuse, and what the caller can do about it."""

from tillgate.common.errors import Conflict, GatewayTrouble, PayError


class NotInThisState(Conflict):
    """The payment's status does not allow this; the message says what it allows."""

    code = "not_in_this_state"


class TooManyAttempts(Conflict):
    """A payment takes ten attempts; a new payment takes ten more."""

    code = "too_many_attempts"


class StillRunning(Conflict):
    """The first request is still at work; the same request later finds its result."""

    code = "request_still_running"


class ConsentRequired(Conflict):
    """The payer has not agreed yet to be charged again; the checkout page asks them."""

    code = "consent_required"


class KeyReused(PayError):
    """The Idempotency-Key was used with another body."""

    code = "idempotency_key_reused"
    http_status = 422


class ReferenceTaken(Conflict):
    """The merchant has used this merchant_reference for another payment."""

    code = "merchant_reference_taken"


class RefundTooLarge(Conflict):
    """More than is left to refund; the message says what is."""

    code = "refund_too_large"


class ApprovalRequired(Conflict):
    """A refund over the limit was not made: another person has to agree. `approval` is the id of the request
    for it, which stands although this is a refusal; `is_new` says whether it came of this request."""

    code = "approval_required"

    def __init__(self, message: str, *, approval: str, is_new: bool) -> None:
        super().__init__(message, members={"approval": approval})
        self.approval, self.is_new = approval, is_new


class ApprovalOutdated(Conflict):
    """What was asked for cannot be made any more: the money has gone another way meanwhile."""

    code = "approval_outdated"


class GatewayRefused(GatewayTrouble):
    """The gateway did not take the request; another gateway may."""

    code = "gateway_refused"
    http_status = 502


class GatewayTimeout(GatewayTrouble):
    """The gateway's answer was lost; no money has moved, and the request may be sent again."""

    code = "gateway_timeout"
    http_status = 504
