"""What the emulated Flutterwave remembers. Amounts are ISO 4217 minor units; only the wire has major ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.web import Json


@dataclass(kw_only=True, slots=True)
class Order:
    """What a merchant asks a customer to pay; `amount` is the order's sum."""

    mode: str
    tx_ref: str
    email: str
    name: str
    phone: str
    amount: int
    currency: str
    meta: Json | None


@dataclass(kw_only=True, slots=True)
class Link(Order):
    """A hosted page. `charge_id` names the charge it confirms; otherwise each try is a new transaction.

    `options` are the ways to pay that the merchant wants on it; none means all.
    """

    code: str
    redirect_url: str
    created_at: float
    lag_s: int = 0
    charge_id: int | None = None
    options: str = ""


@dataclass(kw_only=True, slots=True)
class Transaction(Order):
    """One try to pay. `charged` is what the payer pays, which may hold the fee on top of `amount`."""

    id: int
    flw_ref: str
    charged: int
    created_at: float
    link_code: str | None
    narration: str
    auth_model: str
    initiated_by: str = "customer"
    status: str = "pending"
    payment_type: str = "card"
    processor_response: str = "Transaction in progress"
    fee: int | None = None
    token: str | None = None
    hidden_until: float = 0


@dataclass(kw_only=True, slots=True)
class Token:
    """A saved card; `next` holds the outcomes of its coming charges."""

    code: str
    mode: str
    email: str
    created_at: float
    next: list[str]
    active: bool = True


@dataclass(kw_only=True, slots=True)
class Refund:
    id: int
    transaction_id: int
    mode: str
    amount: int
    status: str
    comments: str
    created_at: float
    ends_as: str | None  # What happens when its time comes; None waits for a person.


def order_of(order: Order) -> dict[str, Any]:
    """The members of an order, to make something of it."""
    return {name: getattr(order, name) for name in Order.__dataclass_fields__}
