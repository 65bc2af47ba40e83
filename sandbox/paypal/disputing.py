"""Payments that the payer's bank contests, and the calls to read about them."""

from __future__ import annotations

from sandbox.errors import Refused
from sandbox.paypal import reading
from sandbox.paypal.books import Books, new_id
from sandbox.paypal.charging import Charging
from sandbox.paypal.dispute_wire import dispute_row, whole_dispute
from sandbox.paypal.errors import malformed, not_found
from sandbox.paypal.models import Capture, Dispute
from sandbox.paypal.webhooks import Courier
from sandbox.paypal.wire import EARNED, Writer
from sandbox.web import Call, Response, json_response
from sandbox.world import World


class Disputing:
    def __init__(
        self, world: World, books: Books, writer: Writer, courier: Courier, charging: Charging
    ) -> None:
        self._world, self._books, self._writer = world, books, writer
        self._courier, self._charging = courier, charging

    def list_page(self, call: Call) -> Response:
        """GET /v1/customer/disputes, newest first; on one page, for a sandbox has few."""
        wanted = call.request.query.get("disputed_transaction_id")
        found = [one for one in self._books.disputes.values() if wanted in (None, one.capture_id)]
        size = call.request.query.get("page_size", "10")
        if not reading.is_count(size):
            raise malformed("page_size")
        rows = [dispute_row(self._books, self._writer, one) for one in reversed(found)]
        links = [self._writer.link("self", "/v1/customer/disputes")]
        return json_response({"items": rows[: int(size)], "links": links})

    def fetch(self, call: Call) -> Response:
        dispute = self._books.disputes.get(call.params["id"])
        if dispute is None:
            raise not_found()
        return json_response(whole_dispute(self._books, self._writer, dispute))

    def open(self, capture: Capture) -> Dispute:
        """The bank contests a payment; no money moves yet. Raises Refused."""
        if capture.status not in EARNED:
            raise Refused(f"this capture is {capture.status}, so nobody can dispute it; complete it first")
        if self._books.open_dispute_of(capture):
            raise Refused('there is an open dispute; end it with "won" or "lost"')
        now = self._world.clock.now()
        dispute = Dispute(
            id=f"PP-R-{new_id(3)}-{new_id(8)}",
            capture_id=capture.id,
            status="WAITING_FOR_SELLER_RESPONSE",
            created_at=now,
            updated_at=now,
        )
        self._save(dispute, "CREATED")
        return dispute

    def review(self, capture: Capture) -> Dispute:
        """PayPal looks at what both sides say. Raises Refused."""
        dispute = self._open_dispute(capture)
        dispute.status = "UNDER_REVIEW"
        self._save(dispute, "UPDATED")
        return dispute

    def end(self, capture: Capture, outcome: str) -> Dispute:
        """Decide a dispute: lost takes the money back, won (`ok` false) leaves it. Raises Refused."""
        dispute = self._open_dispute(capture)
        dispute.status, dispute.outcome = "RESOLVED", outcome
        lost = outcome == "lost"
        if lost:
            capture.status, capture.updated_at = "REFUNDED", self._world.clock.now()
            self._books.save_capture(capture)
        order = self._books.order_of(capture)
        money = (capture.amount, capture.currency)
        self._charging.record(order, "dispute", money, ok=lost, by="customer")
        self._save(dispute, "RESOLVED")
        return dispute

    def _open_dispute(self, capture: Capture) -> Dispute:
        if dispute := self._books.open_dispute_of(capture):
            return dispute
        raise Refused('there is no open dispute; send the action "open" first')

    def _save(self, dispute: Dispute, what: str) -> None:
        dispute.updated_at = self._world.clock.now()
        self._books.save_dispute(dispute)
        reference = self._books.order_of(self._books.captures[dispute.capture_id]).reference
        body = whole_dispute(self._books, self._writer, dispute)
        self._courier.send(f"CUSTOMER.DISPUTE.{what}", reference, body)
