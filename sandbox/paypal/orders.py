"""The order calls of PayPal's API. `COMPLETED` only says that a capture was made, not that it was paid."""

from __future__ import annotations

from dataclasses import asdict

from sandbox.paypal import reading
from sandbox.paypal.books import Books, new_id
from sandbox.paypal.charging import Charging
from sandbox.paypal.distort import said_of_a_capture, told
from sandbox.paypal.errors import ApiError, not_found
from sandbox.paypal.models import Order, OrderDraft
from sandbox.paypal.replays import Replays
from sandbox.paypal.vaulting import PAUSED, Vaulting
from sandbox.paypal.wire import Writer
from sandbox.web import Call, Hits, Json, Response
from sandbox.world import World

DEFAULT_LAG_S = 60
DEFAULT_REVERSAL_S = 3_600
DEFAULT_VAULT_S = 60


class Orders:
    def __init__(
        self, world: World, books: Books, writer: Writer, charging: Charging, vaulting: Vaulting
    ) -> None:
        self._world, self._books, self._writer = world, books, writer
        self._charging, self._vaulting = charging, vaulting
        self._replays = Replays(world, books)

    def create(self, call: Call) -> Response:
        draft = reading.read_order(reading.read_body(call.request))
        if draft.charges_token and not reading.read_request_id(call.request):
            raise ApiError("PAYPAL_REQUEST_ID_REQUIRED", status=400)
        body, status = self._replays.once("order", call, lambda: self._open(draft, call))
        _refuse_after_doing(call.hits, "DUPLICATE_INVOICE_ID")
        return told(body, status, said_of_a_capture(call.hits))

    def capture(self, call: Call) -> Response:
        reading.read_body(call.request)
        order = self._books.orders.get(call.params["id"])
        if order is None:
            raise not_found()
        body, status = self._replays.once("capture", call, lambda: self._capture(order, call))
        _refuse_after_doing(call.hits, "ORDER_ALREADY_CAPTURED")
        return told(body, status, said_of_a_capture(call.hits))

    def fetch(self, call: Call) -> Response:
        order = self._books.orders.get(call.params["id"])
        if order is None:
            raise not_found()
        self._remember_faults(order, call.hits)
        if order.hidden_until > self._world.clock.now():
            raise not_found()
        return told(self._writer.order(order, whole=True), 200, call.hits)

    def _open(self, draft: OrderDraft, call: Call) -> Json:
        now = self._world.clock.now()
        order = Order(id=new_id(), created_at=now, updated_at=now, **asdict(draft))
        order.status = order.open_status
        if order.charges_token:
            self._charge_saved(order, order.charges_token, call.hits)
        self._books.save_order(order)
        self._remember_faults(order, call.hits)
        return self._writer.order(order, whole=reading.wants_all(call.request))

    def _charge_saved(self, order: Order, token_id: str, hits: Hits) -> None:
        """Capture at once, without the payer; what is refused leaves no order behind."""
        token, order.ends_as = self._vaulting.charge(token_id)
        order.payer_email = token.payer_email
        if order.ends_as == PAUSED:
            order.ends_as = "COMPLETED"
            return
        order.initiated_by, order.approved_at = "merchant", order.created_at
        self._charge(order, hits)

    def _capture(self, order: Order, call: Call) -> Json:
        if order.status == "COMPLETED":
            raise ApiError("ORDER_ALREADY_CAPTURED")
        if order.status != "APPROVED":
            raise ApiError("ORDER_NOT_APPROVED", payer_url=self._writer.payer_url(order))
        self._charge(order, call.hits)
        self._remember_faults(order, call.hits)
        return self._writer.order(order, whole=reading.wants_all(call.request))

    def _charge(self, order: Order, hits: Hits) -> None:
        if "vault_later" in hits:
            order.vault_after_s = hits["vault_later"].get("after_s", DEFAULT_VAULT_S)
        self._charging.capture(order, hits)

    def _remember_faults(self, order: Order, hits: Hits) -> None:
        """Keep on the order the faults that work later than the call they struck."""
        if "lookup_lag" in hits:
            order.hidden_until = self._world.clock.now() + hits["lookup_lag"].get("seconds", DEFAULT_LAG_S)
            self._books.save_order(order)
        if "then_reverse" in hits and order.reverse_after_s is None:
            after_s = hits["then_reverse"].get("after_s", DEFAULT_REVERSAL_S)
            self._charging.reverse_later(order, after_s=after_s)


def _refuse_after_doing(hits: Hits, issue: str) -> None:
    """The fault `dup_ref_error`: the thing is done, yet the answer is the one a repeat would get."""
    if "dup_ref_error" in hits:
        raise ApiError(issue)
