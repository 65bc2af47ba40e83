"""The payment calls of PayPal's API: captures and their refunds."""

from __future__ import annotations

from sandbox.paypal import reading
from sandbox.paypal.books import Books
from sandbox.paypal.distort import said_of_a_capture, told
from sandbox.paypal.errors import REUSED_REFUND_INVOICE, ApiError, not_found
from sandbox.paypal.models import Capture, Refund
from sandbox.paypal.orders import DEFAULT_LAG_S
from sandbox.paypal.reading import RefundDraft
from sandbox.paypal.refunding import CLEARED_AFTER_S, Refunding
from sandbox.paypal.replays import Replays
from sandbox.paypal.wire import Writer
from sandbox.web import Call, Hits, Json, Response
from sandbox.world import World


class Payments:
    def __init__(self, world: World, books: Books, writer: Writer, refunding: Refunding) -> None:
        self._world, self._books, self._writer, self._refunding = world, books, writer, refunding
        self._replays = Replays(world, books)

    def fetch_capture(self, call: Call) -> Response:
        return told(self._writer.capture(self._capture(call.params["id"])), 200, call.hits)

    def refund(self, call: Call) -> Response:
        draft = reading.read_refund(reading.read_body(call.request))
        capture = self._capture(call.params["id"])
        body, status = self._replays.once("refund", call, lambda: self._refund(capture, draft, call))
        if "dup_ref_error" in call.hits:
            raise ApiError("DUPLICATE_INVOICE_ID", description=REUSED_REFUND_INVOICE)
        return told(body, status, said_of_a_capture(call.hits))

    def fetch_refund(self, call: Call) -> Response:
        refund = self._books.refunds.get(call.params["id"])
        if refund is None:
            raise not_found()
        self._hide(refund, call.hits)
        if refund.hidden_until > self._world.clock.now():
            raise not_found()
        return told(self._writer.refund(refund, whole=True), 200, call.hits)

    def _capture(self, capture_id: str) -> Capture:
        capture = self._books.captures.get(capture_id)
        if capture is None or self._books.order_of(capture).hidden_until > self._world.clock.now():
            raise not_found()
        return capture

    def _refund(self, capture: Capture, draft: RefundDraft, call: Call) -> Json:
        decline = call.hits.get("decline")
        if decline is not None and "after_s" not in decline:
            raise ApiError(decline.get("word", "REFUND_FAILED_INSUFFICIENT_FUNDS"))
        refund = self._refunding.create(capture, draft)
        self._hide(refund, call.hits)
        self._finish(refund, call.hits)
        return self._writer.refund(refund, whole=reading.wants_all(call.request))

    def _finish(self, refund: Refund, hits: Hits) -> None:
        """By default the money is back at once; a fault may let it take days, or fail in the end."""
        if "decline" in hits:
            self._refunding.end_later(refund, "FAILED", after_s=hits["decline"]["after_s"])
        elif "pending" in hits:
            after_s = hits["pending"].get("after_s", CLEARED_AFTER_S)
            self._refunding.end_later(refund, "COMPLETED", after_s=after_s)
        else:
            self._refunding.end(refund, "COMPLETED")

    def _hide(self, refund: Refund, hits: Hits) -> None:
        if "lookup_lag" in hits:
            refund.hidden_until = self._world.clock.now() + hits["lookup_lag"].get("seconds", DEFAULT_LAG_S)
            self._books.save_refund(refund)
