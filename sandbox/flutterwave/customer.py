"""What the customer does on the hosted page, by its buttons or through the control API."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from sandbox.errors import Refused
from sandbox.flutterwave.books import Books
from sandbox.flutterwave.charging import Charging
from sandbox.flutterwave.models import Link, Transaction

OUTCOMES = ("success", "decline", "abandon", "pending", "settle", "twice", "other_amount")
CONFIRMING = ("success", "decline", "abandon", "settle")
BY_CARD = ("success", "decline", "abandon")
DECLINED = "Transaction declined"
# What the browser says on its way back. It is a hint only: anybody can write it.
TOLD = {"successful": "successful", "failed": "failed", "pending": "completed"}


@dataclass(frozen=True, kw_only=True)
class Payment:
    outcome: str
    amount: int | None = None
    customer_pays_fee: bool = False


class AlreadyPaid(Refused):
    """The page's payment has succeeded; it takes no further money."""


class Customer:
    def __init__(self, books: Books, charging: Charging) -> None:
        self._books, self._charging = books, charging

    def pay(self, link: Link, payment: Payment) -> Transaction | None:
        """Carry out one outcome on a page; the transaction it made, if any. Raises Refused."""
        if payment.outcome not in outcomes(link):
            raise Refused(f"this page has no {payment.outcome}; on it there are {', '.join(outcomes(link))}")
        if payment.outcome == "settle":
            return self.settle(self._tries(link), link.tx_ref)
        if self.paid_by(link) and payment.outcome != "twice":
            raise AlreadyPaid(f'{link.tx_ref} is already paid here; only the outcome "twice" pays it again')
        if payment.outcome == "abandon":
            return None
        if payment.outcome == "twice":
            return self._pay_twice(link)
        return self._pay_once(link, payment)

    def settle(self, tries: list[Transaction], tx_ref: str) -> Transaction:
        """Let the latest transfer on its way arrive. Raises Refused."""
        waiting = [one for one in tries if one.status == "pending"]
        if not waiting:
            raise Refused(f'{tx_ref} has nothing on its way; "settle" needs "pending" before it')
        self._charging.settle(waiting[-1])
        return waiting[-1]

    def paid_by(self, link: Link) -> Transaction | None:
        """What ended this page: a payment, or the decision about the charge that it confirms."""
        ends = ("successful", "failed") if link.charge_id is not None else ("successful",)
        return next((one for one in self._tries(link) if one.status in ends), None)

    def is_waiting(self, link: Link) -> bool:
        return any(one.status == "pending" for one in self._tries(link))

    def _tries(self, link: Link) -> list[Transaction]:
        if link.charge_id is not None:
            return [self._books.transactions[link.charge_id]]
        return self._books.tries_on(link)

    def _pay_once(self, link: Link, payment: Payment) -> Transaction:
        transaction = self._charging.attempt(link)
        if payment.outcome == "decline":
            self._charging.fail(transaction, DECLINED)
        elif payment.outcome == "pending":
            self._charging.wait(transaction, payment_type="bank_transfer")
        elif payment.outcome == "other_amount":
            self._pay_other_amount(transaction, payment.amount)
        else:
            self._charging.succeed(transaction, payer_bears_fee=payment.customer_pays_fee)
        return transaction

    def _pay_other_amount(self, transaction: Transaction, amount: int | None) -> None:
        if not amount:
            raise Refused("other_amount needs amount_minor, a positive whole number")
        transaction.amount = amount
        self._charging.succeed(transaction, payment_type="bank_transfer")

    def _pay_twice(self, link: Link) -> Transaction:
        """Two transfers, or one more beside the payment there is: each is a transaction of its own."""
        if not self.paid_by(link):
            self._charging.succeed(self._charging.attempt(link), payment_type="bank_transfer")
        second = self._charging.draft(link, link_code=link.code)
        self._charging.succeed(second, payment_type="bank_transfer")
        return second


def outcomes(link: Link) -> tuple[str, ...]:
    """What can be done on a page; one that confirms a charge by card takes no other money."""
    if link.charge_id is not None:
        return CONFIRMING
    return OUTCOMES if not link.options or "banktransfer" in link.options else BY_CARD


def way_back(link: Link, transaction: Transaction | None) -> str | None:
    """Where the browser goes; the words are put behind a `?` even where the address has one already."""
    if not link.redirect_url:
        return None
    said: dict[str, str | int] = {"status": "cancelled", "tx_ref": link.tx_ref}
    if transaction:
        said = {**said, "status": TOLD[transaction.status], "transaction_id": transaction.id}
    return f"{link.redirect_url}?{urlencode(said)}"
