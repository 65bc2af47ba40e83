"""The emulated accounts' records, in memory and on disk."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sandbox.paystack.models import Authorization, Dispute, Refund, Transaction
from sandbox.paystack.settings import Account
from sandbox.store import Store

# Real ids passed 32 bits long ago.
FIRST_TRANSACTION_ID = 5_805_764_100
FIRST_REFUND_ID = 6_018_284_001
FIRST_DISPUTE_ID = 4_624_000_001
TABLES = {
    Transaction: "paystack.transaction",
    Authorization: "paystack.authorization",
    Refund: "paystack.refund",
    Dispute: "paystack.dispute",
}
LETTERS = string.ascii_lowercase + string.digits


class Books:
    """A reference may name several transactions: of both modes, or of a customer who paid twice."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.transactions: dict[int, Transaction] = {}
        self.authorizations: dict[str, Authorization] = {}
        self.refunds: dict[int, Refund] = {}
        self.disputes: dict[int, Dispute] = {}
        self._by_reference: dict[tuple[str, str], list[int]] = {}
        self._by_access_code: dict[str, int] = {}
        self._refunds_of: dict[int, list[int]] = {}
        self._load()

    def next_transaction_id(self) -> int:
        return FIRST_TRANSACTION_ID + len(self.transactions)

    def next_refund_id(self) -> int:
        return FIRST_REFUND_ID + len(self.refunds)

    def next_dispute_id(self) -> int:
        return FIRST_DISPUTE_ID + len(self.disputes)

    def save_transaction(self, transaction: Transaction) -> None:
        self._index(transaction)
        self._put(transaction, str(transaction.id))

    def save_authorization(self, authorization: Authorization) -> None:
        self.authorizations[authorization.code] = authorization
        self._put(authorization, authorization.code)

    def save_refund(self, refund: Refund) -> None:
        self._index_refund(refund)
        self._put(refund, str(refund.id))

    def save_dispute(self, dispute: Dispute) -> None:
        self.disputes[dispute.id] = dispute
        self._put(dispute, str(dispute.id))

    def by_reference(self, account: Account, reference: str) -> Transaction | None:
        """The latest transaction of an account with this reference."""
        found = reversed(self._by_reference.get((account.domain, reference), ()))
        return next((self.transactions[one] for one in found if account.owns(self.transactions[one])), None)

    def in_any_mode(self, reference: str) -> Transaction | None:
        """The latest one with this reference, whoever's it is; of test mode before live."""
        ids = self._by_reference.get(("test", reference)) or self._by_reference.get(("live", reference))
        return self.transactions[ids[-1]] if ids else None

    def by_access_code(self, access_code: str) -> Transaction | None:
        found = self._by_access_code.get(access_code)
        return None if found is None else self.transactions[found]

    def by_id(self, account: Account, transaction_id: int) -> Transaction | None:
        found = self.transactions.get(transaction_id)
        return found if found and account.owns(found) else None

    def refunds_of(self, transaction: Transaction) -> list[Refund]:
        return [self.refunds[refund_id] for refund_id in self._refunds_of.get(transaction.id, ())]

    def open_dispute_of(self, transaction: Transaction) -> Dispute | None:
        mine = (one for one in self.disputes.values() if one.transaction_id == transaction.id)
        return next((one for one in mine if one.outcome is None), None)

    def _load(self) -> None:
        for transaction in _read(self._store, Transaction):
            self._index(transaction)
        for authorization in _read(self._store, Authorization):
            self.authorizations[authorization.code] = authorization
        for refund in _read(self._store, Refund):
            self._index_refund(refund)
        for dispute in _read(self._store, Dispute):
            self.disputes[dispute.id] = dispute

    def _index(self, transaction: Transaction) -> None:
        if transaction.id in self.transactions:
            return
        self.transactions[transaction.id] = transaction
        self._by_reference.setdefault((transaction.domain, transaction.reference), []).append(transaction.id)
        self._by_access_code.setdefault(transaction.access_code, transaction.id)

    def _index_refund(self, refund: Refund) -> None:
        if refund.id not in self.refunds:
            self.refunds[refund.id] = refund
            self._refunds_of.setdefault(refund.transaction_id, []).append(refund.id)

    def _put(self, row: Transaction | Authorization | Refund | Dispute, key: str) -> None:
        self._store.put(TABLES[type(row)], key, asdict(row))


def random_word(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def customer_number(email: str) -> int:
    """The same customer for the same address, without a table of customers."""
    return 5_000_000_000 + int(_digest(email)[:7], 16)


def customer_code(email: str) -> str:
    return f"CUS_{_digest(email)[:15]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.lower().encode("utf-8", "replace")).hexdigest()


def _read(store: Store, kind: type[Any]) -> Iterable[Any]:
    return (kind(**row) for row in store.take(TABLES[kind]).values())
