"""Tables are brought up to the version that starts: once, backed up before, without freezing the shop."""

import threading
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from tillgate.common.models import Restoration
from tillgate.management import upgrading
from tillgate.management.backups.archive import read_records
from tillgate.management.commands.backup import SUFFIX

LAST = ("common", "0002_restoration")


@pytest.fixture
def said():
    return []


@contextmanager
def before_the_last_migration():
    """The tables as the version before left them."""
    call_command("migrate", "common", "0001", verbosity=0)
    try:
        yield
    finally:
        call_command("migrate", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_what_is_missing_is_applied_and_sqlite_backed_up_before(merchant, said, tmp_path, settings):
    settings.TILLGATE_DATA_DIR = tmp_path
    with before_the_last_migration():
        upgrading.upgrade(said.append, backs_up=True)
        upgrading.upgrade(said.append, backs_up=True)

        assert LAST in MigrationRecorder(connection).applied_migrations()
        backups = list(tmp_path.glob(f"backups/*{SUFFIX}"))
        assert len(backups) == len(said) == (connection.vendor == "sqlite")
        for backup in backups:
            with backup.open("rb") as file:
                first = next(read_records(file))
            assert list(LAST) not in first["migrations"]


@pytest.mark.django_db(transaction=True)
def test_a_backup_of_the_version_before_is_restored_and_brought_up(merchant, tmp_path, settings):
    """Into this database, whose rows are taken away meanwhile."""
    if connection.vendor != "sqlite":
        pytest.skip("tests/management/test_backup_drill.py restores into PostgreSQL")
    settings.TILLGATE_DATA_DIR = tmp_path
    with before_the_last_migration():
        call_command("backup", str(tmp_path / "old"))
    other = connections.databases["default"] | {"NAME": str(tmp_path / "other.sqlite3")}
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = other["NAME"]
    try:
        call_command("restore", str(tmp_path / "old"))
        merchant.refresh_from_db()
        assert Restoration.objects.get().released_at is None
        assert LAST in MigrationRecorder(connection).applied_migrations()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@pytest.mark.django_db
def test_an_older_version_says_that_the_tables_are_newer_and_works(said):
    MigrationRecorder.Migration.objects.create(app="payments", name="0099_of_tomorrow")

    upgrading.upgrade(said.append, backs_up=False)

    assert said == [
        "The tables are of a newer version (payments.0099_of_tomorrow). This one works on them as well."
    ]


@pytest.mark.django_db(transaction=True)
def test_several_that_start_at_once_upgrade_once(said, tmp_path, settings):
    settings.TILLGATE_DATA_DIR = tmp_path

    def start():
        try:
            upgrading.upgrade(said.append, backs_up=False)
        finally:
            connections.close_all()

    with before_the_last_migration():
        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert MigrationRecorder.Migration.objects.filter(app=LAST[0], name=LAST[1]).count() == 1
        assert said == []


@pytest.mark.django_db(transaction=True)
def test_a_table_in_use_is_not_queued_for_but_tried_again(said, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no locks on tables")
    monkeypatch.setattr(upgrading, "LOCK_WAIT_S", 1)
    in_use, done = threading.Event(), threading.Event()

    def use():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE common_clockoffset IN ACCESS SHARE MODE")
            in_use.set()
            done.wait(1.5)
            cursor.execute("ROLLBACK")
        connections.close_all()

    def alter():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE common_clockoffset IN ACCESS EXCLUSIVE MODE")

    thread = threading.Thread(target=use)
    thread.start()
    in_use.wait(5)
    upgrading.patiently(transaction.atomic(alter), said.append)

    done.set()
    thread.join()
    assert said
    assert all("trying again" in sentence for sentence in said)


@pytest.mark.django_db
def test_what_is_wrong_for_another_reason_is_told_at_once(said):
    def wrong():
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError, match="disk is full"):
        upgrading.patiently(wrong, said.append)
    assert said == []
