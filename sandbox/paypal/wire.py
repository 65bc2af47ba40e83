"""Orders, captures and refunds as PayPal writes them. Source: its OpenAPI files, orders and payments v2."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.paypal.books import Books, payer_id
from sandbox.paypal.currencies import money
from sandbox.paypal.models import Capture, Order, PaymentToken, Refund
from sandbox.web import Json

MERCHANT = {"email_address": "merchant@sandbox.example", "merchant_id": "SBX2M3RCHANT7"}
PAYER_NAME = {"given_name": "Ada", "surname": "Buyer"}
EARNED = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
REFUNDABLE = frozenset({"COMPLETED", "PARTIALLY_REFUNDED"})


class Writer:
    def __init__(self, books: Books, base_url: str) -> None:
        self._books, self._base_url = books, base_url

    def order(self, order: Order, *, whole: bool) -> Json:
        """A whole order, or the minimal one that PayPal answers to creating and capturing by default."""
        core = {"id": order.id, "status": order.status}
        if not whole:
            return {**core, "links": self._order_links(order)}
        return {
            **core,
            "intent": "CAPTURE",
            **self._source(order),
            "purchase_units": [self._unit(order)],
            **_payer(order),
            "create_time": moment(order.created_at),
            "update_time": moment(order.updated_at),
            "links": self._order_links(order),
        }

    def capture(self, capture: Capture) -> Json:
        """A capture by itself: it also names its order and its payee."""
        return {
            **self._capture(capture),
            "supplementary_data": {"related_ids": {"order_id": capture.order_id}},
            "payee": MERCHANT,
        }

    def refund(self, refund: Refund, *, whole: bool) -> Json:
        core = {"id": refund.id, "status": refund.status, "links": self._refund_links(refund)}
        if not whole:
            return core
        currency = self._books.captures[refund.capture_id].currency
        pending = {"status_details": {"reason": "ECHECK"}} if refund.status == "PENDING" else {}
        return {
            **core,
            **pending,
            **_given(refund, "custom_id", "invoice_id"),
            **({"note_to_payer": refund.note} if refund.note else {}),
            "amount": money(refund.amount, currency),
            "seller_payable_breakdown": _payable(refund, currency),
            "payer": MERCHANT,  # The schema's word for whoever pays the refund.
            "create_time": moment(refund.created_at),
            "update_time": moment(refund.updated_at),
        }

    def payment_token(self, token: PaymentToken) -> Json:
        return {
            "id": token.id,
            "customer": {"id": token.customer_id},
            "payment_source": {"paypal": wallet(token.payer_email)},
            "links": self.token_links(token.id),
        }

    def token_links(self, token_id: str) -> list[Json]:
        path = f"/v3/vault/payment-tokens/{token_id}"
        return [self.link("self", path), self.link("delete", path, method="DELETE")]

    def link(self, rel: str, path: str, *, method: str = "GET") -> Json:
        return {"href": f"{self._base_url}/paypal{path}", "rel": rel, "method": method}

    def payer_url(self, order: Order) -> str:
        """The hosted page of an order."""
        return f"{self._base_url}/paypal/checkoutnow?token={order.id}"

    def _order_links(self, order: Order) -> list[Json]:
        path = f"/v2/checkout/orders/{order.id}"
        links = [self.link("self", path)]
        if order.status in ("CREATED", "PAYER_ACTION_REQUIRED"):
            rel = "payer-action" if order.has_source else "approve"
            links.append(self.link(rel, f"/checkoutnow?token={order.id}"))
        if order.status in ("CREATED", "APPROVED"):
            links.append(self.link("capture", f"{path}/capture", method="POST"))
        return links

    def _unit(self, order: Order) -> Json:
        unit = {
            "reference_id": order.reference_id,
            "amount": money(order.amount, order.currency),
            "payee": MERCHANT,
            **_given(order, "custom_id", "invoice_id", "description"),
        }
        if capture := self._books.capture_of(order):
            unit["payments"] = {"captures": [self._capture(capture)], **self._refunds(capture)}
        return unit

    def _refunds(self, capture: Capture) -> Json:
        refunds = [self.refund(one, whole=True) for one in self._books.refunds_of(capture)]
        return {"refunds": refunds} if refunds else {}

    def _capture(self, capture: Capture) -> Json:
        path = f"/v2/payments/captures/{capture.id}"
        links = [self.link("self", path), self.link("up", f"/v2/checkout/orders/{capture.order_id}")]
        if capture.status in REFUNDABLE:
            links.insert(1, self.link("refund", f"{path}/refund", method="POST"))
        return {
            "id": capture.id,
            "status": capture.status,
            **({"status_details": {"reason": capture.reason}} if capture.reason else {}),
            "amount": money(capture.amount, capture.currency),
            "final_capture": True,
            "disbursement_mode": "INSTANT",
            "seller_protection": {"status": "NOT_ELIGIBLE"},
            **(_receivable(capture) if capture.status in EARNED else {}),
            **_given(capture, "custom_id", "invoice_id"),
            "create_time": moment(capture.created_at),
            "update_time": moment(capture.updated_at),
            "links": links,
        }

    def _refund_links(self, refund: Refund) -> list[Json]:
        up = self.link("up", f"/v2/payments/captures/{refund.capture_id}")
        return [self.link("self", f"/v2/payments/refunds/{refund.id}"), up]

    def _source(self, order: Order) -> Json:
        """Empty until the payer has agreed, for before that nobody knows who pays."""
        if order.approved_at is None:
            return {"payment_source": {"paypal": {}}} if order.has_source else {}
        paypal: Json = {**wallet(order.payer_email), "account_status": "VERIFIED"}
        if order.saves and order.status == "COMPLETED":
            paypal["attributes"] = {"vault": self._vault(order)}
        return {"payment_source": {"paypal": paypal}}

    def _vault(self, order: Order) -> Json:
        if order.vault_id is None:
            return {"status": "APPROVED"}  # The id comes later, by an event.
        token = self._books.payment_tokens[order.vault_id]
        return {
            "id": token.id,
            "status": "VAULTED",
            "customer": {"id": token.customer_id},
            "links": self.token_links(token.id),
        }


def moment(at: float) -> str:
    """A moment as PayPal writes it: whole seconds, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wallet(email: str) -> Json:
    """A payer's PayPal account, as a payment source."""
    return {
        "email_address": email,
        "account_id": payer_id(email),
        "name": PAYER_NAME,
        "address": {"country_code": "US"},
    }


def _payer(order: Order) -> Json:
    if order.approved_at is None:
        return {}
    payer = wallet(order.payer_email)
    return {"payer": {**payer, "payer_id": payer.pop("account_id")}}


def _given(row: Order | Capture | Refund, *names: str) -> Json:
    return {name: value for name in names if (value := getattr(row, name)) is not None}


def _receivable(capture: Capture) -> Json:
    return {
        "seller_receivable_breakdown": {
            "gross_amount": money(capture.amount, capture.currency),
            "paypal_fee": money(capture.fee, capture.currency),
            "net_amount": money(capture.amount - capture.fee, capture.currency),
        }
    }


def _payable(refund: Refund, currency: str) -> Json:
    return {
        "gross_amount": money(refund.amount, currency),
        "paypal_fee": money(refund.fee, currency),
        "net_amount": money(refund.amount - refund.fee, currency),
        "total_refunded_amount": money(refund.total, currency),
    }
