"""The hosted page. Looking at it changes nothing; its buttons are plain forms."""

from __future__ import annotations

from html import escape

from sandbox.errors import Refused
from sandbox.flutterwave import reading
from sandbox.flutterwave.books import Books
from sandbox.flutterwave.customer import AlreadyPaid, Customer, Payment, outcomes, way_back
from sandbox.flutterwave.errors import ApiError
from sandbox.flutterwave.models import Link, Transaction
from sandbox.money import major, shown
from sandbox.pages import card, page
from sandbox.web import BadBody, Call, Response, html_response, see_other

PATH = "/flutterwave/hosted/pay"
BUTTONS = (
    ("success", "main", "Pay by card"),
    ("decline", "bad", "Have the card declined"),
    ("pending", "", "Pay by slow bank transfer"),
    ("twice", "", "Pay twice"),
)
DONE = {
    "success": "The payment succeeded",
    "twice": "The payment was made twice",
    "other_amount": "Another amount was paid",
    "pending": "The transfer is on its way",
    "decline": "The payment was declined",
    "abandon": "The payment was left",
    "settle": "The transfer has arrived",
}


class Checkout:
    def __init__(self, books: Books, customer: Customer) -> None:
        self._books, self._customer = books, customer

    def show(self, call: Call) -> Response:
        link = self._books.links.get(call.params["code"])
        if link is None:
            return _no_such_page()
        if paid := self._customer.paid_by(link):
            return _already_paid(link, paid)
        return html_response(self._payment_page(link))

    def pay(self, call: Call) -> Response:
        link = self._books.links.get(call.params["code"])
        if link is None:
            return _no_such_page()
        try:
            payment = _read_payment(call, link)
            paid = self._customer.pay(link, payment)
        except AlreadyPaid:
            return _already_paid(link, self._customer.paid_by(link), status=409)
        except (Refused, BadBody) as refusal:
            return _message("That did not work", str(refusal), status=400)
        if back := way_back(link, paid):
            return see_other(back)
        return _message(
            DONE[payment.outcome], "The merchant named no page to return to; you may close this one."
        )

    def _payment_page(self, link: Link) -> str:
        known = outcomes(link)
        buttons = [_button(link, *button) for button in BUTTONS if button[0] in known]
        if "pending" in known and self._customer.is_waiting(link):
            buttons.insert(0, _button(link, "settle", "main", "Let the transfer arrive now"))
        if "other_amount" in known:
            buttons.append(_other_amount(link))
        buttons.append(_button(link, "abandon", "", "Leave without paying"))
        return page(
            f"Pay {link.tx_ref}",
            _head(link)
            + card("<h2>What should happen?</h2>", *buttons)
            + '<p class="soft">Make things go wrong: <a href="/control">faults and clock</a></p>',
        )


def _read_payment(call: Call, link: Link) -> Payment:
    form = call.request.read_object()
    outcome = form.get("outcome")
    if outcome not in DONE:
        raise Refused("choose one of the buttons")
    amount = _read_amount(str(form.get("amount", "")), link.currency) if outcome == "other_amount" else None
    return Payment(outcome=outcome, amount=amount)


def _read_amount(text: str, currency: str) -> int:
    try:
        return reading.read_amount(text.strip().replace(",", ""), currency)
    except ApiError:
        raise Refused("write the amount like 1500 or, where the currency has decimals, 1500.50") from None


def _head(link: Link) -> str:
    return card(
        '<h1>Flutterwave checkout</h1><p class="soft">An emulation for tests</p>',
        f'<p class="amount">{escape(shown(link.amount, link.currency))}</p>',
        f'<p class="soft">{escape(link.email)}<br>Reference <code>{escape(link.tx_ref)}</code></p>',
    )


def _form(link: Link, inner: str) -> str:
    return f'<form method="post" action="{PATH}/{escape(link.code)}">{inner}</form>'


def _button(link: Link, outcome: str, style: str, label: str) -> str:
    return _form(link, f'<button class="{style}" name="outcome" value="{outcome}">{escape(label)}</button>')


def _other_amount(link: Link) -> str:
    inner = (
        f'<label for="amount">Transfer another amount ({escape(link.currency)})</label>'
        '<div class="pair">'
        f'<input id="amount" name="amount" inputmode="decimal" value="{major(link.amount, link.currency)}" '
        'required><button name="outcome" value="other_amount">Transfer</button></div>'
    )
    return _form(link, inner)


def _already_paid(link: Link, paid: Transaction | None, *, status: int = 200) -> Response:
    back = way_back(link, paid)
    way = f'<p><a href="{escape(back)}">Back to the merchant</a></p>' if back else ""
    text = "<p>This payment is complete; nothing more can be paid here.</p>"
    body = card("<h1>Already paid</h1>", text, way)
    return html_response(page("Already paid", _head(link) + body), status)


def _no_such_page() -> Response:
    return _message("No such payment", "Open the address that the API answered.", status=404)


def _message(title: str, text: str, *, status: int = 200) -> Response:
    return html_response(page(title, card(f"<h1>{escape(title)}</h1>", f"<p>{escape(text)}</p>")), status)
