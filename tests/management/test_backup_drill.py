"""A backup of a shop at work, restored into an empty database of either kind, keeps every rule of money."""

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from deploy.versions import this_one
from launcher.environment import ROOT, private_environment, product_environment
from tests.builders import access_token, make_attempt_in, make_payment, make_user
from tests.postgres import empty_database, postgres
from tests.products import product_in
from tests.requires import skip_without
from tillgate.common import clock
from tillgate.management.backups.archive import read_records

pytestmark = [pytest.mark.journey, pytest.mark.slow]
# What a restoration itself writes, or ends: tables, and a column.
ITS_OWN = {"common.Restoration", "merchants.Login", "look_back_at"}
BREAKS_OFF = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("merchants", "{after}")]
    operations = [migrations.RunSQL("SELECT 1 FROM nowhere", "")]
"""


def command(env, *words, fails=False, root=ROOT):
    line = [sys.executable, "-m", "launcher", *words]
    done = subprocess.run(line, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def tables_of(path, keys, settings):
    """Return each table's rows, as the file has them."""
    settings.TILLGATE_ENCRYPTION_KEYS = (keys,)
    found: dict[str, list] = {}
    rows: list = []
    left_out: set[int] = set()
    with path.open("rb") as file:
        for record in read_records(file):
            if isinstance(record, list):
                rows.append([value for place, value in enumerate(record) if place not in left_out])
            elif "table" in record:
                rows = found.setdefault(record["table"], [])
                left_out = {record["columns"].index(name) for name in ITS_OWN & set(record["columns"])}
    return {label: rows for label, rows in found.items() if label not in ITS_OWN}


@contextmanager
def running(folder):
    """A product with its sandbox; gives the environment of its commands."""
    with product_in(folder, TILLGATE_DATA_DIR=str(folder / "var")) as product:
        yield product_environment(product.installation, private_environment())


@pytest.fixture(scope="module")
def shop():
    """A shop where a payment was completed, and one refunded; backed up while it runs."""
    with tempfile.TemporaryDirectory(prefix="tillgate-drill-") as folder, running(Path(folder)) as env:
        for words in (["payment.completed"], ["payment.refunded"], ["payment.failed", "--gateway", "paypal"]):
            command(env, "trigger", *words)
        backup = Path(folder) / "shop.backup"
        assert str(backup) in command(env, "backup", str(backup))
        yield env, backup


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request, shop, tmp_path):
    """The environments of two empty installations, with the same keys."""
    env = {**shop[0], "TILLGATE_DATA_DIR": str(tmp_path)}
    names = ("other", "third")
    if request.param == "sqlite":
        yield [{**env, "DATABASE_URL": f"sqlite:///{tmp_path}/{name}.sqlite3"} for name in names]
        return
    with postgres() as found:
        if not found.url:
            skip_without("postgresql", found.where)
        with ExitStack() as stack:
            made = (empty_database(found.url, f"tillgate_{name}_{os.getpid()}") for name in names)
            yield [{**env, "DATABASE_URL": stack.enter_context(database)} for database in made]


def test_a_backup_is_restored_whole_and_every_rule_of_money_holds(shop, elsewhere, tmp_path, settings):
    env, backup = shop
    other, third = elsewhere
    again = tmp_path / "again.backup"

    said = command(other, "restore", str(backup))
    ledger = command(other, "verify-ledger")
    command(other, "backup", str(again))

    assert "./run release-charges" in said
    assert "Every rule of money holds." in ledger
    assert "nothing is charged until `./run release-charges`" in ledger
    key = Path(env["TILLGATE_ENCRYPTION_KEYS_FILE"]).read_text()
    before, after = tables_of(backup, key, settings), tables_of(again, key, settings)
    assert before["payments.Payment"]
    assert before["ledger.Entry"]
    assert after == before
    assert "has rows already" in command(other, "restore", str(backup), fails=True)
    assert "Released." in command(other, "release-charges", "--yes")
    assert "Nothing waits" in command(other, "release-charges", "--yes", fails=True)
    # What was restored once can be backed up and restored again.
    assert "Restored:" in command(third, "restore", str(again))


@pytest.mark.django_db(transaction=True)
def test_logins_have_ended_and_charges_wait_also_where_the_upgrade_of_the_rows_breaks_off(tmp_path, merchant):
    access_token(make_user())
    later = clock.now() + timedelta(days=90)
    make_attempt_in("succeeded", make_payment(merchant), look_back_at=later)
    call_command("backup", str(tmp_path / "backup"), stdout=StringIO())
    newer = this_one(tmp_path / "newer").root
    migrations = newer / "tillgate" / "merchants" / "migrations"
    newest = max(path.stem for path in migrations.glob("[0-9]*.py"))
    (migrations / "9999_breaks_off.py").write_text(BREAKS_OFF.format(after=newest))
    env = {**os.environ, "TILLGATE_DATA_DIR": str(tmp_path), "DATABASE_URL": ""}

    assert "nowhere" in command(env, "restore", str(tmp_path / "backup"), fails=True, root=newer)

    with closing(sqlite3.connect(tmp_path / "tillgate.sqlite3")) as database:
        ends = database.execute("SELECT ended_at IS NOT NULL, end_reason FROM merchants_login").fetchall()
        (look,) = database.execute("SELECT look_back_at FROM payments_attempt").fetchone()
        (held,) = database.execute("SELECT count(*) FROM common_restoration").fetchone()
    assert (ends, held) == ([(1, "restored")], 1)
    assert look < f"{later:%Y-%m-%d}"


@pytest.mark.parametrize("name", [pytest.param("DATABASE_URL", marks=pytest.mark.long), "DATABASE_URL_FILE"])
def test_the_rehearsal_of_the_page_meets_no_database_of_the_shop_and_leaves_nothing(tmp_path, name):
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"Rehearse it.*?```\n(.*?)```", page, re.DOTALL)
    root, live, folder = this_one(tmp_path / "copy").root, tmp_path / "live", tmp_path / "tmp"
    (root / "run").write_text(f'exec {sys.executable} -m launcher "$@"')
    (tmp_path / "url").write_text(f"sqlite:///{live}")
    values = {"DATABASE_URL": f"sqlite:///{live}", "DATABASE_URL_FILE": tmp_path / "url"}
    (root / ".env").write_text(f"{name}={values[name]}")
    folder.mkdir()
    env = {**private_environment(), "TMPDIR": str(folder)}
    command(env, "prepare", root=root)
    command(env, "backup", "FILE", root=root)
    before = live.read_bytes()

    done = subprocess.run(["sh", "-c", block], cwd=root, env=env, capture_output=True, text=True, check=True)

    assert "Every rule of money holds." in done.stdout
    assert "nothing is charged until" in done.stdout
    assert (live.read_bytes(), list(folder.iterdir())) == (before, [])


@pytest.mark.long
def test_a_lost_database_is_restored_in_its_place_and_goes_on_taking_payments(tmp_path):
    with running(tmp_path) as env:
        command(env, "trigger", "payment.completed")
        command(env, "backup", "--keep", "1")
        command(env, "backup", "--keep", "1")
    (backup,) = (tmp_path / "var" / "backups").iterdir()
    for file in (tmp_path / "var").glob("tillgate.sqlite3*"):
        file.unlink()

    command(env, "restore", str(backup))

    with running(tmp_path) as env:
        command(env, "trigger", "payment.completed")
        assert "Every rule of money holds." in command(env, "verify-ledger")


@pytest.mark.parametrize("word", ["backup", "verify-ledger", "create-key", "release-charges"])
def test_where_there_are_no_tables_a_sentence_says_so(tmp_path, word):
    env = {**private_environment(), "TILLGATE_DATA_DIR": str(tmp_path)}

    said = command(env, word, fails=True)

    assert "`./run prepare` makes them" in said
    assert "Traceback" not in said


def test_the_doctor_says_so_and_no_more_of_the_database(tmp_path):
    said = command({**private_environment(), "TILLGATE_DATA_DIR": str(tmp_path)}, "doctor", fails=True)

    assert "It has no tables." in said
    assert "could not be examined" not in said


def test_the_file_shows_nothing_of_anybody(shop):
    data = shop[1].read_bytes()

    assert b"john@example.com" not in data
    assert shop[1].stat().st_mode & 0o077 == 0


def test_a_backup_can_be_checked_without_restoring_it(shop):
    env, backup = shop

    assert "This backup is whole" in command(env, "restore", "--check", str(backup))
