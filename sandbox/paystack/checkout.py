"""The hosted page. Looking at it changes nothing; its buttons are plain forms."""

from __future__ import annotations

import re
from html import escape

from sandbox.errors import Refused
from sandbox.pages import card, page
from sandbox.paystack.books import Books
from sandbox.paystack.charging import UNSETTLED
from sandbox.paystack.customer import AlreadyPaid, Customer, Payment, outcomes, way_back
from sandbox.paystack.models import Transaction
from sandbox.web import BadBody, Call, Response, html_response, see_other

AMOUNT_SHAPE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")
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
        transaction = self._books.by_access_code(call.params["access_code"])
        if transaction is None:
            return _message("No such payment", "Open the address that the API answered.", status=404)
        if transaction.was_success:
            return _already_paid(transaction)
        return html_response(_payment_page(transaction))

    def pay(self, call: Call) -> Response:
        transaction = self._books.by_access_code(call.params["access_code"])
        if transaction is None:
            return _message("No such payment", "Open the address that the API answered.", status=404)
        try:
            payment = _read_payment(call)
            paid = self._customer.pay(transaction, payment)
        except AlreadyPaid:
            return _already_paid(transaction, status=409)
        except (Refused, BadBody) as refusal:
            return _message("That did not work", str(refusal), status=400)
        back = way_back(paid, payment.outcome)
        if back:
            return see_other(back)
        return _message(
            DONE[payment.outcome], "The merchant named no page to return to; you may close this one."
        )


def money(amount: int, currency: str) -> str:
    return f"{currency} {amount // 100:,}.{amount % 100:02}"


def _read_payment(call: Call) -> Payment:
    form = call.request.read_object()
    outcome = form.get("outcome")
    if outcome not in DONE:
        raise Refused("choose one of the buttons")
    amount = _read_amount(str(form.get("amount", ""))) if outcome == "other_amount" else None
    return Payment(outcome=outcome, amount=amount)


def _read_amount(text: str) -> int:
    shape = AMOUNT_SHAPE.fullmatch(text.strip().replace(",", ""))
    if not shape:
        raise Refused("write the amount like 1500 or 1500.50")
    return int(shape[1]) * 100 + int((shape[2] or "").ljust(2, "0"))


def _payment_page(transaction: Transaction) -> str:
    known = outcomes(transaction)
    main = [_button(transaction, *button) for button in BUTTONS if button[0] in known]
    if transaction.status in UNSETTLED:
        main = [_button(transaction, "settle", "main", "Let the transfer arrive now"), *main]
    if "other_amount" in known:
        main.append(_other_amount(transaction))
    return page(
        f"Pay {transaction.reference}",
        _head(transaction)
        + card("<h2>What should happen?</h2>", *main, _abandon(transaction))
        + '<p class="soft">Make things go wrong: <a href="/control">faults and clock</a></p>',
    )


def _head(transaction: Transaction) -> str:
    return card(
        '<h1>Paystack checkout</h1><p class="soft">An emulation for tests</p>',
        f'<p class="amount">{escape(money(transaction.requested_amount, transaction.currency))}</p>',
        f'<p class="soft">{escape(transaction.email)}<br>'
        f"Reference <code>{escape(transaction.reference)}</code>"
        f"<br>Status: {escape(transaction.status)}</p>",
    )


def _form(transaction: Transaction, inner: str) -> str:
    return f'<form method="post" action="/paystack/checkout/{escape(transaction.access_code)}">{inner}</form>'


def _button(transaction: Transaction, outcome: str, style: str, label: str) -> str:
    return _form(
        transaction, f'<button class="{style}" name="outcome" value="{outcome}">{escape(label)}</button>'
    )


def _other_amount(transaction: Transaction) -> str:
    shown = f"{transaction.requested_amount // 100}.{transaction.requested_amount % 100:02}"
    inner = (
        f'<label for="amount">Transfer another amount ({escape(transaction.currency)})</label>'
        '<div class="pair">'
        f'<input id="amount" name="amount" inputmode="decimal" value="{shown}" required>'
        '<button name="outcome" value="other_amount">Transfer</button></div>'
    )
    return _form(transaction, inner)


def _abandon(transaction: Transaction) -> str:
    return _button(transaction, "abandon", "", "Leave without paying")


def _already_paid(transaction: Transaction, *, status: int = 200) -> Response:
    back = way_back(transaction, "success")
    link = f'<p><a href="{escape(back)}">Back to the merchant</a></p>' if back else ""
    body = card(
        "<h1>Already paid</h1>", "<p>This payment is complete; nothing more can be paid here.</p>", link
    )
    return html_response(page("Already paid", _head(transaction) + body), status)


def _message(title: str, text: str, *, status: int = 200) -> Response:
    return html_response(page(title, card(f"<h1>{escape(title)}</h1>", f"<p>{escape(text)}</p>")), status)
