"""What a gateway's folder offers to the rest of the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sandbox.faults import Reach
from sandbox.web import Json, Response, Route


@dataclass(frozen=True, kw_only=True)
class ControlOrder:
    """A control call about one payment; `reference` is the merchant's own name for it."""

    reference: str
    body: Json


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
