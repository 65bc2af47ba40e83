"""The emulated account's records, in memory and on disk."""

from __future__ import annotations

import hashlib
import secrets
import string
from dataclasses import asdict
from typing import Any

from sandbox.paypal.models import (
    AccessToken,
    Capture,
    Dispute,
    Order,
    PaymentToken,
    Refund,
    Reply,
    SetupToken,
)
from sandbox.store import Store

Row = Order | Capture | Refund | PaymentToken | SetupToken | Dispute | Reply | AccessToken
TABLES: dict[type[Row], str] = {
    Order: "paypal.order",
    Capture: "paypal.capture",
    Refund: "paypal.refund",
    PaymentToken: "paypal.payment_token",
    SetupToken: "paypal.setup_token",
    Dispute: "paypal.dispute",
    Reply: "paypal.reply",
    AccessToken: "paypal.access_token",
}
CAPITALS = string.ascii_uppercase + string.digits
PAYER_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
UNPAID = frozenset({"DECLINED", "FAILED"})
DEFAULT_PAYER = "buyer@sandbox.example"


class Books:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.orders: dict[str, Order] = self._load(Order)
        self.captures: dict[str, Capture] = self._load(Capture)
        self.refunds: dict[str, Refund] = self._load(Refund)
        self.payment_tokens: dict[str, PaymentToken] = self._load(PaymentToken)
        self.setup_tokens: dict[str, SetupToken] = self._load(SetupToken)
        self.disputes: dict[str, Dispute] = self._load(Dispute)
        self.replies: dict[str, Reply] = self._load(Reply)
        self.access_tokens: dict[str, AccessToken] = self._load(AccessToken)
        self._by_custom_id = {one.custom_id: one.id for one in self.orders.values() if one.custom_id}
        self._refunds_of: dict[str, list[str]] = {}
        for refund in self.refunds.values():
            self._refunds_of.setdefault(refund.capture_id, []).append(refund.id)
        self._by_invoice: dict[str, list[Capture]] = {}
        for capture in self.captures.values():
            self._index_invoice(capture)

    def save_order(self, order: Order) -> None:
        if order.custom_id and order.id not in self.orders:
            self._by_custom_id[order.custom_id] = order.id
        self.orders[order.id] = order
        self._put(order)

    def save_capture(self, capture: Capture) -> None:
        if capture.id not in self.captures:
            self._index_invoice(capture)
        self.captures[capture.id] = capture
        self._put(capture)

    def save_refund(self, refund: Refund) -> None:
        if refund.id not in self.refunds:
            self._refunds_of.setdefault(refund.capture_id, []).append(refund.id)
        self.refunds[refund.id] = refund
        self._put(refund)

    def save_payment_token(self, token: PaymentToken) -> None:
        self.payment_tokens[token.id] = token
        self._put(token)

    def save_setup_token(self, token: SetupToken) -> None:
        self.setup_tokens[token.id] = token
        self._put(token)

    def save_dispute(self, dispute: Dispute) -> None:
        self.disputes[dispute.id] = dispute
        self._put(dispute)

    def save_reply(self, reply: Reply) -> None:
        self.replies[reply.id] = reply
        self._put(reply)

    def save_access_token(self, token: AccessToken) -> None:
        self.access_tokens[token.id] = token
        self._put(token)

    def forget_reply(self, reply: Reply) -> None:
        del self.replies[reply.id]
        self._store.put(TABLES[Reply], reply.id, None)

    def forget_access_token(self, token: AccessToken) -> None:
        del self.access_tokens[token.id]
        self._store.put(TABLES[AccessToken], token.id, None)

    def by_reference(self, reference: str) -> Order | None:
        """The latest order with this custom_id; an order's own id will do too."""
        return self.orders.get(self._by_custom_id.get(reference, reference))

    def capture_of(self, order: Order) -> Capture | None:
        return self.captures.get(order.capture_id or "")

    def pending_capture_of(self, order: Order) -> Capture | None:
        capture = self.capture_of(order)
        return capture if capture and capture.status == "PENDING" else None

    def order_of(self, capture: Capture) -> Order:
        return self.orders[capture.order_id]

    def refunds_of(self, capture: Capture) -> list[Refund]:
        return [self.refunds[refund_id] for refund_id in self._refunds_of.get(capture.id, ())]

    def is_paid_invoice(self, invoice_id: str | None) -> bool:
        """Whether money was taken for this invoice, or is on its way."""
        return any(one.status not in UNPAID for one in self._by_invoice.get(invoice_id or "", ()))

    def open_dispute_of(self, capture: Capture) -> Dispute | None:
        return next((one for one in self.disputes_of(capture.id) if one.outcome is None), None)

    def disputes_of(self, capture_id: str) -> list[Dispute]:
        return [one for one in self.disputes.values() if one.capture_id == capture_id]

    def _index_invoice(self, capture: Capture) -> None:
        if capture.invoice_id:
            self._by_invoice.setdefault(capture.invoice_id, []).append(capture)

    def _load(self, kind: type[Any]) -> dict[str, Any]:
        return {key: kind(**row) for key, row in self._store.take(TABLES[kind]).items()}

    def _put(self, row: Row) -> None:
        self._store.put(TABLES[type(row)], row.id, asdict(row))


def new_id(length: int = 17) -> str:
    """An id such as PayPal gives to orders, captures and refunds."""
    return "".join(secrets.choice(CAPITALS) for _ in range(length))


def new_token_id() -> str:
    """An id such as the vault gives to payment tokens and customers."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(10))


def payer_id(email: str) -> str:
    """The same payer for the same address, without a table of payers."""
    digest = hashlib.sha256(email.lower().encode("utf-8", "replace")).digest()
    return "".join(PAYER_LETTERS[byte % len(PAYER_LETTERS)] for byte in digest[:13])
