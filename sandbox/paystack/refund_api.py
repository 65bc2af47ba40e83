"""The refund calls of Paystack's API. There is no key against repeats: each call is another refund."""

from __future__ import annotations

from sandbox.paystack import reading, wire
from sandbox.paystack.api import accepted
from sandbox.paystack.books import Books
from sandbox.paystack.errors import ApiError, invalid, unknown_transaction
from sandbox.paystack.models import Refund, Transaction
from sandbox.paystack.refunding import PROCESSED_AFTER_S, Refunding
from sandbox.paystack.settings import Account
from sandbox.web import Call, Hits, Json, Response


class Refunds:
    def __init__(self, books: Books, refunding: Refunding) -> None:
        self._books, self._refunding = books, refunding

    def create(self, call: Call, account: Account) -> Response:
        body = reading.read_body(call.request)
        transaction = self._transaction(body.get("transaction"), account)
        amount = reading.read_amount(body) if body.get("amount") is not None else None
        currency = reading.read_text(body, "currency", default=transaction.currency)
        if currency != transaction.currency:
            raise ApiError("Transaction currency must match refund currency", "invalid_currency")
        notes = reading.read_text(body, "customer_note"), reading.read_text(body, "merchant_note")
        refund = self._refunding.create(transaction, amount, notes)
        self._plan_end(refund, call.hits)
        return accepted("Refund has been queued for processing", wire.created_refund(transaction, refund))

    def fetch(self, call: Call, account: Account) -> Response:
        number = call.params["id"]
        refund = self._books.refunds.get(int(number)) if reading.is_whole(number) else None
        if refund is None or not account.owns(refund):
            raise ApiError("Refund not found", "refund_not_found", status=404)
        return accepted("Refund retrieved", self._row(refund))

    def list_page(self, call: Call, account: Account) -> Response:
        query = call.request.query
        per_page, page = reading.read_page(query)
        found = self._filtered(account, query)
        start = (page - 1) * per_page
        meta: Json = {
            "total": len(found),
            "skipped": start,
            "perPage": str(per_page),  # Text here, a number in the list of transactions.
            "page": page,
            "pageCount": -(-len(found) // per_page),
            "failedRefundCount": sum(refund.status == "failed" for refund in found),
        }
        return accepted(
            "Refunds retrieved", [self._row(one) for one in found[start : start + per_page]], meta
        )

    def _filtered(self, account: Account, query: dict[str, str]) -> list[Refund]:
        wanted = query.get("transaction", "")
        if wanted and not reading.is_whole(wanted):
            raise invalid("transaction must be the numeric id of a transaction")
        mine = (one for one in reversed(self._books.refunds.values()) if account.owns(one))
        return [one for one in mine if wanted in ("", str(one.transaction_id))]

    def _row(self, refund: Refund) -> Json:
        return wire.refund_row(self._books.transactions[refund.transaction_id], refund)

    def _transaction(self, named: object, account: Account) -> Transaction:
        """By numeric id, else by reference."""
        if isinstance(named, bool) or not isinstance(named, int | str):
            raise invalid("transaction is required")
        text = str(named)
        by_id = self._books.by_id(account, int(text)) if reading.is_whole(text) else None
        found = by_id or self._books.by_reference(account, text)
        if found is None:
            raise unknown_transaction()
        return found

    def _plan_end(self, refund: Refund, hits: Hits) -> None:
        if "pending" in hits:
            return  # Until somebody ends it with POST /control/refund and its id.
        ends_as = "failed" if "decline" in hits else "processed"
        after_s = hits.get("decline", {}).get("after_s", PROCESSED_AFTER_S)
        self._refunding.end_later(refund, ends_as, after_s=after_s)
