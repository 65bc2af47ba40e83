"""`python -m sandbox`: run the sandbox until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from sandbox.errors import SettingsError
from sandbox.server import start


def main() -> int:
    options = _read_options()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        sandbox = start(port=options.port, data_dir=options.data_dir, host=options.host)
    except (SettingsError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    print(f"sandbox ready at {sandbox.url} (no real money moves)", flush=True)
    stop.wait()
    sandbox.stop()
    return 0


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Offline emulators of payment gateways."
    )
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument(
        "--data-dir", type=Path, required=True, help="where the journal and the state are kept"
    )
    parser.add_argument("--host", default="127.0.0.1")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
