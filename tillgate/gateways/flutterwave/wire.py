"""Flutterwave's JSON (v3) to our types and back. Pure: no network, no clock, no settings.

Amounts are major units, as numbers or as text. Source of all shapes: https://developer.flutterwave.com/docs
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tillgate.gateways.answers import known, needed_id
from tillgate.gateways.declines import decline_by
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.protocol import (
    ChargeRequest,
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
from tillgate.gateways.reading import below, clean, link, moment, money, number, shown, text
from tillgate.money import Money, exponent_of

# What Flutterwave calls a transaction's status, in our words. A word that is not here is never guessed.
PAYMENT_STATES = {
    "successful": GatewayState.SUCCEEDED,
    "success": GatewayState.SUCCEEDED,  # Mobile money.
    # A transaction exists only once the customer has tried, so money may be on its way.
    "pending": GatewayState.PROCESSING,
    "success-pending-validation": GatewayState.PROCESSING,  # The bank still asks the customer: no success.
    "failed": GatewayState.FAILED,
}
REFUND_STATES = {
    "new": RefundState.PENDING,
    "pending": RefundState.PENDING,
    "pending-momo": RefundState.PENDING,
    "processing": RefundState.PENDING,
    "completed": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
}
COMPLETED = "completed-"  # And the way the money went: completed-momo, completed-bank-transfer, …
# SLL, which Flutterwave lists too, is no currency of ISO 4217 any more.
CURRENCIES = frozenset(
    ("EGP", "EUR", "GBP", "GHS", "KES", "MWK", "NGN", "RWF", "TZS", "UGX", "USD", "XAF", "XOF", "ZAR", "ZMW")
)
CHANNELS = ("card", "bank", "bank_transfer", "ussd", "mobile_money")
PAYMENT_TYPES = {
    "account": "bank",
    "banktransfer": "bank_transfer",
    "mpesa": "mobile_money",
}  # What is not here is called what Flutterwave calls it.
MOBILE_MONEY = "mobilemoney"  # And the country: mobilemoneyghana, mobilemoneyuganda, …
# What its page offers of these depends on the currency; the first is the only one that gives a token.
PAYMENT_OPTIONS = (
    "card, account, banktransfer, ussd, mpesa, mobilemoneyghana, mobilemoneyuganda, mobilemoneyrwanda, "
    "mobilemoneyzambia, mobilemoneytanzania, mobilemoneyfranco"
)
# How its refusals of a token begin, of which its documents say nothing: these are as seen elsewhere.
METHOD_REFUSED = ("invalid token", "wrong token", "token has expired", "token expired", "token not found")
# `processor_response` is a sentence, often the bank's own; its start decides.
DECLINES = {
    "transaction declined": "declined",
    "declined": "declined",
    "insufficient fund": "insufficient_funds",
    "expired card": "expired_card",
    "do not hono": "do_not_honor",  # In both spellings.
    "invalid card": "invalid_card",
    "lost card": "lost_or_stolen",
    "stolen card": "lost_or_stolen",
    "restricted card": "restricted_card",
    "transaction not permitted to cardholder": "restricted_card",
    "exceeds withdrawal limit": "limit_exceeded",
    "incorrect pin": "authentication_failed",
    "suspected fraud": "fraud_suspected",
    "fraudulent": "fraud_suspected",
    "issuer or switch inoperative": "bank_unreachable",
}
FEE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)
EXPIRY = re.compile(r"(0[1-9]|1[0-2])/([0-9]{2})", re.ASCII)


def to_major(amount: Money) -> Decimal:
    """Return the number that Flutterwave takes for `amount`. Raises Rejected for what it does not take."""
    if amount.currency not in CURRENCIES:
        raise Rejected(f"flutterwave takes no {amount.currency}")
    return amount.to_major


def read_amount(value: object, currency: object) -> Money:
    """Read an amount exactly. Raises GatewayUnknown for what is no whole number of minor units, is
    negative, or larger than what we would ask for ourselves."""
    written = "" if isinstance(value, bool | float) else str(value)
    if "." in written[:-1]:
        written = written.rstrip("0").removesuffix(".")  # 5000.00 is a whole number of francs.
    amount = money(written, currency, CURRENCIES)
    if amount is None:
        raise GatewayUnknown(f"flutterwave sent the amount {shown(value)} {shown(currency)}")
    return amount


def payment_request(request: PaymentRequest) -> dict[str, Any]:
    """The body of POST /payments; whoever gives up comes back to the same address as who pays.

    Source: https://developer.flutterwave.com/docs/flutterwave-standard-1
    """
    body = {
        "tx_ref": request.gateway_reference,
        "amount": to_major(request.amount),
        "currency": request.amount.currency,
        "redirect_url": request.return_url,
        "customer": {"email": request.customer_email},
        "customizations": {"description": request.description},
    }
    return {**body, "payment_options": PAYMENT_OPTIONS} if request.save_method else body


def charge_request(request: ChargeRequest) -> dict[str, Any]:
    """The body of POST /tokenized-charges. Source: https://developer.flutterwave.com/docs/tokenization"""
    return {
        "token": request.token,
        "email": request.customer_email,
        "currency": request.amount.currency,
        "amount": to_major(request.amount),
        "tx_ref": request.gateway_reference,
        "narration": request.description,
    }


def read_started(data: dict[str, Any]) -> PaymentStarted:
    """`data` of POST /payments: a link and nothing else, not even our reference."""
    url = link(data.get("link"))
    if not url:
        raise GatewayUnknown("flutterwave's answer to a payment has no link")
    return PaymentStarted(redirect_url=url)


def read_payment(data: dict[str, Any], mode: Mode) -> PaymentSnapshot:
    """`data` of a verification or a charge. `mode` is the key's: no body tells it.

    Source: https://developer.flutterwave.com/docs/transaction-verification
    """
    state, gateway_id, currency = read_state(data), read_id(data.get("id")), data.get("currency")
    requested = read_amount(data.get("amount"), currency)
    amount = read_amount(data.get("charged_amount"), currency)
    if gateway_id is None or not amount.minor or not requested.minor:
        raise GatewayUnknown(f"flutterwave sent transaction {gateway_id!r} over {amount}")
    came = state == GatewayState.SUCCEEDED
    return PaymentSnapshot(
        state=state,
        gateway_reference=text(data.get("tx_ref")),
        gateway_id=gateway_id,
        mode=mode,
        amount=amount,
        requested=requested,
        fee=_read_fee(data, amount - requested),
        channel=_read_channel(data.get("payment_type")),
        paid_at=moment(data.get("created_at")) if came else None,  # When it was tried; no later time is told.
        failure=read_decline(data.get("processor_response")) if state == GatewayState.FAILED else None,
        saved_method=_read_method(below(data, "card")) if came else None,
    )


def read_state(data: dict[str, Any]) -> GatewayState:
    """The state of a transaction, also in a row of GET /transactions."""
    return known(PAYMENT_STATES, data.get("status"), "status")


def read_refund(data: dict[str, Any], currency: str) -> RefundSnapshot:
    """A refund of POST /transactions/{id}/refund or GET /refunds. Its currency is the transaction's, which
    it does not name. Source: https://developer.flutterwave.com/docs/refunds
    """
    status = text(data.get("status"), 80)
    word = "completed" if status.startswith(COMPLETED) else status
    return RefundSnapshot(
        state=known(REFUND_STATES, word, "refund status"),
        gateway_id=needed_id(data.get("id"), read_id),
        amount=_read_refunded(data, currency),
        note=text(data.get("comments")) or text(data.get("comment")),
    )


def read_decline(sentence: object) -> Failure:
    """Return our word for Flutterwave's `processor_response`."""
    return decline_by(sentence, DECLINES)


def message_of(body: Mapping[str, Any]) -> str:
    """Flutterwave's own sentence about an answer, fit for a log and a table."""
    return clean(body.get("message") or "", 200)


def read_id(value: object) -> str | None:
    """An id as text: a number in most answers, digits in lists. None for what is neither."""
    return number(value)


def _read_refunded(data: dict[str, Any], currency: str) -> Money:
    amount = read_amount(data.get("amount_refunded"), currency)
    if not amount.minor:
        raise GatewayUnknown("flutterwave sent a refund of nothing")
    return amount


def _read_fee(data: dict[str, Any], on_top: Money) -> Money | None:
    """What Flutterwave keeps: its own fee, and the merchant's too where the payer bore both."""
    fee, more = (_read_share(data.get(name), on_top.currency) for name in ("app_fee", "merchant_fee"))
    is_both = fee is not None and more is not None and fee + more == on_top
    return on_top if is_both else fee


def _read_share(value: object, currency: str) -> Money | None:
    """A fee may be a part of a minor unit (1.4 % of 100.50), so that it is rounded, and only that: it is
    a note of what Flutterwave keeps, and no money of ours moves by it. None for what cannot be read."""
    if isinstance(value, bool) or not FEE.fullmatch(written := str(value)[:40]):
        return None
    unit = Decimal(1).scaleb(-exponent_of(currency))
    return Money.from_major(Decimal(written).quantize(unit, ROUND_HALF_UP), currency)


def _read_channel(value: object) -> str:
    word = text(value, 30)
    return "mobile_money" if word.startswith(MOBILE_MONEY) else PAYMENT_TYPES.get(word, word)


def _read_method(card: dict[str, Any]) -> SavedMethod | None:
    token, expiry = text(card.get("token")), EXPIRY.fullmatch(text(card.get("expiry"), 5))
    if not token:
        return None
    return SavedMethod(
        token=token,
        kind="card",
        brand=text(card.get("type"), 30).lower(),
        last4=text(card.get("last_4digits"), 4),
        expires_month=f"20{expiry[2]}-{expiry[1]}" if expiry else "",
    )
