"""Control calls about the emulated PayPal. Everything here raises Refused."""

from __future__ import annotations

from sandbox.emulator import ControlOrder
from sandbox.errors import NotThere, Refused
from sandbox.paypal import vaulting
from sandbox.paypal.books import Books
from sandbox.paypal.charging import ENDS, PENDING_REASONS
from sandbox.paypal.customer import OUTCOMES, Customer, Payment, way_back, way_back_from_setup
from sandbox.paypal.disputing import Disputing
from sandbox.paypal.errors import ApiError
from sandbox.paypal.models import Capture, Order, PaymentToken, Refund
from sandbox.paypal.reading import RefundDraft
from sandbox.paypal.refunding import Refunding
from sandbox.web import Json

DECLINES = tuple(sorted(ENDS - {"COMPLETED", "PENDING"}))
REFUND_OUTCOMES = {"success": "COMPLETED", "failed": "FAILED", "cancelled": "CANCELLED", "pending": None}
DISPUTE_ACTIONS = ("open", "update", "won", "lost")


class PayPalControl:
    def __init__(self, books: Books, customer: Customer, refunding: Refunding, disputing: Disputing) -> None:
        self._books, self._customer = books, customer
        self._refunding, self._disputing = refunding, disputing

    def pay(self, order: ControlOrder) -> Json:
        """`leaves` says what a decline comes to, `reason` why a capture is pending."""
        order.check_members({"outcome", "amount_minor", "leaves", "reason"})
        outcome = order.choice("outcome", OUTCOMES)
        if order.reference in self._books.setup_tokens:
            return self._agree(order.reference, outcome)
        found = self._order(order.reference)
        payment = Payment(
            outcome=outcome,
            leaves=order.choice("leaves", DECLINES, default="INSTRUMENT_DECLINED"),
            reason=order.choice("reason", tuple(sorted(PENDING_REASONS)), default="PENDING_REVIEW"),
        )
        self._customer.pay(found, payment)
        return {"order": _summary(found), "redirect_url": way_back(found, outcome)}

    def refund(self, order: ControlOrder) -> Json:
        """`refund_id` ends a refund that exists; without it a new one is made."""
        order.check_members({"amount_minor", "outcome", "refund_id"})
        capture = self._capture(order.reference)
        outcome = order.choice("outcome", tuple(REFUND_OUTCOMES), default="success")
        refund = self._named_refund(order.body, capture) or self._new_refund(order, capture)
        status = REFUND_OUTCOMES[outcome]
        if status:
            self._refunding.end(refund, status)
        else:
            self._refunding.end_later(refund, "COMPLETED")
        return {"refund": {"id": refund.id, "status": refund.status, "amount_minor": refund.amount}}

    def dispute(self, order: ControlOrder) -> Json:
        order.check_members({"action"})
        capture = self._capture(order.reference)
        action = order.choice("action", DISPUTE_ACTIONS)
        if action == "open":
            dispute = self._disputing.open(capture)
        elif action == "update":
            dispute = self._disputing.review(capture)
        else:
            dispute = self._disputing.end(capture, action)
        return {"dispute": {"id": dispute.id, "status": dispute.status, "outcome": dispute.outcome}}

    def set_methods(self, order: ControlOrder) -> Json:
        order.check_members({"next"})
        token = self._token(order.reference)
        token.next = order.choices("next", tuple(vaulting.OUTCOMES))
        self._books.save_payment_token(token)
        return {"vault_id": token.id, "next": token.next}

    def _agree(self, token_id: str, outcome: str) -> Json:
        token = self._books.setup_tokens[token_id]
        self._customer.agree(token, outcome)
        back = way_back_from_setup(token, outcome)
        return {"setup_token": {"id": token.id, "status": token.status}, "redirect_url": back}

    def _order(self, reference: str) -> Order:
        if found := self._books.by_reference(reference):
            return found
        raise NotThere(f"paypal has no order with custom_id {reference[:200]!r}; create it first")

    def _capture(self, reference: str) -> Capture:
        if capture := self._books.capture_of(self._order(reference)):
            return capture
        raise Refused(f"{reference} has not been captured; approve it and capture it first")

    def _token(self, reference: str) -> PaymentToken:
        """By the order that saved it, or by its own id."""
        order = self._books.by_reference(reference)
        token = self._books.payment_tokens.get((order.vault_id or "") if order else reference)
        if token and token.active:
            return token
        raise Refused(
            f"{reference} saved no payer; capture an order that stores its payer in the vault first"
        )

    def _named_refund(self, body: Json, capture: Capture) -> Refund | None:
        if "refund_id" not in body:
            return None
        mine = (refund for refund in self._books.refunds_of(capture) if refund.id == body["refund_id"])
        if found := next(mine, None):
            return found
        raise NotThere(f"this capture has no refund {body['refund_id']!r}")

    def _new_refund(self, order: ControlOrder, capture: Capture) -> Refund:
        try:
            return self._refunding.create(capture, RefundDraft(amount=order.amount_minor()))
        except ApiError as error:
            raise Refused(f"paypal refuses this refund: {error}") from None


def _summary(order: Order) -> Json:
    return {
        "id": order.id,
        "reference": order.reference,
        "status": order.status,
        "amount_minor": order.amount,
        "currency": order.currency,
    }
