"""Paystack's JSON to our types and back. Pure: no network, no clock, no settings.

Source of all shapes: https://paystack.com/docs/api/
"""

import json
import re
from typing import Any

from tillgate.gateways.answers import known, needed_id, nothing_moved
from tillgate.gateways.declines import decline_by
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.protocol import (
    AttemptRef,
    ChargeRequest,
    DisputeSnapshot,
    DisputeState,
    Failure,
    GatewayState,
    Mode,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStarted,
    RefundSnapshot,
    RefundState,
    SavedMethod,
)
from tillgate.gateways.reading import MAX_DIGITS, below, clean, link, moment, number, shown, text
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
CHANNELS = ("card", "bank", "bank_transfer", "ussd", "qr", "mobile_money", "eft")
CURRENCIES = frozenset({"GHS", "KES", "NGN", "USD", "XOF", "ZAR"})
# Paystack's subunit is a hundredth in every currency, XOF included, which has no decimals in ISO 4217.
SUBUNIT_EXPONENT = 2
# How its refusals of a saved card begin; one that is inactive is told as if the e-mail address were wrong.
METHOD_REFUSED = ("authorization code is invalid", "email does not match authorization code")
EXPIRY = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")

DISPUTE_STATES = {
    "awaiting-merchant-feedback": DisputeState.OPEN,
    "awaiting-bank-feedback": DisputeState.UNDER_REVIEW,
    "pending": DisputeState.UNDER_REVIEW,
}
RESOLUTIONS = {  # What `resolved` came to: the merchant accepted the customer's claim, or declined it.
    "merchant-accepted": DisputeState.LOST,
    "declined": DisputeState.WON,
}
# Paystack gives a sentence, not a code: its start decides. Beside what its documents and its test mode
# say, these are the words of ISO 8583 that a bank's answer comes with.
DECLINES = {
    "declined": "declined",
    "insufficient funds": "insufficient_funds",
    "expired card": "expired_card",
    "do not honor": "do_not_honor",
    "invalid card": "invalid_card",
    "lost card": "lost_or_stolen",
    "stolen card": "lost_or_stolen",
    "transaction not permitted to cardholder": "restricted_card",
    "exceeds withdrawal limit": "limit_exceeded",
    "incorrect pin": "authentication_failed",
    "suspected fraud": "fraud_suspected",
    "issuer or switch inoperative": "bank_unreachable",
}


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
    """The body of POST /transaction/initialize. Only cards can be charged again, so they come first then.

    Source: https://paystack.com/docs/api/transaction/#initialize
    """
    channels = {"channels": list(CHANNELS)} if request.save_method else {}
    return {
        "email": request.customer_email,
        "amount": to_subunits(request.amount),
        "currency": request.amount.currency,
        "reference": request.gateway_reference,
        "callback_url": request.return_url,
        "metadata": {"cancel_action": request.cancel_url, **_metadata(request.description)},
        **channels,
    }


def read_started(data: dict[str, Any], gateway_reference: str) -> PaymentStarted:
    """`data` is the `data` object of POST /transaction/initialize; its URL cannot be fetched again."""
    url = link(data.get("authorization_url"))
    if data.get("reference") != gateway_reference or not url:
        raise GatewayUnknown("paystack's answer to initialize is not about this reference")
    return PaymentStarted(redirect_url=url, access_code=text(data.get("access_code"), 100))


def charge_request(request: ChargeRequest) -> dict[str, Any]:
    """The body of POST /transaction/charge_authorization.

    Source: https://paystack.com/docs/api/transaction/#charge-authorization
    """
    return {
        "email": request.customer_email,
        "amount": to_subunits(request.amount),
        "currency": request.amount.currency,
        "reference": request.gateway_reference,
        "authorization_code": request.token,
        "metadata": json.dumps(_metadata(request.description)),  # Text here, an object in initialize.
    }


def read_charge(data: dict[str, Any], mode: Mode) -> PaymentSnapshot:
    """`data` is the `data` object of POST /transaction/charge_authorization.

    `paused` means that the customer must confirm on a page. Nobody is given that page, so nothing will
    be charged.
    """
    if data.get("paused") is not True:
        return read_payment(data)
    attempt = AttemptRef(gateway_reference=text(data.get("reference")), gateway_id=None)
    return nothing_moved(GatewayState.FAILED, attempt, mode, "authentication_failed")


def read_payment(data: dict[str, Any]) -> PaymentSnapshot:
    """`data` is the `data` object of GET /transaction/verify/:reference; amounts are subunits.

    Source: https://paystack.com/docs/api/transaction/#verify
    """
    state, currency = known(PAYMENT_STATES, data.get("status"), "status"), data.get("currency")
    gateway_id, amount = read_id(data.get("id")), read_amount(data.get("amount"), currency)
    requested = data.get("requested_amount")
    if gateway_id is None or amount.minor == 0:
        raise GatewayUnknown(f"paystack sent transaction {gateway_id!r} over {amount}")
    return PaymentSnapshot(
        state=state,
        gateway_reference=text(data.get("reference")),
        gateway_id=gateway_id,
        mode=_read_mode(data.get("domain")),
        amount=amount,
        requested=None if requested is None else read_amount(requested, currency),
        fee=_read_fee(data.get("fees"), amount.currency),
        channel=text(data.get("channel"), 30),
        paid_at=moment(data.get("paid_at")),
        failure=read_decline(data.get("gateway_response")) if state == GatewayState.FAILED else None,
        saved_method=read_method(below(data, "authorization")) if state == GatewayState.SUCCEEDED else None,
    )


def read_refund(data: dict[str, Any]) -> RefundSnapshot:
    """`data` is a refund object of POST /refund or GET /refund.

    Source: https://paystack.com/docs/api/refund/
    """
    return RefundSnapshot(
        state=known(REFUND_STATES, data.get("status"), "refund status"),
        gateway_id=needed_id(data.get("id"), read_id),
        amount=_read_refunded(data),
        note=text(data.get("merchant_note")),
    )


def read_dispute(data: dict[str, Any]) -> DisputeSnapshot:
    """`data` is one row of GET /dispute; its amount is nothing where none is told.

    Source: https://paystack.com/docs/api/dispute/#list
    """
    is_resolved = data.get("status") == "resolved"
    table, word = (RESOLUTIONS, "resolution") if is_resolved else (DISPUTE_STATES, "status")
    return DisputeSnapshot(
        state=known(table, data.get(word), f"dispute {word}"),
        gateway_id=needed_id(data.get("id"), read_id),
        amount=_read_contested(data),
        reason=text(data.get("category")),
        respond_by=moment(data.get("dueAt")),
    )


def transaction_of(data: dict[str, Any]) -> str | None:
    """The id of the transaction that a refund or dispute is of: here a number, there an object."""
    transaction = data.get("transaction")
    return read_id(transaction.get("id") if isinstance(transaction, dict) else transaction)


def read_decline(sentence: object) -> Failure:
    """Return our word for Paystack's `gateway_response`."""
    return decline_by(sentence, DECLINES)


def message_of(body: dict[str, Any]) -> str:
    """Paystack's own sentence about an answer, fit for a log and a table."""
    return clean(body.get("message", ""), 200)


def read_id(value: object) -> str | None:
    """Paystack's ids are numbers; here they are text. None for what is not such a number."""
    return number(value)


def _metadata(description: str) -> dict[str, Any]:
    field = {"display_name": "For", "variable_name": "description", "value": description}
    return {"custom_fields": [field]} if description else {}


def read_method(data: dict[str, Any]) -> SavedMethod | None:
    """`data` is an authorization; None for one that cannot be charged again."""
    # An authorization works only with the customer's e-mail address that it was made with.
    token = text(data.get("authorization_code"))
    if data.get("reusable") is not True or not token:
        return None
    year, month = text(data.get("exp_year"), 4), text(data.get("exp_month"), 2)
    return SavedMethod(
        token=token,
        kind=text(data.get("channel"), 30),
        brand=text(data.get("brand"), 30).strip(),
        last4=text(data.get("last4"), 4),
        expires_month=f"{year}-{month:0>2}" if EXPIRY.fullmatch(f"{year}-{month:0>2}") else "",
        signature=text(data.get("signature"), 100),
    )


def _read_refunded(data: dict[str, Any]) -> Money:
    amount = read_amount(data.get("amount"), data.get("currency"))
    if not amount.minor:
        raise GatewayUnknown("paystack sent a refund of nothing")
    return amount


def _read_contested(data: dict[str, Any]) -> Money:
    # Null in Paystack's own example of a dispute that was closed, and so is its currency there.
    told, currency = data.get("refund_amount"), data.get("currency")
    ours = below(data, "transaction").get("currency") if currency is None else currency
    return read_amount(0 if told is None else told, ours)


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
