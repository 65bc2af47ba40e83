"""Disputes as Paystack writes them. Source: https://paystack.com/docs/payments/manage-disputes/"""

from __future__ import annotations

from sandbox.clock import iso
from sandbox.paystack import wire
from sandbox.paystack.books import Books
from sandbox.paystack.models import Dispute, Transaction
from sandbox.web import Json

DAYS_TO_ANSWER = 2
RESOLUTIONS = {"won": "declined", "lost": "merchant-accepted"}


def status_of(dispute: Dispute) -> str:
    """Paystack's word for where a dispute stands."""
    return "awaiting-merchant-feedback" if dispute.outcome is None else "resolved"


def dispute_row(books: Books, dispute: Dispute) -> Json:
    """One row of GET /dispute: times are spelled otherwise than in events, and no text is null."""
    transaction = books.transactions[dispute.transaction_id]
    row = dispute_event(books, transaction, dispute)
    texts = {"first_name": "", "last_name": "", "metadata": "", "international_format_phone": ""}
    return {
        **{name: value for name, value in row.items() if name not in ("created_at", "updated_at")},
        "transaction": {**wire.listed(books, transaction), "fees_split": None},
        "customer": {**wire.customer(transaction.email), **texts},
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def dispute_event(books: Books, transaction: Transaction, dispute: Dispute) -> Json:
    """`data` of charge.dispute.create and charge.dispute.resolve."""
    ended, status = dispute.outcome is not None, status_of(dispute)
    since, used = iso(dispute.created_at), wire.authorization(books, transaction) or {}
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
        "bin": used.get("bin"),
        "last4": used.get("last4"),
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
