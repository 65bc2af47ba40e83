"""Control calls about the emulated Paystack. Everything here raises Refused."""

from __future__ import annotations

import re

from sandbox.emulator import ControlOrder
from sandbox.errors import NotThere, Refused
from sandbox.paystack import saved_cards
from sandbox.paystack.books import Books
from sandbox.paystack.customer import OUTCOMES, Customer, Payment, way_back
from sandbox.paystack.errors import ApiError
from sandbox.paystack.models import CARD_LAST4, Refund, Transaction
from sandbox.paystack.refunding import Refunding
from sandbox.web import Json

REFUND_OUTCOMES = {
    "success": "processed",
    "failed": "failed",
    "needs-attention": "needs-attention",
    "pending": None,
}
DISPUTE_ACTIONS = ("open", "won", "lost")
CARD_SHAPE = re.compile(r"[0-9]{4}", re.ASCII)


class PaystackControl:
    def __init__(self, books: Books, customer: Customer, refunding: Refunding) -> None:
        self._books, self._customer, self._refunding = books, customer, refunding

    def pay(self, order: ControlOrder) -> Json:
        order.check_members({"outcome", "amount_minor", "customer_pays_fee", "leaves", "card"})
        transaction = self._transaction(order.reference)
        payment = Payment(
            outcome=order.choice("outcome", OUTCOMES),
            amount=order.amount_minor(),
            customer_pays_fee=order.body.get("customer_pays_fee") is True,
            leaves=order.choice("leaves", ("failed", "abandoned"), default="failed"),
            card=_card(order.body),
        )
        paid = self._customer.pay(transaction, payment)
        return {"transaction": _summary(paid), "redirect_url": way_back(paid, payment.outcome)}

    def refund(self, order: ControlOrder) -> Json:
        """`refund_id` ends a refund that exists; without it a new one is made."""
        order.check_members({"amount_minor", "outcome", "refund_id"})
        transaction = self._transaction(order.reference)
        outcome = order.choice("outcome", tuple(REFUND_OUTCOMES), default="success")
        refund = self._named_refund(order.body, transaction) or self._new_refund(order, transaction)
        status = REFUND_OUTCOMES[outcome]
        if status:
            self._refunding.end(refund, status)
        else:
            self._refunding.end_later(refund, "processed")
        return {"refund": {"id": refund.id, "status": refund.status, "amount_minor": refund.amount}}

    def dispute(self, order: ControlOrder) -> Json:
        order.check_members({"action"})
        transaction = self._transaction(order.reference)
        action = order.choice("action", DISPUTE_ACTIONS)
        if action == "open":
            dispute = self._refunding.open_dispute(transaction)
        else:
            dispute = self._refunding.end_dispute(transaction, action)
        return {"dispute": {"id": dispute.id, "outcome": dispute.outcome}}

    def set_methods(self, order: ControlOrder) -> Json:
        order.check_members({"next"})
        transaction = self._transaction(order.reference)
        outcomes = order.choices("next", saved_cards.OUTCOMES)
        authorization = self._books.authorizations.get(transaction.authorization_code or "")
        if authorization is None or not authorization.reusable:
            raise Refused(
                f'{order.reference} saved no reusable method; pay it by the outcome "success" first'
            )
        authorization.next = outcomes
        self._books.save_authorization(authorization)
        return {"authorization_code": authorization.code, "next": authorization.next}

    def _transaction(self, reference: str) -> Transaction:
        if found := self._books.in_any_mode(reference):
            return found
        raise NotThere(
            f"paystack has no transaction {reference[:200]!r}; send the attempt's reference, ATT-…"
        )

    def _named_refund(self, body: Json, transaction: Transaction) -> Refund | None:
        if "refund_id" not in body:
            return None
        mine = (refund for refund in self._books.refunds_of(transaction) if refund.id == body["refund_id"])
        if found := next(mine, None):
            return found
        raise NotThere(f"{transaction.reference} has no refund {body['refund_id']!r}")

    def _new_refund(self, order: ControlOrder, transaction: Transaction) -> Refund:
        try:
            return self._refunding.create(transaction, order.amount_minor())
        except ApiError as error:
            raise Refused(f"paystack refuses this refund: {error}") from None


def _card(body: Json) -> str:
    digits = body.get("card", CARD_LAST4)
    if not isinstance(digits, str) or not CARD_SHAPE.fullmatch(digits):
        raise Refused('card is the last four digits of the one that is paid with, such as "4081"')
    return digits


def _summary(transaction: Transaction) -> Json:
    names = ("id", "reference", "status", "currency")
    return {**{name: getattr(transaction, name) for name in names}, "amount_minor": transaction.amount}
