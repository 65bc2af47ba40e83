"""POST /payments: a link to a hosted page. There is no transaction until the customer tries to pay."""

from __future__ import annotations

from sandbox.flutterwave import reading
from sandbox.flutterwave.answers import accepted
from sandbox.flutterwave.books import Books, random_hex
from sandbox.flutterwave.checkout import PATH
from sandbox.flutterwave.errors import ApiError
from sandbox.flutterwave.models import Link, Order, Transaction, order_of
from sandbox.flutterwave.settings import Account
from sandbox.flutterwave.transactions import lag_s
from sandbox.web import Call, Hits, Response
from sandbox.world import World


class Payments:
    def __init__(self, world: World, books: Books) -> None:
        self._world, self._books = world, books

    def create(self, call: Call, account: Account) -> Response:
        """Another link for a `tx_ref` that has one already is no error."""
        body = reading.read_body(call.request)
        order = reading.read_hosted_order(body, account)
        redirect_url = reading.read_url(body, "redirect_url")
        if body.get("payment_plan"):
            raise ApiError("payment_plan was not found")
        link = self._open(order, redirect_url, call.hits)
        link.options = reading.read_text(body, "payment_options")
        self._books.save_link(link)
        return accepted("Hosted Link", {"link": self.address(link)})

    def confirm(self, transaction: Transaction, redirect_url: str) -> Link:
        """A page on which the customer confirms a charge that was begun without them."""
        return self._open(transaction, redirect_url, {}, charge_id=transaction.id)

    def address(self, link: Link) -> str:
        return f"{self._world.base_url}{PATH}/{link.code}"

    def _open(self, order: Order, redirect_url: str, hits: Hits, *, charge_id: int | None = None) -> Link:
        link = Link(
            **order_of(order),
            code=f"flwlnk-{random_hex(26)}",
            redirect_url=redirect_url,
            created_at=self._world.clock.now(),
            lag_s=lag_s(hits),
            charge_id=charge_id,
        )
        self._books.save_link(link)
        return link
