"""The servers of a run, started as `./run` starts them, but without the worker."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.environment import (
    ROOT,
    Environment,
    Installation,
    make_data_dir,
    private_environment,
    product_environment,
    sandbox_environment,
)
from launcher.processes import Child, Group, descendants
from launcher.product import answers, free_ports
from launcher.web import THREADS

PROCESSES = 2
READY_WITHIN_S = 60


class NotMeasured(Exception):
    """A figure could not be measured; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One web server: where it listens, and its main process."""

    port: int
    child: Child

    @property
    def memory_mb(self) -> float:
        """The resident memory of its processes together."""
        pages = 0
        for pid in [self.child.process.pid, *descendants(self.child.process.pid)]:
            try:
                pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
            except OSError:
                continue
        return pages * 4096 / 1024**2


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A filled database: a key, a payment far down the list, payments to pay, pgbench's script."""

    url: str
    key: str
    deep: str
    open: list[str]
    version: str
    insert: str


class Stand:
    """Everything that runs for one database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "servers.log"
        self.output = self.log.open("ab")
        self._group = Group(self.output)
        port, self.sandbox_port = free_ports(2)
        self.installation = Installation(data_dir=folder / "data", port=port, sandbox_port=self.sandbox_port)
        make_data_dir(self.installation.data_dir)

    def environment(self, url: str) -> Environment:
        """Return what the product's processes find in their environment."""
        outer = {**private_environment(), "DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
        return product_environment(self.installation, outer)

    @property
    def gateway_key(self) -> str:
        """The secret key of the gateway's account, which signs its webhooks."""
        path = Path(self.environment("sqlite://")["PAYSTACK_SECRET_KEY_FILE"])
        return path.read_text(encoding="ascii")

    def inside(self, url: str, *words: str) -> Any:
        """Run a part of the bench inside the product."""
        done = subprocess.run(
            [sys.executable, "-m", "tools.bench.inside", *words],
            cwd=ROOT,
            env=self.environment(url),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if "Error" in line] or ["it said nothing"]
            raise NotMeasured(f"{' '.join(words)} failed: {said[-1][:200]}")
        return json.loads(done.stdout.splitlines()[-1])

    def prepare(self, url: str, rows: int) -> Prepared:
        """Make the tables and fill them."""
        said = self.inside(url, "prepare", str(rows))
        return Prepared(url=url, **said)

    def serve(self, target: str, url: str, *, settings: str = "tillgate.settings") -> Server:
        """Start a web server; `wait` for it."""
        port = free_ports(1)[0]
        env = {**self.environment(url), "DJANGO_SETTINGS_MODULE": settings}
        return Server(port=port, child=self._group.start(target, web_command(port, target), env))

    def start_sandbox(self) -> None:
        """Start the gateways' sandbox."""
        folder = str(self.folder / "sandbox")
        env = sandbox_environment(self.installation, private_environment())
        words = ["-m", "sandbox", "--port", str(self.sandbox_port), "--data-dir", folder]
        self._group.start("sandbox", words, env)

    def wait(self, port: int, path: str) -> None:
        """Return when a server answers. Raises NotMeasured when it does not."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not answers(port, path):
            dead = self._group.dead()
            if dead or time.monotonic() > deadline:
                name = dead.name if dead else f"port {port}"
                raise NotMeasured(f"{name} does not answer; {self.last_words}")
            time.sleep(0.05)

    @property
    def last_words(self) -> str:
        """The last line that a server wrote."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "it wrote nothing"

    def stop(self) -> None:
        """End all servers."""
        self._group.force = True
        self._group.stop()
        self.output.close()


def web_command(port: int, target: str) -> list[str]:
    """Return the command of a web server, as `./run` has it."""
    lean = ["--interface", "wsgi", "--http", "1", "--no-ws", "--no-access-log", "--log-level", "error"]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    size = ["--workers", str(PROCESSES), "--blocking-threads", str(THREADS), "--backlog", "1024"]
    care = ["--respawn-failed-workers", "--workers-kill-timeout", "12"]
    return ["-m", "launcher.leaving", *lean, *where, *size, *care, target]
