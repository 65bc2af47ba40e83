"""After a backup was restored, the gateways know more than we do.

What was charged since the backup was charged under references that we derive anew; so whatever may have been
sent then is asked about before it is sent (`missed`). What customers have stopped since is known to nobody:
until a person has looked, nothing is charged without the customer (`is_holding`).
"""

import time
from datetime import datetime

from tillgate.common import clock
from tillgate.common.models import Restoration

REREAD_S = 5.0
_newest: Restoration | None = None
_read_at: float | None = None


def is_holding() -> bool:
    """Say whether charges without the customer wait for a person's word."""
    newest = newest_restoration()
    return newest is not None and newest.released_at is None


def missed(moment: datetime) -> Restoration | None:
    """Return the restoration after whose backup something due at `moment` may have been done, if any."""
    newest = newest_restoration()
    return newest if newest is not None and moment <= newest.ran_until else None


def newest_restoration() -> Restoration | None:
    """Return the last one. A backup is restored into an empty database only, beside which nothing runs: so
    each process reads once, and again only while it waits for the release."""
    global _newest, _read_at
    waits = _newest is not None and _newest.released_at is None
    if _read_at is None or (waits and time.monotonic() - _read_at > REREAD_S):
        _newest = Restoration.objects.order_by("pk").last()
        _read_at = time.monotonic()
    return _newest


def release(*, ran_until: datetime | None = None) -> int:
    """A person has looked: charge again. Return how many restorations waited for that.

    `ran_until`: when the lost installation stopped. What fell due later was charged by nobody.
    """
    waiting = Restoration.objects.filter(released_at=None)
    if ran_until is not None:
        waiting.update(ran_until=ran_until)
    released = waiting.update(released_at=clock.now())
    forget()
    return released


def forget() -> None:
    """Read the table anew at the next question."""
    global _newest, _read_at
    _newest, _read_at = None, None
