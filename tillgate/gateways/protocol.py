"""What every gateway can do, in our words. Adapters live beside this file; nothing here knows Django."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Literal, Protocol, runtime_checkable

from tillgate.money import Money

Mode = Literal["test", "live"]


class GatewayState(StrEnum):
    """What a gateway says of one attempt."""

    ABSENT = "absent"  # The gateway does not know the reference (yet: look-ups may lag).
    PENDING = "pending"  # Waiting for the customer, who may also have walked away for now.
    APPROVED = "approved"  # The customer has agreed; no money moves until we capture it.
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


class DisputeState(StrEnum):
    """What a gateway says of a payment that the customer's bank contests."""

    OPEN = "open"  # Waiting for the merchant.
    UNDER_REVIEW = "under_review"  # Waiting for the bank or the gateway.
    WON = "won"
    LOST = "lost"


class EventSubject(StrEnum):
    """What a gateway's event makes us ask about."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    PLAN = "plan"  # A renewal, or other news, of a plan that the gateway itself collects.
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class CertificateTrust:
    """Beside the gateway's own hosts: one more origin that may serve certificates, and who signed those.

    For the sandbox only; the product gives it to nobody in production.
    """

    origin: str  # Scheme, host and port, exactly.
    ca_file: str


@dataclass(frozen=True, kw_only=True)
class GatewayAccount:
    """A merchant's account at a gateway, in one mode. `credentials` are never shown or logged."""

    gateway: str
    mode: Mode
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    trust: CertificateTrust | None = None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with a gateway's settings: with which one, and what to do about it."""

    setting: str
    message: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an attempt failed: a stable code, a sentence for the payer, whether trying again can help.

    `unmapped` is the gateway's own word where our table of declines does not have it (see `declines`).
    """

    code: str
    message: str
    retryable: bool
    unmapped: str = ""


@dataclass(frozen=True, kw_only=True)
class AttemptRef:
    """The names of one attempt: ours, set before the call, and the gateway's, None until answered.

    `gateway_id` names the transaction that moved the money. `session_id` names what was opened for the
    customer, where the gateway can only be asked by that (a PayPal order).
    """

    gateway_reference: str
    gateway_id: str | None
    session_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class PaymentRequest:
    """What a customer is asked to pay. `return_url` is where the gateway sends the browser back to,
    `cancel_url` where it goes when the customer gives up. `save_method`: the customer has agreed that
    the method be kept for later charges."""

    gateway_reference: str
    amount: Money
    customer_email: str
    description: str
    return_url: str
    cancel_url: str
    save_method: bool = False


@dataclass(frozen=True, kw_only=True)
class PaymentStarted:
    """The gateway's session: where the customer goes next."""

    redirect_url: str
    access_code: str = ""
    session_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class SavedMethod:
    """A payment method that can be charged later without the customer. `token` is a secret.

    `expires_month` is the card's, as `2028-09`; `signature` is equal for the same card saved twice. What
    the gateway does not tell is empty.
    """

    token: str = field(repr=False)
    kind: str
    brand: str = ""
    last4: str = ""
    expires_month: str = ""
    signature: str = ""


@dataclass(frozen=True, kw_only=True)
class ChargeRequest:
    """A charge of a saved method, without the customer. `customer_email` is the one it was saved under."""

    gateway_reference: str
    amount: Money
    customer_email: str
    description: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class PaymentSnapshot:
    """The gateway's answer to our own question about one attempt.

    `amount` is what the customer was charged, `requested` what we had asked for (None where the
    gateway does not say), `fee` what it keeps (None until known), `session_id` what `AttemptRef` calls
    so (None where the gateway has no such name).
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
    saved_method: SavedMethod | None = None
    session_id: str | None = None


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
class DisputeSnapshot:
    """The gateway's answer about one dispute. `reason` is the gateway's word; `respond_by` is None where
    it sets no date; an amount of zero means that it told none."""

    state: DisputeState
    gateway_id: str
    amount: Money
    reason: str = ""
    respond_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class GatewayEvent:
    """A verified knock at the door. It only says what to ask about; its content settles nothing.

    `dedupe_key` is equal for two deliveries of the same news. `gateway_reference` is ours, `gateway_id`
    the gateway's name of the *transaction* (never of a refund or a dispute); an event may name either,
    both, or, when it belongs to no attempt of ours, neither. `claims_money` says that it tells of money
    which the gateway's answer must confirm before the event is laid aside.
    """

    kind: str
    dedupe_key: str
    gateway_reference: str | None
    gateway_id: str | None
    claims_money: bool
    about: EventSubject = EventSubject.PAYMENT


class Gateway(Protocol):
    """One account at one gateway. Every method raises the errors of `tillgate.gateways.errors`."""

    name: ClassVar[str]
    title: ClassVar[str]  # As customers know it.
    currencies: ClassVar[frozenset[str]]
    channels: ClassVar[tuple[str, ...]]
    page_origins: ClassVar[tuple[str, ...]]  # Where its hosted pages live, for the checkout's content policy.

    @staticmethod
    def takes(amount: Money) -> bool:
        """Say whether it can be asked for this amount in this currency; nothing is sent."""

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

    def list_refunds(self, attempt: AttemptRef, *, since: datetime) -> tuple[RefundSnapshot, ...]:
        """Return the refunds of a transaction, newest first, whoever made them.

        All that were made since `since`; older ones may be among them. Raises GatewayUnknown rather
        than return a list that is not complete.
        """

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent | None:
        """Verify an inbound event against this account; None when the signature is not this account's.

        Raises Unreachable when what it takes to verify cannot be had just now.
        """


@runtime_checkable
class CapturesApproved(Protocol):
    """The customer only agrees; the money moves when we capture it, once."""

    capture_key_kept: timedelta  # How long a repeated capture of one attempt returns the first answer.

    def capture_approved(self, attempt: AttemptRef) -> PaymentSnapshot:
        """Take the money of an attempt that is APPROVED. Raises GatewayUnknown for a lost answer."""


@runtime_checkable
class RepeatsRefunds(Protocol):
    """The same refund may be sent again under its key: within this time it returns the first answer."""

    refund_key_kept: timedelta


@runtime_checkable
class ListsDisputes(Protocol):
    """The gateway tells of contested payments through its API."""

    def list_disputes(self, attempt: AttemptRef, *, since: datetime) -> tuple[DisputeSnapshot, ...]:
        """Return the disputes of a transaction; complete as `list_refunds` is."""


@runtime_checkable
class ChargesSaved(Protocol):
    """A saved method can be charged without the customer."""

    # How long the same charge may be sent again and returns the first answer; None: it never does.
    charge_key_kept: timedelta | None
    # Whether a reference that was ever charged is refused for good, as DuplicateReference.
    refuses_repeated_charges: bool

    def charge_saved(self, request: ChargeRequest) -> PaymentSnapshot:
        """Charge a saved method, once. A decline is FAILED, money on its way PROCESSING.

        Raises MethodRefused where the gateway will not charge this method (any more), Rejected where it
        made no charge for another reason, GatewayUnknown when the answer was lost.
        """


@runtime_checkable
class ForgetsSaved(Protocol):
    """The gateway can be told never to charge a saved method again."""

    def forget_saved(self, token: str, customer_email: str) -> None:
        """Deactivate a saved method; one that the gateway does not know (any more) is forgotten already."""
