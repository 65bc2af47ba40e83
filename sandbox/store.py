"""What the emulators remember: rows by table and key, in one append-only file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from sandbox.journal import Entry, Journal, Move, as_line, cut_torn_line, read_lines
from sandbox.web import Json

Tables = dict[str, dict[str, Json]]


class Store:
    """Changes gather in memory and reach the file together in `commit`.

    A line holds its journal entries too: killed between the two files, the next start completes the journal.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        self._path, self._journal = path, journal
        self._rows: list[tuple[str, str, Json | None]] = []
        self._entries: list[Entry] = []
        path.touch()
        cut_torn_line(path)
        self._loaded = self._load()
        self._rewrite()
        self._file = path.open("ab", buffering=0)

    def take(self, table: str) -> dict[str, Json]:
        """Hand over a table as it was at start; the caller keeps it from here on."""
        return self._loaded.pop(table, {})

    def put(self, table: str, key: str, row: Json | None) -> None:
        """Remember a row; `None` forgets it."""
        self._rows.append((table, key, row))

    def record(self, move: Move, *, at: str) -> None:
        self._entries.append(self._journal.draft(move, at=at))

    def commit(self) -> None:
        """Make the gathered changes durable: first here, then in the journal."""
        if not self._rows and not self._entries:
            return
        line: Json = {"rows": self._rows}
        if self._entries:
            line["entries"] = [_entry_row(entry) for entry in self._entries]
        self._file.write(as_line(line))
        self._journal.append(self._entries)
        self._rows, self._entries = [], []

    def close(self) -> None:
        self._file.close()

    def _load(self) -> Tables:
        tables: Tables = {}
        for raw in read_lines(self._path):
            line = json.loads(raw)
            for table, key, row in line["rows"]:
                _apply(tables, table, key, row)
            self._journal.append(Entry(**entry) for entry in line.get("entries", ()))
        return tables

    def _rewrite(self) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            for table, rows in self._loaded.items():
                file.writelines(as_line({"rows": [(table, key, row)]}) for key, row in rows.items())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _apply(tables: Tables, table: str, key: str, row: Json | None) -> None:
    if row is None:
        tables.get(table, {}).pop(key, None)
    else:
        tables.setdefault(table, {})[key] = row


def _entry_row(entry: Entry) -> Json:
    return {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
