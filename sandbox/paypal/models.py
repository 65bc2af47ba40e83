"""What the emulated PayPal remembers. Amounts are ISO 4217 minor units, however PayPal writes them."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.web import Json


@dataclass(kw_only=True, slots=True)
class OrderDraft:
    """What a merchant asks for: one purchase unit.

    `saves` keeps the payer for later charges, under `vault_customer` if that is given. `charges_token`
    is the saved payer who is charged at once.
    """

    reference_id: str
    custom_id: str | None
    invoice_id: str | None
    description: str | None
    amount: int
    currency: str
    payer_email: str
    return_url: str
    cancel_url: str
    has_source: bool
    saves: bool
    vault_customer: str | None
    charges_token: str | None


@dataclass(kw_only=True, slots=True)
class Order(OrderDraft):
    """`ends_as` is what capturing it will come to, as the payer's instrument has it: the status of the
    capture, or the issue of a refusal. `vault_id` is the token under which the payer was saved."""

    id: str
    created_at: float
    updated_at: float
    status: str = ""
    initiated_by: str = "customer"
    ends_as: str = "COMPLETED"
    reason: str = "PENDING_REVIEW"
    approved_at: float | None = None
    capture_id: str | None = None
    vault_id: str | None = None
    vault_after_s: float | None = None
    hidden_until: float = 0
    reverse_after_s: float | None = None

    @property
    def open_status(self) -> str:
        """The status while the payer has not agreed."""
        return "PAYER_ACTION_REQUIRED" if self.has_source else "CREATED"

    @property
    def reference(self) -> str:
        """The merchant's own name for it; without one, ours."""
        return self.custom_id or self.id


@dataclass(kw_only=True, slots=True)
class Capture:
    id: str
    order_id: str
    custom_id: str | None
    invoice_id: str | None
    amount: int
    currency: str
    status: str
    created_at: float
    updated_at: float
    reason: str | None = None
    fee: int = 0


@dataclass(kw_only=True, slots=True)
class Refund:
    """`fee` is the part of PayPal's fee that goes back; `total` what was refunded up to this one."""

    id: str
    capture_id: str
    custom_id: str | None
    invoice_id: str | None
    note: str | None
    amount: int
    status: str
    created_at: float
    updated_at: float
    fee: int = 0
    total: int = 0
    ends_as: str | None = None  # What happens when its time comes; None waits for a person.
    hidden_until: float = 0


@dataclass(kw_only=True, slots=True)
class PaymentToken:
    """A payer who was saved; `next` holds the outcomes of the coming charges."""

    id: str
    customer_id: str
    payer_email: str
    created_at: float
    active: bool = True
    next: list[str] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class SetupToken:
    id: str
    customer_id: str
    payer_email: str
    return_url: str
    cancel_url: str
    status: str
    payment_token_id: str | None = None


@dataclass(kw_only=True, slots=True)
class Dispute:
    id: str
    capture_id: str
    status: str
    created_at: float
    updated_at: float
    outcome: str | None = None  # won | lost, for the merchant


@dataclass(kw_only=True, slots=True)
class Reply:
    """The first answer under a PayPal-Request-Id; `id` names the kind of call too."""

    id: str
    body: Json
    kept_until: float


@dataclass(kw_only=True, slots=True)
class AccessToken:
    """`id` is a digest: the token itself is never written to disk."""

    id: str
    valid_until: float
