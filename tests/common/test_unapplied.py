"""Whether the tables are those that this code knows."""

import os
import subprocess
import sys

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.environment import DATA_DIR
from tillgate.common import unapplied as module
from tillgate.common.unapplied import unapplied


@pytest.mark.django_db
def test_what_is_known_by_name_is_what_django_would_load():
    loaded = MigrationLoader(None, ignore_no_migrations=True).disk_migrations

    assert set(module._known()) == set(loaded)
    assert len(loaded) > 40


@pytest.mark.django_db
def test_tables_that_are_as_this_code_knows_them_lack_nothing():
    assert unapplied() == []


@pytest.mark.django_db
def test_a_migration_that_was_not_recorded_is_named():
    MigrationRecorder.Migration.objects.filter(app="payments", name="0001_initial").delete()

    assert unapplied() == ["payments.0001_initial"]


def test_an_empty_database_lacks_all_and_none_of_them_is_loaded(tmp_path):
    program = (
        "import sys, django; django.setup();"
        "from tillgate.common.unapplied import unapplied;"
        "print(len(unapplied()), [name for name in sys.modules if '.migrations.0' in name])"
    )
    empty = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "tillgate.settings",
    }
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **empty, "TILLGATE_DATA_DIR": str(DATA_DIR)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert int(said.split()[0]) > 40
    assert said.split()[1] == "[]"
