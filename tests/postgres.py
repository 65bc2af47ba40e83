"""A PostgreSQL to test on: `TEST_DATABASE_URL`, else a private cluster from this machine's own binaries."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from environ import Env
from psycopg import connect

UNPRIVILEGED = ("postgres", "nobody")
# Durability is not what the tests look at, and the cluster lives for minutes.
SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_prepared_transactions": "0",
}
INITDB = ("--no-sync", "--no-locale", "--no-instructions")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A usable PostgreSQL, or none and why; `where` is for people."""

    url: str | None
    where: str


@contextmanager
def postgres(settings: Mapping[str, str] = SETTINGS) -> Iterator[Found]:
    """Give a PostgreSQL for the time of the block; a private cluster is ready in about 1.5 s.

    `settings` are those of a private cluster.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield Found(url=url, where="TEST_DATABASE_URL")
        return
    binaries = find_binaries()
    if binaries is None:
        yield Found(url=None, where="TEST_DATABASE_URL is not set and this machine has no initdb")
        return
    folder = Path(tempfile.mkdtemp(prefix="tillgate-pg-"))
    try:
        yield from _cluster(binaries, folder, settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def empty_database(url: str, name: str) -> Iterator[str]:
    """Make a database on the server of `url` for the time of the block; give its own URL."""
    server = Env.db_url_config(url)
    where = {"host": server["HOST"], "user": server["USER"], "password": server["PASSWORD"]}
    with connect(dbname=server["NAME"], port=server["PORT"] or None, autocommit=True, **where) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def find_binaries() -> Path | None:
    """Return the folder of the newest `initdb` and `pg_ctl`, in PATH or where Debian and others keep them."""
    places = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin"):
        places += sorted(Path("/").glob(pattern), reverse=True)
    return next(
        (place for place in places if (place / "pg_ctl").exists() and (place / "postgres").exists()), None
    )


def _cluster(binaries: Path, folder: Path, settings: Mapping[str, str]) -> Iterator[Found]:
    user = _unprivileged_user()
    if user:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    try:
        _run(
            [binaries / "initdb", "-D", data, "-U", "tillgate", "-A", "trust", "-E", "UTF8", *INITDB],
            folder,
            user,
        )
        options = " ".join(
            f"-c {name}={value}" for name, value in {**settings, "unix_socket_directories": folder}.items()
        )
        _run([binaries / "pg_ctl", "-D", data, "-w", "-s", "-l", log, "-o", options, "start"], folder, user)
    except subprocess.CalledProcessError as error:
        said = error.stdout.decode(errors="replace").strip().splitlines()[-1:] or [""]
        yield Found(url=None, where=f"{Path(error.cmd[0]).name} failed: {said[0]}")
        return
    try:
        # The folder of a socket goes before the database's name; this is how django-environ reads it.
        yield Found(url=f"postgresql://tillgate@/{folder}/postgres", where="a private cluster")
    finally:
        _run([binaries / "pg_ctl", "-D", data, "-s", "-m", "immediate", "stop"], folder, user)


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None  # Only root is refused by initdb.
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in UNPRIVILEGED if name in known), None)


def _run(command: list[str | Path], folder: Path, user: str | None) -> None:
    words = [str(word) for word in command]
    log = folder / "commands.log"
    with log.open("ab") as output:  # Not a pipe: the server would hold it open for its whole life.
        done = subprocess.run(
            words,
            cwd=folder,
            user=user,
            extra_groups=[] if user else None,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, words, log.read_bytes())
