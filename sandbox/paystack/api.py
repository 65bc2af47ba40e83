"""The transaction calls of Paystack's API. `status: true` only ever means that the call was accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sandbox.clock import read_iso
from sandbox.paystack import reading, wire
from sandbox.paystack.books import Books, customer_number, random_word
from sandbox.paystack.charging import Charging
from sandbox.paystack.distort import distorted, with_raw_amount
from sandbox.paystack.errors import duplicate_reference, invalid, unknown_transaction
from sandbox.paystack.models import Transaction
from sandbox.paystack.settings import Account
from sandbox.web import Call, Hits, Json, Response, json_response
from sandbox.world import World

Writer = Callable[[Books, Transaction], Json]
DEFAULT_LAG_S = 60
DEFAULT_REVERSAL_S = 3_600


class Transactions:
    def __init__(self, world: World, books: Books, charging: Charging) -> None:
        self._world, self._books, self._charging = world, books, charging

    def initialize(self, call: Call, account: Account) -> Response:
        body = reading.read_body(call.request)
        transaction = self.draft(body, account, call.hits)
        transaction.callback_url = reading.read_callback_url(body)
        transaction.channels = reading.read_channels(body)
        if body.get("plan"):
            raise invalid("Plan not found", "plan_not_found")
        self._books.save_transaction(transaction)
        self.remember_faults(transaction, call.hits)
        refuse_after_doing(call.hits)
        return accepted("Authorization URL created", self.session(transaction))

    def session(self, transaction: Transaction) -> Json:
        """Where the customer pays; only ever told in the answer that opens the session."""
        return {
            "authorization_url": f"{self._world.base_url}/paystack/checkout/{transaction.access_code}",
            "access_code": transaction.access_code,
            "reference": transaction.reference,
        }

    def verify(self, call: Call, account: Account) -> Response:
        transaction = self._visible(self._books.by_reference(account, call.params["reference"]))
        return self._told(transaction, wire.verified, call.hits)

    def fetch(self, call: Call, account: Account) -> Response:
        number = call.params["id"]
        found = self._books.by_id(account, int(number)) if reading.is_whole(number) else None
        return self._told(self._visible(found), wire.fetched, call.hits)

    def list_page(self, call: Call, account: Account) -> Response:
        query = call.request.query
        per_page, page = reading.read_page(query)
        mine = (one for one in reversed(self._books.transactions.values()) if account.owns(one))
        found = [one for one in _filtered(mine, query) if self._is_visible(one)]
        start = (page - 1) * per_page
        meta = {
            "total": len(found),
            "total_volume": sum(one.amount for one in found),
            "skipped": start,
            "perPage": per_page,
            "page": page,
            "pageCount": -(-len(found) // per_page),
        }
        rows = [wire.listed(self._books, one) for one in found[start : start + per_page]]
        return accepted("Transactions retrieved", rows, meta)

    def draft(self, body: Json, account: Account, hits: Hits) -> Transaction:
        """A new transaction from a request, not yet saved. Raises ApiError, also for a used reference."""
        email, amount, currency = (
            reading.read_email(body),
            reading.read_amount(body),
            reading.read_currency(body),
        )
        reference = reading.read_reference(body) or random_word(10)
        if self._books.by_reference(account, reference) and "ignore_key" not in hits:
            raise duplicate_reference()
        return Transaction(
            id=self._books.next_transaction_id(),
            domain=account.domain,
            business=account.business,
            key_name=account.key_name,
            reference=reference,
            access_code=random_word(15),
            email=email,
            amount=amount,
            requested_amount=amount,
            currency=currency,
            metadata=reading.read_metadata(body),
            callback_url="",
            created_at=self._world.clock.now(),
        )

    def remember_faults(self, transaction: Transaction, hits: Hits) -> None:
        """Keep on the transaction the faults that work later than the call they struck."""
        if "lookup_lag" in hits:
            seconds = hits["lookup_lag"].get("seconds", DEFAULT_LAG_S)
            transaction.hidden_until = self._world.clock.now() + seconds
            self._books.save_transaction(transaction)
        if "then_reverse" in hits and transaction.reverse_after_s is None:
            after_s = hits["then_reverse"].get("after_s", DEFAULT_REVERSAL_S)
            self._charging.reverse_later(transaction, after_s=after_s)

    def _told(self, transaction: Transaction, write: Writer, hits: Hits) -> Response:
        self.remember_faults(transaction, hits)
        if "wrong_account" in hits or not self._is_visible(transaction):
            raise unknown_transaction()
        data = distorted(write(self._books, transaction), hits)
        return with_raw_amount(accepted("Verification successful", data), hits)

    def _visible(self, transaction: Transaction | None) -> Transaction:
        if transaction is None or not self._is_visible(transaction):
            raise unknown_transaction()
        return transaction

    def _is_visible(self, transaction: Transaction) -> bool:
        return transaction.hidden_until <= self._world.clock.now()


def accepted(message: str, data: object = None, meta: Json | None = None) -> Response:
    body: Json = {"status": True, "message": message}
    if data is not None:
        body["data"] = data
    return json_response(body if meta is None else {**body, "meta": meta})


def refuse_after_doing(hits: Hits) -> None:
    """The fault `dup_ref_error`: the thing is done, yet the answer is the one a repeat would get."""
    if "dup_ref_error" in hits:
        raise duplicate_reference()


def _filtered(transactions: Iterable[Transaction], query: dict[str, str]) -> Iterable[Transaction]:
    wanted = {
        name: query[name]
        for name in ("status", "channel", "currency", "reference", "amount")
        if name in query
    }
    since, until = _moment(query, "from"), _moment(query, "to")
    customer = query.get("customer", "")
    for one in transactions:
        same = all(str(getattr(one, name)) == value for name, value in wanted.items())
        in_time = (since is None or one.created_at >= since) and (until is None or one.created_at <= until)
        if same and in_time and customer in ("", str(customer_number(one.email))):
            yield one


def _moment(query: dict[str, str], name: str) -> float | None:
    try:
        return read_iso(query[name]) if query.get(name) else None
    except (ValueError, OverflowError):
        raise invalid(f"{name} must be a date such as 2026-01-31T00:00:00.000Z") from None
