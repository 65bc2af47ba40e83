"""The databases of a run: files of our own, or databases of our own on a durable PostgreSQL."""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from environ import FileAwareEnv
from psycopg import sql

from tests.postgres import SETTINGS, find_binaries, postgres

# As production runs it; the cluster of the tests does without.
DURABLE = {
    **SETTINGS,
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
}


@dataclass(frozen=True, kw_only=True)
class Database:
    """A kind of database, and the addresses of an empty one and of another empty one."""

    name: str
    small: str
    large: str
    why_not: str = ""


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    """Give two SQLite files."""
    small, large = (f"sqlite:///{folder}/{name}.sqlite3" for name in ("small", "large"))
    yield Database(name="SQLite", small=small, large=large)


@contextmanager
def postgresql(folder: Path) -> Iterator[Database]:
    """Give two databases of `TEST_DATABASE_URL`, else of a private and durable cluster."""
    with postgres(DURABLE) as found:
        if found.url is None:
            yield Database(name="PostgreSQL", small="", large="", why_not=found.where)
            return
        names = [f"tillgate_bench_{secrets.token_hex(4)}" for _ in range(2)]
        _admin(found.url, "CREATE DATABASE {}", names)
        try:
            small, large = (f"{found.url.rpartition('/')[0]}/{name}" for name in names)
            yield Database(name="PostgreSQL", small=small, large=large)
        finally:
            _admin(found.url, "DROP DATABASE {} WITH (FORCE)", names)


class PgBench:
    """`pgbench` on one database: prepared INSERTs of the same row, one a transaction, 8 clients."""

    def __init__(self, url: str, folder: Path, insert: str) -> None:
        self._script = folder / "insert.sql"
        self._script.write_text(insert, encoding="utf-8")
        self._config = _config(url)
        self.program = shutil.which("pgbench") or _beside_initdb()

    def run(self, seconds: float) -> float:
        """Return the transactions a second."""
        c = self._config
        where = ["-h", c["HOST"] or "127.0.0.1", "-p", str(c["PORT"] or 5432), "-U", c["USER"] or "postgres"]
        words = [self.program, *where, "-n", "-M", "prepared", "-c8", "-j2", f"-T{max(1, round(seconds))}"]
        env = {"PGPASSWORD": c["PASSWORD"] or "", "PATH": "/usr/bin:/bin"}
        said = subprocess.run(
            [*words, "-f", str(self._script), c["NAME"]],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        return next(
            float(line.split()[2])
            for line in said.splitlines()
            if line.startswith("tps") and "including" not in line
        )


def _beside_initdb() -> str:
    binaries = find_binaries()
    return str(binaries / "pgbench") if binaries and (binaries / "pgbench").exists() else ""


def _config(url: str) -> dict[str, Any]:
    return dict(FileAwareEnv.db_url_config(url))


def _admin(url: str, command: str, names: list[str]) -> None:
    c = _config(url)
    connection = psycopg.connect(
        host=c["HOST"] or None,
        port=c["PORT"] or None,
        user=c["USER"] or None,
        password=c["PASSWORD"] or None,
        dbname=c["NAME"],
        autocommit=True,
    )
    with connection:
        for name in names:
            connection.execute(sql.SQL(command).format(sql.Identifier(name)))
