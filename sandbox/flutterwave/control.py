"""Control calls about the emulated Flutterwave. Everything here raises Refused."""

from __future__ import annotations

from sandbox.emulator import ControlOrder
from sandbox.errors import NotThere, Refused
from sandbox.flutterwave import saved_cards
from sandbox.flutterwave.books import Books
from sandbox.flutterwave.customer import OUTCOMES, Customer, Payment, way_back
from sandbox.flutterwave.errors import ApiError
from sandbox.flutterwave.models import Link, Refund, Token, Transaction
from sandbox.flutterwave.refunding import Refunding
from sandbox.web import Json

REFUND_OUTCOMES = {"success": "completed", "failed": "failed", "pending": None}


class FlutterwaveControl:
    def __init__(self, books: Books, customer: Customer, refunding: Refunding) -> None:
        self._books, self._customer, self._refunding = books, customer, refunding

    def pay(self, order: ControlOrder) -> Json:
        """On the latest page of this reference; `settle` also ends a charge that never had one."""
        order.check_members({"outcome", "amount_minor", "customer_pays_fee"})
        payment = Payment(
            outcome=order.choice("outcome", OUTCOMES),
            amount=order.amount_minor(),
            customer_pays_fee=order.body.get("customer_pays_fee") is True,
        )
        tries = self._books.tries_in_any_mode(order.reference)
        if payment.outcome == "settle" and tries:
            settled = self._customer.settle(tries, order.reference)
            return {"transaction": _summary(settled), "redirect_url": None}
        link = self._link(order.reference)
        paid = self._customer.pay(link, payment)
        return {"transaction": _summary(paid) if paid else None, "redirect_url": way_back(link, paid)}

    def refund(self, order: ControlOrder) -> Json:
        """`refund_id` ends a refund that exists; without it a new one is made."""
        order.check_members({"amount_minor", "outcome", "refund_id"})
        transaction = self._paid(order.reference)
        outcome = order.choice("outcome", tuple(REFUND_OUTCOMES), default="success")
        refund = self._named_refund(order.body, order.reference) or self._new_refund(order, transaction)
        if end := REFUND_OUTCOMES[outcome]:
            self._refunding.end(refund, end)
        else:
            self._refunding.end_later(refund, "completed")
        return {"refund": {"id": refund.id, "status": refund.status, "amount_minor": refund.amount}}

    def dispute(self, order: ControlOrder) -> Json:
        raise Refused(
            "Flutterwave tells of chargebacks by e-mail and in its dashboard only, outside the API; "
            "the nearest thing here is a refund from the dashboard: POST /control/refund"
        )

    def set_methods(self, order: ControlOrder) -> Json:
        order.check_members({"next"})
        outcomes = order.choices("next", saved_cards.OUTCOMES)
        token = self._token(order.reference)
        token.next = outcomes
        self._books.save_token(token)
        return {"token": token.code, "next": token.next}

    def _link(self, reference: str) -> Link:
        if found := self._books.link_in_any_mode(reference):
            return found
        raise NotThere(f"flutterwave has no page for {reference[:200]!r}; open one with POST /v3/payments")

    def _paid(self, reference: str) -> Transaction:
        """The latest payment under this reference, else the latest try."""
        tries = self._books.tries_in_any_mode(reference)
        paid = [one for one in tries if one.status == "successful"]
        if found := paid[-1:] or tries[-1:]:
            return found[0]
        raise NotThere(f"flutterwave has no transaction {reference[:200]!r}; let the customer pay first")

    def _token(self, reference: str) -> Token:
        saved = [one.token for one in self._books.tries_in_any_mode(reference) if one.token]
        if not saved:
            raise Refused(f'{reference[:200]} saved no card; pay it by the outcome "success" first')
        return self._books.tokens[saved[-1]]

    def _named_refund(self, body: Json, reference: str) -> Refund | None:
        if "refund_id" not in body:
            return None
        tries = self._books.tries_in_any_mode(reference)
        mine = (refund for one in tries for refund in self._books.refunds_of(one))
        if found := next((refund for refund in mine if refund.id == body["refund_id"]), None):
            return found
        raise NotThere(f"{reference[:200]} has no refund {body['refund_id']!r}")

    def _new_refund(self, order: ControlOrder, transaction: Transaction) -> Refund:
        try:
            return self._refunding.create(transaction, order.amount_minor())
        except ApiError as error:
            raise Refused(f"flutterwave refuses this refund: {error}") from None


def _summary(transaction: Transaction) -> Json:
    names = ("id", "status", "currency")
    told = {name: getattr(transaction, name) for name in names}
    return {**told, "reference": transaction.tx_ref, "amount_minor": transaction.charged}
