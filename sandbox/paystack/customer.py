"""What the customer does on the hosted page, by its buttons or through the control API."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.errors import Refused
from sandbox.paystack.charging import UNSETTLED, Charging
from sandbox.paystack.fees import fee
from sandbox.paystack.models import CARD_LAST4, Transaction
from sandbox.web import is_web_url

OUTCOMES = ("success", "decline", "abandon", "pending", "settle", "twice", "other_amount")

BY_TRANSFER = frozenset({"pending", "twice", "other_amount"})


@dataclass(frozen=True, kw_only=True)
class Payment:
    """`leaves` is the status after a decline: at the first step Paystack keeps `abandoned`.

    `card` is the last four digits of the one that is paid with.
    """

    outcome: str
    amount: int | None = None
    customer_pays_fee: bool = False
    leaves: str = "failed"
    card: str = CARD_LAST4


class AlreadyPaid(Refused):
    """The transaction has succeeded; its page takes no further money."""


class Customer:
    def __init__(self, charging: Charging) -> None:
        self._charging = charging

    def pay(self, transaction: Transaction, payment: Payment) -> Transaction:
        """Carry out one outcome; the transaction that counts afterwards. Raises Refused."""
        if payment.outcome == "settle":
            return self._settle(transaction)
        if payment.outcome not in outcomes(transaction):
            raise Refused(f"{transaction.reference} can not be paid by bank transfer: see its channels")
        if transaction.was_success and payment.outcome != "twice":
            raise AlreadyPaid(
                f'{transaction.reference} is already paid; only the outcome "twice" pays it again'
            )
        if payment.outcome == "twice":
            return self._pay_twice(transaction)
        self._pay_once(transaction, payment)
        return transaction

    def _pay_once(self, transaction: Transaction, payment: Payment) -> None:
        if payment.outcome == "decline":
            self._charging.fail(transaction, "Declined", status=payment.leaves)
        elif payment.outcome == "pending":
            self._charging.wait(transaction, status="pending", channel="bank_transfer")
        elif payment.outcome == "other_amount":
            self._pay_other_amount(transaction, payment.amount)
        elif payment.outcome == "success":
            asked = transaction.requested_amount
            extra = fee(asked, transaction.currency) if payment.customer_pays_fee else 0
            self._charging.succeed(transaction, amount=asked + extra, channel="card", card=payment.card)

    def _pay_other_amount(self, transaction: Transaction, amount: int | None) -> None:
        if not amount:
            raise Refused("other_amount needs amount_minor, a positive whole number")
        self._charging.succeed(transaction, amount=amount, channel="bank_transfer")

    def _pay_twice(self, transaction: Transaction) -> Transaction:
        if not transaction.was_success:
            self._charging.succeed(transaction, channel="bank_transfer")
        return self._charging.pay_again(transaction)

    def _settle(self, transaction: Transaction) -> Transaction:
        if transaction.status not in UNSETTLED:
            raise Refused(
                f'{transaction.reference} is {transaction.status}; "settle" needs "pending" before it'
            )
        self._charging.settle(transaction)
        return transaction


def outcomes(transaction: Transaction) -> tuple[str, ...]:
    """What can be done on the page of a transaction, by the channels that the merchant wants there."""
    if not transaction.channels or "bank_transfer" in transaction.channels:
        return OUTCOMES
    return tuple(outcome for outcome in OUTCOMES if outcome not in BY_TRANSFER)


def way_back(transaction: Transaction, outcome: str) -> str | None:
    """Where the browser goes after an outcome; None when the merchant named no address."""
    cancel_action = _cancel_action(transaction) if outcome == "abandon" else None
    if cancel_action:
        return cancel_action
    return (
        with_reference(transaction.callback_url, transaction.reference) if transaction.callback_url else None
    )


def with_reference(url: str, reference: str) -> str:
    parts = urlsplit(url)
    added = urlencode({"reference": reference, "trxref": reference})
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def _cancel_action(transaction: Transaction) -> str | None:
    wanted = transaction.metadata.get("cancel_action") if isinstance(transaction.metadata, dict) else None
    return wanted if isinstance(wanted, str) and is_web_url(wanted) else None
