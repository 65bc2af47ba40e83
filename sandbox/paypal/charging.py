"""Money coming in: the only place that makes captures and settles them."""

from __future__ import annotations

from typing import NoReturn

from sandbox.journal import Move
from sandbox.paypal.books import Books, new_id
from sandbox.paypal.distort import other_currency
from sandbox.paypal.errors import DECLINES, ApiError
from sandbox.paypal.fees import fee
from sandbox.paypal.models import Capture, Order
from sandbox.paypal.vaulting import Vaulting
from sandbox.paypal.webhooks import Courier
from sandbox.paypal.wire import Writer
from sandbox.web import Hits, Json
from sandbox.world import World

REVIEWED_AFTER_S = 86_400
CAPTURE_STATUSES = frozenset({"COMPLETED", "PENDING", "DECLINED", "FAILED"})
PENDING_REASONS = frozenset(
    {
        "BUYER_COMPLAINT",
        "CHARGEBACK",
        "ECHECK",
        "INTERNATIONAL_WITHDRAWAL",
        "OTHER",
        "PENDING_REVIEW",
        "RECEIVING_PREFERENCE_MANDATES_MANUAL_ACTION",
        "REFUNDED",
        "TRANSACTION_APPROVED_AWAITING_FUNDING",
        "UNILATERAL",
        "VERIFICATION_REQUIRED",
    }
)
# What an approval, a fault or a saved payer may make a capture come to.
ENDS = CAPTURE_STATUSES | frozenset(DECLINES)


class Charging:
    def __init__(
        self, world: World, books: Books, writer: Writer, courier: Courier, vaulting: Vaulting
    ) -> None:
        self._world, self._books, self._writer = world, books, writer
        self._courier, self._vaulting = courier, vaulting

    def capture(self, order: Order, hits: Hits) -> None:
        """Take the money of an order, as far as the payer's instrument and the faults allow.

        Raises ApiError when PayPal refuses; a refusal of the instrument sends the payer back to approve.
        """
        if self._books.is_paid_invoice(order.invoice_id):
            raise ApiError("DUPLICATE_INVOICE_ID", field="invoice_id")
        ends_as, reason = _end(order, hits)
        if ends_as not in CAPTURE_STATUSES:
            self._refuse(order, ends_as)
        capture = self._add(order, hits)
        if ends_as == "COMPLETED":
            self.complete(capture)
        elif ends_as == "PENDING":
            self._wait(capture, reason)
        else:
            self.deny(capture, ends_as)

    def complete(self, capture: Capture) -> None:
        """The money is the merchant's: journal, fee, saved payer, webhook."""
        order = self._books.order_of(capture)
        capture.fee = fee(capture.amount, capture.currency)
        self._set_status(capture, "COMPLETED")
        self.record(order, "charge", (capture.amount, capture.currency), ok=True)
        self._tell(capture, "COMPLETED")
        self._vaulting.save_payer(order)
        if order.reverse_after_s is not None:
            self._plan_reversal(capture, order.reverse_after_s)

    def deny(self, capture: Capture, status: str = "DECLINED") -> None:
        """The order stays COMPLETED, and yet nobody is paid."""
        self._set_status(capture, status)
        order = self._books.order_of(capture)
        self.record(order, "charge", (capture.amount, capture.currency), ok=False)
        if status == "DECLINED":
            self._tell(capture, "DENIED")  # The event has its own word for it.

    def settle(self, capture: Capture) -> None:
        if capture.status == "PENDING":
            self.complete(capture)

    def reverse_later(self, order: Order, *, after_s: float) -> None:
        """Take the money back some time after it has arrived."""
        order.reverse_after_s = after_s
        self._books.save_order(order)
        capture = self._books.capture_of(order)
        if capture and capture.status == "COMPLETED":
            self._plan_reversal(capture, after_s)

    def record(self, order: Order, kind: str, money: tuple[int, str], *, ok: bool, by: str = "") -> None:
        """Write an amount and its currency into the journal, by default on the order's initiative."""
        self._world.record(
            Move(
                gateway="paypal",
                mode="test",
                reference=order.reference,
                kind=kind,
                amount_minor=money[0],
                currency=money[1],
                ok=ok,
                initiated_by=by or order.initiated_by,
            )
        )

    def _add(self, order: Order, hits: Hits) -> Capture:
        now = self._world.clock.now()
        capture = Capture(
            id=new_id(),
            order_id=order.id,
            custom_id=order.custom_id,
            invoice_id=order.invoice_id,
            status="PENDING",
            created_at=now,
            updated_at=now,
            **_taken(order, hits),
        )
        order.capture_id, order.status, order.updated_at = capture.id, "COMPLETED", now
        self._books.save_order(order)
        return capture

    def _wait(self, capture: Capture, reason: str) -> None:
        capture.reason = reason
        self._set_status(capture, "PENDING")
        self._tell(capture, "PENDING")
        self._world.schedule("paypal", "settle", capture.id, after_s=REVIEWED_AFTER_S)

    def _refuse(self, order: Order, issue: str) -> NoReturn:
        self.record(order, "charge", (order.amount, order.currency), ok=False)
        if order.initiated_by == "merchant":
            raise ApiError(issue)
        order.status, order.approved_at, order.ends_as = order.open_status, None, "COMPLETED"
        self._books.save_order(order)
        raise ApiError(issue, payer_url=self._writer.payer_url(order))

    def _set_status(self, capture: Capture, status: str) -> None:
        capture.status, capture.updated_at = status, self._world.clock.now()
        if status != "PENDING":
            capture.reason = None
        self._books.save_capture(capture)

    def _plan_reversal(self, capture: Capture, after_s: float) -> None:
        self._world.schedule("paypal", "reverse", capture.id, after_s=after_s)

    def _tell(self, capture: Capture, what: str) -> None:
        reference = self._books.order_of(capture).reference
        self._courier.send(f"PAYMENT.CAPTURE.{what}", reference, self._writer.capture(capture))


def _end(order: Order, hits: Hits) -> tuple[str, str]:
    """What capturing comes to, and why it may be pending."""
    if "decline" in hits:
        word = hits["decline"].get("word", "INSTRUMENT_DECLINED")
        return word if word in ENDS else "INSTRUMENT_DECLINED", ""
    if "pending" in hits:
        word = hits["pending"].get("word", "PENDING_REVIEW")
        return "PENDING", word if word in PENDING_REASONS else "OTHER"
    return order.ends_as, order.reason


def _taken(order: Order, hits: Hits) -> Json:
    """What is really taken; a fault may take another amount or currency than was asked for."""
    amount, currency = order.amount, order.currency
    if "wrong_amount" in hits:
        amount = hits["wrong_amount"].get("amount_minor", amount * 100)
    if "wrong_currency" in hits:
        currency = other_currency(currency, hits["wrong_currency"])
    return {"amount": amount, "currency": currency}
