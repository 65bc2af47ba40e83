"""Our records as Paystack writes them, traps included: `card_type` ends in a blank, `paidAt` repeats."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.clock import iso, iso_or_none
from sandbox.paystack.books import Books, customer_code, customer_number
from sandbox.paystack.models import Authorization, Refund, Transaction
from sandbox.web import Json

CARD_BIN = "408408"
INTEGRATION = 100_043
CUSTOMER_IP = "127.0.0.1"
MERCHANT_EMAIL = "merchant@sandbox.example"


def verified(books: Books, transaction: Transaction) -> Json:
    """`data` of GET /transaction/verify/{reference}. Source: https://paystack.com/docs/api/transaction/#verify"""
    return {
        **_core(transaction),
        "metadata": transaction.metadata,
        "receipt_number": None,
        "fees_split": None,
        "authorization": authorization(books, transaction) or {},
        "customer": {**customer(transaction.email), "international_format_phone": None},
        "plan": None,
        "split": {},
        "order_id": None,
        "paidAt": iso_or_none(transaction.paid_at),
        "createdAt": iso(transaction.created_at),
        "requested_amount": transaction.requested_amount,
        "pos_transaction_data": None,
        "source": None,
        "fees_breakdown": None,
        "connect": None,
        "transaction_date": iso(transaction.created_at),
        "plan_object": {},
        "subaccount": {},
    }


def fetched(books: Books, transaction: Transaction) -> Json:
    """`data` of GET /transaction/{id}."""
    source = {"type": "api", "source": "merchant_api", "identifier": None}
    return {**verified(books, transaction), "plan": {}, "helpdesk_link": None, "source": source}


def listed(books: Books, transaction: Transaction) -> Json:
    """One row of GET /transaction: here nothing paid is an object of nulls, and no metadata is null."""
    row = verified(books, transaction)
    return {
        **row,
        "metadata": transaction.metadata or None,
        "authorization": row["authorization"] or _no_authorization(),
        "plan": {},
    }


def charged(books: Books, transaction: Transaction) -> Json:
    """`data` of POST /transaction/charge_authorization."""
    names = (
        "amount",
        "currency",
        "status",
        "reference",
        "domain",
        "gateway_response",
        "message",
        "channel",
        "fees",
        "id",
    )
    core = _core(transaction)
    return {
        **{name: core[name] for name in names},
        "transaction_date": iso(transaction.created_at),
        "metadata": transaction.metadata,
        "ip_address": None,
        "log": None,
        "authorization": authorization(books, transaction) or {},
        "customer": {**customer(transaction.email), "international_format_phone": None},
        "plan": None,
    }


def charge_event(books: Books, transaction: Transaction) -> Json:
    """`data` of charge.success: no metadata is 0 here, and there is no `paidAt`."""
    return {
        **_core(transaction),
        "metadata": transaction.metadata or 0,
        "customer": customer(transaction.email),
        "authorization": authorization(books, transaction) or {},
        "plan": {},
        "requested_amount": transaction.requested_amount,
    }


def customer(email: str) -> Json:
    return {
        "id": customer_number(email),
        "first_name": None,
        "last_name": None,
        "email": email,
        "customer_code": customer_code(email),
        "phone": None,
        "metadata": None,
        "risk_action": "default",
    }


def authorization(books: Books, transaction: Transaction) -> Json | None:
    """The means of payment a transaction used; None while nobody has paid."""
    if transaction.authorization_code is None:
        return None
    used = books.authorizations[transaction.authorization_code]
    return _card(used) if used.channel == "card" else _transfer(used)


def created_refund(transaction: Transaction, refund: Refund) -> Json:
    """`data` of POST /refund, which repeats the transaction. Source: https://paystack.com/docs/api/refund/#create"""
    return {
        "transaction": _refunded_transaction(transaction),
        "integration": INTEGRATION,
        "deducted_amount": 0,
        "channel": None,
        "merchant_note": refund.merchant_note,
        "customer_note": refund.customer_note,
        "status": refund.status,
        "refunded_by": MERCHANT_EMAIL,
        "expected_at": iso(refund.created_at + 30),
        "currency": transaction.currency,
        "domain": refund.domain,
        "amount": refund.amount,
        "fully_deducted": False,
        "id": refund.id,
        "createdAt": iso(refund.created_at),
        "updatedAt": iso(refund.created_at),
    }


def refund_row(transaction: Transaction, refund: Refund) -> Json:
    """A refund as GET /refund and GET /refund/{id} show it."""
    texts = {"first_name": "", "last_name": "", "phone": "", "metadata": "", "international_format_phone": ""}
    row = created_refund(transaction, refund)
    for name in ("channel", "expected_at", "updatedAt"):
        del row[name]
    return {
        **row,
        "transaction": transaction.id,
        "dispute": None,
        "settlement": None,
        "refunded_at": iso_or_none(refund.refunded_at),
        "fully_deducted": 0,
        "bank_reference": None,
        "transaction_reference": transaction.reference,
        "reason": "REFUND",
        "customer": {**customer(transaction.email), **texts},
        "refund_type": "full" if refund.amount == transaction.amount else "partial",
        "transaction_amount": transaction.amount,
        "initiated_by": MERCHANT_EMAIL,
        "refund_channel": "MIGS",
        "session_id": None,
        "collect_account_number": False,
    }


def refund_event(transaction: Transaction, refund: Refund) -> Json:
    """`data` of refund.*: the amount is text and there is no id."""
    return {
        "status": refund.status,
        "transaction_reference": transaction.reference,
        "refund_reference": None if refund.status == "pending" else f"RF{refund.id}",
        "amount": str(refund.amount),
        "currency": transaction.currency,
        "processor": "instant-transfer" if transaction.channel == "bank_transfer" else "mpgs_zen",
        "customer": {"first_name": None, "last_name": None, "email": transaction.email},
        "integration": INTEGRATION,
        "domain": transaction.domain,
    }


def _core(transaction: Transaction) -> Json:
    return {
        "id": transaction.id,
        "domain": transaction.domain,
        "status": transaction.status,
        "reference": transaction.reference,
        "amount": transaction.amount,
        "message": transaction.message,
        "gateway_response": transaction.gateway_response,
        "paid_at": iso_or_none(transaction.paid_at),
        "created_at": iso(transaction.created_at),
        "channel": transaction.channel,
        "currency": transaction.currency,
        "ip_address": CUSTOMER_IP,
        "log": None,
        "fees": transaction.fees,
    }


def _card(used: Authorization) -> Json:
    return {
        "authorization_code": used.code,
        "bin": CARD_BIN,
        "last4": used.last4,
        "exp_month": "12",
        "exp_year": "2030",
        "channel": "card",
        "card_type": "visa ",
        "bank": "TEST BANK",
        "country_code": "NG",
        "brand": "visa",
        "reusable": used.reusable,  # A snapshot: it stays true after deactivation.
        "signature": _signature(used),
        "account_name": None,
        "receiver_bank_account_number": None,
        "receiver_bank": None,
    }


def _signature(used: Authorization) -> str:
    """The same for one card, whoever pays by it and however often."""
    return f"SIG_{hashlib.sha256(f'{CARD_BIN} {used.last4}'.encode()).hexdigest()[:20]}"


def _transfer(used: Authorization) -> Json:
    by_transfer = {"bin": "008XXX", "last4": "X553", "channel": used.channel, "card_type": "transfer"}
    return {**_card(used), **by_transfer, "brand": "Managed Account", "signature": None}


def _no_authorization() -> Json:
    blank: dict[str, Any] = dict.fromkeys(
        _card(Authorization(code="", domain="", email="", channel="", reusable=False, next=[]))
    )
    return {**blank, "reusable": False}


def _refunded_transaction(transaction: Transaction) -> Json:
    return {
        "id": transaction.id,
        "domain": transaction.domain,
        "reference": transaction.reference,
        "amount": transaction.amount,
        "paid_at": iso_or_none(transaction.paid_at),
        "channel": transaction.channel,
        "currency": transaction.currency,
        "authorization": {"exp_month": None, "exp_year": None, "account_name": None},
        "customer": {"international_format_phone": None},
        "plan": {},
        "subaccount": {"currency": None},
        "split": {},
        "order_id": None,
        "paidAt": iso_or_none(transaction.paid_at),
        "pos_transaction_data": None,
        "source": None,
        "fees_breakdown": None,
    }
