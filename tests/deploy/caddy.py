"""The real Caddy with the product's own Caddyfile, on free ports, in front of whatever a test puts there."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.environment import ROOT
from launcher.product import free_ports
from tests.requires import skip_without

CADDY = shutil.which("caddy", path=Path(sys.executable).parent) or shutil.which("caddy")
CADDYFILE = ROOT / "deploy" / "Caddyfile"
READY_WITHIN_S = 20.0


def find_caddy() -> str:
    """Return where Caddy is; the running test is skipped where it is not."""
    if CADDY is None:
        skip_without("caddy", "Caddy is not installed (requirements/dev.lock)")
    return CADDY


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A running Caddy, and what it has said so far."""

    port: int
    tls_port: int
    log: Path

    def said(self) -> str:
        """Return all that it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def requests(self) -> list[dict[str, Any]]:
        """Return its lines about requests."""
        lines = [json.loads(line) for line in self.said().splitlines()]
        return [line for line in lines if line.get("logger", "").startswith("http.log.access")]

    def heard_of(self, count: int) -> list[dict[str, Any]]:
        """Return its lines about requests once there are so many; a line comes after its answer."""
        deadline = time.monotonic() + READY_WITHIN_S
        while len(self.requests()) < count:
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)
        return self.requests()


@contextmanager
def caddy_before(upstream_port: int, folder: Path) -> Iterator[Proxy]:
    """Run Caddy in front of that port of this machine for the time of the block."""
    caddy = find_caddy()
    port, tls_port, admin = free_ports(3)
    env = {
        "HOME": str(folder),
        "CADDY_ADMIN": f"127.0.0.1:{admin}",
        "TILLGATE_DOMAIN": "127.0.0.1",
        "TILLGATE_UPSTREAM": f"127.0.0.1:{upstream_port}",
        "TILLGATE_HTTP_PORT": str(port),
        "TILLGATE_HTTPS_PORT": str(tls_port),
    }
    log = folder / "caddy.log"
    with log.open("wb") as output:
        line = [caddy, "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
        process = subprocess.Popen(line, env=env, stdout=output, stderr=output)
    proxy = Proxy(port=port, tls_port=tls_port, log=log)
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while "serving initial configuration" not in proxy.said():
            assert process.poll() is None, proxy.said()
            assert time.monotonic() < deadline, proxy.said()
            time.sleep(0.02)
        yield proxy
    finally:
        process.terminate()
        process.wait(READY_WITHIN_S)
