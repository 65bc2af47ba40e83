"""Money coming in: the only place that gives a transaction its status."""

from __future__ import annotations

from sandbox.flutterwave.books import Books, random_hex
from sandbox.flutterwave.fees import fee
from sandbox.flutterwave.models import Link, Order, Token, Transaction, order_of
from sandbox.flutterwave.webhooks import Courier
from sandbox.journal import Move
from sandbox.world import World

SETTLES_AFTER_S = 60
APPROVED = {
    "card": "Approved by Financial Institution",
    "bank_transfer": "Transaction Completed Successfully",
}


class Charging:
    def __init__(self, world: World, books: Books, courier: Courier) -> None:
        self._world, self._books, self._courier = world, books, courier

    def attempt(self, link: Link) -> Transaction:
        """A customer's try on a page: a transaction of its own, unless the page confirms one."""
        if link.charge_id is not None:
            return self._books.transactions[link.charge_id]
        transaction = self.draft(link, link_code=link.code)
        transaction.hidden_until = transaction.created_at + link.lag_s if link.lag_s else 0
        return transaction

    def draft(self, order: Order, *, link_code: str | None = None) -> Transaction:
        """A new transaction, not yet saved."""
        return Transaction(
            **order_of(order),
            id=self._books.next_transaction_id(),
            flw_ref=f"FLW-MOCK-{random_hex(32)}" if order.mode == "test" else f"FLW{random_hex(10).upper()}",
            charged=order.amount,
            created_at=self._world.clock.now(),
            link_code=link_code,
            narration="CARD Transaction ",
            auth_model="AUTH",
        )

    def succeed(
        self, transaction: Transaction, *, payment_type: str | None = None, payer_bears_fee: bool = False
    ) -> None:
        """The money arrives: fee, token, journal, webhook."""
        transaction.payment_type = payment_type or transaction.payment_type
        transaction.status = "successful"
        transaction.processor_response = APPROVED[transaction.payment_type]
        transaction.fee = fee(transaction.amount, transaction.currency)
        transaction.charged = transaction.amount + (transaction.fee if payer_bears_fee else 0)
        if transaction.payment_type == "card" and transaction.token is None:
            transaction.token = self._save_card(transaction)
        self._books.save_transaction(transaction)
        self.record(transaction, kind="charge", ok=True)
        self._courier.tell_charge(transaction)

    def fail(self, transaction: Transaction, reason: str) -> None:
        """A refused charge, of which the webhook tells as well."""
        transaction.status, transaction.processor_response = "failed", reason
        self._books.save_transaction(transaction)
        self.record(transaction, kind="charge", ok=False)
        self._courier.tell_charge(transaction)

    def wait(self, transaction: Transaction, *, payment_type: str) -> None:
        """Money on its way, here in a minute of sandbox time."""
        transaction.payment_type = payment_type
        self._books.save_transaction(transaction)
        self._world.schedule("flutterwave", "settle", str(transaction.id), after_s=SETTLES_AFTER_S)

    def settle(self, transaction: Transaction) -> None:
        if transaction.status == "pending":
            self.succeed(transaction)

    def record(
        self,
        transaction: Transaction,
        *,
        kind: str,
        ok: bool,
        amount: int | None = None,
        by: str | None = None,
    ) -> None:
        """Write into the journal, by default all that was charged on whose initiative it was."""
        self._world.record(
            Move(
                gateway="flutterwave",
                mode=transaction.mode,
                reference=transaction.tx_ref,
                kind=kind,
                amount_minor=transaction.charged if amount is None else amount,
                currency=transaction.currency,
                ok=ok,
                initiated_by=by or transaction.initiated_by,
            )
        )

    def _save_card(self, transaction: Transaction) -> str:
        token = Token(
            code=f"flw-t1nf-{random_hex(32)}-m03k",
            mode=transaction.mode,
            email=transaction.email,
            created_at=transaction.created_at,
            next=[],
        )
        self._books.save_token(token)
        return token.code
