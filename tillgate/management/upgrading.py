"""Bring the tables up to this version: by one process at a time, backed up before, and holding up nobody.

Migrations only add (`tests/common/test_migrations.py`): the version before goes on running on the tables of
this one, while a deployment replaces it and after one that is rolled back.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader

from tillgate.common.unapplied import unapplied
from tillgate.management.commands.backup import new_path, write_backup_file
from tillgate.merchants.models import Merchant

ADVISORY_KEY = 0x7111_6A7E
LOCK_WAIT_S = 5
TRIES = 12
LOCK_NOT_AVAILABLE = "55P03"
Say = Callable[[str], object]


def upgrade(say: Say, *, backs_up: bool) -> None:
    """Apply what is not applied; `say` is told what a person may want to know."""
    with _alone():
        newer = _of_a_newer_version()
        if newer:
            say(f"The tables are of a newer version ({', '.join(newer)}). This one works on them as well.")
        missing = unapplied()
        if not missing:
            return
        if backs_up and connection.vendor == "sqlite" and _has_rows():
            path = new_path()
            write_backup_file(path)
            say(f"{path} is the database before this upgrade.")
        patiently(lambda: call_command("migrate", verbosity=0), say)


def patiently(action: Callable[[], object], say: Say) -> None:
    """Do what takes locks on tables: wait a little for each, let others go on, and try again.

    Whoever waits for a lock on a table makes everybody after him wait too.
    """
    if connection.vendor != "postgresql":
        action()
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_WAIT_S}s'")
    try:
        _with_tries(action, say)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def _with_tries(action: Callable[[], object], say: Say) -> None:
    for left in reversed(range(TRIES)):
        try:
            action()
        except OperationalError as error:
            if not left or getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
            say("A table is in use; trying again. (A long query or transaction? pg_stat_activity shows it.)")
            time.sleep(LOCK_WAIT_S)
        else:
            return


@contextmanager
def _alone() -> Iterator[None]:
    """Let the others that start at the same time wait; then they find nothing left to do."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_KEY])
        return
    settings.TILLGATE_DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.TILLGATE_DATA_DIR / "upgrade.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # Until it is closed.
        yield


def _of_a_newer_version() -> list[str]:
    loader = MigrationLoader(connection)
    return sorted(".".join(node) for node in set(loader.applied_migrations) - set(loader.disk_migrations))


def _has_rows() -> bool:
    is_there = Merchant._meta.db_table in connection.introspection.table_names()
    return is_there and Merchant.objects.values("pk").exists()
