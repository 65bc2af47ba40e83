"""Paystack's JSON to our types and back. Pure: no network, no clock, no settings.

Source of all shapes: https://paystack.com/docs/api/
"""

from datetime import UTC, datetime
from typing import Any

from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.protocol import (
    Failure,
    GatewayState,
    Mode,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStarted,
    RefundSnapshot,
    RefundState,
)
from tillgate.money import MAX_MINOR, Money, exponent_of

# What Paystack calls a transaction's status, in our words. A word that is not here is never guessed.
PAYMENT_STATES = {
    "success": GatewayState.SUCCEEDED,
    "abandoned": GatewayState.PENDING,  # "Not completed yet", also straight after initialise: never final.
    "ongoing": GatewayState.PENDING,  # The customer is in the middle of it: an OTP, a transfer to make.
    "pending": GatewayState.PROCESSING,
    "processing": GatewayState.PROCESSING,
    "queued": GatewayState.PROCESSING,
    "failed": GatewayState.FAILED,
    "reversed": GatewayState.REVERSED,
    # Seen right after any refund, full or partial: it does not un-pay, and as first news it is for a person.
    "reversal-pending": GatewayState.REVERSING,
}
REFUND_STATES = {
    "pending": RefundState.PENDING,
    "processing": RefundState.PENDING,
    "needs-attention": RefundState.PENDING,
    "processed": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
}
CURRENCIES = frozenset({"GHS", "KES", "NGN", "USD", "XOF", "ZAR"})
# Paystack's subunit is a hundredth in every currency, XOF included, which has no decimals in ISO 4217.
SUBUNIT_EXPONENT = 2
MAX_DIGITS = 18

# Paystack gives a sentence, not a code; the sentence's start decides.
DECLINES = {
    "insufficient funds": Failure(
        code="insufficient_funds", message="The card or account does not have enough money.", retryable=True
    ),
    "expired card": Failure(
        code="expired_card", message="The card has expired. Use another one.", retryable=True
    ),
    "do not honor": Failure(
        code="do_not_honor",
        message="The bank refused this payment. Ask the bank, or pay another way.",
        retryable=True,
    ),
    "suspected fraud": Failure(
        code="fraud_suspected", message="The bank refused this payment. Pay another way.", retryable=False
    ),
}
DECLINED = Failure(
    code="declined", message="The payment was declined. Try again or pay another way.", retryable=True
)


def to_subunits(amount: Money) -> int:
    """Return the whole number that Paystack takes for `amount`: kobo, pesewas, cents.

    Raises Rejected for a currency that Paystack does not take.
    """
    if amount.currency not in CURRENCIES:
        raise Rejected(f"paystack takes no {amount.currency}")
    return amount.minor * _subunits_in_minor(amount.currency)


def read_amount(value: object, currency: object) -> Money:
    """Read an amount in subunits. Raises GatewayUnknown for anything but a whole, positive-or-zero number
    of a size that we would ask for ourselves.

    Digits in a string are read, too: that is how Paystack tells of refunds.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        value = int(value)
    if type(value) is not int or value < 0 or not isinstance(currency, str) or currency not in CURRENCIES:
        raise GatewayUnknown(f"paystack sent the amount {shown(value)} {shown(currency)}")
    minor, rest = divmod(value, _subunits_in_minor(currency))
    if rest or minor > MAX_MINOR:
        raise GatewayUnknown(f"paystack sent {shown(value)} subunits, which is no amount of {currency}")
    return Money(minor, currency)


def payment_request(request: PaymentRequest) -> dict[str, Any]:
    """The body of POST /transaction/initialize.

    Source: https://paystack.com/docs/api/transaction/#initialize
    """
    metadata: dict[str, Any] = {"cancel_action": request.cancel_url}
    if request.description:
        field = {"display_name": "For", "variable_name": "description", "value": request.description}
        metadata["custom_fields"] = [field]
    return {
        "email": request.customer_email,
        "amount": to_subunits(request.amount),
        "currency": request.amount.currency,
        "reference": request.gateway_reference,
        "callback_url": request.return_url,
        "metadata": metadata,
    }


def read_started(data: dict[str, Any], gateway_reference: str) -> PaymentStarted:
    """`data` is the `data` object of POST /transaction/initialize; its URL cannot be fetched again."""
    url = _text(data.get("authorization_url"), 2000)
    if data.get("reference") != gateway_reference or not url.startswith(("https://", "http://")):
        raise GatewayUnknown("paystack's answer to initialize is not about this reference")
    return PaymentStarted(redirect_url=url, access_code=_text(data.get("access_code"), 100))


def read_payment(data: dict[str, Any]) -> PaymentSnapshot:
    """`data` is the `data` object of GET /transaction/verify/:reference; amounts are subunits.

    Source: https://paystack.com/docs/api/transaction/#verify
    """
    status, currency = data.get("status"), data.get("currency")
    if not isinstance(status, str) or status not in PAYMENT_STATES:
        raise GatewayUnknown(f"paystack sent status {shown(status)}")
    state, requested = PAYMENT_STATES[status], data.get("requested_amount")
    gateway_id, amount = read_id(data.get("id")), read_amount(data.get("amount"), currency)
    if gateway_id is None or amount.minor == 0:
        raise GatewayUnknown(f"paystack sent transaction {gateway_id!r} over {amount}")
    return PaymentSnapshot(
        state=state,
        gateway_reference=_text(data.get("reference")),
        gateway_id=gateway_id,
        mode=_read_mode(data.get("domain")),
        amount=amount,
        requested=None if requested is None else read_amount(requested, currency),
        fee=_read_fee(data.get("fees"), amount.currency),
        channel=_text(data.get("channel"), 30),
        paid_at=_read_time(data.get("paid_at")),
        failure=read_decline(data.get("gateway_response")) if state == GatewayState.FAILED else None,
    )


def read_refund(data: dict[str, Any]) -> RefundSnapshot:
    """`data` is a refund object of POST /refund or GET /refund.

    Source: https://paystack.com/docs/api/refund/
    """
    status, gateway_id = data.get("status"), read_id(data.get("id"))
    if not isinstance(status, str) or status not in REFUND_STATES or gateway_id is None:
        raise GatewayUnknown(f"paystack sent a refund {gateway_id!r} with status {shown(status)}")
    return RefundSnapshot(
        state=REFUND_STATES[status],
        gateway_id=gateway_id,
        amount=read_amount(data.get("amount"), data.get("currency")),
        note=_text(data.get("merchant_note")),
    )


def refunded_transaction(data: dict[str, Any]) -> str | None:
    """The id of the transaction that a refund is of: a number in lists, an object in the answer to POST."""
    transaction = data.get("transaction")
    return read_id(transaction.get("id") if isinstance(transaction, dict) else transaction)


def read_decline(sentence: object) -> Failure:
    """Return our word for Paystack's `gateway_response`; an unknown sentence is a plain decline."""
    text = _text(sentence).strip().lower()
    return next((failure for start, failure in DECLINES.items() if text.startswith(start)), DECLINED)


def message_of(body: dict[str, Any]) -> str:
    """Paystack's own sentence about an answer, fit for a log and a table."""
    return clean(body.get("message", ""), 200)


def clean(value: object, longest: int) -> str:
    """What a gateway sent as a text that a log and a table can keep: no controls, no lone surrogates."""
    return "".join(letter for letter in str(value)[:longest] if letter.isprintable())


def read_id(value: object) -> str | None:
    """Paystack's numeric ids exceed 32 bits; here they are text. None for what is not such a number."""
    if type(value) is int and 0 < value < 10**MAX_DIGITS:
        return str(value)
    text = _text(value, MAX_DIGITS)
    return text if text.isascii() and text.isdigit() else None


def shown(value: object) -> str:
    """What a gateway sent, short and harmless enough for a log."""
    return ascii(value)[:80]


def _read_fee(value: object, currency: str) -> Money | None:
    try:
        return read_amount(value, currency)
    except GatewayUnknown:
        # None, or a share of a franc that XOF cannot name: that money arrived does not depend on its fee.
        return None


def _subunits_in_minor(currency: str) -> int:
    factor: int = 10 ** (SUBUNIT_EXPONENT - exponent_of(currency))
    return factor


def _read_mode(domain: object) -> Mode:
    if domain == "test":
        return "test"
    if domain == "live":
        return "live"
    raise GatewayUnknown(f"paystack sent domain {shown(domain)}")


def _read_time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(value))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None  # The money counts, not Paystack's idea of when.


def _text(value: object, longest: int = 200) -> str:
    # No controls and no lone surrogates, which a database refuses to keep.
    return value if isinstance(value, str) and len(value) <= longest and value.isprintable() else ""
