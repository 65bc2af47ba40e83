"""The process: starting, stopping, being killed, and what is still known afterwards."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.errors import SettingsError
from sandbox.server import Sandbox, start
from tests.sandbox.conftest import KEY, Client, environ

ROOT = Path(__file__).parents[2]


class Process:
    """`python -m sandbox` as a process of its own, on one port and one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.port = data_dir, free_port()
        self.run()

    def run(self) -> None:
        command = [
            sys.executable,
            "-m",
            "sandbox",
            "--port",
            str(self.port),
            "--data-dir",
            str(self.data_dir),
        ]
        env = {**os.environ, **environ()}
        self.child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout is not None
        assert "ready" in self.child.stdout.readline()

    def end(self, number: int) -> int:
        self.child.send_signal(number)
        code = self.child.wait(timeout=5)
        if self.child.stdout:
            self.child.stdout.close()
        return code

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Client:
        return Client(self)  # type: ignore[arg-type]  # It has the one attribute that is used.


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path / "data")
    yield process
    if process.child.poll() is None:
        process.end(signal.SIGKILL)


def test_kill_9_loses_neither_money_nor_memory(process: Process) -> None:
    client = process.client
    code = client.saved_card()
    client.post("/refund", {"transaction": "first", "amount": 100})
    client.initialize("slow")
    client.pay("slow", "pending")
    client.advance(10)
    process.end(signal.SIGKILL)
    process.run()
    client = process.client

    assert client.verify("first")["status"] == "reversal-pending"
    assert client.charge(code).json()["data"]["status"] == "success"
    assert client.http.get("/control/clock").json()["offset_s"] == 10
    client.advance(61)
    assert client.verify("slow")["status"] == "success"
    entries = client.journal()
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4]
    assert sorted(entry["kind"] for entry in entries) == ["charge", "charge", "charge", "refund"]


def test_killed_while_charging_journal_and_memory_agree(process: Process) -> None:
    client, code = process.client, process.client.saved_card()
    answered: list[str] = []

    def charge_on() -> None:
        for number in range(10_000):
            try:
                client.charge(code, f"c-{number}")
            except httpx.TransportError:
                return
            answered.append(f"c-{number}")

    thread = threading.Thread(target=charge_on)
    thread.start()
    time.sleep(0.5)
    process.end(signal.SIGKILL)
    thread.join()
    process.run()
    listed = {row["reference"] for row in pages(process.client)}

    journaled = [entry["reference"] for entry in process.client.journal()]
    assert len(answered) > 5
    assert set(answered) <= set(journaled)
    assert len(journaled) == len(set(journaled))
    assert set(journaled) == listed


def pages(client: Client) -> Iterator[dict[str, str]]:
    page = 1
    while rows := client.get("/transaction", perPage=100, page=page).json()["data"]:
        yield from rows
        page += 1


def test_the_journal_is_completed_from_the_state(tmp_path: Path) -> None:
    sandbox = start(data_dir=tmp_path, environ=environ())
    Client(sandbox).saved_card()
    sandbox.stop()
    journal = tmp_path / "journal.jsonl"
    state_before = (tmp_path / "state.jsonl").read_text()
    entry = journal.read_text()

    journal.write_text(entry[:40])  # Torn by a power failure.
    again = start(data_dir=tmp_path, environ=environ())
    completed = Client(again).journal()
    again.stop()

    assert completed == [json.loads(entry)]
    assert '"entries"' in state_before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_a_second_even_while_holding_a_client(process: Process, number: int) -> None:
    client = process.client
    client.fault("list", "timeout_before")

    def wait_for_nothing() -> None:
        with pytest.raises(httpx.TransportError):
            client.get("/transaction")

    waiting = threading.Thread(target=wait_for_nothing)
    waiting.start()
    time.sleep(0.2)

    begun = time.monotonic()
    code = process.end(number)

    assert (code, time.monotonic() - begun < 1) == (0, True)
    waiting.join()


def test_it_stays_small(process: Process) -> None:
    client, code = process.client, process.client.saved_card()
    for number in range(100):
        client.charge(code, f"c-{number}")

    status = Path(f"/proc/{process.child.pid}/status").read_text()
    resident_kb = int(status.split("VmRSS:")[1].split()[0])

    assert resident_kb < 40_000


def run_wrongly(*options: str, key: str | None = KEY) -> tuple[int, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
    if key is not None:
        env["SANDBOX_PAYSTACK_SECRET_KEY"] = key
    command = [sys.executable, "-m", "sandbox", *options]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=10, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("key", [None, "", "pk_test_x", "sk_test_"])
def test_without_a_good_key_it_says_so_in_one_line(tmp_path: Path, key: str | None) -> None:
    code, text = run_wrongly("--port", "0", "--data-dir", str(tmp_path), key=key)

    assert (code, text.count("\n"), "SANDBOX_PAYSTACK_SECRET_KEY" in text) == (1, 1, True)


def test_a_taken_port_is_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    port = sandbox.url.rsplit(":", 1)[1]
    code, text = run_wrongly("--port", port, "--data-dir", str(tmp_path / "other"))

    assert (code, text.count("\n"), f"port {port}" in text) == (1, 1, True)


def test_one_data_directory_serves_one_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="in use by another sandbox"):
        start(data_dir=tmp_path / "data", environ=environ())


def test_it_listens_to_this_machine_only(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not for other machines"):
        start(data_dir=tmp_path, environ=environ(), host="0.0.0.0")


def test_many_connections_at_once_are_each_answered(client: Client) -> None:
    codes: list[int] = []

    def ask() -> None:
        with httpx.Client(base_url=client.sandbox.url, verify=False, trust_env=False) as http:
            codes.extend(http.get("/control/health").status_code for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert codes == [200] * 100


@pytest.mark.parametrize(
    "head", [b"Content-Length: -5", b"Content-Length: 99999999", b"Transfer-Encoding: chunked"]
)
def test_odd_lengths_are_refused(sandbox: Sandbox, head: bytes) -> None:
    address = ("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1]))
    with socket.create_connection(address, timeout=5) as raw:
        raw.sendall(b"POST /control/pay HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")

        assert raw.recv(100).startswith(b"HTTP/1.1 41")
