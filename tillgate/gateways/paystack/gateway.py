"""Paystack: hosted checkout, verify, refunds, webhooks. Mode is chosen by the key alone.

Source: https://paystack.com/docs/api/
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tillgate.gateways import http
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, Rejected
from tillgate.gateways.paystack import signature, wire
from tillgate.gateways.protocol import (
    AttemptRef,
    GatewayAccount,
    GatewayEvent,
    GatewayState,
    Mode,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStarted,
    RefundRef,
    RefundSnapshot,
)
from tillgate.money import Money

REFUND_PAGE = 100
KEY = re.compile(r"sk_(test|live)_[!-~]+")  # A header can hold nothing else, so nothing else is a key.
KEY_MODES: dict[str, Mode] = {"test": "test", "live": "live"}


class PaystackGateway:
    """One Paystack account. Raises the errors of `tillgate.gateways.errors`."""

    name: str = "paystack"
    title: str = "Paystack"
    page_origins: tuple[str, ...] = ("https://checkout.paystack.com",)
    currencies: frozenset[str] = wire.CURRENCIES
    channels: tuple[str, ...] = ("card", "bank", "bank_transfer", "ussd", "qr", "mobile_money", "eft")

    def __init__(self, account: GatewayAccount, patience: http.Patience) -> None:
        self._account = account
        self._secret_key = account.credentials["secret_key"]
        self._patience = patience

    @staticmethod
    def mode_of_key(key: str) -> Mode | None:
        """Return the mode of a secret key, or None when it is not one of Paystack's."""
        shape = KEY.fullmatch(key)
        return KEY_MODES[shape[1]] if shape else None

    def start_payment(self, request: PaymentRequest) -> PaymentStarted:
        """Open the hosted page. After a lost answer: verify, then start again with a new reference."""
        data = self._data("POST", "/transaction/initialize", wire.payment_request(request))
        return wire.read_started(data, request.gateway_reference)

    def fetch_payment(self, attempt: AttemptRef) -> PaymentSnapshot:
        """Ask by our reference; two transactions may carry it, then the latest answers."""
        path = f"/transaction/verify/{quote(attempt.gateway_reference, safe='')}"
        return self._snapshot(path, attempt.gateway_reference)

    def fetch_transaction(self, gateway_id: str) -> PaymentSnapshot:
        """Ask by Paystack's numeric id, as a webhook names it."""
        snapshot = self._snapshot(f"/transaction/{_numeric(gateway_id)}", None)
        if snapshot.gateway_id not in (None, gateway_id):
            raise GatewayUnknown("paystack answered about another transaction")
        return snapshot

    def refund(self, attempt: AttemptRef, amount: Money, *, key: str) -> RefundSnapshot:
        """Send money back. Paystack has no refund key: `key` goes into the merchant's note, and a lost
        answer is resolved by comparing `list_refunds` before and after."""
        body = {
            "transaction": attempt.gateway_id or attempt.gateway_reference,
            "amount": wire.to_subunits(amount),
            "currency": amount.currency,
            "merchant_note": key,
        }
        snapshot = _refund_of(attempt, self._data("POST", "/refund", body))
        if snapshot.amount != amount:
            raise GatewayUnknown(f"paystack took a refund of {snapshot.amount} for one of {amount}")
        return snapshot

    def fetch_refund(self, refund: RefundRef) -> RefundSnapshot | None:
        """Ask by Paystack's own id of the refund."""
        answer = self._send("GET", f"/refund/{_numeric(refund.gateway_id)}")
        if answer.status in (400, 404):
            return None
        snapshot = _refund_of(refund.attempt, self._accepted(answer))
        if snapshot.gateway_id != refund.gateway_id:
            raise GatewayUnknown("paystack answered about another refund")
        return snapshot

    def list_refunds(self, attempt: AttemptRef) -> tuple[RefundSnapshot, ...]:
        """Return the refunds of a transaction, newest first; Paystack lists by its numeric id only, and
        without one it would list those of everybody."""
        query = f"?transaction={_numeric(attempt.gateway_id)}&perPage={REFUND_PAGE}"
        rows = self._accept(self._send("GET", f"/refund{query}")).get("data")
        if not isinstance(rows, list) or len(rows) >= REFUND_PAGE:
            raise GatewayUnknown("paystack's list of refunds is not complete")
        if not all(isinstance(row, dict) for row in rows):
            raise GatewayUnknown("paystack's list of refunds cannot be read")
        return tuple(_refund_of(attempt, row) for row in rows)

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent | None:
        """Verify the raw bytes against this account's key; None when they are not signed with it."""
        return signature.read_event(body) if signature.is_signed(headers, body, self._secret_key) else None

    def _snapshot(self, path: str, gateway_reference: str | None) -> PaymentSnapshot:
        answer = self._send("GET", path)
        if _is_absent(answer):
            return PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference=gateway_reference or "")
        snapshot = wire.read_payment(self._accepted(answer))
        if gateway_reference and snapshot.gateway_reference != gateway_reference:
            raise GatewayUnknown("paystack answered about another reference")
        if snapshot.mode != self._account.mode:
            raise GatewayUnknown(
                f"paystack answered with a {snapshot.mode} transaction to a {self._account.mode} key"
            )
        return snapshot

    def _data(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._accepted(self._send(method, path, body))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> http.Answer:
        headers = {"Authorization": f"Bearer {self._secret_key}"}
        url = f"{self._account.base_url}{path}"
        return http.call(method, url, headers=headers, patience=self._patience, payload=body)

    def _accepted(self, answer: http.Answer) -> dict[str, Any]:
        data = self._accept(answer).get("data")
        if not isinstance(data, dict):
            raise GatewayUnknown("paystack's answer has no data")
        return data

    def _accept(self, answer: http.Answer) -> dict[str, Any]:
        """`status: true` says that the call was accepted, never that money moved."""
        message = wire.message_of(answer.body)
        if answer.body.get("code") == "duplicate_reference" or message == "Duplicate Transaction Reference":
            raise DuplicateReference(message)
        if 400 <= answer.status < 500:
            raise Rejected(message or f"paystack answered {answer.status}")
        if answer.status != 200 or answer.body.get("status") is not True:
            raise GatewayUnknown(f"paystack answered {answer.status} without accepting the call: {message}")
        return answer.body


def _numeric(gateway_id: str | None) -> str:
    if gateway_id is None or wire.read_id(gateway_id) is None:
        raise GatewayUnknown(f"{wire.shown(gateway_id)} is not an id of Paystack's")
    return gateway_id


def _refund_of(attempt: AttemptRef, data: dict[str, Any]) -> RefundSnapshot:
    if attempt.gateway_id and wire.refunded_transaction(data) != attempt.gateway_id:
        raise GatewayUnknown("paystack answered about a refund of another transaction")
    return wire.read_refund(data)


def _is_absent(answer: http.Answer) -> bool:
    # One note says 400, another 404; the code or the sentence decides.
    code, message = answer.body.get("code"), wire.message_of(answer.body)
    return answer.status in (400, 404) and (
        code == "transaction_not_found" or message.startswith("Transaction reference not found")
    )
