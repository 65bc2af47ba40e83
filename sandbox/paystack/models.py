"""What the emulated Paystack remembers. Amounts are integers in the currency's subunit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CARD_LAST4 = "4081"  # Of 4084084084084081, by which everybody pays who names no other.


@dataclass(kw_only=True, slots=True)
class Transaction:
    """`amount` is what was paid, `requested_amount` what was asked for; equal until somebody pays.

    `channels` are the ways to pay that the merchant wants on the page; none means all.
    """

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
    channels: list[str] = field(default_factory=list)
    business: int = 0


@dataclass(kw_only=True, slots=True)
class Authorization:
    """A way to pay that was used once; `next` holds the outcomes of its coming charges.

    `last4` is the card's: two authorizations of one card have one signature.
    """

    code: str
    domain: str
    email: str
    channel: str
    reusable: bool
    active: bool = True
    next: list[str]
    last4: str = CARD_LAST4
    business: int = 0


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
    business: int = 0


@dataclass(kw_only=True, slots=True)
class Dispute:
    id: int
    transaction_id: int
    created_at: float
    outcome: str | None = None  # won | lost, for the merchant
