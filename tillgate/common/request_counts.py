"""How long requests took, counted by all web processes together.

Each process keeps its numbers in a file of its own; whichever is asked adds up all files of its web server.
Their folder bears the name of the server's process, the parent of the counting ones: a process that died has
counted what it counted, and the next start begins at nothing, as counters may.
"""

from __future__ import annotations

import mmap
import os
import shutil
import socket
import struct
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from tillgate.common.jobs.times import real_now

if TYPE_CHECKING:
    from prometheus_client import Metric

NAME = "tillgate_http_request_duration_seconds"
SAYS = (
    "Requests by method, route and class of status, and how long they took; since the web server's start, "
    "by all its processes. Without health checks that went well"
)
LABELS = ("method", "route", "status")
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# A file is a row of slots: a series by its labels, the sum of its seconds, and how many requests fell into
# each bucket and beyond the last.
NAMED, NUMBERS = 160, struct.Struct(f"={len(BUCKETS_S) + 2}d")
SLOT = NAMED + NUMBERS.size
# It is written full of zeros once: a mapped hole that a full disk has no room for would end the process.
MOST_SERIES = 500
FILE_BYTES = (MOST_SERIES + 1) * SLOT
BEYOND = ("other", "other", "other")  # What more series than that are counted as.
TRY_EVERY_S = 60
FORGOTTEN_AFTER_S = 86_400  # A folder of another machine at this data, which nobody has asked since.
Series = tuple[str, str, str]
log = structlog.get_logger(__name__)


@dataclass
class File:
    """The numbers of this process; `places` are where those of a series begin, in steps of eight bytes."""

    mapped: mmap.mmap
    numbers: memoryview[float] = field(init=False)
    places: dict[Series, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers = memoryview(self.mapped).cast("d")

    def place(self, series: Series) -> int:
        """Return where a series begins, in a slot of its own while there is one."""
        kept = series if len(self.places) < MOST_SERIES else BEYOND
        if kept not in self.places:
            start = len(self.places) * SLOT
            name = "\t".join(kept).encode()[:NAMED]
            self.mapped[start : start + len(name)] = name
            self.places[kept] = (start + NAMED) // 8
        return self.places[kept]


_lock = threading.Lock()
_file: File | None = None
_try_at = 0.0


def are_read() -> bool:
    """Say whether anybody may read figures: with the token, or at the machine itself where it is local."""
    return bool(settings.TILLGATE_METRICS_TOKEN) or settings.IS_LOCAL


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    series = (method, route, f"{status // 100}xx")
    with _lock:
        file = _file or _opened()
        if file is None:
            return
        place = file.places.get(series) or file.place(series)
        file.numbers[place] += seconds
        file.numbers[place + 1 + bisect_left(BUCKETS_S, seconds)] += 1


def family() -> Metric:
    """Return what all processes of this web server have counted, for the library to write."""
    from prometheus_client.core import HistogramMetricFamily

    found = HistogramMetricFamily(NAME, SAYS, labels=LABELS)
    bounds = [*map(str, BUCKETS_S), "+Inf"]
    for series, (total, *counts) in _summed().items():
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        found.add_metric(series, buckets, total)
    return found


def _summed() -> dict[tuple[str, ...], list[float]]:
    sums: dict[tuple[str, ...], list[float]] = {}
    folder = _folder()
    if folder.is_dir():
        os.utime(folder)  # Somebody asks: it is in use.
    for path in folder.glob("*.counts"):
        for series, numbers in _read(path.read_bytes()):
            known = sums.get(series, [0.0] * len(numbers))
            sums[series] = [one + more for one, more in zip(known, numbers, strict=True)]
    return sums


def _read(data: bytes) -> Iterator[tuple[tuple[str, ...], tuple[float, ...]]]:
    for start in range(0, len(data), SLOT):
        name = data[start : start + NAMED].rstrip(b"\0")
        if not name:
            return
        yield tuple(name.decode(errors="replace").split("\t")), NUMBERS.unpack_from(data, start + NAMED)


def _opened() -> File | None:
    """None where no file can be written: what that costs is this figure, and no payment."""
    global _file, _try_at
    if time.monotonic() < _try_at:
        return None
    _try_at = time.monotonic() + TRY_EVERY_S
    path = _folder() / f"{os.getpid()}-{_started(os.getpid())}.counts"
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear_away(path.parent.parent)
        new.write_bytes(bytes(FILE_BYTES))
        with new.open("r+b") as opened:
            _file = File(mmap.mmap(opened.fileno(), 0))
        new.rename(path)
    except OSError as error:
        log.error("requests_not_counted", reason=str(error))
        with suppress(OSError):  # There may be none.
            new.unlink()
        return None
    return _file


@cache
def _folder() -> Path:
    server = os.getppid()
    return settings.TILLGATE_DATA_DIR / "metrics" / f"{socket.gethostname()}-{server}-{_started(server)}"


def _clear_away(folder: Path) -> None:
    """Remove what earlier starts left here, and other machines at the same data long ago."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # Another process of this server does the same just now.
            if _is_left(path):
                shutil.rmtree(path, ignore_errors=True)


def _is_left(path: Path) -> bool:
    host, pid, started = [*path.name.rsplit("-", 2), "", ""][:3]
    if host == socket.gethostname():
        return not pid.isdigit() or _started(int(pid)) != started
    return real_now().timestamp() - path.stat().st_mtime > FORGOTTEN_AFTER_S


def _started(pid: int) -> str:
    """When a process began, in the system's ticks: ids are used again. Empty where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return "" if not _lives(pid) else "0"
    return text.rpartition(")")[2].split()[19]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
