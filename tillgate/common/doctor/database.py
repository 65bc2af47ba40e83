"""Whether the database answers, keeps what it confirms, and has the tables that this code knows; whether its
clock is ours."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tillgate.common.doctor.findings import Finding, broken, examination, look, ok
from tillgate.common.jobs.times import real_now
from tillgate.common.models import ClockOffset
from tillgate.common.unapplied import unapplied

MEGABYTE = 1_000_000
NEARLY_ALL = 0.8
DRIFT, WRONG = timedelta(seconds=2), timedelta(seconds=30)


@examination("database")
def database() -> Iterator[Finding]:
    """Which one it is, and whether what it confirms stays."""
    yield from _sqlite() if connection.vendor == "sqlite" else _postgresql()


@examination("database")
def tables() -> Iterator[Finding]:
    """Whether every migration is applied."""
    missing = unapplied()
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        seen = f"It lacks what this code knows: {', '.join(missing[:3])}{more} are not applied."
        yield broken(seen, "./run prepare applies them; then start web server and worker again.")
    else:
        yield ok("Its tables are those that this code knows.")


@examination("clock")
def clock() -> Iterator[Finding]:
    """Whether two machines agree on the time, and whether the product's own was moved."""
    if connection.vendor == "postgresql":
        before, theirs = real_now(), _ask("SELECT clock_timestamp()")
        yield _compared(theirs - (before + (real_now() - before) / 2))
    else:
        yield ok("It is this machine's; no other one was asked.")
    moved = ClockOffset.objects.filter(pk=1).first() if settings.IS_LOCAL else None
    if moved is not None and moved.offset_s:
        ahead = timedelta(seconds=moved.offset_s)
        seen = f"The product's own clock is {ahead} ahead: due dates and expiry follow it."
        yield look(
            seen, "It was moved by ./run advance-clock or a demo; only a new data directory sets it back."
        )


def _sqlite() -> Iterator[Finding]:
    path = Path(str(connection.settings_dict["NAME"]))
    files = [path, path.with_name(f"{path.name}-wal")]
    size = sum(file.stat().st_size for file in files if file.exists())
    yield ok(f"SQLite {sqlite3.sqlite_version} answers: {path}, {_megabytes(size)}.")
    journal, kept = _ask("PRAGMA journal_mode"), _ask("PRAGMA synchronous")
    yield _durability((journal, kept) == ("wal", 2), f"journal_mode={journal} synchronous={kept}")


def _postgresql() -> Iterator[Finding]:
    name, size = connection.settings_dict["NAME"], _ask("SELECT pg_database_size(current_database())")
    host = connection.settings_dict["HOST"] or "this machine"
    yield ok(f"PostgreSQL {_ask('SHOW server_version')} answers: {name} at {host}, {_megabytes(size)}.")
    names = ("fsync", "full_page_writes", "synchronous_commit")
    values = {name: _ask(f"SHOW {name}") for name in names}
    yield _durability("off" not in values.values(), " ".join(f"{name}={values[name]}" for name in names))
    yield from _connections()


def _connections() -> Iterator[Finding]:
    used = _ask("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    most = int(_ask("SHOW max_connections"))
    if used > NEARLY_ALL * most:
        seen = f"{used} of its {most} connections are in use: the next process may find none."
        yield look(seen, "Set TILLGATE_DATABASE_POOL, or raise the server's max_connections.")


def _durability(is_safe: bool, said: str) -> Finding:
    if is_safe:
        return ok(f"What it has confirmed survives a power cut ({said}).")
    seen = f"It may forget what it has confirmed ({said})."
    return broken(
        seen, "SQLite: leave its options alone. PostgreSQL: switch these on again, in its settings."
    )


def _compared(drift: timedelta) -> Finding:
    seconds = f"{abs(drift.total_seconds()):.1f} s"
    if abs(drift) <= DRIFT:
        return ok(f"This machine's and the database server's agree, to {seconds}.")
    tell = broken if abs(drift) > WRONG else look
    seen = f"The database server's is {seconds} {'ahead' if drift > timedelta(0) else 'behind'}."
    return tell(
        seen, "Let both machines keep time by NTP (timedatectl set-ntp true): tokens and leases rely on it."
    )


def _ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return row[0]


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.0f} MB"
