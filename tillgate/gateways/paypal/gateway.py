"""PayPal: hosted approval and capture, refunds, saved wallets, disputes, webhooks. The host is the mode.

A PayPal order names no account to compare with: that an answer is about our own is known from the token
it was asked with, and that it is about this attempt from the `custom_id` in it.
Source: https://developer.paypal.com/docs/api/orders/v2/
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from tillgate.gateways import answers, certificates, http
from tillgate.gateways.errors import GatewayError, GatewayUnknown, MethodRefused, Rejected, Unreachable
from tillgate.gateways.oauth import tokens_of
from tillgate.gateways.paypal import signature, wire, words
from tillgate.gateways.protocol import (
    AttemptRef,
    ChargeRequest,
    DisputeSnapshot,
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
from tillgate.gateways.setup import FromSettings, Rule, Setup
from tillgate.money import Money

DISPUTES_PAGE = 50
ORDERS, CAPTURES, REFUNDS = "/v2/checkout/orders", "/v2/payments/captures", "/v2/payments/refunds"
DISPUTES, SAVED = "/v1/customer/disputes", "/v3/vault/payment-tokens"
KEY = r"[!-9;-~]{10,200}"  # Without a colon, which parts the two in a header.
HOSTS: dict[str, Mode] = {
    r"https://api-m\.paypal\.com": "live",
    r"https://api-m\.sandbox\.paypal\.com": "test",
    rf"{certificates.LOOPBACK}(?:/[a-z]+)?": "test",
}
UNSET_TRUST = "Unset it: only the certificates of a sandbox on this machine need `<origin> <file>`."
SETUP = Setup(
    keys={"PAYPAL_CLIENT_ID": KEY, "PAYPAL_CLIENT_SECRET": KEY},
    mode_by="PAYPAL_BASE_URL",
    modes=HOSTS,
    base_url="PAYPAL_BASE_URL",
    credentials={
        "client_secret": "PAYPAL_CLIENT_SECRET",
        "client_id": "PAYPAL_CLIENT_ID",
        "webhook_id": "PAYPAL_WEBHOOK_ID",
        "webhook_verification": "PAYPAL_WEBHOOK_VERIFICATION",
    },
    trust="PAYPAL_CERTIFICATE_TRUST",
    identity="PAYPAL_CLIENT_ID",
    hosts={"live": "https://api-m.paypal.com", "test": "https://api-m.sandbox.paypal.com"},
    choices=frozenset({"PAYPAL_WEBHOOK_VERIFICATION"}),
    rules=(
        Rule(
            name="PAYPAL_CLIENT_ID",
            form=KEY,
            message="PAYPAL_CLIENT_ID is missing or not one of PayPal's.",
            hint="Copy it from developer.paypal.com, Apps & Credentials.",
        ),
        Rule(
            name="PAYPAL_CLIENT_SECRET",
            form=KEY,
            message="PAYPAL_CLIENT_SECRET is missing or not one of PayPal's.",
            hint="Copy it from developer.paypal.com, Apps & Credentials.",
        ),
        Rule(
            name="PAYPAL_WEBHOOK_ID",
            form=signature.WEBHOOK_ID.pattern,
            message="PAYPAL_WEBHOOK_ID is missing or not one of PayPal's, so no event can be verified.",
            hint="Add the webhook's URL to the app at developer.paypal.com and copy the id that it is given.",
        ),
        Rule(
            name="PAYPAL_WEBHOOK_VERIFICATION",
            form="certificate|api",
            message="PAYPAL_WEBHOOK_VERIFICATION is neither certificate nor api.",
            hint="Unset it: `certificate` needs no call to PayPal for an event.",
        ),
        Rule(
            name="PAYPAL_BASE_URL",
            form="|".join(HOSTS),
            message="PAYPAL_BASE_URL is no address of PayPal's API.",
            hint="Unset it, or set it to https://api-m.sandbox.paypal.com for PayPal's own test mode.",
        ),
        Rule(
            name="PAYPAL_CERTIFICATE_TRUST",
            form=f"|{certificates.TRUST}",
            message="PAYPAL_CERTIFICATE_TRUST is not `<origin> <file>` of a sandbox on this machine.",
            hint=UNSET_TRUST,
        ),
        Rule(
            name="PAYPAL_CERTIFICATE_TRUST",
            form="",
            message="PAYPAL_CERTIFICATE_TRUST stands beside a live account.",
            hint=UNSET_TRUST,
            mode="live",
        ),
    ),
)


class PayPalGateway(FromSettings):
    """One PayPal account. Raises the errors of `tillgate.gateways.errors`."""

    name: ClassVar[str] = "paypal"
    title: ClassVar[str] = "PayPal"
    page_origins: ClassVar[tuple[str, ...]] = ("https://www.paypal.com", "https://www.sandbox.paypal.com")
    currencies: ClassVar[frozenset[str]] = wire.CURRENCIES
    settings: ClassVar[tuple[str, ...]] = SETUP.names
    secrets: ClassVar[tuple[str, ...]] = SETUP.secrets
    setup: ClassVar[Setup] = SETUP
    channels: ClassVar[tuple[str, ...]] = (wire.CHANNEL,)
    capture_key_kept: timedelta = timedelta(hours=6)
    charge_key_kept: timedelta | None = timedelta(hours=6)
    refuses_repeated_charges: bool = False  # It returns the first answer, and later would charge again.
    refund_key_kept: timedelta = timedelta(days=45)

    def __init__(self, account: GatewayAccount, patience: http.Patience) -> None:
        self._account, self._patience = account, patience
        keys, url = account.credentials, f"{account.base_url}/v1/oauth2/token"
        self._tokens = tokens_of(url, keys["client_id"], keys["client_secret"])

    @staticmethod
    def takes(amount: Money) -> bool:
        """Say whether PayPal can be asked for this amount: HUF, JPY and TWD in whole units only."""
        return wire.takes(amount)

    def start_payment(self, request: PaymentRequest) -> PaymentStarted:
        """Open an order. For six hours the same call returns the same order."""
        body, reference = wire.payment_request(request), request.gateway_reference
        return wire.read_started(_accepted(self._send("POST", ORDERS, body, key=reference)), reference)

    def fetch_payment(self, attempt: AttemptRef) -> PaymentSnapshot:
        """Ask by the order; without one nobody was given a page, so nobody can have paid."""
        reference = attempt.gateway_reference
        if attempt.session_id is None:
            return answers.absent(reference)
        answer = self._send("GET", f"{ORDERS}/{_id(attempt.session_id)}")
        if _is_absent(answer):
            return answers.absent(reference)
        snapshot = self._ours(wire.read_order(_accepted(answer)), reference)
        answers.must_be_about(snapshot.session_id, attempt.session_id, "another order")
        return snapshot

    def fetch_transaction(self, gateway_id: str) -> PaymentSnapshot:
        """Ask about a capture."""
        answer = self._send("GET", f"{CAPTURES}/{_id(gateway_id)}")
        if _is_absent(answer):
            return answers.absent()
        snapshot = wire.read_capture(_accepted(answer))
        answers.must_be_about(snapshot.gateway_id, gateway_id, "another capture")
        return self._ours(snapshot, snapshot.gateway_reference)

    def capture_approved(self, attempt: AttemptRef) -> PaymentSnapshot:
        """Take the money of an order. A second call returns the first one's capture."""
        reference, path = attempt.gateway_reference, f"{ORDERS}/{_id(attempt.session_id)}/capture"
        answer = self._send("POST", path, {}, key=f"{reference}-capture")
        issue = "" if answer.status in (200, 201) else wire.issue_of(answer.body)
        if issue in words.CAPTURED_BEFORE:
            before = self.fetch_payment(attempt)
            if before.gateway_id is None:
                raise GatewayUnknown("paypal says captured, and its order names no capture")
            return before
        if issue == "ORDER_NOT_APPROVED":
            return answers.nothing_moved(GatewayState.PENDING, attempt, self._account.mode)
        if _is_absent(answer):
            return answers.nothing_moved(GatewayState.ABSENT, attempt, self._account.mode)
        return self._charged(answer, attempt)

    def charge_saved(self, request: ChargeRequest) -> PaymentSnapshot:
        """Charge a saved wallet. For six hours the same call returns the same charge."""
        attempt = AttemptRef(gateway_reference=request.gateway_reference, gateway_id=None)
        answer = self._send("POST", ORDERS, wire.charge_request(request), key=request.gateway_reference)
        # This call names nothing but the wallet that PayPal could not know.
        if _is_absent(answer) or wire.issue_of(answer.body) in words.METHOD_REFUSED:
            raise MethodRefused(wire.message_of(answer.body))
        snapshot = self._charged(answer, attempt)
        if snapshot.state == GatewayState.PENDING:  # The customer would have to confirm, and is not there.
            state, code = GatewayState.FAILED, "authentication_failed"
            return answers.nothing_moved(state, attempt, self._account.mode, code)
        return snapshot

    def forget_saved(self, token: str, customer_email: str) -> None:
        """Delete a saved wallet. PayPal answers the same for one that is deleted already."""
        answer = self._send("DELETE", f"{SAVED}/{_id(token)}")
        if answer.status != 204 and not _is_absent(answer):
            _accepted(answer)

    def refund(self, attempt: AttemptRef, amount: Money, *, key: str) -> RefundSnapshot:
        """Send money back. For 45 days the same call returns the same refund; `key` is its invoice id."""
        if attempt.gateway_id is None:
            raise Rejected("there is no capture to refund")
        # Our reference is sent again, so that the event about the refund names the attempt.
        body = {"amount": wire.to_money(amount), "custom_id": attempt.gateway_reference, "invoice_id": key}
        path = f"{CAPTURES}/{_id(attempt.gateway_id)}/refund"
        data = _accepted(self._send("POST", path, body, key=key))
        return answers.refund_over(amount, _refund_of(attempt, data))

    def fetch_refund(self, refund: RefundRef) -> RefundSnapshot | None:
        """Ask by PayPal's own id of the refund."""
        answer = self._send("GET", f"{REFUNDS}/{_id(refund.gateway_id)}")
        if _is_absent(answer):
            return None
        return answers.refund_named(refund.gateway_id, _refund_of(refund.attempt, _accepted(answer)))

    def list_refunds(self, attempt: AttemptRef, *, since: datetime) -> tuple[RefundSnapshot, ...]:
        """Return the refunds that the order holds, which are all; a capture by itself tells of none."""
        if attempt.gateway_id is None:
            raise GatewayUnknown("paypal has no refunds of an unnamed capture")
        order = _accepted(self._send("GET", f"{ORDERS}/{_id(attempt.session_id)}"))
        self._ours(wire.read_order(order), attempt.gateway_reference)
        return tuple(_refund_of(attempt, row) for row in wire.refunds_of(order))

    def list_disputes(self, attempt: AttemptRef, *, since: datetime) -> tuple[DisputeSnapshot, ...]:
        """Return the disputes of a capture. How one ended, only its own page tells."""
        query = f"?disputed_transaction_id={_id(attempt.gateway_id)}&page_size={DISPUTES_PAGE}"
        told = _accepted(self._send("GET", f"{DISPUTES}{query}")).get("items", [])
        return tuple(map(self._dispute, answers.rows_of(told, "disputes", fewer_than=DISPUTES_PAGE)))

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent | None:
        """Verify the raw bytes by PayPal's certificate, or by asking PayPal where the settings say so."""
        webhook_id = self._account.credentials["webhook_id"]
        sent = signature.transmission_of(headers, self._account)
        if sent is None or not signature.WEBHOOK_ID.fullmatch(webhook_id):
            return None
        asks = self._account.credentials["webhook_verification"] == "api"
        verify = self._confirms if asks else signature.is_signed
        return signature.read_event(body) if verify(sent, body, webhook_id) else None

    def _confirms(self, sent: signature.Transmission, body: bytes, webhook_id: str) -> bool:
        question = signature.question(sent, body, webhook_id)
        if question is None:
            return False
        try:
            answer = self._send("POST", "/v1/notifications/verify-webhook-signature", question)
        except GatewayError as error:
            raise Unreachable(f"paypal did not say whether it sent an event: {error}") from error
        said = answer.body.get("verification_status") if answer.status == 200 else None
        if said not in ("SUCCESS", "FAILURE") and answer.status not in (400, 422):
            raise Unreachable(f"paypal did not say whether it sent an event ({answer.status})")
        return said == "SUCCESS"

    def _charged(self, answer: http.Answer, attempt: AttemptRef) -> PaymentSnapshot:
        issue = wire.issue_of(answer.body)
        if answer.status in (403, 422) and (code := wire.read_refusal(issue)):
            return answers.nothing_moved(GatewayState.FAILED, attempt, self._account.mode, code)
        return self._ours(wire.read_order(_accepted(answer)), attempt.gateway_reference)

    def _dispute(self, told: dict[str, Any]) -> DisputeSnapshot:
        if told.get("status") == "RESOLVED":
            dispute_id = told.get("dispute_id")
            told = _accepted(self._send("GET", f"{DISPUTES}/{_id(dispute_id)}"))
            answers.must_be_about(told.get("dispute_id"), dispute_id, "another dispute")
        return wire.read_dispute(told)

    def _ours(self, snapshot: PaymentSnapshot, reference: str) -> PaymentSnapshot:
        answers.must_be_about(snapshot.gateway_reference, reference, "another reference")
        return replace(snapshot, mode=self._account.mode)

    def _send(self, method: str, path: str, payload: http.Payload = None, *, key: str = "") -> http.Answer:
        headers = {"Content-Type": "application/json", "Prefer": "return=representation"}
        if key:
            headers["PayPal-Request-Id"] = key
        url = f"{self._account.base_url}{path}"
        return self._tokens.call(method, url, headers=headers, patience=self._patience, payload=payload)


def _accepted(answer: http.Answer) -> dict[str, Any]:
    if answer.status in (200, 201):
        return answer.body
    message, is_duplicate = wire.message_of(answer.body), wire.issue_of(answer.body) == words.DUPLICATE
    if answer.status == 409 and not is_duplicate:
        raise GatewayUnknown(f"paypal answered 409, for a call like it is running: {message}")
    raise answers.refusal(answer.status, message, is_duplicate=is_duplicate)


def _is_absent(answer: http.Answer) -> bool:
    return answer.status == 404 and (
        wire.issue_of(answer.body) == "INVALID_RESOURCE_ID" or answer.body.get("name") == "RESOURCE_NOT_FOUND"
    )


def _refund_of(attempt: AttemptRef, data: dict[str, Any]) -> RefundSnapshot:
    answers.must_be_about(wire.captured_of(data), attempt.gateway_id, "a refund of another capture")
    return wire.read_refund(data)


def _id(value: object) -> str:
    return answers.needed_id(value, wire.read_id)
