"""A web server that is told to stop says so first, where somebody is there to hear it."""

import http.client
import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress

import pytest

from launcher.environment import private_environment
from launcher.processes import descendants
from launcher.product import answers, free_ports
from tests.products import put_tables

LEAVES_S = 2.0


@pytest.fixture
def serve(tmp_path):
    """Start a web server with these settings; what still runs at the end is killed, with all below it."""
    started = []

    def start(**settings):
        put_tables(tmp_path)
        (port,) = free_ports(1)
        env = {**private_environment(), "TILLGATE_DATA_DIR": str(tmp_path), "PORT": str(port), **settings}
        line = [sys.executable, "-m", "launcher"]
        subprocess.run([*line, "prepare"], env=env, check=True, capture_output=True)
        process = subprocess.Popen(
            [*line, "web"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        started.append(process)
        deadline = time.monotonic() + 40
        while not answers(port, "/readyz"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process, port

    yield start
    for process in started:
        for pid in [process.pid, *descendants(process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def status(port, path):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def test_it_serves_for_a_while_and_says_that_it_leaves(serve, tmp_path):
    process, port = serve(TILLGATE_LEAVE_S=str(LEAVES_S))
    assert status(port, "/healthz") == 200
    process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    time.sleep(0.5)

    assert {status(port, "/healthz") for _ in range(8)} == {503}  # Of each of its processes.
    assert status(port, "/api/v1/gateways") == 200
    assert len(list(tmp_path.glob("leaving-*"))) == 1
    assert process.wait(15) == 0
    assert time.monotonic() - told > LEAVES_S
    assert not list(tmp_path.glob("leaving-*"))


def test_told_twice_it_leaves_at_once(serve):
    process, _ = serve(TILLGATE_LEAVE_S="30")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)

    assert process.wait(15) == 0


def test_where_nobody_hears_it_it_leaves_at_once(serve):
    process, _ = serve()
    process.send_signal(signal.SIGTERM)

    assert process.wait(LEAVES_S + 3) == 0


def test_of_two_on_one_data_directory_only_the_one_that_is_told_leaves(serve):
    told, _ = serve(TILLGATE_LEAVE_S="30")
    _, port = serve(TILLGATE_LEAVE_S="30")
    told.send_signal(signal.SIGTERM)
    time.sleep(0.5)

    assert status(port, "/healthz") == 200
