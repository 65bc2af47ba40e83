"""What an adapter makes of an answer before it is believed: it must be about what was asked, and whole."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tillgate.gateways.declines import decline
from tillgate.gateways.errors import (
    DuplicateReference,
    GatewayError,
    GatewayUnknown,
    MethodRefused,
    Rejected,
)
from tillgate.gateways.protocol import AttemptRef, GatewayState, Mode, PaymentSnapshot, RefundSnapshot
from tillgate.gateways.reading import shown
from tillgate.money import Money

State = TypeVar("State")


def refusal(status: int, message: str, *, is_duplicate: bool, is_method: bool = False) -> GatewayError:
    """Return the error that an answer is which accepts nothing; `message` is the gateway's own sentence.

    `is_method`: the sentence is about the saved method that was to be charged.
    """
    if is_duplicate:
        return DuplicateReference(message)
    if is_method and 400 <= status < 500 and status != 401:
        return MethodRefused(message)
    if 400 <= status < 500:
        return Rejected(message or f"the gateway answered {status}")
    return GatewayUnknown(f"the gateway answered {status} without accepting the call: {message}")


def absent(gateway_reference: str = "") -> PaymentSnapshot:
    """What is said of an attempt that the gateway does not know."""
    return PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference=gateway_reference)


def nothing_moved(state: GatewayState, attempt: AttemptRef, mode: Mode, code: str = "") -> PaymentSnapshot:
    """What is said of an attempt that took no money; `code` says why it failed, as in `DECLINES`."""
    return PaymentSnapshot(
        state=state,
        gateway_reference=attempt.gateway_reference,
        mode=mode,
        failure=decline(code) if code else None,
        session_id=attempt.session_id,
    )


def must_be_about(told: str | None, asked: str | None, other: str) -> None:
    """Raise GatewayUnknown, naming the `other` thing, when an answer is not about what was asked."""
    if told != asked:
        raise GatewayUnknown(f"the gateway answered about {other}")


def refund_named(gateway_id: str | None, snapshot: RefundSnapshot) -> RefundSnapshot:
    """Return the refund that was asked about by its id. Raises GatewayUnknown for another."""
    must_be_about(snapshot.gateway_id, gateway_id, "another refund")
    return snapshot


def refund_over(amount: Money, snapshot: RefundSnapshot) -> RefundSnapshot:
    """Return the refund that was asked for. Raises GatewayUnknown when it is over another amount."""
    if snapshot.amount != amount:
        raise GatewayUnknown(f"the gateway took a refund of {snapshot.amount} for one of {amount}")
    return snapshot


def known(table: Mapping[str, State], word: object, what: str) -> State:
    """Return what a word means in a table. Raises GatewayUnknown for a word that is not in it."""
    if not isinstance(word, str) or word not in table:
        raise GatewayUnknown(f"the gateway sent {what} {shown(word)}")
    return table[word]


def needed_id(value: object, read_id: Callable[[object], str | None]) -> str:
    """Return an id as text, fit for a path. Raises GatewayUnknown for what `read_id` does not take for
    one of the gateway's."""
    found = read_id(value)
    if found is None:
        raise GatewayUnknown(f"{shown(value)} is not an id of the gateway's")
    return found


def rows_of(rows: object, what: str, *, fewer_than: int | None = None) -> list[dict[str, Any]]:
    """Return the objects of a list.

    Raises GatewayUnknown for one that cannot be read, or that may go on: a page as long as pages can be.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise GatewayUnknown(f"the gateway sent unreadable {what}")
    if fewer_than is not None and len(rows) >= fewer_than:
        raise GatewayUnknown(f"the gateway's list of {what} is not complete")
    return rows
