"""Money going back."""

from __future__ import annotations

from sandbox.flutterwave.books import Books
from sandbox.flutterwave.charging import Charging
from sandbox.flutterwave.errors import ApiError
from sandbox.flutterwave.models import Refund, Transaction
from sandbox.flutterwave.webhooks import Courier
from sandbox.world import World

COMPLETED_AFTER_S = 30
# The word for done names the way the money took, and there are more such ways.
COMPLETED = {"card": "completed", "bank_transfer": "completed-bank-transfer"}


class Refunding:
    def __init__(self, world: World, books: Books, courier: Courier, charging: Charging) -> None:
        self._world, self._books, self._courier, self._charging = world, books, courier, charging

    def create(self, transaction: Transaction, amount: int | None, comments: str = "") -> Refund:
        """Begin a refund; without an amount, of all that was charged. Raises ApiError."""
        amount = transaction.charged if amount is None else amount
        self._check(transaction, amount)
        refund = Refund(
            id=self._books.next_refund_id(),
            transaction_id=transaction.id,
            mode=transaction.mode,
            amount=amount,
            status="pending",
            comments=comments,
            created_at=self._world.clock.now(),
            ends_as=None,
        )
        self._books.save_refund(refund)
        return refund

    def end_later(self, refund: Refund, outcome: str, *, after_s: float = COMPLETED_AFTER_S) -> None:
        refund.ends_as = outcome
        self._books.save_refund(refund)
        self._world.schedule("flutterwave", "end_refund", str(refund.id), after_s=after_s)

    def end(self, refund: Refund, outcome: str) -> None:
        """Bring a refund that is under way to its end: `completed` or `failed`."""
        if refund.status != "pending":
            return
        transaction, ok = self._books.transactions[refund.transaction_id], outcome == "completed"
        refund.status = COMPLETED[transaction.payment_type] if ok else "failed"
        refund.ends_as = None
        self._books.save_refund(refund)
        self._charging.record(transaction, kind="refund", ok=ok, amount=refund.amount, by="merchant")
        self._courier.tell_refund(transaction, refund)

    def run_due(self, refund: Refund) -> None:
        if refund.ends_as:
            self.end(refund, refund.ends_as)

    def _check(self, transaction: Transaction, amount: int) -> None:
        if transaction.status != "successful":
            raise ApiError("Only successful transactions can be refunded")
        refunds = self._books.refunds_of(transaction)
        under_way = sum(refund.amount for refund in refunds if refund.status != "failed")
        if under_way + amount > transaction.charged:
            raise ApiError("Refund amount is more than what is left of the transaction")
