"""`python -m deploy upgrade`: from one version to the next on the same data, and back."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.failed import Failed
from deploy.upgrade import make_stand, walk
from deploy.versions import ROOT, Version, earlier, started, this_one

# A column gets another name: the new code knows it, the earlier one looks for the former.
RENAMED = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("merchants", "{after}")]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL('ALTER TABLE merchants_merchant RENAME COLUMN country TO land')], []
        )
    ]
"""


@pytest.fixture
def versions(tmp_path):
    """This checkout twice: as the earlier version and as the new one."""
    return replace(this_one(tmp_path / "earlier"), name="the earlier version"), this_one(tmp_path / "this")


@pytest.fixture
def stand(tmp_path):
    stand = make_stand(tmp_path, database="")
    with stand.gateways():
        yield stand


@pytest.mark.long
@pytest.mark.journey
def test_a_version_hands_its_payments_over_and_takes_them_back(versions, stand):
    lines: list[str] = []

    earlier_one, new = versions
    walk(earlier_one, new, stand, lines.append)

    said = "\n".join(lines)
    assert said.count("Every rule of money holds.") == 2
    assert "was charged a month later" in said
    assert [line for line in lines if line.startswith("==")] == [
        "== the earlier version takes payments",
        "== this version migrates",
        "== this version goes on",
        "== the earlier version starts on the migrated database, as after a rollback",
    ]


@pytest.mark.long
@pytest.mark.journey
def test_a_migration_that_the_earlier_version_cannot_live_with_is_noticed(versions, stand):
    earlier_one, new = versions
    migrations = new.root / "tillgate" / "merchants" / "migrations"
    newest = max(path.stem for path in migrations.glob("[0-9]*.py"))
    (migrations / "9999_renamed.py").write_text(RENAMED.format(after=newest))
    models = new.root / "tillgate" / "merchants" / "models" / "merchant.py"
    text = models.read_text()
    assert text.count("country = models.CharField(") == 1
    models.write_text(
        text.replace("country = models.CharField(", 'country = models.CharField(db_column="land", ')
    )
    lines: list[str] = []

    with pytest.raises(Failed, match="the earlier version: "):
        walk(earlier_one, new, stand, lines.append)

    assert lines[-1] == "== the earlier version starts on the migrated database, as after a rollback"


def test_a_version_that_git_does_not_know_is_told(capsys):
    assert main(["upgrade", "v0.0.0-never-made"]) == 1
    assert "git knows no version 'v0.0.0-never-made' here" in capsys.readouterr().err


def test_a_version_is_laid_out_by_its_name(tmp_path):
    version = earlier("HEAD", tmp_path)

    assert (tmp_path / "run").stat().st_mode & 0o100
    same = (tmp_path / "requirements/base.lock").read_bytes() == (
        ROOT / "requirements/base.lock"
    ).read_bytes()
    assert version.by_itself is not same


def test_this_checkout_is_laid_out_without_a_developers_own_files(tmp_path):
    version = this_one(tmp_path)

    assert (version.root / "tillgate" / "settings.py").read_bytes() == (
        ROOT / "tillgate/settings.py"
    ).read_bytes()
    assert not any((version.root / name).exists() for name in (".env", ".venv", "var", ".git"))


def test_a_version_with_the_same_packages_runs_by_this_python(tmp_path):
    version = Version(name="it", root=tmp_path, by_itself=False)

    assert version.words("verify-ledger")[1:] == ["-m", "launcher", "verify-ledger"]


def test_a_version_with_other_packages_runs_by_its_own_script():
    version = Version(name="it", root=Path("/there"), by_itself=True)

    assert version.words("prepare") == ["/there/run", "prepare"]


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path):
    (tmp_path / "launcher").mkdir()
    (tmp_path / "launcher" / "__main__.py").write_text("import sys; sys.exit('the ledger does not add up')")
    stand = make_stand(tmp_path, database="")

    with pytest.raises(Failed, match=r"verify-ledger of it failed:\n  . the ledger does not add up"):
        stand.run(Version(name="it", root=tmp_path, by_itself=False), "verify-ledger")


def test_a_version_that_ends_by_itself_is_not_waited_for(tmp_path):
    (tmp_path / "launcher").mkdir()
    (tmp_path / "launcher" / "__main__.py").write_text("import sys; sys.exit('no such table')")
    stand = make_stand(tmp_path, database="")

    serving = stand.serving(Version(name="it", root=tmp_path, by_itself=False))
    with pytest.raises(Failed, match=r"(?s)it: It ended by itself.*no such table"), serving:
        pass


def test_what_was_started_is_ended(tmp_path):
    with started(["sleep", "60"], tmp_path, {"PATH": "/usr/bin:/bin"}, tmp_path / "log") as running:
        assert running.process.poll() is None

    assert running.process.returncode == -15


def test_another_database_is_named_to_every_version(tmp_path):
    (tmp_path / "launcher").mkdir()
    (tmp_path / "launcher" / "__main__.py").write_text("import os; print(os.environ['DATABASE_URL'])")
    stand = make_stand(tmp_path, database="postgres:///empty")

    assert stand.run(Version(name="it", root=tmp_path, by_itself=False), "any") == "postgres:///empty\n"
