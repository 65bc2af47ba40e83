"""The sandbox's clock: real time plus an offset that tests and people move forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime

LONGEST_OFFSET_S = 100 * 366 * 86_400


class Clock:
    def __init__(self, offset_s: float = 0) -> None:
        self.offset_s = offset_s

    def now(self) -> float:
        """Sandbox time in seconds since 1970."""
        return time.time() + self.offset_s


def iso(at: float) -> str:
    """Write a moment as the gateways do: UTC, milliseconds, `Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at: float | None) -> str | None:
    return None if at is None else iso(at)


def read_iso(text: str) -> float:
    """Read a date or a moment; a naive one is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
