"""One gateway's emulator, driven through the sandbox's control API; an `AdapterCase` says how it differs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.loopback import NO_TLS
from tillgate.common.references import new_reference
from tillgate.gateways import registry
from tillgate.gateways.http import Patience
from tillgate.gateways.protocol import (
    AttemptRef,
    CapturesApproved,
    CertificateTrust,
    ChargeRequest,
    Failure,
    Gateway,
    GatewayAccount,
    GatewayState,
    Mode,
    PaymentRequest,
    PaymentSnapshot,
    RefundSnapshot,
    RefundState,
    SavedMethod,
)
from tillgate.money import Money

CALM = Patience(total_s=10, slot_s=10)
HASTY = Patience(total_s=0.4, slot_s=0)
EMAIL = "ada@example.com"
Signed = tuple[Mapping[str, str], bytes]

# What a case may lack, each with the gateway's reason: tests of it are skipped and say that reason.
LACKS = frozenset(
    {
        "mode in answers",  # A transaction says whether it is of the test or the live mode.
        "reversal",  # A look-up tells that money which had arrived went back.
        "two payments",  # Two transactions can succeed under one reference of ours.
        "other amount",  # The customer can pay another amount than was asked for.
        "fee on top",  # The customer can be made to bear the fee.
        "one start",  # A reference that was used is refused by a second start.
        "duplicate start",  # A start can be refused as a repeat though its first answer was lost.
        "duplicate charge",  # The same of a charge of a saved method.
        "status words",  # `AdapterCase.words` can be told one by one by the fault `unknown_status`.
        "used references",  # A reference that was ever charged is refused for good.
        "address of a method",  # A saved method is charged under its owner's e-mail address only.
        "signature",  # It tells the same card that was saved twice.
        "other channels",  # There are ways to pay that cannot be charged again.
        "refund note",  # A listed refund carries what we wrote on it.
        "refund events",  # It tells of refunds by events.
    }
)


def read_nothing(word: str) -> Failure:
    raise AssertionError("this case has not said how its adapter reads a decline")


@dataclass(frozen=True, kw_only=True)
class AdapterCase:
    """What the contract suite must know of one gateway.

    `fee` is what the emulator keeps of `amount`; `unsupported` is money that the gateway does not take.
    `start`, `look`, `find`, `refund`, `list`, `charge`, `forget` and `capture` are the sandbox's operations.
    `forgeries` makes, from a genuine event, what this gateway's signature must refuse; `blank` are
    credentials that must verify nothing, and `sign_with` signs a body with them as an attacker would.

    `unpaid` is what a look-up says of a session in which nobody has paid; `finds_lost_starts`, whether
    it finds a session whose answer was lost. `refused` changes a request into one that the gateway
    refuses in `refused_words`. `no_amounts` are raw texts that must never be read as money, `words` the
    table of statuses, `declines` the outcomes of /control/methods with our codes, and `read_decline`
    the adapter's own reading of a decline. `lacks` maps names of LACKS to the gateway's reason.
    """

    gateway: str
    credentials: Mapping[str, str]
    wrong_credentials: Mapping[str, str]
    blank: tuple[Mapping[str, str], ...]
    sign_with: Callable[[Mapping[str, str], bytes], Mapping[str, str]]
    forgeries: Callable[[Mapping[str, str], bytes], Iterator[Signed]]
    amount: Money
    fee: Money
    unsupported: Money
    mode: Mode = "test"
    start: str = "initialize"
    look: str = "verify"  # By our reference,
    find: str = "verify"  # and by the gateway's own id.
    refund: str = "refund"
    list: str = "list"
    charge: str = "charge"
    forget: str = "deactivate"
    capture: str = "capture"
    lags: str = "initialize"  # The operation that the fault `lookup_lag` is set on,
    reverses: str = "initialize"  # and the one of `then_reverse`.
    unpaid: GatewayState = GatewayState.PENDING
    finds_lost_starts: bool = True
    channel: str = "card"
    slow_channel: str = "bank_transfer"
    other_currency: str = "USD"
    declines_with: str = "declined"
    refund_begins_as: RefundState = RefundState.PENDING
    strange_ids: tuple[str, ...] = ("9" * 12, "1")
    strange_refund: str = "999999999"
    refused: Mapping[str, str] = field(default_factory=lambda: {"customer_email": "nobody"})
    refused_words: str = r"[Ee]mail"
    longest_answer: int = 400  # Bytes of an answer to `start`, and of one about what nobody knows.
    no_amounts: tuple[str, ...] = (
        *("null", "-1", "1999.0", "1e3", "1e400", "NaN", '"12.5"', "true", "[]", "{}"),
        "1" * 40,
    )
    words: Mapping[str, GatewayState] = field(default_factory=dict)
    declines: Mapping[str, str] = field(default_factory=lambda: {"declined": "declined"})
    read_decline: Callable[[str], Failure] = read_nothing
    trust: Callable[[Any], CertificateTrust | None] = lambda sandbox: None
    lacks: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert set(self.lacks) <= LACKS, f"there is nothing called {set(self.lacks) - LACKS}"

    def need(self, what: str) -> None:
        """Skip the running test where this gateway lacks `what`, with the gateway's reason."""
        assert what in LACKS
        if what in self.lacks:
            pytest.skip(f"{self.gateway} has no {what}: {self.lacks[what]}")

    def part(self, share: int) -> Money:
        """One `share`-th of the amount."""
        return Money(self.amount.minor // share, self.amount.currency)


class Emulated:
    """The emulator of one case, and adapters connected to it."""

    def __init__(self, case: AdapterCase, sandbox: Any) -> None:
        self.case = case
        self.account = GatewayAccount(
            gateway=case.gateway,
            mode=case.mode,
            base_url=f"{sandbox.url}/{case.gateway}",
            credentials=case.credentials,
            trust=case.trust(sandbox),
        )
        self.gateway = self.connect()
        self.hasty = self.connect(patience=HASTY)
        url = f"{sandbox.url}/control"
        self.control_client = httpx2.Client(base_url=url, trust_env=False, verify=NO_TLS)

    def need(self, ability: type) -> None:
        """Skip the running test unless the adapter has an ability, which is one of the Protocols."""
        if not isinstance(self.gateway, ability):
            pytest.skip(f"{self.case.gateway} is no {ability.__name__}")

    def connect(self, credentials: Mapping[str, str] | None = None, patience: Patience = CALM) -> Gateway:
        account = self.account if credentials is None else replace(self.account, credentials=credentials)
        return registry.connect(account, patience)

    def request(self, amount: Money | None = None, **changes: Any) -> PaymentRequest:
        request = PaymentRequest(
            gateway_reference=new_reference("ATT"),
            amount=amount or self.case.amount,
            customer_email=EMAIL,
            description="Two tickets – née Adé",
            return_url="https://shop.example/return",
            cancel_url="https://shop.example/cancel",
        )
        return replace(request, **changes)

    def started(self, **changes: Any) -> AttemptRef:
        request = self.request(**changes)
        session_id = self.gateway.start_payment(request).session_id
        return AttemptRef(gateway_reference=request.gateway_reference, gateway_id=None, session_id=session_id)

    def paid(self, **changes: Any) -> tuple[AttemptRef, PaymentSnapshot]:
        """An attempt whose money has arrived, and what the gateway says of it."""
        attempt = self.started(**changes)
        self.pay(attempt)
        snapshot = self.outcome(attempt)
        assert snapshot.state == GatewayState.SUCCEEDED
        return replace(attempt, gateway_id=snapshot.gateway_id), snapshot

    def outcome(self, attempt: AttemptRef) -> PaymentSnapshot:
        """What comes of an attempt once the customer has done their part: we capture what they agreed to."""
        snapshot = self.gateway.fetch_payment(attempt)
        if snapshot.state == GatewayState.APPROVED and isinstance(self.gateway, CapturesApproved):
            return self.gateway.capture_approved(attempt)
        return snapshot

    def saved(self) -> tuple[AttemptRef, SavedMethod]:
        """A payment that left a method which can be charged later."""
        attempt, snapshot = self.paid(save_method=True)
        method = snapshot.saved_method or self.gateway.fetch_payment(attempt).saved_method
        assert method is not None
        return attempt, method

    def charge_of(self, method: SavedMethod, **changes: Any) -> ChargeRequest:
        request = ChargeRequest(
            gateway_reference=new_reference("ATT"),
            amount=self.case.amount,
            customer_email=EMAIL,
            description="May – née Adé",
            token=method.token,
        )
        return replace(request, **changes)

    def refunds_of(self, attempt: AttemptRef) -> tuple[RefundSnapshot, ...]:
        """The refunds of the last two days of the sandbox's clock."""
        return self.gateway.list_refunds(attempt, since=self.now() - timedelta(days=2))

    def pay(self, attempt: AttemptRef, outcome: str = "success", **more: Any) -> None:
        self.control("pay", attempt, outcome=outcome, **more)

    def control(self, order: str, attempt: AttemptRef, **body: Any) -> dict[str, Any]:
        """Play the customer, the dashboard, the bank or the issuer: pay, refund, dispute, methods."""
        names = {"gateway": self.case.gateway, "reference": attempt.gateway_reference}
        return self._post(order, {**names, **body})

    def fault(self, operation: str, fault: str, **args: Any) -> None:
        self.faults(operation, [{"fault": fault, "args": args}])

    def faults(self, operation: str, faults: list[dict[str, Any]]) -> None:
        plan = [{"match": f"{self.case.gateway}.{operation}", **fault} for fault in faults]
        self._post("faults", {"faults": plan})

    def heal(self) -> None:
        assert self.control_client.delete("/faults").status_code == 200

    def advance(self, seconds: int) -> None:
        self._post("clock", {"advance_s": seconds})

    def now(self) -> datetime:
        """The sandbox's time, which tests move."""
        return datetime.fromisoformat(self.control_client.get("/clock").json()["now"]).astimezone(UTC)

    def journal(self, kind: str = "") -> list[dict[str, Any]]:
        """Every movement of money, or those of one kind: charge, refund, reversal, dispute."""
        entries = self.control_client.get("/journal").json()["entries"]
        return [entry for entry in entries if kind in ("", entry["kind"])]

    def last_event(self) -> Signed:
        event = self.control_client.get("/events").json()["events"][-1]
        return {name.lower(): value for name, value in event["headers"].items()}, event["body"].encode()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        reply = self.control_client.post(f"/{path}", json=body)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())
