"""PayPal's JSON to our types and back. Pure: no network, no clock, no settings.

Source of all shapes: https://developer.paypal.com/docs/api/orders/v2/
"""

import re
from dataclasses import replace
from typing import Any

from tillgate.gateways import declines
from tillgate.gateways.answers import known, needed_id, rows_of
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.paypal import words
from tillgate.gateways.protocol import (
    ChargeRequest,
    DisputeSnapshot,
    DisputeState,
    Failure,
    GatewayState,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStarted,
    RefundSnapshot,
    RefundState,
    SavedMethod,
)
from tillgate.gateways.reading import below, clean, first, link, moment, money, shown, text
from tillgate.money import MAX_MINOR, Money, exponent_of

PAYMENT_STATES = {  # Of a capture. A word that is in no table is never guessed.
    "COMPLETED": GatewayState.SUCCEEDED,
    "PENDING": GatewayState.PROCESSING,
    "DECLINED": GatewayState.FAILED,
    "FAILED": GatewayState.FAILED,
    "PARTIALLY_REFUNDED": GatewayState.REVERSING,
    "REFUNDED": GatewayState.REVERSED,
}
ORDER_STATES = {  # COMPLETED is not here: such an order may hold a capture that was declined.
    "CREATED": GatewayState.PENDING,
    "SAVED": GatewayState.PENDING,
    "PAYER_ACTION_REQUIRED": GatewayState.PENDING,
    "APPROVED": GatewayState.APPROVED,
    "VOIDED": GatewayState.FAILED,
}
TELLING = (
    # Of an order and its captures, the one that moved money tells what became of the order.
    GatewayState.SUCCEEDED,
    GatewayState.REVERSING,
    GatewayState.REVERSED,
    GatewayState.PROCESSING,
    GatewayState.FAILED,
    GatewayState.APPROVED,
    GatewayState.PENDING,
)
REFUND_STATES = {
    "PENDING": RefundState.PENDING,
    "COMPLETED": RefundState.SUCCEEDED,
    "FAILED": RefundState.FAILED,
    "CANCELLED": RefundState.FAILED,
}
DISPUTE_STATES = {
    "OPEN": DisputeState.OPEN,
    "WAITING_FOR_SELLER_RESPONSE": DisputeState.OPEN,
    "WAITING_FOR_BUYER_RESPONSE": DisputeState.UNDER_REVIEW,
    "UNDER_REVIEW": DisputeState.UNDER_REVIEW,
    "OTHER": DisputeState.UNDER_REVIEW,
}
DISPUTE_OUTCOMES = {  # Of a dispute that is RESOLVED.
    "RESOLVED_BUYER_FAVOUR": DisputeState.LOST,
    "ACCEPTED": DisputeState.LOST,
    "RESOLVED_SELLER_FAVOUR": DisputeState.WON,
    "RESOLVED_WITH_PAYOUT": DisputeState.WON,  # PayPal pays the customer, and the merchant keeps the money.
    "CANCELED_BY_BUYER": DisputeState.WON,
    "DENIED": DisputeState.WON,
}
TAKEN = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD"
CURRENCIES = frozenset(TAKEN.split())
WHOLE_ONLY = frozenset({"HUF", "JPY", "TWD"})  # PayPal takes no decimals, though ISO 4217 has two for two.
CHANNEL = "paypal"  # Which card or balance stood behind it is between PayPal and its customer.
ID = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)
CAPTURE = re.compile(r".*/v2/payments/captures/([A-Za-z0-9_-]{1,60})", re.ASCII)
MOVED = (GatewayState.SUCCEEDED, GatewayState.REVERSING, GatewayState.REVERSED)
LONGEST_DESCRIPTION = 127
PAGE = {"user_action": "PAY_NOW", "shipping_preference": "NO_SHIPPING"}
VAULT = {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}


def takes(amount: Money) -> bool:
    """Say whether PayPal can be asked for this amount."""
    unit = 10 ** exponent_of(amount.currency) if amount.currency in WHOLE_ONLY else 1
    return amount.currency in CURRENCIES and 0 < amount.minor <= MAX_MINOR and amount.minor % unit == 0


def to_money(amount: Money) -> dict[str, str]:
    """Return `amount` as PayPal takes it: a string, with decimals only where PayPal has them. Raises
    Rejected for what it does not take."""
    if not takes(amount):
        raise Rejected(f"paypal takes no {amount}")
    major = amount.to_major
    value = str(int(major)) if amount.currency in WHOLE_ONLY else str(major)
    return {"currency_code": amount.currency, "value": value}


def read_money(data: object) -> Money:
    """Read an amount. Raises GatewayUnknown for anything that we would not ask for ourselves."""
    value, currency = below(data).get("value"), below(data).get("currency_code")
    amount = money(value, currency, CURRENCIES)
    if amount is None or not takes(amount):
        raise GatewayUnknown(f"paypal sent the amount {shown(value)} {shown(currency)}")
    return amount


def payment_request(request: PaymentRequest) -> dict[str, Any]:
    """The body of POST /v2/checkout/orders for a customer who is sent to PayPal's page."""
    page = {**PAGE, "return_url": request.return_url, "cancel_url": request.cancel_url}
    saving = {"attributes": {"vault": VAULT}} if request.save_method else {}
    return _order(request, {"experience_context": page, **saving})


def charge_request(request: ChargeRequest) -> dict[str, Any]:
    """The body of POST /v2/checkout/orders for a method that PayPal keeps."""
    return _order(request, {"vault_id": request.token})


def _order(request: PaymentRequest | ChargeRequest, wallet: dict[str, Any]) -> dict[str, Any]:
    name = request.gateway_reference
    # The invoice id is a second guard: most accounts refuse to take money twice for one.
    unit = {"custom_id": name, "invoice_id": name, "amount": to_money(request.amount)}
    # PayPal counts bytes rather than letters.
    if description := request.description.encode()[:LONGEST_DESCRIPTION].decode(errors="ignore"):
        unit["description"] = description
    return {"intent": "CAPTURE", "purchase_units": [unit], "payment_source": {"paypal": wallet}}


def read_started(order: dict[str, Any], gateway_reference: str) -> PaymentStarted:
    """`order` is the answer to POST /v2/checkout/orders; a short one names neither sum nor reference."""
    session_id = needed_id(order.get("id"), read_id)
    url = link(_link(order, "payer-action") or _link(order, "approve"))
    reference = text(_unit(order).get("custom_id")) if "purchase_units" in order else gateway_reference
    if reference != gateway_reference or not url:
        raise GatewayUnknown("paypal's answer is not the order that was asked for")
    return PaymentStarted(redirect_url=url, session_id=session_id)


def read_order(order: dict[str, Any]) -> PaymentSnapshot:
    """`order` is the answer to GET /v2/checkout/orders/{id}, or to its capture. Captures tell of money;
    the order's own status only tells how far the customer has come."""
    status, unit, session_id = order.get("status"), _unit(order), needed_id(order.get("id"), read_id)
    if order.get("intent", "CAPTURE") != "CAPTURE":
        raise GatewayUnknown(f"paypal sent an order to {shown(order.get('intent'))}")
    captures = [read_capture(row) for row in _payments(unit, "captures")]
    names = {name for name in (text(unit.get("custom_id")), *(c.gateway_reference for c in captures)) if name}
    told = captures if status == "COMPLETED" else [*captures, _open(status)]
    if len(names) > 1 or not told:
        raise GatewayUnknown("paypal sent an order that contradicts itself")
    most_telling = min(told, key=lambda snapshot: TELLING.index(snapshot.state))
    return replace(
        most_telling,
        gateway_reference=names.pop() if names else "",
        requested=read_money(unit["amount"]) if "amount" in unit else most_telling.requested,
        session_id=session_id,
        saved_method=_read_saved(order),
    )


def read_capture(capture: dict[str, Any]) -> PaymentSnapshot:
    """`capture` is the answer to GET /v2/payments/captures/{id}, or a row of an order.
    Source: https://developer.paypal.com/docs/api/payments/v2/#captures_get"""
    state = known(PAYMENT_STATES, capture.get("status"), "capture status")
    gateway_id, amount = needed_id(capture.get("id"), read_id), read_money(capture.get("amount"))
    return PaymentSnapshot(
        state=state,
        gateway_reference=text(capture.get("custom_id")),
        gateway_id=gateway_id,
        amount=amount,
        requested=amount,  # An order is captured whole.
        fee=_read_fee(capture, amount.currency),
        channel=CHANNEL,
        paid_at=moment(capture.get("create_time")) if state in MOVED else None,
        failure=_read_decline(capture) if state == GatewayState.FAILED else None,
        session_id=read_id(below(capture, "supplementary_data", "related_ids").get("order_id")),
    )


def read_refund(refund: dict[str, Any]) -> RefundSnapshot:
    """`refund` is the answer to GET /v2/payments/refunds/{id}, or a row of an order.
    Source: https://developer.paypal.com/docs/api/payments/v2/#refunds_get"""
    return RefundSnapshot(
        state=known(REFUND_STATES, refund.get("status"), "refund status"),
        gateway_id=needed_id(refund.get("id"), read_id),
        amount=read_money(refund.get("amount")),
        note=text(refund.get("invoice_id")),
    )


def read_dispute(dispute: dict[str, Any]) -> DisputeSnapshot:
    """`dispute` is a row of GET /v1/customer/disputes; of one that is RESOLVED only its own page
    (GET /v1/customer/disputes/{id}) tells for whom.
    Source: https://developer.paypal.com/docs/api/customer-disputes/v1/
    """
    status, outcome = dispute.get("status"), below(dispute, "dispute_outcome").get("outcome_code")
    table, word = (DISPUTE_OUTCOMES, outcome) if status == "RESOLVED" else (DISPUTE_STATES, status)
    state = known(table, word, "dispute status or outcome")
    return DisputeSnapshot(
        state=state,
        gateway_id=needed_id(dispute.get("dispute_id"), read_id),
        amount=read_money(dispute.get("dispute_amount")),
        reason=text(dispute.get("reason")),
        respond_by=moment(dispute.get("seller_response_due_date")) if state == DisputeState.OPEN else None,
    )


def refunds_of(order: dict[str, Any]) -> list[dict[str, Any]]:
    """The refunds of an order, newest first: PayPal lists in the order of making, and its times know no
    fractions of a second. Raises GatewayUnknown when they cannot be read."""
    rows = _payments(_unit(order), "refunds")
    return sorted(rows, key=lambda row: text(row.get("create_time")))[::-1]


def captured_of(data: dict[str, Any]) -> str | None:
    """The capture that a refund belongs to, by its link `up`; None when it points to something else."""
    match = CAPTURE.fullmatch(_link(data, "up"))
    return match[1] if match else None


def read_refusal(issue: str) -> str:
    """Return in our word why the payer was not charged; empty when it was not about the payer. Raises
    GatewayUnknown for a word that is in no table."""
    return known(words.ISSUES, issue, "a refusal that is in no table:")


def issue_of(body: dict[str, Any]) -> str:
    """The word that says what was wrong: the first detail's, else the error's own name."""
    return text(first(body, "details").get("issue")) or text(body.get("name"))


def message_of(body: dict[str, Any]) -> str:
    """PayPal's own words about a refusal, fit for a log and a table, with what its support asks for."""
    sentence = first(body, "details").get("description") or body.get("message", "")
    return clean(f"{issue_of(body)}: {sentence} (debug id {body.get('debug_id', '')})", 300)


def read_id(value: object) -> str | None:
    """An id of PayPal's; None for what is none, and would not fit into a path or a table."""
    return value if isinstance(value, str) and ID.fullmatch(value) else None


def _unit(order: dict[str, Any]) -> dict[str, Any]:
    units = rows_of(order.get("purchase_units"), "purchase units")
    if len(units) != 1:
        raise GatewayUnknown("paypal sent an order without exactly one purchase unit")
    return units[0]


def _payments(unit: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return rows_of(below(unit, "payments").get(kind, []), kind)


def _open(status: object) -> PaymentSnapshot:
    state = known(ORDER_STATES, status, "order status")
    failure = declines.decline("session_expired") if state == GatewayState.FAILED else None
    return PaymentSnapshot(state=state, gateway_reference="", failure=failure)


def _read_fee(capture: dict[str, Any], currency: str) -> Money | None:
    # Unknown while pending; and that money arrived does not depend on its fee.
    fee = below(capture, "seller_receivable_breakdown", "paypal_fee")
    return money(fee.get("value"), fee.get("currency_code"), frozenset({currency}))


def _read_decline(capture: dict[str, Any]) -> Failure:
    # The card network's code is more exact than PayPal's reason; most declines carry neither.
    code = below(capture, "processor_response").get("response_code")
    word = clean(code or below(capture, "status_details").get("reason") or "OTHER", 80)
    return declines.decline(words.REASONS[word]) if word in words.REASONS else declines.unmapped(word)


def _read_saved(order: dict[str, Any]) -> SavedMethod | None:
    vault = below(order, "payment_source", "paypal", "attributes", "vault")
    token = read_id(vault.get("id"))
    if token is None or vault.get("status") != "VAULTED":
        return None
    return SavedMethod(token=token, kind=CHANNEL)


def _link(data: dict[str, Any], rel: str) -> str:
    links = data.get("links")
    rows = map(below, links) if isinstance(links, list) else []
    return text(next((row.get("href") for row in rows if row.get("rel") == rel), ""), 2000)
