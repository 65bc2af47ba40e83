"""The hosted pages. Looking at them changes nothing; their buttons are plain forms."""

from __future__ import annotations

from html import escape

from sandbox.errors import Refused
from sandbox.money import shown
from sandbox.pages import card, page
from sandbox.paypal.books import Books
from sandbox.paypal.customer import AlreadyPaid, Customer, Payment, way_back, way_back_from_setup
from sandbox.paypal.models import Order, SetupToken
from sandbox.web import BadBody, Call, Json, Response, html_response, see_other

BUTTONS = (
    ("success", "main", "Approve"),
    ("decline", "bad", "Approve with a card that will be declined"),
    ("decline_capture", "bad", "Approve; the capture will be declined"),
    ("pending", "", "Approve; the capture will be pending"),
    ("abandon", "", "Cancel and go back"),
)
REVIEW_BUTTONS = (
    ("settle", "main", "Let the pending money arrive"),
    ("decline", "bad", "Have the pending money denied"),
)
PAYMENTS = {
    "success": Payment(outcome="success"),
    "decline": Payment(outcome="decline"),
    "decline_capture": Payment(outcome="decline", leaves="DECLINED"),
    "pending": Payment(outcome="pending"),
    "abandon": Payment(outcome="abandon"),
    "settle": Payment(outcome="settle"),
}
SETUP_BUTTONS = (("success", "main", "Agree to be charged later"), ("abandon", "", "Cancel and go back"))
NO_WAY_BACK = "The merchant named no page to return to; you may close this one."


class Checkout:
    def __init__(self, books: Books, customer: Customer) -> None:
        self._books, self._customer = books, customer

    def show(self, call: Call) -> Response:
        order = self._order(call)
        if order is None:
            return _unknown()
        pending = self._books.pending_capture_of(order) is not None
        if order.status == "COMPLETED" and not pending:
            return _already_paid(order)
        return html_response(_order_page(order, REVIEW_BUTTONS if pending else BUTTONS))

    def pay(self, call: Call) -> Response:
        order = self._order(call)
        if order is None:
            return _unknown()
        try:
            payment = _read_payment(call.request.read_object())
            self._customer.pay(order, payment)
        except AlreadyPaid:
            return _already_paid(order, status=409)
        except (Refused, BadBody) as refusal:
            return _message("That did not work", str(refusal), status=400)
        return _leave(way_back(order, payment.outcome))

    def show_setup(self, call: Call) -> Response:
        token = self._setup_token(call)
        return html_response(_setup_page(token)) if token else _unknown()

    def agree(self, call: Call) -> Response:
        token = self._setup_token(call)
        if token is None:
            return _unknown()
        try:
            outcome = str(call.request.read_object().get("outcome"))
            self._customer.agree(token, outcome)
        except (Refused, BadBody) as refusal:
            return _message("That did not work", str(refusal), status=400)
        return _leave(way_back_from_setup(token, outcome))

    def _order(self, call: Call) -> Order | None:
        return self._books.orders.get(call.request.query.get("token", ""))

    def _setup_token(self, call: Call) -> SetupToken | None:
        return self._books.setup_tokens.get(call.request.query.get("approval_session_id", ""))


def _read_payment(form: Json) -> Payment:
    payment = PAYMENTS.get(str(form.get("outcome")))
    if payment is None:
        raise Refused("choose one of the buttons")
    return payment


def _order_page(order: Order, buttons: tuple[tuple[str, str, str], ...]) -> str:
    action = f"/paypal/checkoutnow?token={order.id}"
    forms = [_button(action, *button) for button in buttons]
    return page(
        f"Pay {order.reference}",
        _head(order)
        + card("<h2>What should happen?</h2>", *forms)
        + '<p class="soft">Approving moves no money: the merchant captures it afterwards.<br>'
        'Make things go wrong: <a href="/control">faults and clock</a></p>',
    )


def _setup_page(token: SetupToken) -> str:
    action = f"/paypal/agreements/approve?approval_session_id={token.id}"
    forms = [_button(action, *button) for button in SETUP_BUTTONS]
    head = card(
        '<h1>Save PayPal for later</h1><p class="soft">An emulation for tests</p>',
        f'<p class="soft">Setup token <code>{escape(token.id)}</code><br>Status: {escape(token.status)}</p>',
    )
    return page("Save PayPal for later", head + card(*forms))


def _head(order: Order) -> str:
    return card(
        '<h1>PayPal checkout</h1><p class="soft">An emulation for tests</p>',
        f'<p class="amount">{escape(shown(order.amount, order.currency))}</p>',
        f'<p class="soft">{escape(order.payer_email)}<br>'
        f"Reference <code>{escape(order.reference)}</code><br>Status: {escape(order.status)}</p>",
    )


def _button(action: str, outcome: str, style: str, label: str) -> str:
    button = f'<button class="{style}" name="outcome" value="{outcome}">{escape(label)}</button>'
    return f'<form method="post" action="{escape(action)}">{button}</form>'


def _already_paid(order: Order, *, status: int = 200) -> Response:
    back = way_back(order, "success")
    link = f'<p><a href="{escape(back)}">Back to the merchant</a></p>' if back else ""
    body = card("<h1>Already captured</h1>", "<p>This order takes nothing more.</p>", link)
    return html_response(page("Already captured", _head(order) + body), status)


def _leave(back: str | None) -> Response:
    return see_other(back) if back else _message("Done", NO_WAY_BACK)


def _unknown() -> Response:
    return _message("No such payment", "Open the address that the API answered.", status=404)


def _message(title: str, text: str, *, status: int = 200) -> Response:
    return html_response(page(title, card(f"<h1>{escape(title)}</h1>", f"<p>{escape(text)}</p>")), status)
