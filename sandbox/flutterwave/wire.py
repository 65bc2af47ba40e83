"""Our records as Flutterwave writes them: major units, numeric ids here and ids as text in lists."""

from __future__ import annotations

import json
from decimal import Decimal

from sandbox.clock import iso
from sandbox.flutterwave import fees
from sandbox.flutterwave.books import customer_number
from sandbox.flutterwave.models import Refund, Transaction
from sandbox.money import major
from sandbox.web import Json

CARD_NUMBER = "5531886652142950"  # The one card everybody pays with here.
CARD = {
    "first_6digits": CARD_NUMBER[:6],
    "last_4digits": CARD_NUMBER[-4:],
    "issuer": "MASTERCARD  CREDIT",
    "country": "NIGERIA NG",
    "type": "MASTERCARD",
}
EXPIRY = "09/32"
ACCOUNT_ID, WALLET_ID, SETTLEMENT_ID = 17_321, 74_639, "NEW"
CUSTOMER_IP = "::ffff:127.0.0.1"
NO_REFERENCE = (
    "N/A"  # Their own reference is only given once the payment is decided; till then all share this.
)
EVENT_TYPES = {"card": "CARD_TRANSACTION", "bank_transfer": "BANK_TRANSFER_TRANSACTION"}


def verified(transaction: Transaction) -> Json:
    """`data` of a verification. Source: https://developer.flutterwave.com/docs/transaction-verification"""
    return {
        **_core(transaction),
        "account_id": ACCOUNT_ID,
        **_card(transaction, told_token=True),
        "meta": transaction.meta,
        "amount_settled": _settled(transaction),
        "customer": _customer(transaction),
    }


def charged(transaction: Transaction) -> Json:
    """`data` of POST /tokenized-charges. Source: https://developer.flutterwave.com/docs/tokenization"""
    customer = {**_customer(transaction), "phone_number": None}
    return {
        **_core(transaction),
        "redirect_url": NO_REFERENCE,
        "account_id": ACCOUNT_ID,
        "customer": customer,
        **_card(transaction, told_token=True),
    }


def listed(transaction: Transaction) -> Json:
    """One row of GET /transactions: ids are text here."""
    return {
        **_core(transaction),
        "id": str(transaction.id),
        "amount_settled": _settled(transaction),
        **_card(transaction, told_token=False),
        "customer_name": _name(transaction),
        "customer_email": transaction.email,
        "account_id": str(ACCOUNT_ID),
    }


def charge_event(transaction: Transaction) -> Json:
    """A webhook in the new shape; it never holds the token."""
    data = {
        **_core(transaction),
        "account_id": ACCOUNT_ID,
        "customer": _customer(transaction),
        **_card(transaction, told_token=False),
    }
    return {"event": "charge.completed", "data": data, "event.type": EVENT_TYPES[transaction.payment_type]}


def legacy_event(transaction: Transaction) -> Json:
    """The same webhook in the flat shape of older accounts."""
    since, card = iso(transaction.created_at), transaction.payment_type == "card"
    return {
        "id": transaction.id,
        "txRef": transaction.tx_ref,
        "flwRef": _flw_ref(transaction),
        "orderRef": f"URF_{transaction.id}",
        "paymentPlan": None,
        "createdAt": since,
        "amount": _major(transaction, transaction.amount),
        "charged_amount": _major(transaction, transaction.charged),
        "status": transaction.status,
        "IP": CUSTOMER_IP,
        "currency": transaction.currency,
        "appfee": _fee(transaction),
        "customer": {
            "id": customer_number(transaction.email),
            "phone": transaction.phone or None,
            "fullName": _name(transaction),
            "customertoken": None,
            "email": transaction.email,
            "createdAt": since,
            "updatedAt": since,
            "deletedAt": None,
            "AccountId": ACCOUNT_ID,
        },
        "entity": {"card6": CARD_NUMBER[:6], "card_last4": CARD_NUMBER[-4:]} if card else {},
        "event.type": EVENT_TYPES[transaction.payment_type],
    }


def created_refund(transaction: Transaction, refund: Refund) -> Json:
    """`data` of POST /transactions/{id}/refund. Source: https://developer.flutterwave.com/docs/refunds"""
    return {
        "id": refund.id,
        "account_id": ACCOUNT_ID,
        "tx_id": transaction.id,
        "flw_ref": transaction.flw_ref,
        "wallet_id": WALLET_ID,
        "amount_refunded": _major(transaction, refund.amount),
        "status": refund.status,
        "destination": "payment_source",
        "meta": {"source": "availablebalance"},
        "created_at": iso(refund.created_at),
    }


def refund_row(transaction: Transaction, refund: Refund) -> Json:
    """A refund as GET /refunds/{id} shows it; pages name the merchant's words in either number."""
    words = refund.comments or None
    return {**created_refund(transaction, refund), "comment": words, "comments": words}


def listed_refund(transaction: Transaction, refund: Refund) -> Json:
    """One row of GET /refunds: ids are text here too."""
    row = refund_row(transaction, refund)
    return {**row, **{name: str(row[name]) for name in ("id", "tx_id", "account_id", "wallet_id")}}


def refund_event(transaction: Transaction, refund: Refund) -> Json:
    """A refund's webhook: flat, without an event's name and without our reference."""
    since = iso(refund.created_at)
    return {
        "id": refund.id,
        "AmountRefunded": _major(transaction, refund.amount),
        "status": refund.status,
        "FlwRef": transaction.flw_ref,
        "destination": "payment_source",
        "comments": refund.comments or None,
        "settlement_id": SETTLEMENT_ID,
        "meta": json.dumps({"source": "availablebalance"}),
        "createdAt": since,
        "updatedAt": since,
        "walletId": WALLET_ID,
        "AccountId": ACCOUNT_ID,
        "TransactionId": transaction.id,
    }


def _core(transaction: Transaction) -> Json:
    return {
        "id": transaction.id,
        "tx_ref": transaction.tx_ref,
        "flw_ref": _flw_ref(transaction),
        "device_fingerprint": "N/A",
        "amount": _major(transaction, transaction.amount),
        "currency": transaction.currency,
        "charged_amount": _major(transaction, transaction.charged),
        "app_fee": _fee(transaction),
        "merchant_fee": Decimal(0),
        "processor_response": transaction.processor_response,
        "auth_model": transaction.auth_model,
        "ip": CUSTOMER_IP,
        "narration": transaction.narration,
        "status": transaction.status,
        "payment_type": transaction.payment_type,
        "created_at": iso(transaction.created_at),
    }


def _flw_ref(transaction: Transaction) -> str:
    return NO_REFERENCE if transaction.status == "pending" else transaction.flw_ref


def _major(transaction: Transaction, amount: int) -> Decimal:
    return major(amount, transaction.currency)


def _fee(transaction: Transaction) -> Decimal | None:
    return None if transaction.fee is None else _major(transaction, transaction.fee)


def _settled(transaction: Transaction) -> Decimal | None:
    if transaction.fee is None:
        return None
    return _major(transaction, fees.settled(transaction.charged, transaction.fee, transaction.currency))


def _card(transaction: Transaction, *, told_token: bool) -> Json:
    if transaction.payment_type != "card":
        return {}
    token = {"token": transaction.token} if told_token and transaction.status == "successful" else {}
    return {"card": {**CARD, **token, "expiry": EXPIRY}}


def _customer(transaction: Transaction) -> Json:
    return {
        "id": customer_number(transaction.email),
        "name": _name(transaction),
        "phone_number": transaction.phone or "N/A",
        "email": transaction.email,
        "created_at": iso(transaction.created_at),
    }


def _name(transaction: Transaction) -> str:
    return transaction.name or "Anonymous customer"
