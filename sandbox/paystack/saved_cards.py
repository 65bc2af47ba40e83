"""Charging a saved card, and forgetting it."""

from __future__ import annotations

from sandbox.paystack import reading, wire
from sandbox.paystack.api import Transactions, accepted, refuse_after_doing
from sandbox.paystack.books import Books
from sandbox.paystack.charging import Charging
from sandbox.paystack.distort import distorted, said_of_a_charge
from sandbox.paystack.errors import WRONG_EMAIL, invalid
from sandbox.paystack.models import Authorization, Transaction
from sandbox.paystack.settings import Account
from sandbox.web import Call, Hits, Response

REASONS = {
    "declined": "Declined",
    "expired_card": "Expired Card",
    "insufficient_funds": "Insufficient Funds",
    "do_not_honor": "Do Not Honor",
}
PAUSED = "ongoing"  # The customer has to confirm this charge on a page.
UNDECIDED = ("pending", "processing")
OUTCOMES = ("success", *REASONS, *UNDECIDED, "deactivated", "paused")


class SavedCards:
    def __init__(self, books: Books, charging: Charging, transactions: Transactions) -> None:
        self._books, self._charging, self._transactions = books, charging, transactions

    def charge(self, call: Call, account: Account) -> Response:
        body = reading.read_body(call.request)
        transaction = self._transactions.draft(body, account, call.hits)
        authorization = self._find(body.get("authorization_code"), account, transaction.email)
        outcome = self._next_outcome(authorization)
        transaction.initiated_by, transaction.channel = "merchant", authorization.channel
        transaction.authorization_code = authorization.code
        _mischarge(transaction, call.hits)
        self._transactions.remember_faults(transaction, call.hits)
        self._carry_out(transaction, _outcome_by_fault(call.hits) or outcome)
        refuse_after_doing(call.hits)
        return self._told(transaction, call.hits)

    def deactivate(self, call: Call, account: Account) -> Response:
        code = reading.read_body(call.request).get("authorization_code")
        authorization = self._known(code, account)
        authorization.active = False
        self._books.save_authorization(authorization)
        return accepted("Authorization has been deactivated")

    def _find(self, code: object, account: Account, email: str) -> Authorization:
        authorization = self._known(code, account)
        usable = authorization.active and authorization.reusable
        if not usable or authorization.email.lower() != email.lower():
            raise invalid(WRONG_EMAIL)
        return authorization

    def _known(self, code: object, account: Account) -> Authorization:
        found = self._books.authorizations.get(code) if isinstance(code, str) else None
        if found is None or not account.owns(found):
            raise invalid("Authorization code is invalid")
        return found

    def _next_outcome(self, authorization: Authorization) -> str:
        if not authorization.next:
            return "success"
        outcome = authorization.next.pop(0)
        authorization.active = outcome != "deactivated"
        self._books.save_authorization(authorization)
        if outcome == "deactivated":
            raise invalid(WRONG_EMAIL)
        return outcome

    def _carry_out(self, transaction: Transaction, outcome: str) -> None:
        if outcome in REASONS:
            self._charging.fail(transaction, REASONS[outcome])
        elif outcome in UNDECIDED:
            self._charging.wait(transaction, status=outcome, channel=transaction.channel)
        elif outcome == "paused":
            transaction.status = PAUSED
            self._books.save_transaction(transaction)
        else:
            self._charging.succeed(transaction)

    def _told(self, transaction: Transaction, hits: Hits) -> Response:
        if transaction.status == PAUSED:
            session = self._transactions.session(transaction)
            return accepted(
                "Please, redirect your customer to the authorization url provided",
                {**session, "paused": True},
            )
        data = wire.charged(self._books, transaction)
        return accepted("Charge attempted", distorted(data, said_of_a_charge(hits)))


def _outcome_by_fault(hits: Hits) -> str | None:
    if "decline" in hits:
        return "declined"
    return "pending" if "pending" in hits else None


def _mischarge(transaction: Transaction, hits: Hits) -> None:
    """Charge another amount or currency than asked for, in earnest."""
    if "wrong_amount" in hits:
        transaction.amount = hits["wrong_amount"].get("amount_minor", transaction.amount * 100)
    if "wrong_currency" in hits:
        wanted = hits["wrong_currency"].get("currency", "NGN" if transaction.currency != "NGN" else "GHS")
        transaction.currency = wanted
