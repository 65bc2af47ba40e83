"""A gateway that answers from a script. Real adapters are tried in `tests/gateways`, over the sandbox."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tillgate.gateways.http import Patience
from tillgate.gateways.paystack.gateway import PaystackGateway
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
from tillgate.money import Money

PAGE = PaymentStarted(redirect_url="https://checkout.example/1", access_code="code-1")
Answer = object | Exception | Callable[..., object]


@dataclass
class Script:
    """What the gateway answers to each method, in order; the last answer repeats.

    An exception is raised, a function is called with the method's arguments.
    """

    answers: dict[str, list[Answer]] = field(
        default_factory=lambda: {"start_payment": [PAGE], "list_refunds": [()], "list_disputes": [()]}
    )
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def says(self, method: str, *answers: Answer) -> None:
        """Set what comes next."""
        self.answers[method] = list(answers)

    def called(self, method: str) -> int:
        """Return how often a method was called."""
        return sum(name == method for name, _ in self.calls)

    def take(self, method: str, *arguments: Any) -> Any:
        """Answer one call."""
        self.calls.append((method, arguments))
        queue = self.answers[method]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(*arguments) if callable(answer) else answer


class FakeGateway:
    """Subclassed by the `gateway` fixture, which sets the script."""

    name = "paystack"
    currencies = frozenset({"NGN", "USD", "XOF"})
    channels = ("card",)
    settings, secrets = PaystackGateway.settings, PaystackGateway.secrets
    identity = PaystackGateway.identity
    problems_of, values_of = PaystackGateway.problems_of, PaystackGateway.values_of
    script: Script

    def __init__(self, account: GatewayAccount, patience: Patience) -> None:
        self.account, self.patience = account, patience

    @staticmethod
    def takes(amount: Money) -> bool:
        return amount.currency in FakeGateway.currencies

    @staticmethod
    def account_from(values: Mapping[str, str]) -> GatewayAccount | None:
        return PaystackGateway.account_from(values)

    def start_payment(self, request: PaymentRequest) -> PaymentStarted:
        return self.script.take("start_payment", request)

    def fetch_payment(self, attempt: AttemptRef) -> PaymentSnapshot:
        return self.script.take("fetch_payment", attempt)

    def fetch_transaction(self, gateway_id: str) -> PaymentSnapshot:
        return self.script.take("fetch_transaction", gateway_id)

    def refund(self, attempt: AttemptRef, amount: Money, *, key: str) -> RefundSnapshot:
        return self.script.take("refund", attempt, amount, key)

    def fetch_refund(self, refund: RefundRef) -> RefundSnapshot | None:
        return self.script.take("fetch_refund", refund)

    def list_refunds(self, attempt: AttemptRef, *, since: datetime) -> tuple[RefundSnapshot, ...]:
        return self.script.take("list_refunds", attempt)

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent | None:
        return self.script.take("read_event", headers, body)


class DisputingGateway(FakeGateway):
    """A gateway that tells of contested payments, such as PayPal."""

    def list_disputes(self, attempt: AttemptRef, *, since: datetime) -> tuple[DisputeSnapshot, ...]:
        return self.script.take("list_disputes", attempt)


class RepeatingGateway(FakeGateway):
    """A gateway that keeps the key of a refund, such as PayPal."""

    refund_key_kept = timedelta(days=45)


class CapturingGateway(FakeGateway):
    """A gateway whose customer only agrees, such as PayPal."""

    capture_key_kept = timedelta(hours=6)

    def capture_approved(self, attempt: AttemptRef) -> PaymentSnapshot:
        return self.script.take("capture_approved", attempt)


class ChargingGateway(FakeGateway):
    """A gateway that charges saved methods and refuses a reference that it knows, such as Paystack."""

    charge_key_kept: timedelta | None = None
    refuses_repeated_charges = True

    def charge_saved(self, request: ChargeRequest) -> PaymentSnapshot:
        return self.script.take("charge_saved", request)


class RepeatingChargesGateway(ChargingGateway):
    """A gateway that returns the first answer to a repeated charge, such as PayPal."""

    charge_key_kept = timedelta(hours=6)
    refuses_repeated_charges = False
