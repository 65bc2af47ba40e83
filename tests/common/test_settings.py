"""What the environment makes of the settings, each in a process of its own."""

import json
import os
import subprocess
import sys


def settings_of(**environment: str) -> dict:
    program = "import json; from tillgate import settings; print(json.dumps(settings.DATABASES, default=str))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)["default"]


def test_what_the_databases_address_says_is_kept():
    database = settings_of(DATABASE_URL="postgres://u:p@db/tillgate?sslmode=verify-full")

    assert (database["OPTIONS"]["sslmode"], database["OPTIONS"]["prepare_threshold"]) == ("verify-full", 0)
    assert database["CONN_MAX_AGE"] is None


def test_sqlite_commits_on_disk_and_waits_for_its_one_writer():
    options = settings_of(DATABASE_URL="sqlite:////tmp/never-opened")["OPTIONS"]

    assert (options["transaction_mode"], options["timeout"]) == ("IMMEDIATE", 10)
    assert "synchronous=FULL" in options["init_command"]
