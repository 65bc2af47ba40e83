"""The list of disputes of Paystack's API. They are opened and ended by `POST /control/dispute`."""

from __future__ import annotations

from sandbox.paystack import reading
from sandbox.paystack.api import accepted
from sandbox.paystack.books import Books
from sandbox.paystack.dispute_wire import dispute_row, status_of
from sandbox.paystack.errors import invalid
from sandbox.paystack.models import Dispute
from sandbox.paystack.settings import Account
from sandbox.web import Call, Json, Response


class Disputes:
    def __init__(self, books: Books) -> None:
        self._books = books

    def list_page(self, call: Call, account: Account) -> Response:
        """Newest first. Source: https://paystack.com/docs/api/dispute/#list"""
        query = call.request.query
        per_page, page = reading.read_page(query)
        found = self._filtered(account, query)
        start = (page - 1) * per_page
        meta: Json = {
            "total": len(found),
            "skipped": start,
            "perPage": per_page,
            "page": page,
            "pageCount": -(-len(found) // per_page),
        }
        rows = [dispute_row(self._books, one) for one in found[start : start + per_page]]
        return accepted("Disputes retrieved", rows, meta)

    def _filtered(self, account: Account, query: dict[str, str]) -> list[Dispute]:
        wanted, status = query.get("transaction", ""), query.get("status", "")
        if wanted and not reading.is_whole(wanted):
            raise invalid("transaction must be the numeric id of a transaction")
        disputes = reversed(self._books.disputes.values())
        mine = (one for one in disputes if self._books.by_id(account, one.transaction_id))
        return [
            one for one in mine if wanted in ("", str(one.transaction_id)) and status in ("", status_of(one))
        ]
