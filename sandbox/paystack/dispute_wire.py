"""Disputes as Paystack writes them. Source: https://paystack.com/docs/payments/manage-disputes/"""

from __future__ import annotations

from sandbox.clock import iso
from sandbox.paystack import wire
from sandbox.paystack.books import Books
from sandbox.paystack.models import Dispute, Transaction
from sandbox.web import Json

DAYS_TO_ANSWER = 2
RESOLUTIONS = {"won": "declined", "lost": "merchant-accepted"}


def dispute_event(books: Books, transaction: Transaction, dispute: Dispute) -> Json:
    """`data` of charge.dispute.create and charge.dispute.resolve."""
    ended = dispute.outcome is not None
    status = "resolved" if ended else "awaiting-merchant-feedback"
    since = iso(dispute.created_at)
    return {
        "id": dispute.id,
        "refund_amount": transaction.amount,
        "currency": transaction.currency,
        "status": status,
        "resolution": RESOLUTIONS.get(dispute.outcome or ""),
        "domain": transaction.domain,
        "transaction": wire.charge_event(books, transaction),
        "transaction_reference": transaction.reference,
        "category": "chargeback",
        "customer": wire.customer(transaction.email),
        "bin": wire.CARD_NUMBER[:6],
        "last4": wire.CARD_NUMBER[-4:],
        "dueAt": iso(dispute.created_at + DAYS_TO_ANSWER * 86_400),
        "resolvedAt": since if ended else None,
        "evidence": None,
        "attachments": None,
        "note": None,
        "history": [{"status": status, "by": transaction.email, "createdAt": since}],
        "messages": [
            {"sender": transaction.email, "body": "I did not make this payment", "createdAt": since}
        ],
        "created_at": since,
        "updated_at": since,
    }
