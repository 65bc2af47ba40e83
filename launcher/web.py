"""`./run web [--host H] [--port 8000]`: the web server alone; migrations and worker are elsewhere."""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

from launcher.environment import (
    ROOT,
    Installation,
    data_dir_of,
    installation_at,
    outer_environment,
    product_environment,
)
from launcher.listening import add_listening

THREADS = 16


def main() -> int:
    """Become the web server; 1 when a setting is dangerous, which is said with its fix."""
    outer = outer_environment()
    options = _options(outer)
    installation = replace(installation_at(data_dir_of(outer)), host=options.host, port=options.port)
    env = product_environment(installation, outer)
    # Each of its processes would refuse to start as well, and be started again and again.
    check = [sys.executable, "-m", "tillgate", "check", "--tag", "security"]
    status = subprocess.run(check, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=False).returncode
    if status == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, *granian(installation, env)], env)
    return status


def granian(installation: Installation, env: Mapping[str, str]) -> list[str]:
    """Return what follows `python` to start the web server."""
    where = ["--host", installation.host, "--port", str(installation.port)]
    processes = env.get("TILLGATE_WEB_PROCESSES") or "2"
    size = ["--workers", processes, "--blocking-threads", str(THREADS), "--backlog", "1024"]
    # A worker process that crashes is replaced; one that does not end when told to is killed.
    care = ["--respawn-failed-workers", "--workers-kill-timeout", "12"]
    lean = ["--interface", "wsgi", "--http", "1", "--no-ws", "--no-access-log", "--log-level", "error"]
    return ["-m", "launcher.leaving", *lean, *where, *size, *care, "tillgate.wsgi:application"]


def _options(outer: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run web", description=__doc__)
    add_listening(parser, outer)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
