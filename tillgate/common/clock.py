"""The one source of the time that money follows: due dates, expiry, ladders.

System time plus an offset kept in one database row. The row is read in `local` only, where
`./run advance-clock` and the demo move it; in production this is the system's time.
"""

import threading
import time
from datetime import UTC, datetime, timedelta

from django.conf import settings

from tillgate.common.models import ClockOffset

REREAD_S = 0.5
_lock = threading.Lock()
_read_at = float("-inf")
_offset = timedelta(0)


def now() -> datetime:
    """Return the product's time, in UTC."""
    return datetime.now(UTC) + (_local_offset() if settings.IS_LOCAL else timedelta(0))


def advance(seconds: int) -> timedelta:
    """Move the product's clock forward for every process; return the whole offset. `local` only."""
    assert settings.IS_LOCAL, "the clock of a production installation is not moved"
    row, _ = ClockOffset.objects.get_or_create(pk=1)
    row.offset_s += seconds
    row.save(update_fields=["offset_s"])
    forget()
    return timedelta(seconds=row.offset_s)


def forget() -> None:
    """Read the offset anew at the next `now()`."""
    global _read_at
    _read_at = float("-inf")


def _local_offset() -> timedelta:
    global _read_at, _offset
    if time.monotonic() - _read_at > REREAD_S:
        with _lock:
            row = ClockOffset.objects.filter(pk=1).first()
            _offset = timedelta(seconds=row.offset_s if row else 0)
            _read_at = time.monotonic()
    return _offset
