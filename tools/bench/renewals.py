"""Renewals as production makes them: real workers, the real adapter over HTTP, a gateway that takes 50 ms."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from launcher.processes import Child, Group
from launcher.product import free_ports
from tools.bench.stand import NotMeasured, Stand

READY_WITHIN_S = 30
DONE_WITHIN_S = 300
WARM = 100
# Processes and threads. SQLite has one writer, at whom more would only wait.
WORKERS = {"SQLite": (1, 16), "PostgreSQL": (2, 32)}
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SETTINGS = {"TILLGATE_RENEWALS_PER_SECOND": "2000", "EMAIL_URL": "dummymail://"}


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """Charges a second at the gateway, and what a whole renewal cost the workers, its mail and all."""

    per_s: float
    cpu_ms: float


def renew(stand: Stand, url: str, database: str, count: int) -> Renewed:
    """Let workers renew so many subscriptions that become due at once.

    Raises NotMeasured unless each is paid, by one charge.
    """
    stand.inside(url, "quiet")
    group = Group(stand.output)
    try:
        gateway = _start_gateway(group)
        workers = _start_workers(group, stand, url, database, gateway)
        # Each thread makes its connection, and each statement is prepared, before anything is measured.
        stand.inside(url, "renew", str(min(WARM, count)), str(DONE_WITHIN_S))
        _figures(gateway)
        before = sum(map(_cpu_s, workers))
        stand.inside(url, "renew", str(count), str(DONE_WITHIN_S))
        cpu_s = sum(map(_cpu_s, workers)) - before
        figures = _figures(gateway)
    finally:
        group.force = True
        group.stop()
    if figures["charges"] != count:
        raise NotMeasured(f"{figures['charges']} charges were made for {count} renewals")
    return Renewed(per_s=count / figures["seconds"], cpu_ms=cpu_s * 1000 / count)


def _start_gateway(group: Group) -> str:
    port = free_ports(1)[0]
    group.start("gateway", ["-m", "tools.bench.slow_gateway", str(port)], os.environ)
    return f"http://127.0.0.1:{port}"


def _start_workers(group: Group, stand: Stand, url: str, database: str, gateway: str) -> list[Child]:
    processes, threads = WORKERS[database]
    env = {**stand.environment(url), **SETTINGS, "PAYSTACK_BASE_URL": gateway}
    ready = _times_ready(stand.log)
    words = ["manage.py", "worker", "--threads", str(threads)]
    workers = [group.start("worker", words, env) for _ in range(processes)]
    deadline = time.monotonic() + READY_WITHIN_S
    while _times_ready(stand.log) < ready + processes:
        if time.monotonic() > deadline or group.dead():
            raise NotMeasured(f"the worker does not start; {stand.last_words}")
        time.sleep(0.1)
    return workers


def _times_ready(log: Path) -> int:
    return log.read_text(encoding="utf-8", errors="replace").count("Worker ready")


def _cpu_s(child: Child) -> float:
    """The CPU that a process has used; 0 where the system does not say."""
    try:
        stat = Path(f"/proc/{child.process.pid}/stat").read_text(errors="replace")
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def _figures(gateway: str) -> dict[str, float]:
    with urlopen(f"{gateway}/figures", timeout=5) as answer:  # nosec B310: an address on loopback of ours
        told: dict[str, float] = json.load(answer)
    return told
