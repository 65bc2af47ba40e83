"""The refund calls of Flutterwave's API. There is no key against repeats: each call is another refund."""

from __future__ import annotations

from sandbox.flutterwave import reading, wire
from sandbox.flutterwave.answers import accepted
from sandbox.flutterwave.books import Books
from sandbox.flutterwave.errors import ApiError, unknown_transaction
from sandbox.flutterwave.models import Refund
from sandbox.flutterwave.refunding import COMPLETED_AFTER_S, Refunding
from sandbox.flutterwave.settings import Account
from sandbox.flutterwave.transactions import paged
from sandbox.web import Call, Hits, Response


class Refunds:
    def __init__(self, books: Books, refunding: Refunding) -> None:
        self._books, self._refunding = books, refunding

    def create(self, call: Call, account: Account) -> Response:
        """By the transaction's numeric id, never by its reference."""
        number = call.params["id"]
        transaction = self._books.by_id(account.mode, int(number)) if reading.is_whole(number) else None
        if transaction is None:
            raise unknown_transaction()
        body = reading.read_body(call.request)
        named = body.get("amount")
        amount = None if named is None else reading.read_amount(named, transaction.currency)
        refund = self._refunding.create(transaction, amount, reading.read_text(body, "comments"))
        self._plan_end(refund, call.hits)
        return accepted("Transaction refund initiated", wire.created_refund(transaction, refund))

    def fetch(self, call: Call, account: Account) -> Response:
        number = call.params["id"]
        refund = self._books.refunds.get(int(number)) if reading.is_whole(number) else None
        if refund is None or refund.mode != account.mode:
            raise ApiError("No refund was found for this id")
        transaction = self._books.transactions[refund.transaction_id]
        return accepted("Refund fetched", wire.refund_row(transaction, refund))

    def list_page(self, call: Call, account: Account) -> Response:
        query = call.request.query
        page, period = reading.read_page(query), reading.read_period(query)
        mine = (one for one in reversed(self._books.refunds.values()) if one.mode == account.mode)
        found = [one for one in mine if period[0] <= one.created_at <= period[1]]
        rows = (wire.listed_refund(self._books.transactions[one.transaction_id], one) for one in found)
        return paged("Refunds fetched", rows, page)

    def _plan_end(self, refund: Refund, hits: Hits) -> None:
        if "pending" in hits:
            return  # Until somebody ends it with POST /control/refund and its id.
        outcome = "failed" if "decline" in hits else "completed"
        after_s = hits.get("decline", {}).get("after_s", COMPLETED_AFTER_S)
        self._refunding.end_later(refund, outcome, after_s=after_s)
