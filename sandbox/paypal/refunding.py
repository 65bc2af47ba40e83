"""Money going back: refunds asked for by the merchant, and reversals that nobody asked for."""

from __future__ import annotations

from sandbox.paypal.books import Books, new_id
from sandbox.paypal.charging import Charging
from sandbox.paypal.errors import REUSED_REFUND_INVOICE, ApiError
from sandbox.paypal.fees import share
from sandbox.paypal.models import Capture, Refund
from sandbox.paypal.reading import RefundDraft
from sandbox.paypal.webhooks import Courier
from sandbox.paypal.wire import REFUNDABLE, Writer
from sandbox.world import World

TIME_LIMIT_S = 180 * 86_400
CLEARED_AFTER_S = 3 * 86_400  # An e-check takes days.
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


class Refunding:
    def __init__(
        self, world: World, books: Books, writer: Writer, courier: Courier, charging: Charging
    ) -> None:
        self._world, self._books, self._writer = world, books, writer
        self._courier, self._charging = courier, charging

    def create(self, capture: Capture, draft: RefundDraft) -> Refund:
        """Begin a refund, without an amount of whatever is left; `end` moves the money. Raises ApiError."""
        left = capture.amount - self._under_way(capture)
        self._check(capture, draft, left)
        amount = left if draft.amount is None else draft.amount
        return self._add(capture, amount, draft)

    def end(self, refund: Refund, status: str) -> None:
        """Bring a refund that is under way to COMPLETED, FAILED or CANCELLED."""
        if refund.status in ENDED:
            return
        capture = self._books.captures[refund.capture_id]
        done = status == "COMPLETED"
        if done:
            refund.fee, refund.total = share(refund.amount), self._refunded(capture) + refund.amount
        refund.status, refund.ends_as, refund.updated_at = status, None, self._world.clock.now()
        self._books.save_refund(refund)
        order, money = self._books.order_of(capture), (refund.amount, capture.currency)
        self._charging.record(order, "refund", money, ok=done, by="merchant")
        if done:
            self._note_on(capture)
            self._tell(capture, refund, "REFUNDED")

    def end_later(self, refund: Refund, status: str, *, after_s: float = CLEARED_AFTER_S) -> None:
        refund.ends_as = status
        self._books.save_refund(refund)
        self._world.schedule("paypal", "end_refund", refund.id, after_s=after_s)

    def run_due(self, refund: Refund) -> None:
        if refund.ends_as:
            self.end(refund, refund.ends_as)

    def reverse(self, capture: Capture) -> None:
        """PayPal takes back what is left of a capture; it tells of it as of a refund."""
        left = capture.amount - self._refunded(capture)
        if capture.status not in REFUNDABLE or not left:
            return
        refund = self._add(capture, left, RefundDraft(note="Payment reversed"))
        refund.status, refund.total = "COMPLETED", capture.amount
        self._books.save_refund(refund)
        order = self._books.order_of(capture)
        self._charging.record(order, "reversal", (left, capture.currency), ok=True)
        self._note_on(capture)
        self._tell(capture, refund, "REVERSED")

    def _add(self, capture: Capture, amount: int, draft: RefundDraft) -> Refund:
        now = self._world.clock.now()
        refund = Refund(
            id=new_id(),
            capture_id=capture.id,
            custom_id=draft.custom_id or capture.custom_id,
            invoice_id=draft.invoice_id,
            note=draft.note,
            amount=amount,
            status="PENDING",
            created_at=now,
            updated_at=now,
        )
        self._books.save_refund(refund)
        return refund

    def _check(self, capture: Capture, draft: RefundDraft, left: int) -> None:
        if capture.status == "PENDING":
            raise ApiError("PENDING_CAPTURE")
        if capture.status in ("DECLINED", "FAILED"):
            raise ApiError("REFUND_NOT_ALLOWED")
        self._check_disputes(capture, draft, left)
        if capture.status == "REFUNDED" or not left:
            raise ApiError("CAPTURE_FULLY_REFUNDED")
        if self._world.clock.now() - capture.created_at > TIME_LIMIT_S:
            raise ApiError("REFUND_TIME_LIMIT_EXCEEDED")
        if draft.currency not in (None, capture.currency):
            raise ApiError("REFUND_CAPTURE_CURRENCY_MISMATCH", field="/amount/currency_code")
        if (draft.amount or 0) > left:
            raise ApiError("REFUND_AMOUNT_EXCEEDED", field="/amount/value")
        if draft.invoice_id and any(
            one.invoice_id == draft.invoice_id for one in self._books.refunds.values()
        ):
            raise ApiError("DUPLICATE_INVOICE_ID", field="/invoice_id", description=REUSED_REFUND_INVOICE)

    def _check_disputes(self, capture: Capture, draft: RefundDraft, left: int) -> None:
        disputes = self._books.disputes_of(capture.id)
        if any(one.outcome == "lost" for one in disputes):
            raise ApiError("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")
        is_partial = draft.amount is not None and draft.amount < left
        if is_partial and any(one.outcome is None for one in disputes):
            raise ApiError("TRANSACTION_DISPUTED")

    def _under_way(self, capture: Capture) -> int:
        lost = ("FAILED", "CANCELLED")
        return sum(one.amount for one in self._books.refunds_of(capture) if one.status not in lost)

    def _refunded(self, capture: Capture) -> int:
        return sum(one.amount for one in self._books.refunds_of(capture) if one.status == "COMPLETED")

    def _note_on(self, capture: Capture) -> None:
        whole = self._refunded(capture) >= capture.amount
        capture.status = "REFUNDED" if whole else "PARTIALLY_REFUNDED"
        capture.updated_at = self._world.clock.now()
        self._books.save_capture(capture)

    def _tell(self, capture: Capture, refund: Refund, what: str) -> None:
        reference = self._books.order_of(capture).reference
        self._courier.send(f"PAYMENT.CAPTURE.{what}", reference, self._writer.refund(refund, whole=True))
