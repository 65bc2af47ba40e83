"""Disputes as PayPal writes them. Source: PayPal's OpenAPI file, customer disputes v1."""

from __future__ import annotations

from sandbox.paypal.books import Books
from sandbox.paypal.currencies import money
from sandbox.paypal.models import Capture, Dispute
from sandbox.paypal.wire import MERCHANT, Writer, moment
from sandbox.web import Json

DAYS_TO_ANSWER = 10
STATES = {
    "WAITING_FOR_SELLER_RESPONSE": "REQUIRED_ACTION",
    "UNDER_REVIEW": "UNDER_PAYPAL_REVIEW",
    "RESOLVED": "RESOLVED",
}
OUTCOMES = {"won": "RESOLVED_SELLER_FAVOUR", "lost": "RESOLVED_BUYER_FAVOUR"}


def dispute_row(books: Books, writer: Writer, dispute: Dispute) -> Json:
    """One row of GET /v1/customer/disputes."""
    capture = books.captures[dispute.capture_id]
    due = {"seller_response_due_date": moment(dispute.created_at + DAYS_TO_ANSWER * 86_400)}
    return {
        "dispute_id": dispute.id,
        "create_time": moment(dispute.created_at),
        "update_time": moment(dispute.updated_at),
        "reason": "UNAUTHORISED",
        "status": dispute.status,
        "dispute_state": STATES[dispute.status],
        "dispute_amount": money(capture.amount, capture.currency),
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_channel": "EXTERNAL",
        **({} if dispute.outcome else due),
        "links": [writer.link("self", f"/v1/customer/disputes/{dispute.id}")],
    }


def whole_dispute(books: Books, writer: Writer, dispute: Dispute) -> Json:
    """GET /v1/customer/disputes/{id}, and the resource of the events."""
    capture = books.captures[dispute.capture_id]
    row = dispute_row(books, writer, dispute)
    del row["dispute_state"]
    return {
        **row,
        "disputed_transactions": [_transaction(books, capture)],
        **(_outcome(capture, dispute.outcome) if dispute.outcome else {}),
    }


def _transaction(books: Books, capture: Capture) -> Json:
    custom_id = books.order_of(capture).custom_id
    return {
        "seller_transaction_id": capture.id,
        "create_time": moment(capture.created_at),
        "transaction_status": capture.status,
        "gross_amount": money(capture.amount, capture.currency),
        **({"custom": custom_id} if custom_id else {}),
        "seller": {"email": MERCHANT["email_address"], "merchant_id": MERCHANT["merchant_id"]},
    }


def _outcome(capture: Capture, outcome: str) -> Json:
    refunded = capture.amount if outcome == "lost" else 0
    amount = money(refunded, capture.currency)
    return {"dispute_outcome": {"outcome_code": OUTCOMES[outcome], "amount_refunded": amount}}
