"""Charging a card by its token, without the customer."""

from __future__ import annotations

from datetime import timedelta

from sandbox.flutterwave import reading, wire
from sandbox.flutterwave.answers import accepted
from sandbox.flutterwave.books import Books
from sandbox.flutterwave.charging import Charging
from sandbox.flutterwave.distort import distorted, other_currency, said_of_a_charge
from sandbox.flutterwave.errors import ApiError, duplicate_reference
from sandbox.flutterwave.models import Order, Token, Transaction
from sandbox.flutterwave.payments import Payments
from sandbox.flutterwave.settings import Account
from sandbox.flutterwave.transactions import Transactions
from sandbox.web import Call, Hits, Json, Response
from sandbox.world import World

REASONS = {
    "declined": "Transaction declined",
    "expired_card": "Expired Card",
    "insufficient_funds": "Insufficient Funds",
    "do_not_honor": "Do Not Honor",
}
OUTCOMES = ("success", *REASONS, "pending", "deactivated", "paused")
TOKEN_LIFE_S = timedelta(days=365).total_seconds()
MESSAGES = {"successful": "Charge successful", "failed": "Charge failed", "pending": "Charge initiated"}


class SavedCards:
    def __init__(
        self, world: World, books: Books, charging: Charging, payments: Payments, transactions: Transactions
    ) -> None:
        self._world, self._books, self._charging = world, books, charging
        self._payments, self._transactions = payments, transactions

    def charge(self, call: Call, account: Account) -> Response:
        body = reading.read_body(call.request)
        order = reading.read_charge_order(body, account)
        redirect_url = reading.read_url(body, "redirect_url") if body.get("redirect_url") else ""
        token = self._find(body.get("token"), order)
        self._check_reference(order, call.hits)
        outcome = self._next_outcome(token)
        transaction = self._draft(order, token, call.hits)
        transaction.narration = reading.read_text(body, "narration") or transaction.narration
        self._carry_out(transaction, _outcome_by_fault(call.hits) or outcome)
        if "dup_ref_error" in call.hits:
            raise duplicate_reference()  # It is done; this is the answer that a repeat would get.
        confirm = outcome == "paused" and transaction.status == "pending"
        return self._told(transaction, call.hits, self._page(transaction, redirect_url) if confirm else None)

    def _find(self, code: object, order: Order) -> Token:
        token = self._books.tokens.get(code) if isinstance(code, str) else None
        if token is None or token.mode != order.mode or not token.active:
            raise ApiError("Invalid token")
        if token.email.lower() != order.email.lower():
            raise ApiError("Wrong token or email passed")
        if self._world.clock.now() > token.created_at + TOKEN_LIFE_S:
            raise ApiError("Token has expired")
        return token

    def _check_reference(self, order: Order, hits: Hits) -> None:
        if self._books.tries(order.mode, order.tx_ref) and "ignore_key" not in hits:
            raise duplicate_reference()

    def _next_outcome(self, token: Token) -> str:
        if not token.next:
            return "success"
        outcome = token.next.pop(0)
        token.active = outcome != "deactivated"
        self._books.save_token(token)
        if outcome == "deactivated":
            raise ApiError("Invalid token")
        return outcome

    def _draft(self, order: Order, token: Token, hits: Hits) -> Transaction:
        """The charge as it is really made: a fault may give it another amount or currency."""
        transaction = self._charging.draft(order)
        transaction.initiated_by, transaction.auth_model = "merchant", "noauth"
        transaction.token = token.code
        if "wrong_amount" in hits:
            wrong = hits["wrong_amount"].get("amount_minor", transaction.amount * 100)
            transaction.amount = transaction.charged = wrong
        if "wrong_currency" in hits:
            transaction.currency = other_currency(transaction.currency, hits["wrong_currency"])
        self._transactions.hide(transaction, hits)
        return transaction

    def _carry_out(self, transaction: Transaction, outcome: str) -> None:
        if outcome in REASONS:
            self._charging.fail(transaction, REASONS[outcome])
        elif outcome == "pending":
            self._charging.wait(transaction, payment_type="card")
        elif outcome == "paused":
            self._books.save_transaction(transaction)
        else:
            self._charging.succeed(transaction)

    def _page(self, transaction: Transaction, redirect_url: str) -> Json:
        link = self._payments.confirm(transaction, redirect_url)
        return {"authorization": {"mode": "redirect", "redirect": self._payments.address(link)}}

    def _told(self, transaction: Transaction, hits: Hits, meta: Json | None) -> Response:
        data = distorted(wire.charged(transaction), said_of_a_charge(hits))
        return accepted(MESSAGES[transaction.status], data, meta)


def _outcome_by_fault(hits: Hits) -> str | None:
    if "decline" in hits:
        return "declined"
    return "pending" if "pending" in hits else None
