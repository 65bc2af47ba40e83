"""What a person may send back alone: the doors through which money goes back all come by here."""

from collections.abc import Callable
from typing import TypeVar

from tillgate.api.caller import Caller
from tillgate.merchants.services.approvals import ApprovalRequest
from tillgate.payments.models import Payment
from tillgate.payments.services.approvals import within_limit
from tillgate.payments.services.refunds import RefundOrder

T = TypeVar("T")


def limited(
    caller: Caller,
    payment: Payment,
    make: Callable[[], T],
    *,
    subject: str = "",
    order: RefundOrder | None = None,
) -> T:
    """Send money back by `make`. A key has no person behind it, and no limit: its scope is what it may.

    Raises ApprovalRequired.
    """
    if caller.user is None:
        return make()
    request = ApprovalRequest(
        by=caller.user,
        subject=subject,
        reason=order.reason if order else "",
        idempotency_hash=order.idempotency_hash if order else None,
        request_hash=order.request_hash if order else "",
    )
    return within_limit(payment.pk, request, make)
