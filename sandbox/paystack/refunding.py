"""Money going back: refunds asked for by the merchant, and disputes."""

from __future__ import annotations

from sandbox.errors import Refused
from sandbox.paystack import wire
from sandbox.paystack.books import Books
from sandbox.paystack.charging import Charging
from sandbox.paystack.dispute_wire import dispute_event
from sandbox.paystack.errors import ApiError, invalid
from sandbox.paystack.models import Dispute, Refund, Transaction
from sandbox.paystack.webhooks import Courier
from sandbox.world import World

PROCESSED_AFTER_S = 30
SMALLEST = {"GHS": 100}  # The one minimum that has been seen.


class Refunding:
    def __init__(self, world: World, books: Books, courier: Courier, charging: Charging) -> None:
        self._world, self._books, self._courier, self._charging = world, books, courier, charging

    def create(
        self, transaction: Transaction, amount: int | None, notes: tuple[str, str] = ("", "")
    ) -> Refund:
        """Queue a refund; without an amount, of the whole original amount. Raises ApiError."""
        amount = transaction.amount if amount is None else amount
        self._check(transaction, amount)
        refund = Refund(
            id=self._books.next_refund_id(),
            transaction_id=transaction.id,
            domain=transaction.domain,
            business=transaction.business,
            amount=amount,
            status="pending",
            customer_note=notes[0] or f"Refund for transaction {transaction.reference}",
            merchant_note=notes[1]
            or f"Refund for transaction {transaction.reference} by {wire.MERCHANT_EMAIL}",
            created_at=self._world.clock.now(),
            ends_as=None,
        )
        self._books.save_refund(refund)
        self._set_status(transaction, "reversal-pending")
        self._tell(transaction, refund)
        return refund

    def end_later(self, refund: Refund, status: str, *, after_s: float = PROCESSED_AFTER_S) -> None:
        refund.ends_as = status
        self._books.save_refund(refund)
        self._world.schedule("paystack", "end_refund", str(refund.id), after_s=after_s)

    def end(self, refund: Refund, status: str) -> None:
        """Bring a refund that is under way to `processed`, `failed` or `needs-attention`."""
        if refund.status in ("processed", "failed"):
            return
        transaction = self._books.transactions[refund.transaction_id]
        refund.status, refund.ends_as = status, None
        if status == "processed":
            refund.refunded_at = self._world.clock.now()
        self._books.save_refund(refund)
        if status in ("processed", "failed"):
            ok = status == "processed"
            self._charging.record(transaction, kind="refund", ok=ok, amount=refund.amount, by="merchant")
        self._set_status(transaction, self._status_after(transaction))
        self._tell(transaction, refund)

    def run_due(self, refund: Refund) -> None:
        if refund.ends_as:
            self.end(refund, refund.ends_as)

    def open_dispute(self, transaction: Transaction) -> Dispute:
        """The customer's bank contests a payment; no money moves yet. Raises Refused."""
        if not transaction.was_success:
            raise Refused(f"{transaction.reference} was never paid, so nobody can dispute it; pay it first")
        if self._books.open_dispute_of(transaction):
            raise Refused(f'{transaction.reference} has an open dispute; end it with "won" or "lost"')
        dispute = Dispute(
            id=self._books.next_dispute_id(),
            transaction_id=transaction.id,
            created_at=self._world.clock.now(),
        )
        self._books.save_dispute(dispute)
        self._courier.send(
            "charge.dispute.create", transaction, dispute_event(self._books, transaction, dispute)
        )
        return dispute

    def end_dispute(self, transaction: Transaction, outcome: str) -> Dispute:
        """Decide a dispute: lost takes the money back, won (`ok` false) leaves it. Raises Refused."""
        dispute = self._books.open_dispute_of(transaction)
        if dispute is None:
            raise Refused(f'{transaction.reference} has no open dispute; send the action "open" first')
        dispute.outcome = outcome
        self._books.save_dispute(dispute)
        lost = outcome == "lost"
        if lost:
            self._set_status(transaction, "reversed")
        self._charging.record(transaction, kind="dispute", ok=lost, by="customer")
        self._courier.send(
            "charge.dispute.resolve", transaction, dispute_event(self._books, transaction, dispute)
        )
        return dispute

    def _check(self, transaction: Transaction, amount: int) -> None:
        if not transaction.was_success:
            raise invalid(
                "Transaction has not been paid, so it cannot be refunded", "transaction_not_refundable"
            )
        smallest = SMALLEST.get(transaction.currency, 1)
        if amount < smallest:
            least = f"{transaction.currency}{smallest // 100}.{smallest % 100:02}"
            text = f"The minimum amount you may send in a single refund at this time is: {least}"
            raise ApiError(text, "invalid_amount")
        if self._under_way(transaction) + amount > transaction.amount or transaction.status == "reversed":
            raise ApiError("Total refund amount cannot exceed original transaction amount", "invalid_amount")

    def _under_way(self, transaction: Transaction) -> int:
        return sum(
            refund.amount for refund in self._books.refunds_of(transaction) if refund.status != "failed"
        )

    def _status_after(self, transaction: Transaction) -> str:
        refunds = self._books.refunds_of(transaction)
        processed = sum(refund.amount for refund in refunds if refund.status == "processed")
        if processed >= transaction.amount or transaction.status == "reversed":
            return "reversed"
        return "reversal-pending" if self._under_way(transaction) else "success"

    def _set_status(self, transaction: Transaction, status: str) -> None:
        transaction.status = status
        self._books.save_transaction(transaction)

    def _tell(self, transaction: Transaction, refund: Refund) -> None:
        self._courier.send(f"refund.{refund.status}", transaction, wire.refund_event(transaction, refund))
