"""What the emulated Paystack remembers. Amounts are integers in the currency's subunit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(kw_only=True, slots=True)
class Transaction:
    """`amount` is what was paid, `requested_amount` what was asked for; equal until somebody pays."""

    id: int
    domain: str
    key_name: str
    reference: str
    access_code: str
    email: str
    amount: int
    requested_amount: int
    currency: str
    metadata: Any
    callback_url: str
    created_at: float
    initiated_by: str = "customer"
    status: str = "abandoned"
    channel: str = "card"
    gateway_response: str = "The transaction was not completed"
    message: str | None = None
    paid_at: float | None = None
    fees: int | None = None
    authorization_code: str | None = None
    was_success: bool = False
    hidden_until: float = 0
    reverse_after_s: float | None = None


@dataclass(kw_only=True, slots=True)
class Authorization:
    """A way to pay that was used once; `next` holds the outcomes of its coming charges."""

    code: str
    domain: str
    email: str
    channel: str
    reusable: bool
    active: bool = True
    next: list[str]


@dataclass(kw_only=True, slots=True)
class Refund:
    id: int
    transaction_id: int
    domain: str
    amount: int
    status: str
    customer_note: str
    merchant_note: str
    created_at: float
    ends_as: str | None  # What happens when its time comes; None waits for a person.
    refunded_at: float | None = None


@dataclass(kw_only=True, slots=True)
class Dispute:
    id: int
    transaction_id: int
    created_at: float
    outcome: str | None = None  # won | lost, for the merchant
