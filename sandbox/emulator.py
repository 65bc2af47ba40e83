"""What a gateway's folder offers to the rest of the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sandbox.errors import Refused
from sandbox.faults import Reach
from sandbox.web import Json, Response, Route

LARGEST_AMOUNT = 10**15


@dataclass(frozen=True, kw_only=True)
class ControlOrder:
    """A control call about one payment; `reference` is the merchant's own name for it."""

    reference: str
    body: Json

    def check_members(self, known: set[str]) -> None:
        """Raises Refused where the order says anything else than this."""
        if strange := sorted(set(self.body) - known):
            raise Refused(
                f"unknown member {strange[0]!r}; there are gateway, reference, {', '.join(sorted(known))}"
            )

    def choice(self, name: str, known: Sequence[str], *, default: str | None = None) -> str:
        """One of the known words. Raises Refused."""
        value = self.body.get(name, default)
        if isinstance(value, str) and value in known:
            return value
        raise Refused(f"{name} must be one of {', '.join(known)}")

    def choices(self, name: str, known: Sequence[str]) -> list[str]:
        """A list of known words. Raises Refused."""
        values = self.body.get(name)
        if isinstance(values, list) and all(value in known for value in values):
            return values
        raise Refused(f"{name} must be a list of {', '.join(known)}")

    def amount_minor(self) -> int | None:
        """The amount, or None where the order names none. Raises Refused."""
        amount = self.body.get("amount_minor")
        if amount is None:
            return None
        if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount <= LARGEST_AMOUNT:
            raise Refused("amount_minor must be a positive whole number")
        return amount


class Emulator(Protocol):
    """One emulated gateway, served under `/<name>`."""

    name: str
    reach: Reach

    def routes(self) -> Sequence[Route]:
        """Its API and its hosted pages."""
        ...

    def no_route(self, allow: str) -> Response:
        """The gateway's own answer to an unknown path, or (`allow` given) to a wrong method."""
        ...

    def pay(self, order: ControlOrder) -> Json:
        """Do what a button of the hosted page does. Raises Refused."""
        ...

    def refund(self, order: ControlOrder) -> Json:
        """Refund as from the gateway's dashboard. Raises Refused."""
        ...

    def dispute(self, order: ControlOrder) -> Json:
        """Open or end a dispute. Raises Refused."""
        ...

    def set_methods(self, order: ControlOrder) -> Json:
        """Set the outcomes of a saved method's next charges. Raises Refused."""
        ...

    def run_due(self, kind: str, subject: str) -> None:
        """Carry out a task whose time has come; a task that no longer applies does nothing."""
        ...
