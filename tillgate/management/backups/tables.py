"""All rows of all tables as records, and back, by the models as they were at the migrations of the backup.

So a backup of an earlier version is restored into its own tables first and then migrated, and one that was
made on SQLite can be restored into PostgreSQL.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from tillgate.common import clock
from tillgate.common.models import Restoration
from tillgate.management.backups.archive import Unreadable
from tillgate.merchants.models import Login
from tillgate.merchants.services.logins import end_logins
from tillgate.payments.services.look_back import look_back_soon

ROWS_AT_ONCE = 500
Node = tuple[str, str]
Model = type[models.Model]


@dataclass(frozen=True, kw_only=True)
class Restored:
    """How many rows each table has got, and of when they are."""

    counts: dict[str, int]
    made_at: datetime


class NotNow(Exception):
    """This database cannot be backed up or filled by this version; the message says what to do."""


def dump() -> Iterator[Any]:
    """Yield the records of a backup: what it is, each table's rows, and how many there were.

    All are of one moment, and nobody waits for it. Raises NotNow where a newer version has changed tables.
    """
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    if newer := applied - set(loader.disk_migrations):
        names = ", ".join(".".join(node) for node in sorted(newer))
        raise NotNow(f"A newer version has changed these tables ({names}). Back up with that version.")
    yield {"made_at": clock.now(), "database": connection.vendor, "migrations": sorted(applied)}
    counts: dict[str, int] = {}
    with _one_moment():
        for model in _models(loader, applied):
            counts[model._meta.label] = yield from _dump_table(model)
    yield {"counts": counts}


def load(records: Iterable[Any]) -> Restored:
    """Fill an empty database, hold charges, end logins, and bring it up to this version.

    Raises NotNow for a database that has rows, and Unreadable; then nothing is restored. Where the last step
    fails, `prepare` takes it again.
    """
    _require_empty()
    rest = iter(records)
    first = next(rest)
    applied = {(str(app), str(name)) for app, name in first["migrations"]}
    made_at = models.DateTimeField().to_python(first["made_at"])
    loader = _migrate_to(applied)
    known = {model._meta.label: model for model in _models(loader, applied)}
    with transaction.atomic():
        counts = _load_rows(rest, known)
        _reset_sequences([*known.values(), Restoration])
        clock.forget()  # The backup may have moved it.
        # Together with the rows, since a repeat of what breaks off later is refused. These columns are older
        # than any backup, and migrations only add.
        Restoration.objects.create(backed_up_at=made_at, ran_until=clock.now())
        end_logins(Login.objects.all(), reason="restored")
        look_back_soon()
        connection.check_constraints()
    call_command("migrate", verbosity=0)
    return Restored(counts=counts, made_at=made_at)


def check(records: Iterable[Any]) -> dict[str, int]:
    """Read a backup to its end; return how many rows each table has. Raises Unreadable."""
    counts: dict[str, int] = {}
    for _ in _rows(records, counts):
        pass
    return counts


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read as of one moment, while others write."""
    if connection.vendor != "sqlite":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")  # `atomic` would take the one write lock.
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _models(loader: MigrationLoader, applied: set[Node]) -> list[Model]:
    state = loader.project_state(sorted(applied))
    found = state.apps.get_models(include_auto_created=True)
    return sorted((model for model in found if model._meta.managed), key=lambda model: model._meta.label)


def _dump_table(model: Model) -> Generator[Any, None, int]:
    names = [field.attname for field in model._meta.concrete_fields]
    yield {"table": model._meta.label, "columns": names}
    count = 0
    for row in model._base_manager.order_by("pk").values_list(*names).iterator(chunk_size=2_000):
        yield list(row)
        count += 1
    return count


def _require_empty() -> None:
    tables = set(connection.introspection.table_names())
    loader = MigrationLoader(connection)
    ours = _models(loader, set(loader.applied_migrations) & set(loader.disk_migrations))
    for model in ours:
        if model._meta.db_table in tables and model._base_manager.exists():
            raise NotNow(
                f"The database has rows already ({model._meta.db_table}). A backup is restored into an empty "
                "one: stop the product, then move the SQLite file away, or create another database and set "
                "DATABASE_URL."
            )


def _migrate_to(applied: set[Node]) -> MigrationLoader:
    executor = MigrationExecutor(connection)
    if newer := applied - set(executor.loader.disk_migrations):
        names = ", ".join(".".join(node) for node in sorted(newer))
        raise NotNow(f"A newer version has made this backup ({names}). Restore it with that version.")
    graph = executor.loader.graph
    # With the table of restorations as it is now: no row may be here that nothing holds back.
    tips = [
        node for node in applied if not any(child.key in applied for child in graph.node_map[node].children)
    ]
    executor.migrate(sorted({*tips, *graph.leaf_nodes("common")}))
    return MigrationLoader(connection)


def _load_rows(records: Iterable[Any], known: dict[str, Model]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for table, pairs in groupby(_rows(records, counts), key=itemgetter(0)):
        model = known[table["table"]]
        fields = [model._meta.get_field(name) for name in table["columns"]]
        while batch := [_object(model, fields, row) for _, row in islice(pairs, ROWS_AT_ONCE)]:
            model._base_manager.bulk_create(batch, batch_size=ROWS_AT_ONCE)
    return counts


def _rows(records: Iterable[Any], counts: dict[str, int]) -> Iterator[tuple[Any, list[Any]]]:
    """Yield each row behind its table, and count them. Raises Unreadable where some are missing."""
    told: dict[str, int] | None = None
    table: Any = None
    for record in records:
        if isinstance(record, list):
            assert table is not None, "rows follow the name of their table"
            counts[table["table"]] += 1
            yield table, record
        elif "table" in record:
            table = record
            counts[table["table"]] = 0
        else:
            told = record.get("counts", told)
    if counts != told:
        raise Unreadable("This backup has not as many rows as it says. Take another one.")


def _object(model: Model, fields: list[Any], row: list[Any]) -> models.Model:
    values = {field.attname: field.to_python(value) for field, value in zip(fields, row, strict=True)}
    return model(**values)


def _reset_sequences(filled: list[Model]) -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), filled):
            cursor.execute(statement)
