"""What a word after `./run` starts, and where it listens."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from launcher.environment import Installation, product_environment
from launcher.product import answers, free_ports
from launcher.web import granian

PRODUCTION = {
    "TILLGATE_ENV": "production",
    "DATABASE_URL": "postgres://db.example.com/tillgate",
}


def start(*words, data_dir, **settings):
    env = {**os.environ, "TILLGATE_ENV": "local", "TILLGATE_DATA_DIR": str(data_dir), **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "launcher", *words],
        env={name: value for name, value in env.items() if value},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(port, path, process):
    deadline = time.monotonic() + 30
    while not answers(port, path):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline, f"nothing answers at {port}{path}"
        time.sleep(0.1)


def test_the_web_server_alone_refuses_a_dangerous_setting_with_its_fix(tmp_path):
    web = start("web", data_dir=tmp_path, ALLOWED_HOSTS="*", TILLGATE_ENV="production")

    said, _ = web.communicate(timeout=60)

    assert web.returncode == 1
    assert "Set ALLOWED_HOSTS to the host names" in said
    assert "Traceback" not in said


def test_web_server_and_sandbox_start_alone_where_the_environment_says(tmp_path):
    port, sandbox_port = free_ports(2)
    web = start("web", data_dir=tmp_path, PORT=str(port), TILLGATE_HOST="0.0.0.0")
    sandbox = start("sandbox", "--port", str(sandbox_port), data_dir=tmp_path)
    try:
        wait_for(port, "/healthz", web)
        wait_for(sandbox_port, "/control/health", sandbox)
    finally:
        for process in (web, sandbox):
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)

    # The process that was started has become the server, and ends as an orderly one does.
    assert (web.returncode, sandbox.returncode) == (0, 0)


@pytest.mark.parametrize("port", ["0", "65536", "eighty"])
def test_a_port_that_is_none_is_refused(port, tmp_path):
    web = start("web", data_dir=tmp_path, PORT=port)

    said, _ = web.communicate(timeout=30)

    assert web.returncode == 2
    assert f"'{port}' is no port" in said


def test_the_web_server_listens_where_the_installation_is(tmp_path):
    installation = Installation(data_dir=tmp_path, host="0.0.0.0", port=9000)

    words = granian(installation, {"TILLGATE_WEB_PROCESSES": "3"})

    assert words[words.index("--host") + 1] == "0.0.0.0"
    assert words[words.index("--port") + 1] == "9000"
    assert words[words.index("--workers") + 1] == "3"


def test_in_production_no_secret_is_made_for_a_database_that_is_elsewhere(tmp_path):
    env = product_environment(Installation(data_dir=tmp_path), PRODUCTION)

    assert not [name for name in env if name in ("SECRET_KEY_FILE", "TILLGATE_ENCRYPTION_KEYS_FILE")]
    assert list(tmp_path.iterdir()) == []


def test_what_a_trial_left_in_the_data_directory_is_not_taken_for_a_database_that_is_elsewhere(tmp_path):
    product_environment(Installation(data_dir=tmp_path), {"TILLGATE_ENV": "local"})

    env = product_environment(Installation(data_dir=tmp_path), PRODUCTION)

    assert "TILLGATE_ENCRYPTION_KEYS_FILE" not in env


def test_a_management_command_runs_on_the_same_data(tmp_path):
    env = {**os.environ, "TILLGATE_ENV": "local", "TILLGATE_DATA_DIR": str(tmp_path)}
    code = "import json; from django.conf import settings; print(json.dumps(str(settings.TILLGATE_DATA_DIR)))"
    words = [sys.executable, "-m", "launcher", "shell", "--no-imports", "-c", code]

    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == str(tmp_path.resolve())
