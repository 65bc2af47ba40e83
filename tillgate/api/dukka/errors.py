"""What this API refuses that no other does."""

from tillgate.api.shapes.payments import payment_out
from tillgate.common.errors import Conflict, GatewayTrouble
from tillgate.payments.models import Payment


class NotOpened(GatewayTrouble):
    """The payment is there, but Paystack opened no page for it; the body has the payment."""

    http_status = 502

    def __init__(self, payment: Payment, trouble: GatewayTrouble) -> None:
        super().__init__(
            f"{trouble.message} {payment.reference} is created: the same request with the same "
            "Idempotency-Key goes on with it. Without one, it is another payment.",
            code=trouble.code,
            headers=trouble.headers,
            members={"payment": payment_out(payment, with_key=False)},
        )


class NoSubscription(Conflict):
    """The row is a single payment: there is nothing to stop."""

    code = "no_subscription"
