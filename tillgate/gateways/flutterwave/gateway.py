"""Flutterwave (v3): hosted checkout, verify, saved cards, refunds, webhooks. The key alone chooses the mode.

It tells of chargebacks outside its API only, so there is no list of disputes.
Source: https://developer.flutterwave.com/docs
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from tillgate.gateways import answers, http
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.flutterwave import plans, signature, wire
from tillgate.gateways.protocol import (
    AttemptRef,
    ChargeRequest,
    GatewayAccount,
    GatewayEvent,
    GatewayState,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStarted,
    RefundRef,
    RefundSnapshot,
)
from tillgate.gateways.reading import below
from tillgate.gateways.setup import FromSettings, Rule, Setup
from tillgate.money import Money

KEY = r"FLWSECK(_TEST)?-[!-~]+-X"
SETUP = Setup(
    keys={"FLUTTERWAVE_SECRET_KEY": KEY},
    mode_by="FLUTTERWAVE_SECRET_KEY",
    modes={r"FLWSECK_TEST-.*": "test", r"FLWSECK-.*": "live"},
    base_url="FLUTTERWAVE_BASE_URL",
    credentials={"secret_key": "FLUTTERWAVE_SECRET_KEY", "webhook_hash": "FLUTTERWAVE_WEBHOOK_HASH"},
    rules=(
        Rule(
            name="FLUTTERWAVE_SECRET_KEY",
            form=KEY,
            message="FLUTTERWAVE_SECRET_KEY is not a secret key of Flutterwave's.",
            hint="Copy the secret key (FLWSECK_TEST-…-X or FLWSECK-…-X) from Flutterwave's dashboard, "
            "Settings, API keys.",
        ),
        Rule(
            name="FLUTTERWAVE_WEBHOOK_HASH",
            form=signature.SECRET_HASH.pattern,
            message="FLUTTERWAVE_WEBHOOK_HASH is missing or easy to guess: anybody could forge events.",
            hint=f"Make a random text of at least {signature.LEAST_HASH} characters and set it here and in "
            "Flutterwave's dashboard, Settings, Webhooks, Secret hash.",
        ),
    ),
)
MOST_PAGES = 50
NOT_FOUND = "no transaction was found"
LOOK_FURTHER = frozenset({GatewayState.PROCESSING, GatewayState.FAILED})


class FlutterwaveGateway(plans.PlanCalls, FromSettings):
    """One Flutterwave account. Raises the errors of `tillgate.gateways.errors`."""

    name: ClassVar[str] = "flutterwave"
    title: ClassVar[str] = "Flutterwave"
    page_origins: ClassVar[tuple[str, ...]] = ("https://checkout.flutterwave.com",)
    currencies: ClassVar[frozenset[str]] = wire.CURRENCIES
    settings: ClassVar[tuple[str, ...]] = SETUP.names
    secrets: ClassVar[tuple[str, ...]] = SETUP.secrets
    setup: ClassVar[Setup] = SETUP
    channels: ClassVar[tuple[str, ...]] = wire.CHANNELS
    charge_key_kept: timedelta | None = None
    # It seems to refuse a used tx_ref, but nothing that we know confirms it: a lost charge is for a person.
    refuses_repeated_charges: bool = False

    def __init__(self, account: GatewayAccount, patience: http.Patience) -> None:
        self._account = account
        self._secret_key = account.credentials["secret_key"]
        self._patience = patience

    @staticmethod
    def takes(amount: Money) -> bool:
        """Say whether Flutterwave can be asked for this amount."""
        return amount.currency in wire.CURRENCIES

    def start_payment(self, request: PaymentRequest) -> PaymentStarted:
        """Open a hosted page. A repeat opens another page under the same reference."""
        return wire.read_started(self._data("POST", "/payments", wire.payment_request(request)))

    def fetch_payment(self, attempt: AttemptRef) -> PaymentSnapshot:
        """Ask by our reference; ABSENT until the customer has tried to pay.

        Each try is a transaction of its own. Where the one that is told of brought no money, another
        that did answers instead.
        """
        reference = attempt.gateway_reference
        told = self._snapshot(f"/transactions/verify_by_reference?tx_ref={quote(reference, safe='')}")
        if told.state == GatewayState.ABSENT:
            return answers.absent(reference)
        snapshot = self._better(told, reference) if told.state in LOOK_FURTHER else told
        answers.must_be_about(snapshot.gateway_reference, reference, "another reference")
        return snapshot

    def fetch_transaction(self, gateway_id: str) -> PaymentSnapshot:
        """Ask by Flutterwave's numeric id, as a webhook names it."""
        snapshot = self._snapshot(f"/transactions/{_numeric(gateway_id)}/verify")
        answers.must_be_about(snapshot.gateway_id or gateway_id, gateway_id, "another transaction")
        return snapshot

    def refund(self, attempt: AttemptRef, amount: Money, *, key: str) -> RefundSnapshot:
        """Send money back. Flutterwave has no refund key: `key` goes into the comments, and a lost answer
        is resolved by comparing `list_refunds` before and after."""
        if attempt.gateway_id is None:
            raise Rejected("flutterwave refunds by its own id of the transaction, and has told none")
        path = f"/transactions/{_numeric(attempt.gateway_id)}/refund"
        body = {"amount": wire.to_major(amount), "comments": key}
        return answers.refund_over(
            amount, _refund_of(attempt, self._data("POST", path, body), amount.currency)
        )

    def fetch_refund(self, refund: RefundRef) -> RefundSnapshot | None:
        """Ask by Flutterwave's own id of the refund."""
        answer = self._send("GET", f"/refunds/{_numeric(refund.gateway_id)}")
        if answer.status in (400, 404):
            return None
        snapshot = _refund_of(refund.attempt, _data_of(answer), refund.amount.currency)
        return answers.refund_named(refund.gateway_id, snapshot)

    def list_refunds(self, attempt: AttemptRef, *, since: datetime) -> tuple[RefundSnapshot, ...]:
        """Return the refunds of a transaction, out of all that the account made around `since` and later."""
        gateway_id = _numeric(attempt.gateway_id)
        day = since.astimezone(UTC).date() - timedelta(days=1)  # Its days may begin in another time zone.
        rows = [
            row for row in self._rows("/refunds", {"from": day.isoformat()}) if _refunded(row) == gateway_id
        ]
        if not rows:
            return ()
        payment = self.fetch_transaction(gateway_id).amount  # Refunds name no currency.
        if payment is None:
            raise GatewayUnknown("flutterwave lists refunds of a transaction that it does not know")
        return tuple(wire.read_refund(row, payment.currency) for row in rows)

    def charge_saved(self, request: ChargeRequest) -> PaymentSnapshot:
        """Charge a card by its token. After a lost answer: verify the reference, never send it again.

        A charge that waits for the customer is PROCESSING: nobody here gives them the page it names, but
        whether they can reach it otherwise is not known. Flutterwave tells its end.
        """
        data = self._data("POST", "/tokenized-charges", wire.charge_request(request))
        snapshot = wire.read_payment(data, self._account.mode)
        answers.must_be_about(snapshot.gateway_reference, request.gateway_reference, "another reference")
        return snapshot

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent | None:
        """Verify an event against this account's secret hash; None when it does not know the hash."""
        is_ours = signature.is_signed(headers, body, self._account.credentials["webhook_hash"])
        return signature.read_event(body) if is_ours else None

    def _snapshot(self, path: str) -> PaymentSnapshot:
        answer = self._send("GET", path)
        if _is_absent(answer):
            return answers.absent()
        return wire.read_payment(_data_of(answer), self._account.mode)

    def _better(self, told: PaymentSnapshot, reference: str) -> PaymentSnapshot:
        """Look through the other tries: money that came in counts before money on its way, and that
        before a failure."""
        rows = [
            row
            for row in self._rows("/transactions", {"tx_ref": reference})
            if row.get("tx_ref") == reference
        ]
        for state in (GatewayState.SUCCEEDED, GatewayState.PROCESSING):
            if told.state == state:
                return told
            if found := next((row for row in rows if wire.read_state(row) == state), None):
                return self.fetch_transaction(_numeric(found.get("id")))
        return told

    def _rows(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Every row of a list, newest first. What is added meanwhile shifts the pages, so that a row may
        come twice, but none is missed."""
        found: dict[str, dict[str, Any]] = {}
        for page in range(1, MOST_PAGES + 1):
            body = _accepted(self._send("GET", f"{path}?{urlencode({**query, 'page': page})}"))
            pages = below(body, "meta", "page_info").get("total_pages")
            if type(pages) is not int:
                raise GatewayUnknown("flutterwave's list does not say how long it is")
            for row in answers.rows_of(body.get("data"), "rows"):
                found.setdefault(_numeric(row.get("id")), row)
            if page >= pages:
                return list(found.values())
        raise GatewayUnknown("flutterwave's list is too long to be read to its end")

    def _data(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return _data_of(self._send(method, path, body))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> http.Answer:
        headers = {"Authorization": f"Bearer {self._secret_key}"}
        url = f"{self._account.base_url}/v3{path}"
        return http.call(method, url, headers=headers, patience=self._patience, payload=body)


def _data_of(answer: http.Answer) -> dict[str, Any]:
    data = _accepted(answer).get("data")
    if not isinstance(data, dict):
        raise GatewayUnknown("flutterwave's answer has no data")
    return data


def _accepted(answer: http.Answer) -> dict[str, Any]:
    """`status: success` says that the call was handled, never that money moved."""
    message = wire.message_of(answer.body)
    is_duplicate = message.lower().startswith("duplicate transaction reference")
    if is_duplicate or answer.status != 200 or answer.body.get("status") != "success":
        is_method = message.lower().startswith(wire.METHOD_REFUSED)
        raise answers.refusal(answer.status, message, is_duplicate=is_duplicate, is_method=is_method)
    return answer.body


def _is_absent(answer: http.Answer) -> bool:
    # With 400 as observed, with 200 as described elsewhere: the sentence decides.
    is_error = answer.status in (200, 400, 404) and answer.body.get("status") == "error"
    return is_error and wire.message_of(answer.body).lower().startswith(NOT_FOUND)


def _numeric(gateway_id: object) -> str:
    return answers.needed_id(gateway_id, wire.read_id)


def _refunded(data: dict[str, Any]) -> str | None:
    return wire.read_id(data.get("tx_id"))


def _refund_of(attempt: AttemptRef, data: dict[str, Any], currency: str) -> RefundSnapshot:
    answers.must_be_about(_refunded(data), attempt.gateway_id, "a refund of another transaction")
    return wire.read_refund(data, currency)
