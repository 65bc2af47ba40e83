"""The journal: which money moved, in an append-only file that outlives a killed process."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.errors import SettingsError


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One movement of money, or (`ok` false) a refused one. Amounts are minor units."""

    gateway: str
    mode: str
    reference: str
    kind: str  # charge | refund | reversal | dispute
    amount_minor: int
    currency: str
    ok: bool
    initiated_by: str  # customer | merchant


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry(Move):
    seq: int
    at: str


class Journal:
    """Entries numbered from 1 without gaps. One process at a time may hold the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise SettingsError(
                f"{path.parent} is in use by another sandbox: give each its own --data-dir"
            ) from None
        cut_torn_line(path)
        self.last_seq = len(read_lines(path))
        self._drafted_seq = self.last_seq

    def draft(self, move: Move, *, at: str) -> Entry:
        """Number a movement; it counts once `append` has returned."""
        self._drafted_seq += 1
        return Entry(seq=self._drafted_seq, at=at, **asdict(move))

    def append(self, entries: Iterable[Entry]) -> None:
        fresh = [entry for entry in entries if entry.seq > self.last_seq]
        if not fresh:
            return
        self._file.write(b"".join(as_line(asdict(entry)) for entry in fresh))
        self._file.flush()
        os.fsync(self._file.fileno())
        self.last_seq = self._drafted_seq = fresh[-1].seq

    def raw_entries(self, *, after_seq: int = 0) -> list[bytes]:
        """Each entry as it stands in the file: one JSON object, in order of `seq`."""
        return read_lines(self._path)[after_seq:]

    def close(self) -> None:
        self._file.close()


def as_line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def read_lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1]


def cut_torn_line(path: Path) -> None:
    """Remove a last line that a power failure left incomplete."""
    whole = path.read_bytes().rfind(b"\n") + 1
    os.truncate(path, whole)
