"""Paystack: hosted checkout, verify, refunds, webhooks. Mode is chosen by the key alone.

Source: https://paystack.com/docs/api/
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from tillgate.gateways import answers, http
from tillgate.gateways.errors import GatewayUnknown, MethodRefused
from tillgate.gateways.paystack import plans, signature, wire
from tillgate.gateways.protocol import (
    AttemptRef,
    ChargeRequest,
    DisputeSnapshot,
    GatewayAccount,
    GatewayEvent,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStarted,
    RefundRef,
    RefundSnapshot,
)
from tillgate.gateways.setup import FromSettings, Rule, Setup
from tillgate.money import Money

LONGEST_LIST = 100
SETUP = Setup(
    # A header can hold nothing else, so nothing else is a key.
    keys={"PAYSTACK_SECRET_KEY": r"sk_(test|live)_[!-~]+"},
    mode_by="PAYSTACK_SECRET_KEY",
    modes={r"sk_test_.*": "test", r"sk_live_.*": "live"},
    base_url="PAYSTACK_BASE_URL",
    credentials={"secret_key": "PAYSTACK_SECRET_KEY"},
    rules=(
        Rule(
            name="PAYSTACK_SECRET_KEY",
            form=r"sk_(test|live)_[!-~]{12,}",
            message="PAYSTACK_SECRET_KEY is not a secret key of Paystack's.",
            hint="Copy the secret key (sk_test_… or sk_live_…) from Paystack's dashboard, "
            "Settings, API Keys.",
        ),
    ),
)


class PaystackGateway(plans.PlanCalls, FromSettings):
    """One Paystack account. Raises the errors of `tillgate.gateways.errors`."""

    name: ClassVar[str] = "paystack"
    title: ClassVar[str] = "Paystack"
    page_origins: ClassVar[tuple[str, ...]] = ("https://checkout.paystack.com",)
    currencies: ClassVar[frozenset[str]] = wire.CURRENCIES
    settings: ClassVar[tuple[str, ...]] = SETUP.names
    secrets: ClassVar[tuple[str, ...]] = SETUP.secrets
    setup: ClassVar[Setup] = SETUP
    channels: ClassVar[tuple[str, ...]] = wire.CHANNELS
    charge_key_kept: timedelta | None = None
    refuses_repeated_charges: bool = True  # Any use of a reference is its last, whatever became of it.

    def __init__(self, account: GatewayAccount, patience: http.Patience) -> None:
        self._account = account
        self._secret_key = account.credentials["secret_key"]
        self._patience = patience

    @staticmethod
    def takes(amount: Money) -> bool:
        """Say whether Paystack can be asked for this amount."""
        return amount.currency in wire.CURRENCIES

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
        answers.must_be_about(snapshot.gateway_id or gateway_id, gateway_id, "another transaction")
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
        return answers.refund_over(amount, _refund_of(attempt, self._data("POST", "/refund", body)))

    def fetch_refund(self, refund: RefundRef) -> RefundSnapshot | None:
        """Ask by Paystack's own id of the refund."""
        answer = self._send("GET", f"/refund/{_numeric(refund.gateway_id)}")
        if answer.status in (400, 404):
            return None
        return answers.refund_named(refund.gateway_id, _refund_of(refund.attempt, self._accepted(answer)))

    def list_refunds(self, attempt: AttemptRef, *, since: datetime) -> tuple[RefundSnapshot, ...]:
        """Return all the refunds of a transaction, newest first, be they older than `since` or not."""
        return tuple(_refund_of(attempt, row) for row in self._listed("refund", attempt))

    def list_disputes(self, attempt: AttemptRef, *, since: datetime) -> tuple[DisputeSnapshot, ...]:
        """Return all the disputes of a transaction, be they older than `since` or not."""
        return tuple(_dispute_of(attempt, row) for row in self._listed("dispute", attempt))

    def charge_saved(self, request: ChargeRequest) -> PaymentSnapshot:
        """Charge a reusable authorization. After a lost answer: verify the reference, never send it again."""
        data = self._data("POST", "/transaction/charge_authorization", wire.charge_request(request))
        return self._ours(wire.read_charge(data, self._account.mode), request.gateway_reference)

    def forget_saved(self, token: str, customer_email: str) -> None:
        """Deactivate an authorization. Paystack answers the same for one that is inactive already."""
        try:
            body = {"authorization_code": token}
            self._accept(self._send("POST", "/customer/authorization/deactivate", body))
        except MethodRefused:
            return  # It knows no such authorization, so that it cannot charge it either.

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent | None:
        """Verify the raw bytes against this account's key; None when they are not signed with it."""
        return signature.read_event(body) if signature.is_signed(headers, body, self._secret_key) else None

    def _snapshot(self, path: str, gateway_reference: str | None) -> PaymentSnapshot:
        answer = self._send("GET", path)
        if _is_absent(answer):
            return answers.absent(gateway_reference or "")
        return self._ours(wire.read_payment(self._accepted(answer)), gateway_reference)

    def _ours(self, snapshot: PaymentSnapshot, gateway_reference: str | None) -> PaymentSnapshot:
        if gateway_reference:
            answers.must_be_about(snapshot.gateway_reference, gateway_reference, "another reference")
        if snapshot.mode != self._account.mode:
            raise GatewayUnknown(f"paystack answered in {snapshot.mode} mode to a {self._account.mode} key")
        return snapshot

    def _listed(self, what: str, attempt: AttemptRef) -> list[dict[str, Any]]:
        # Paystack lists by its numeric id only, and without one it would list those of everybody.
        query = f"?transaction={_numeric(attempt.gateway_id)}&perPage={LONGEST_LIST}"
        rows = self._accept(self._send("GET", f"/{what}{query}")).get("data")
        return answers.rows_of(rows, f"{what}s", fewer_than=LONGEST_LIST)

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
        is_told_so = message == "Duplicate Transaction Reference"
        is_duplicate = is_told_so or answer.body.get("code") == "duplicate_reference"
        if is_duplicate or answer.status != 200 or answer.body.get("status") is not True:
            is_method = message.lower().startswith(wire.METHOD_REFUSED)
            raise answers.refusal(answer.status, message, is_duplicate=is_duplicate, is_method=is_method)
        return answer.body


def _numeric(gateway_id: str | None) -> str:
    return answers.needed_id(gateway_id, wire.read_id)


def _refund_of(attempt: AttemptRef, data: dict[str, Any]) -> RefundSnapshot:
    transaction = wire.transaction_of(data)
    if attempt.gateway_id:
        answers.must_be_about(transaction, attempt.gateway_id, "a refund of another transaction")
    return wire.read_refund(data)


def _dispute_of(attempt: AttemptRef, data: dict[str, Any]) -> DisputeSnapshot:
    answers.must_be_about(wire.transaction_of(data), attempt.gateway_id, "a dispute of another transaction")
    return wire.read_dispute(data)


def _is_absent(answer: http.Answer) -> bool:
    # One note says 400, another 404; the code or the sentence decides.
    code, message = answer.body.get("code"), wire.message_of(answer.body)
    return answer.status in (400, 404) and (
        code == "transaction_not_found" or message.startswith("Transaction reference not found")
    )
