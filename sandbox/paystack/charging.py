"""Money coming in: the only place that gives a transaction the status of a charge."""

from __future__ import annotations

from dataclasses import replace

from sandbox.journal import Move
from sandbox.money import digits
from sandbox.paystack import wire
from sandbox.paystack.books import Books, random_word
from sandbox.paystack.fees import fee
from sandbox.paystack.models import CARD_LAST4, Authorization, Transaction
from sandbox.paystack.webhooks import Courier
from sandbox.world import World

UNSETTLED = frozenset({"pending", "processing", "ongoing"})
SETTLES_AFTER_S = 60


class Charging:
    def __init__(self, world: World, books: Books, courier: Courier) -> None:
        self._world, self._books, self._courier = world, books, courier

    def succeed(
        self,
        transaction: Transaction,
        *,
        amount: int | None = None,
        channel: str | None = None,
        card: str = CARD_LAST4,
    ) -> None:
        """The money arrives: journal, authorization, fees, webhook."""
        transaction.amount = transaction.amount if amount is None else amount
        transaction.channel = channel or transaction.channel
        transaction.status, transaction.was_success = "success", True
        transaction.gateway_response = "Approved" if transaction.channel == "card" else "Successful"
        transaction.paid_at = self._world.clock.now()
        transaction.fees = fee(transaction.amount, transaction.currency)
        if transaction.authorization_code is None:
            transaction.authorization_code = self._authorize(transaction, card)
        self._books.save_transaction(transaction)
        self.record(transaction, kind="charge", ok=True)
        self._courier.send("charge.success", transaction, wire.charge_event(self._books, transaction))
        if transaction.reverse_after_s is not None:
            self._plan_reversal(transaction)

    def pay_again(self, first: Transaction) -> Transaction:
        """A second payment under the same reference: another transaction, as by two transfers."""
        second = replace(
            first,
            id=self._books.next_transaction_id(),
            access_code=random_word(15),
            created_at=self._world.clock.now(),
            authorization_code=None,
        )
        self.succeed(second, amount=second.requested_amount)
        return second

    def fail(self, transaction: Transaction, reason: str, *, status: str = "failed") -> None:
        """A refused charge. There is no webhook for it: `charge.failed` is not documented."""
        transaction.status, transaction.gateway_response = status, reason
        self._books.save_transaction(transaction)
        self.record(transaction, kind="charge", ok=False)

    def wait(self, transaction: Transaction, *, status: str, channel: str) -> None:
        """Money on its way, here in a minute of sandbox time."""
        transaction.status, transaction.channel = status, channel
        transaction.gateway_response = "Transaction in progress"
        self._books.save_transaction(transaction)
        self._world.schedule("paystack", "settle", str(transaction.id), after_s=SETTLES_AFTER_S)

    def settle(self, transaction: Transaction) -> None:
        if transaction.status in UNSETTLED:
            self.succeed(transaction)

    def reverse_later(self, transaction: Transaction, *, after_s: float) -> None:
        """Take the money back some time after it has arrived."""
        transaction.reverse_after_s = after_s
        self._books.save_transaction(transaction)
        if transaction.status == "success":
            self._plan_reversal(transaction)

    def reverse(self, transaction: Transaction) -> None:
        if transaction.status == "success":
            transaction.status = "reversed"
            self._books.save_transaction(transaction)
            self.record(transaction, kind="reversal", ok=True)

    def record(
        self,
        transaction: Transaction,
        *,
        kind: str,
        ok: bool,
        amount: int | None = None,
        by: str | None = None,
    ) -> None:
        """Write into the journal, by default the whole amount on whose initiative it was charged."""
        # Paystack counts hundredths of every currency, also of one without decimals; the journal does not.
        hundredths = transaction.amount if amount is None else amount
        self._world.record(
            Move(
                gateway="paystack",
                mode=transaction.domain,
                reference=transaction.reference,
                kind=kind,
                amount_minor=hundredths // 10 ** (2 - digits(transaction.currency)),
                currency=transaction.currency,
                ok=ok,
                initiated_by=by or transaction.initiated_by,
            )
        )

    def _plan_reversal(self, transaction: Transaction) -> None:
        after_s = transaction.reverse_after_s or 0
        self._world.schedule("paystack", "reverse", str(transaction.id), after_s=after_s)

    def _authorize(self, transaction: Transaction, card: str) -> str:
        authorization = Authorization(
            code=f"AUTH_{random_word(10)}",
            domain=transaction.domain,
            business=transaction.business,
            email=transaction.email,
            channel=transaction.channel,
            reusable=transaction.channel == "card",
            next=[],
            last4=card,
        )
        self._books.save_authorization(authorization)
        return authorization.code
