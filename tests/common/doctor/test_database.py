"""What the doctor says of the database and of time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tillgate.common import clock
from tillgate.common.doctor import database

pytestmark = pytest.mark.django_db
sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
postgresql_only = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")


def verdicts(examination):
    return [finding.verdict.value for finding in examination()]


def said(examination):
    return " ".join(f"{finding.seen} {finding.fix}" for finding in examination())


def test_the_database_of_the_tests_keeps_what_it_confirms_or_says_that_it_does_not():
    findings = list(database.database())

    assert findings[0].seen.startswith(("SQLite 3.", "PostgreSQL "))
    assert " MB" in findings[0].seen
    assert len(findings) == 2


@sqlite_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("pragma", "back"), [("synchronous=NORMAL", "synchronous=FULL")])
def test_an_sqlite_that_may_forget_is_broken(pragma, back):
    assert verdicts(database.database) == ["ok", "ok"]
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}")
        try:
            assert verdicts(database.database) == ["ok", "broken"]
            assert "may forget" in said(database.database)
        finally:
            cursor.execute(f"PRAGMA {back}")


@postgresql_only
@pytest.mark.parametrize(("value", "verdict"), [("off", "broken"), ("on", "ok")])
def test_a_postgresql_that_may_forget_is_broken(value, verdict):
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL synchronous_commit = {value}")
        cursor.execute("SHOW fsync")
        is_fast = cursor.fetchone()[0] == "off"  # As the cluster of the tests is.

    assert verdicts(database.database)[1] == ("broken" if is_fast else verdict)
    assert f"synchronous_commit={value}" in said(database.database)


@postgresql_only
def test_connections_that_run_out_are_seen_before_they_have(monkeypatch):
    assert len(verdicts(database.database)) == 2
    monkeypatch.setattr(database, "NEARLY_ALL", 0)

    assert verdicts(database.database)[2] == "look at it"
    assert "TILLGATE_DATABASE_POOL" in said(database.database)


def test_a_migration_that_is_not_applied_is_broken_and_named():
    assert verdicts(database.tables) == ["ok"]

    MigrationRecorder.Migration.objects.filter(app="payments").delete()

    assert verdicts(database.tables) == ["broken"]
    assert "payments.0001_initial" in said(database.tables)
    assert "and 2 more" in said(database.tables)
    assert "./run prepare" in said(database.tables)


def test_two_clocks_that_agree_are_well():
    assert verdicts(database.clock) == ["ok"]


@pytest.mark.parametrize(
    ("drift", "verdict"), [(1, "ok"), (-1, "ok"), (5, "look at it"), (-5, "look at it"), (120, "broken")]
)
def test_two_clocks_that_differ_are_not(drift, verdict):
    finding = database._compared(timedelta(seconds=drift))

    assert finding.verdict == verdict
    assert ("behind" in finding.seen) == (drift < -2)


def test_a_clock_that_was_moved_is_told_of_where_it_can_be(settings):
    clock.advance(3_600)
    assert verdicts(database.clock) == ["ok", "look at it"]
    assert "1:00:00 ahead" in said(database.clock)

    settings.IS_LOCAL = False
    assert verdicts(database.clock) == ["ok"]
