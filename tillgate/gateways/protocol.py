"""What every gateway can do, in our words. Adapters live beside this file; nothing here knows Django."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from tillgate.money import Money

Mode = Literal["test", "live"]


class GatewayState(StrEnum):
    """What a gateway says of one attempt."""

    ABSENT = "absent"  # The gateway does not know the reference (yet: look-ups may lag).
    PENDING = "pending"  # Waiting for the customer, who may also have walked away for now.
    PROCESSING = "processing"  # The customer has done their part; money is on its way.
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSING = "reversing"  # It had succeeded, and some or all of it is on its way back.
    REVERSED = "reversed"  # It had succeeded, and the money went back.


class RefundState(StrEnum):
    """What a gateway says of one refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class GatewayAccount:
    """A merchant's account at a gateway, in one mode. `credentials` are never shown or logged."""

    gateway: str
    mode: Mode
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an attempt failed: a stable code, a sentence for the payer, whether trying again can help."""

    code: str
    message: str
    retryable: bool


@dataclass(frozen=True, kw_only=True)
class AttemptRef:
    """Both names of one attempt: ours, set before the call, and the gateway's, None until answered."""

    gateway_reference: str
    gateway_id: str | None


@dataclass(frozen=True, kw_only=True)
class PaymentRequest:
    """What a customer is asked to pay. `return_url` is where the gateway sends the browser back to,
    `cancel_url` where it goes when the customer gives up."""

    gateway_reference: str
    amount: Money
    customer_email: str
    description: str
    return_url: str
    cancel_url: str


@dataclass(frozen=True, kw_only=True)
class PaymentStarted:
    """The gateway's session: where the customer goes next."""

    redirect_url: str
    access_code: str = ""


@dataclass(frozen=True, kw_only=True)
class PaymentSnapshot:
    """The gateway's answer to our own question about one attempt.

    `amount` is what the customer was charged, `requested` what we had asked for (None where the
    gateway does not say), `fee` what it keeps (None until known).
    """

    state: GatewayState
    gateway_reference: str
    gateway_id: str | None = None
    mode: Mode | None = None
    amount: Money | None = None
    requested: Money | None = None
    fee: Money | None = None
    channel: str = ""
    paid_at: datetime | None = None
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class RefundRef:
    """A refund at a gateway: the transaction it belongs to, our name for it, and theirs if known."""

    attempt: AttemptRef
    amount: Money
    gateway_reference: str
    gateway_id: str | None


@dataclass(frozen=True, kw_only=True)
class RefundSnapshot:
    """The gateway's answer about one refund; `note` is what we wrote on it, where the gateway keeps that."""

    state: RefundState
    gateway_id: str
    amount: Money
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class GatewayEvent:
    """A verified knock at the door. It only says which attempt to ask about; its content settles nothing.

    `dedupe_key` is equal for two deliveries of the same news. `gateway_reference` is None for
    events that belong to no attempt of ours. `claims_money` says that it tells of money which the
    gateway's answer must confirm before the event is laid aside.
    """

    kind: str
    dedupe_key: str
    gateway_reference: str | None
    gateway_id: str | None
    claims_money: bool


class Gateway(Protocol):
    """One account at one gateway. Every method raises the errors of `tillgate.gateways.errors`."""

    name: str
    title: str  # As customers know it.
    currencies: frozenset[str]
    channels: tuple[str, ...]
    page_origins: tuple[str, ...]  # Where its hosted pages live, for the checkout's content policy.

    def start_payment(self, request: PaymentRequest) -> PaymentStarted:
        """Open a session for the customer. Raises GatewayUnknown when the answer was lost."""

    def fetch_payment(self, attempt: AttemptRef) -> PaymentSnapshot:
        """Ask what became of an attempt. ABSENT is an answer; a lost answer is an error."""

    def fetch_transaction(self, gateway_id: str) -> PaymentSnapshot:
        """Ask about one transaction by the gateway's own id: two may carry one reference of ours."""

    def refund(self, attempt: AttemptRef, amount: Money, *, key: str) -> RefundSnapshot:
        """Send `amount` of an attempt back. Raises GatewayUnknown when the answer was lost."""

    def fetch_refund(self, refund: RefundRef) -> RefundSnapshot | None:
        """Ask what became of a refund that the gateway has named; None when it does not know it."""

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent | None:
        """Verify an inbound event against this account; None when the signature is not this account's."""


@runtime_checkable
class ListsRefunds(Protocol):
    """A gateway without refund keys: what is listed before a refund tells ours apart afterwards."""

    def list_refunds(self, attempt: AttemptRef) -> tuple[RefundSnapshot, ...]:
        """Return every refund of an attempt that the gateway knows, newest first."""
