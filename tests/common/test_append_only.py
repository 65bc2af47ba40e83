"""The database itself refuses to change what is written down once."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.state import ProjectState

from tillgate.common import clock
from tillgate.common.append_only import AppendOnly, protect, unprotect
from tillgate.events.models import Event
from tillgate.ledger.models import Entry

TABLES: dict[str, Any] = {"events_event": Event, "ledger_entry": Entry}


def run(statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(params=sorted(TABLES))
def table(request, db) -> Iterator[str]:
    """A table with one row, and on SQLite with the trigger that the suite does without."""
    common = {"merchant_id": 1, "subject": "PAY-1", "created_at": clock.now()}
    Event.objects.create(**common, sequence=2, type="payment.completed")
    entry = {
        "journal": "j",
        "account": "gateway",
        "gateway": "paystack",
        "amount_minor": 1,
        "currency": "NGN",
    }
    Entry.objects.create(**common, **entry)
    if connection.vendor == "sqlite":
        run([statement for statement in protect(request.param, "sqlite") if "DELETE" in statement])
    return request.param


@pytest.mark.parametrize("change", ["UPDATE {} SET merchant_id = 2", "DELETE FROM {}"])
def test_i6_a_row_is_neither_changed_nor_deleted(table, change):
    before = list(TABLES[table].objects.values())

    with pytest.raises(DatabaseError, match=f"{table} is append-only"), transaction.atomic():
        run([change.format(table)])

    assert list(TABLES[table].objects.values()) == before


def test_i6_the_orm_is_refused_too(table):
    row = TABLES[table].objects.get()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.delete()


def test_a_new_row_is_welcome(table):
    row = TABLES[table].objects.get()
    row.pk, row.subject = None, "PAY-2"
    if table == "ledger_entry":
        row.journal = "k"

    row.save(force_insert=True)

    assert TABLES[table].objects.count() == 2


def test_the_protection_can_be_taken_back_by_its_migration(table):
    run(unprotect(table, connection.vendor))

    TABLES[table].objects.update(merchant_id=2)
    TABLES[table].objects.all().delete()
    run(protect(table, connection.vendor))

    assert not TABLES[table].objects.exists()


def test_the_migration_step_goes_both_ways(table):
    step = AppendOnly(table)
    assert step.reversible
    assert step.describe() == f"Make {table} append-only"

    editor, state = connection.schema_editor(), ProjectState()
    step.database_backwards("any", editor, state, state)
    TABLES[table].objects.update(merchant_id=2)
    step.database_forwards("any", editor, state, state)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        TABLES[table].objects.update(merchant_id=3)
