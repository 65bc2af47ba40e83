"""`./run` from start to stop, over small stand-ins for web server, worker and sandbox."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import time

import pytest

from launcher.environment import ROOT
from launcher.product import free_ports, is_free

SERVER = """
import http.server, signal, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *args): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""
MANAGE = """
import os, sys, time
command = sys.argv[1]
if command == "prepare":
    print("A first API key" if "--show-key" in sys.argv else "No API key yet", flush=True)
    sys.exit(int(os.environ.get("PREPARE_EXIT", "0")))
if command == "worker":
    time.sleep(float(os.environ.get("WORKER_S", "60")))
    sys.exit(3)
print(command, sys.argv[2:], os.environ["TILLGATE_DATA_DIR"], os.environ["PAYSTACK_BASE_URL"])
"""


class Served(subprocess.Popen[str]):
    """A launcher that was started, and the ports it was given."""

    port = sandbox_port = 0


@pytest.fixture
def tree(tmp_path):
    """A repository of stand-ins around the real launcher."""
    shutil.copytree(ROOT / "launcher", tmp_path / "launcher")
    (tmp_path / "tillgate.py").write_text(MANAGE)
    (tmp_path / "granian.py").write_text(SERVER)
    (tmp_path / "sandbox.py").write_text(SERVER)
    return tmp_path


@pytest.fixture
def serve(tree):
    started = []

    def start(stdout=subprocess.PIPE, **more):
        port, sandbox_port = free_ports(2)
        words = ["--port", str(port), "--sandbox-port", str(sandbox_port)]
        process = Served(
            [sys.executable, "-u", "-m", "launcher", *words],
            cwd=tree,
            env={**clean_environment(), **more},
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )
        process.port, process.sandbox_port = port, sandbox_port
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def clean_environment():
    ours = ("TILLGATE_", "PAYSTACK_", "SECRET_KEY", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def read_until(process, words):
    text = ""
    for line in process.stdout:
        text += line
        if words in line:
            return text
    raise AssertionError(f"{words!r} never came:\n{text}")


def test_it_prints_where_everything_is(serve):
    process = serve()

    text = read_until(process, "Ctrl-C")

    assert "A first API key" in text
    assert "Tillgate is ready after" in text
    assert f"http://127.0.0.1:{process.port}/api/v1/docs" in text
    assert f"http://127.0.0.1:{process.sandbox_port}/" in text
    assert f"curl -s http://127.0.0.1:{process.port}/api/v1/payments" in text


def test_where_money_is_real_nothing_is_there_to_be_copied_and_tried(serve):
    process = serve(TILLGATE_ENV="production", TILLGATE_PUBLIC_URL="https://pay.example.com")

    text = read_until(process, "Ctrl-C")

    assert "https://pay.example.com/api/v1/payments" in text
    assert "curl" not in text


@pytest.mark.parametrize(
    "settings", [{"TILLGATE_ENV": "production"}, {"PAYSTACK_SECRET_KEY": "sk_live_theirs"}]
)
def test_where_money_may_be_real_no_log_gets_the_first_key(serve, settings):
    process = serve(**settings)

    assert "No API key yet" in read_until(process, "Ctrl-C")


def test_who_sits_at_a_terminal_is_shown_the_first_key(serve):
    ours, theirs = pty.openpty()
    serve(stdout=theirs, TILLGATE_ENV="production")
    os.close(theirs)

    with os.fdopen(ours) as terminal:
        assert next(line for line in terminal if "API key" in line).strip() == "A first API key"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_with_exit_status_0(serve, number):
    process = serve()
    read_until(process, "Ctrl-C")

    process.send_signal(number)
    rest, _ = process.communicate(timeout=10)

    assert process.returncode == 0
    assert "Stopping" in rest
    assert "Traceback" not in rest


def test_a_signal_while_starting_stops_too(serve, tree):
    (tree / "granian.py").write_text("import time; time.sleep(60)")
    process = serve()
    read_until(process, "A first API key")

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)

    assert process.returncode == 0


def test_one_child_that_ends_stops_all_and_is_named(serve):
    process = serve(WORKER_S="1")

    text, _ = process.communicate(timeout=15)

    assert process.returncode == 1
    assert "The worker ended by itself (exit status 3)" in text


def test_a_failing_prepare_stops_before_the_server_starts(serve):
    process = serve(PREPARE_EXIT="2")

    text, _ = process.communicate(timeout=15)

    assert process.returncode == 1
    assert "not in order" in text
    assert "ready" not in text


def test_with_gateway_keys_no_sandbox_is_started(serve):
    process = serve(PAYSTACK_SECRET_KEY="sk_test_theirs")

    text = read_until(process, "Ctrl-C")

    assert "off: gateway keys are set" in text


def test_a_killed_launcher_leaves_nobody_behind(serve):
    process = serve()
    read_until(process, "Ctrl-C")

    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while not (is_free(process.port) and is_free(process.sandbox_port)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_commands_run_with_dashes_on_the_same_data_and_sandbox(serve, tree):
    process = serve()
    read_until(process, "Ctrl-C")

    done = subprocess.run(
        [sys.executable, "-m", "launcher", "verify-ledger", "--all"],
        cwd=tree,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert "verify_ledger ['--all']" in done.stdout
    assert str(tree / "var") in done.stdout
    assert f"http://127.0.0.1:{process.sandbox_port}/paystack" in done.stdout
