"""After a backup was restored, the gateways know more than we do.

What was charged since the backup was charged under references that we derive anew; so whatever may have been
sent then is asked about and not sent (`missed`). What customers have stopped, or paid by themselves, since is
known to nobody: until a person has looked, nothing is charged without the customer (`is_holding`).
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from tillgate.common import clock
from tillgate.common.models import Restoration

REREAD_S = 5.0
_known: Sequence[Restoration] = ()
_read_at = float("-inf")


def is_holding() -> bool:
    """Say whether charges without the customer wait for a person's word."""
    return any(known.released_at is None for known in _restorations())


def missed(moment: datetime) -> Restoration | None:
    """Return the restoration after whose backup something due at `moment` may have been done; of several the
    one with the earliest backup, None where there is none."""
    return next(gaps(moment), None)


def gaps(moment: datetime) -> Iterator[Restoration]:
    """Yield each such restoration, the earliest backup first. One whose installation had stopped before the
    backup was made is none."""
    for known in _restorations():
        if _is_gap(known) and moment <= known.ran_until:
            yield known


def began_at() -> datetime | None:
    """Return when the earliest gap began: what nobody knows of may be as old. None where there is no gap."""
    return next((known.backed_up_at for known in _restorations() if _is_gap(known)), None)


def is_assumed(moment: datetime) -> bool:
    """Say whether what is dated so was not done by this installation, but maybe by one that was lost."""
    return any(known.backed_up_at == moment for known in _restorations() if _is_gap(known))


def release(*, ran_until: datetime | None = None) -> int:
    """A person has looked: charge again. Return how many restorations waited for that.

    `ran_until`: when the lost installation stopped. What fell due later was charged by nobody.
    """
    changes = {"released_at": clock.now()} | ({"ran_until": ran_until} if ran_until else {})
    released = Restoration.objects.filter(released_at=None).update(**changes)
    forget()
    return released


def forget() -> None:
    """Read the table anew at the next question."""
    global _known, _read_at
    _known, _read_at = (), float("-inf")


def _is_gap(known: Restoration) -> bool:
    return known.backed_up_at < known.ran_until


def _restorations() -> Sequence[Restoration]:
    """Those there are, the oldest backup first; read every few seconds, since each charge asks."""
    global _known, _read_at
    if time.monotonic() - _read_at > REREAD_S:
        _known = list(Restoration.objects.order_by("backed_up_at", "pk"))
        _read_at = time.monotonic()
    return _known
