"""The restoration of docs/image.md, word by word over a database of this machine: nothing is lost by it."""

import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import connect

from launcher.environment import ROOT, private_environment
from tests.postgres import find_binaries, postgres
from tests.requires import skip_without

pytestmark = [pytest.mark.journey, pytest.mark.slow]
PAGE = (ROOT / "docs" / "image.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^  ```\n(.*?)^  ```$", PAGE.split("\n- A restoration")[1], re.MULTILINE | re.DOTALL)
RESTORATION, FAREWELL = (textwrap.dedent(block) for block in BLOCKS[:2])
# What compose would let run in a container.
DOCKER = """#!/bin/sh
case "$*" in
    "compose run --rm --no-deps -T web "*) shift 6; exec "$PYTHON" -m launcher "$@" ;;
    "compose exec web python "*) shift 4; exec "$PYTHON" "$@" ;;
    "compose exec db sh -c "*) exec sh -c "$(echo "$6" | sed "s,/run/secrets,$PWD,")" ;;
    "compose up --detach --wait") exec "$PYTHON" -m launcher prepare </dev/null ;;
    "compose up --detach --wait db" | "compose stop proxy web worker") ;;
    *) echo "what is $*?" >&2; exit 1 ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A folder with a backup, and a database that has got another name for the shop since."""

    folder: Path
    env: dict[str, str]

    def run(self, script: str) -> str:
        command = ["sh", "-c", script]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def manage(self, words: str) -> str:
        return self.run(f'"$PYTHON" -m launcher {words}')

    def databases(self) -> set[str]:
        with connect(host=self.env["PGHOST"], user="tillgate", dbname="postgres") as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")
            return {name for (name,) in rows} - {"postgres"}

    def shop(self, database: str) -> str:
        with connect(host=self.env["PGHOST"], user="tillgate", dbname=database) as connection:
            (name,) = connection.execute("SELECT name FROM merchants_merchant").fetchone() or ("",)
            return str(name)


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)  # A database called tillgate may be somebody's.
    binaries = find_binaries()
    with postgres() as found:
        if not (found.url and binaries and (binaries / "psql").exists()):
            skip_without("postgresql", found.where)
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "docker").write_text(DOCKER)
        (tmp_path / "bin" / "docker").chmod(0o755)
        (tmp_path / "database_password").write_text("it is trusted")
        address = found.url.rpartition("/")[0]
        env = {
            **private_environment(),
            "PATH": f"{tmp_path / 'bin'}:{binaries}:{os.environ['PATH']}",
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "PGHOST": address.partition("@/")[2],
            "DATABASE_URL": f"{address}/tillgate",
            "TILLGATE_DATA_DIR": str(tmp_path / "var"),
        }
        server = Server(folder=tmp_path, env=env)
        server.run("createdb -U tillgate tillgate")
        server.manage("prepare")
        server.manage("backup 1.tillgate-backup")
        server.manage("rename-merchant 'As it was last'")
        yield server


def test_the_backup_is_back_and_the_former_database_there_until_the_last_step(server):
    said = server.run(RESTORATION)

    assert "This backup is whole" in said
    assert "nothing is charged until" in said
    assert (server.shop("tillgate"), server.shop("former")) == ("My shop", "As it was last")
    server.run(FAREWELL)
    assert server.databases() == {"tillgate"}


def test_a_backup_that_is_not_whole_changes_nothing(server):
    backup = server.folder / "1.tillgate-backup"
    backup.write_bytes(backup.read_bytes()[:-40])

    said = server.run(RESTORATION)

    assert "No key opens this backup" in said
    assert server.databases() == {"tillgate"}
    assert server.shop("tillgate") == "As it was last"
