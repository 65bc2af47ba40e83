"""The calls that tell of transactions, and the one that has a webhook sent again."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.flutterwave import fees, reading, wire
from sandbox.flutterwave.answers import accepted
from sandbox.flutterwave.books import Books
from sandbox.flutterwave.distort import distorted, with_raw_amount
from sandbox.flutterwave.errors import unknown_transaction
from sandbox.flutterwave.models import Transaction
from sandbox.flutterwave.settings import Account
from sandbox.flutterwave.webhooks import Courier
from sandbox.money import major
from sandbox.web import Call, Hits, Json, Response
from sandbox.world import World

DEFAULT_LAG_S = 60
PAGE_ROWS = 10
FILTERS = ("tx_ref", "status", "currency")


class Transactions:
    def __init__(self, world: World, books: Books, courier: Courier) -> None:
        self._world, self._books, self._courier = world, books, courier

    def verify(self, call: Call, account: Account) -> Response:
        number = call.params["id"]
        found = self._books.by_id(account.mode, int(number)) if reading.is_whole(number) else None
        return self._told([found] if found else [], call.hits)

    def verify_by_reference(self, call: Call, account: Account) -> Response:
        tries = self._books.tries(account.mode, call.request.query.get("tx_ref", ""))
        return self._told(tries, call.hits)

    def list_page(self, call: Call, account: Account) -> Response:
        query = call.request.query
        page, period = reading.read_page(query), reading.read_period(query)
        wanted = {name: query[name] for name in FILTERS if query.get(name)}
        mine = (one for one in reversed(self._books.transactions.values()) if one.mode == account.mode)
        found = [
            one
            for one in mine
            if all(getattr(one, name) == value for name, value in wanted.items())
            and period[0] <= one.created_at <= period[1]
            and self._is_visible(one)
        ]
        return paged("Transactions fetched", map(wire.listed, found), page)

    def fee(self, call: Call, account: Account) -> Response:
        query = call.request.query
        currency = reading.read_currency(query.get("currency"))
        amount = reading.read_amount(query.get("amount"), currency)
        kept = major(fees.fee(amount, currency), currency)
        data = {
            "charge_amount": major(amount, currency),
            "fee": kept,
            "merchant_fee": 0,
            "flutterwave_fee": kept,
            "stamp_duty_fee": major(fees.stamp_duty(amount, currency), currency),
            "currency": currency,
        }
        return accepted("Charged fee", data)

    def resend_hook(self, call: Call, account: Account) -> Response:
        """By `tx_ref`, as documented, or by id, as the client libraries send it."""
        named = call.params["tx_ref"]
        tries = self._books.tries(account.mode, named)
        if not tries and reading.is_whole(named):
            tries = [one for one in [self._books.by_id(account.mode, int(named))] if one]
        decided = [one for one in tries if one.status != "pending"]
        if not decided:
            raise unknown_transaction()
        self._courier.tell_charge(decided[-1])
        return accepted("hook sent successfully", "hook sent")

    def hide(self, transaction: Transaction, hits: Hits) -> None:
        """The fault `lookup_lag`: for a while nobody finds this transaction."""
        if "lookup_lag" in hits:
            transaction.hidden_until = self._world.clock.now() + lag_s(hits)
            self._books.save_transaction(transaction)

    def _told(self, tries: list[Transaction], hits: Hits) -> Response:
        """The latest try that can be seen."""
        for one in tries[-1:]:
            self.hide(one, hits)
        visible = [one for one in tries if self._is_visible(one)]
        if "wrong_account" in hits or not visible:
            raise unknown_transaction()
        data = distorted(wire.verified(visible[-1]), hits)
        return with_raw_amount(accepted("Transaction fetched successfully", data), hits)

    def _is_visible(self, transaction: Transaction) -> bool:
        return transaction.hidden_until <= self._world.clock.now()


def lag_s(hits: Hits) -> int:
    """How long the fault `lookup_lag` hides what this call makes."""
    return int(hits["lookup_lag"].get("seconds", DEFAULT_LAG_S)) if "lookup_lag" in hits else 0


def paged(message: str, rows: Iterable[Json], page: int) -> Response:
    """One page of a list, newest first as it came."""
    found = list(rows)
    pages = -(-len(found) // PAGE_ROWS)
    info = {"total": len(found), "current_page": page, "total_pages": pages}
    return accepted(message, found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], {"page_info": info})
