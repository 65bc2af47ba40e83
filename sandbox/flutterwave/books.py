"""The emulated account's records, in memory and on disk."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sandbox.flutterwave.models import Link, Refund, Token, Transaction
from sandbox.store import Store

FIRST_TRANSACTION_ID = 5_277_036_749
FIRST_REFUND_ID = 75_924
TABLES = {
    Link: "flutterwave.link",
    Transaction: "flutterwave.transaction",
    Token: "flutterwave.token",
    Refund: "flutterwave.refund",
}
MODES = ("test", "live")
Key = tuple[str, str]


class Books:
    """A `tx_ref` may name several links and several transactions: each try of a customer is one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.links: dict[str, Link] = {}
        self.transactions: dict[int, Transaction] = {}
        self.tokens: dict[str, Token] = {}
        self.refunds: dict[int, Refund] = {}
        self._links_of: dict[Key, list[Link]] = {}
        self._tries_of: dict[Key, list[Transaction]] = {}
        self._refunds_of: dict[int, list[Refund]] = {}
        self._load()

    def next_transaction_id(self) -> int:
        return FIRST_TRANSACTION_ID + len(self.transactions)

    def next_refund_id(self) -> int:
        return FIRST_REFUND_ID + len(self.refunds)

    def save_link(self, link: Link) -> None:
        self._index_link(link)
        self._put(link, link.code)

    def save_transaction(self, transaction: Transaction) -> None:
        self._index_transaction(transaction)
        self._put(transaction, str(transaction.id))

    def save_token(self, token: Token) -> None:
        self.tokens[token.code] = token
        self._put(token, token.code)

    def save_refund(self, refund: Refund) -> None:
        self._index_refund(refund)
        self._put(refund, str(refund.id))

    def by_id(self, mode: str, transaction_id: int) -> Transaction | None:
        found = self.transactions.get(transaction_id)
        return found if found and found.mode == mode else None

    def tries(self, mode: str, tx_ref: str) -> list[Transaction]:
        """Every transaction under this reference, oldest first."""
        return self._tries_of.get((mode, tx_ref), [])

    def tries_in_any_mode(self, tx_ref: str) -> list[Transaction]:
        return [one for mode in MODES for one in self.tries(mode, tx_ref)]

    def tries_on(self, link: Link) -> list[Transaction]:
        return [one for one in self.tries(link.mode, link.tx_ref) if one.link_code == link.code]

    def link_in_any_mode(self, tx_ref: str) -> Link | None:
        """The latest link with this reference."""
        found = [link for mode in reversed(MODES) for link in self._links_of.get((mode, tx_ref), ())]
        return found[-1] if found else None

    def refunds_of(self, transaction: Transaction) -> list[Refund]:
        return self._refunds_of.get(transaction.id, [])

    def _load(self) -> None:
        for link in _read(self._store, Link):
            self._index_link(link)
        for transaction in _read(self._store, Transaction):
            self._index_transaction(transaction)
        for token in _read(self._store, Token):
            self.tokens[token.code] = token
        for refund in _read(self._store, Refund):
            self._index_refund(refund)

    def _index_link(self, link: Link) -> None:
        if link.code not in self.links:
            self.links[link.code] = link
            self._links_of.setdefault((link.mode, link.tx_ref), []).append(link)

    def _index_transaction(self, transaction: Transaction) -> None:
        if transaction.id not in self.transactions:
            self.transactions[transaction.id] = transaction
            self._tries_of.setdefault((transaction.mode, transaction.tx_ref), []).append(transaction)

    def _index_refund(self, refund: Refund) -> None:
        if refund.id not in self.refunds:
            self.refunds[refund.id] = refund
            self._refunds_of.setdefault(refund.transaction_id, []).append(refund)

    def _put(self, row: Link | Transaction | Token | Refund, key: str) -> None:
        self._store.put(TABLES[type(row)], key, asdict(row))


def random_hex(length: int) -> str:
    return secrets.token_hex(length)[:length]


def customer_number(email: str) -> int:
    """The same customer for the same address, without a table of customers."""
    return 200_000_000 + int(hashlib.sha256(email.lower().encode("utf-8", "replace")).hexdigest()[:6], 16)


def _read(store: Store, kind: type[Any]) -> Iterable[Any]:
    return (kind(**row) for row in store.take(TABLES[kind]).values())
