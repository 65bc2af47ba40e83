"""The parts as the image starts them, on PostgreSQL: stopped and started again under load, they lose nothing.

Without a proxy a caller whose server is being replaced is refused a connection, and nothing worse; behind the
proxy that comes with the product nobody notices.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from launcher.environment import ROOT, private_environment
from launcher.product import answers, free_ports
from tests.deploy.caddy import caddy_before, find_caddy
from tests.postgres import empty_database, postgres
from tests.requires import skip_without

pytestmark = [pytest.mark.journey, pytest.mark.slow]
RESTARTS = 3
CALLERS = 4
PAUSE_S = 0.03  # Of a caller, between two payments.


class Parts:
    """Web server, worker and sandbox, each a process of its own, started by the words of the image."""

    def __init__(self, folder, database_url):
        self.port, self.sandbox_port = free_ports(2)
        self.log = (folder / "log").open("ab")
        self.running = {}
        self.env = {
            **private_environment(),
            "TILLGATE_DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "TILLGATE_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "TILLGATE_WEB_PROCESSES": "2",
            "TILLGATE_TRUSTED_PROXIES": "1",
        }

    def call(self, *words):
        done = subprocess.run(self.line(*words), env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, word, *more):
        process = subprocess.Popen(
            self.line(word, *more), env=self.env, cwd=ROOT, stdout=self.log, stderr=self.log
        )
        self.running[word] = process

    def stop(self, word):
        """Stop as a deployment does, and return how it ended."""
        process = self.running.pop(word)
        process.send_signal(signal.SIGTERM)
        return process.wait(30)

    def start_all(self):
        (Path(self.env["TILLGATE_DATA_DIR"])).mkdir(mode=0o700)
        ports = {"port": self.port, "sandbox_port": self.sandbox_port}
        (Path(self.env["TILLGATE_DATA_DIR"]) / "ports.json").write_text(json.dumps(ports))
        self.key = self.call("prepare", "--show-key").split()[-1]
        for word in ("sandbox", "worker", "web"):
            self.start(word)
        self.wait_ready()

    def wait_ready(self):
        deadline = time.monotonic() + 40
        while not (answers(self.port, "/readyz") and answers(self.sandbox_port, "/control/health")):
            assert self.running["web"].poll() is None, "the web server ended by itself"
            assert time.monotonic() < deadline, "the web server is not ready"
            time.sleep(0.05)

    def end(self):
        for word in list(self.running):
            self.stop(word)
        self.log.close()

    @staticmethod
    def line(*words):
        return [sys.executable, "-m", "launcher", *words]


@contextmanager
def parts_on_postgres(**settings):
    with postgres() as found, tempfile.TemporaryDirectory(prefix="tillgate-parts-") as folder:
        if not found.url:
            skip_without("postgresql", found.where)
        with empty_database(found.url, f"tillgate_restarts_{os.getpid()}") as url:
            parts = Parts(Path(folder), url)
            parts.env.update(settings)
            try:
                parts.start_all()
                yield parts
            except BaseException:
                print((Path(folder) / "log").read_text(errors="replace")[-6_000:])
                raise
            finally:
                parts.end()


class Caller(threading.Thread):
    """A shop's server: creates payments one after the other, and pays each at the sandbox.

    A refused connection is tried again under the same key, as anybody may; everything else that is no answer
    of the product counts as lost.
    """

    def __init__(self, port, parts, name):
        super().__init__()
        self.port, self.parts, self.name = port, parts, name
        self.created: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.stopped = threading.Event()

    def run(self):
        number = 0
        while not self.stopped.is_set():
            number += 1
            payment = self.say("POST", "/api/v1/payments", f"{self.name}-{number}", ORDER, 201)
            if payment is None:
                continue
            reference = payment["payment"]["id"]
            self.created.append(reference)
            path = f"/api/v1/payments/{reference}/attempts"
            attempt = self.say("POST", path, f"{self.name}-{number}-a", {"gateway": "paystack"}, 201)
            if attempt is not None:
                self.pay(attempt["attempt"]["gateway_reference"])
            time.sleep(PAUSE_S)

    def say(self, verb, path, key, body, status):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                answered, said = self.exchange(verb, path, key, body)
            except ConnectionRefusedError:
                self.outcomes["refused"] += 1
                time.sleep(0.05)
                continue
            except (OSError, http.client.HTTPException) as error:
                self.outcomes[f"broken: {error!r}"] += 1
                return None
            self.outcomes["answered" if answered == status else f"{answered}: {said[:200]!r}"] += 1
            return json.loads(said) if answered == status else None
        self.outcomes["given up"] += 1
        return None

    def exchange(self, verb, path, key, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "Authorization": f"Bearer {self.parts.key}",
        }
        try:
            connection.request(verb, path, json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def pay(self, reference):
        connection = http.client.HTTPConnection("127.0.0.1", self.parts.sandbox_port, timeout=10)
        body = json.dumps({"gateway": "paystack", "reference": reference, "outcome": "success"})
        connection.request("POST", "/control/pay", body, {"Content-Type": "application/json"})
        assert connection.getresponse().status < 300
        connection.close()


ORDER = {"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00}


def restart_under_load(parts, port):
    """Stop and start web server and worker in turn, while payments are taken; return the callers."""
    callers = [Caller(port, parts, f"caller-{number}") for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        for _ in range(RESTARTS):
            time.sleep(1.5)
            assert parts.stop("web") == 0
            parts.start("web")
            parts.wait_ready()
            assert parts.stop("worker") == 0
            parts.start("worker")
        time.sleep(1.5)
    finally:
        for caller in callers:
            caller.stopped.set()
        for caller in callers:
            caller.join()
    return callers


def outcomes_of(callers):
    """Count what all of them met with."""
    outcomes: Counter[str] = Counter()
    for caller in callers:
        outcomes += caller.outcomes
    return outcomes


def all_are_completed(parts, created):
    deadline = time.monotonic() + 60
    left = set(created)
    while left and time.monotonic() < deadline:
        for reference in list(left):
            connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
            connection.request("GET", f"/api/v1/payments/{reference}")
            status = json.loads(connection.getresponse().read())["payment"]["status"]
            connection.close()
            if status == "completed":
                left.discard(reference)
        time.sleep(0.2)
    return not left


@pytest.mark.long
def test_without_a_proxy_callers_are_refused_at_worst_and_nothing_is_lost():
    with parts_on_postgres(TILLGATE_TRUSTED_PROXIES="0") as parts:
        callers = restart_under_load(parts, parts.port)

        outcomes = outcomes_of(callers)
        created = [reference for caller in callers for reference in caller.created]
        print(f"{len(created)} payments, {dict(outcomes)}")
        assert set(outcomes) == {"answered", "refused"}
        assert len(set(created)) == len(created) > RESTARTS * CALLERS
        assert all_are_completed(parts, created)
        assert "Every rule of money holds." in parts.call("verify-ledger")


def test_behind_the_proxy_nobody_notices(tmp_path):
    find_caddy()
    with parts_on_postgres(TILLGATE_DATABASE_POOL="16", TILLGATE_LEAVE_S="3") as parts:
        with caddy_before(parts.port, tmp_path) as proxy:
            callers = restart_under_load(parts, proxy.port)

        outcomes = outcomes_of(callers)
        created = [reference for caller in callers for reference in caller.created]
        print(f"{len(created)} payments, {dict(outcomes)}")
        assert set(outcomes) == {"answered"}
        assert len(created) > RESTARTS * CALLERS
        assert all_are_completed(parts, created)
        assert "Every rule of money holds." in parts.call("verify-ledger")
