"""What the payer does on the hosted pages, by their buttons or through the control API."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.errors import Refused
from sandbox.paypal.books import Books, payer_id
from sandbox.paypal.charging import Charging
from sandbox.paypal.models import Order, SetupToken
from sandbox.paypal.webhooks import Courier
from sandbox.paypal.wire import Writer
from sandbox.world import World

OUTCOMES = ("success", "decline", "abandon", "pending", "settle", "twice", "other_amount")
APPROVED_FOR_S = 3 * 3_600
NEVER = {
    "twice": "an order of PayPal can be captured once; open a second order to be paid twice",
    "other_amount": (
        "a payer at PayPal cannot change the amount; set the fault wrong_amount on paypal.capture instead"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Payment:
    """`leaves` is what a decline comes to: the issue of a refusal, or the status of a capture."""

    outcome: str
    leaves: str = "INSTRUMENT_DECLINED"
    reason: str = "PENDING_REVIEW"


class AlreadyPaid(Refused):
    """The order has been captured; its page has nothing more to ask."""


class Customer:
    def __init__(
        self, world: World, books: Books, writer: Writer, courier: Courier, charging: Charging
    ) -> None:
        self._world, self._books, self._writer = world, books, writer
        self._courier, self._charging = courier, charging

    def pay(self, order: Order, payment: Payment) -> None:
        """Carry out one outcome; agreeing moves no money yet. Raises Refused."""
        if payment.outcome in NEVER:
            raise Refused(NEVER[payment.outcome])
        if payment.outcome == "settle" or self._books.pending_capture_of(order):
            self._end_review(order, payment.outcome)
        elif order.status == "COMPLETED":
            raise AlreadyPaid(f"{order.reference} is captured already")
        elif payment.outcome == "success":
            self._approve(order, "COMPLETED")
        elif payment.outcome == "pending":
            self._approve(order, "PENDING", payment.reason)
        elif payment.outcome == "decline":
            self._approve(order, payment.leaves)

    def lapse(self, order: Order) -> None:
        """An approval that was not used in time is gone."""
        used = order.status != "APPROVED" or order.approved_at is None
        if not used and self._world.clock.now() - (order.approved_at or 0) >= APPROVED_FOR_S:
            order.status, order.approved_at = order.open_status, None
            self._save(order)

    def agree(self, token: SetupToken, outcome: str) -> None:
        """Let a merchant save the payer without a purchase. Raises Refused."""
        if outcome not in ("success", "abandon"):
            raise Refused('a setup token takes the outcomes "success" and "abandon" only')
        if outcome == "success" and token.status == "PAYER_ACTION_REQUIRED":
            token.status = "APPROVED"
            self._books.save_setup_token(token)

    def _approve(self, order: Order, ends_as: str, reason: str = "PENDING_REVIEW") -> None:
        order.ends_as, order.reason = ends_as, reason
        order.status, order.approved_at = "APPROVED", self._world.clock.now()
        self._save(order)
        self._world.schedule("paypal", "lapse", order.id, after_s=APPROVED_FOR_S)
        body = self._writer.order(order, whole=True)
        self._courier.send("CHECKOUT.ORDER.APPROVED", order.reference, body)

    def _end_review(self, order: Order, outcome: str) -> None:
        """A pending capture becomes the merchant's, or is denied after all."""
        capture = self._books.pending_capture_of(order)
        if capture is None:
            raise Refused(
                f'{order.reference} has no pending capture; approve it as "pending", then capture it'
            )
        if outcome == "settle":
            self._charging.settle(capture)
        elif outcome == "decline":
            self._charging.deny(capture)
        else:
            raise Refused(f'{order.reference} is under review; end that with "settle" or "decline"')

    def _save(self, order: Order) -> None:
        order.updated_at = self._world.clock.now()
        self._books.save_order(order)


def way_back(order: Order, outcome: str) -> str | None:
    """Where the browser goes after an outcome; None when the merchant named no address."""
    if outcome == "abandon":
        return _with_query(order.cancel_url, token=order.id) if order.cancel_url else None
    if not order.return_url:
        return None
    return _with_query(order.return_url, token=order.id, PayerID=payer_id(order.payer_email))


def way_back_from_setup(token: SetupToken, outcome: str) -> str | None:
    url = token.cancel_url if outcome == "abandon" else token.return_url
    return _with_query(url, approval_token_id=token.id, approval_session_id=token.id) if url else None


def _with_query(url: str, **values: str) -> str:
    """The address with these members added to its query."""
    parts = urlsplit(url)
    added = urlencode(values)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))
