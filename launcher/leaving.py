"""`python -m launcher.leaving …`: granian with all its options, but it says that it leaves before it does.

Between the last worker's end and the port's, connections are accepted that nobody will answer. So, where
TILLGATE_LEAVE_S is set, SIGTERM first lets /healthz answer 503: a proxy that asks there sends nothing more,
and after so many seconds there is nobody to be lost.
"""

import os
import secrets
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from granian import cli
from granian.server import Server

TELL_EVERY_S = 0.5


class Leaving(Server):  # type: ignore[misc, valid-type]
    """Granian's main process; its workers know by a file that it is leaving."""

    workers_kill_timeout: int | None
    wait_s = 0.0
    is_leaving = False
    # Where nobody else writes, under a name of its own: servers in several containers may share this data.
    flag = Path(os.environ.get("TILLGATE_DATA_DIR", "")) / f"leaving-{secrets.token_hex(8)}"

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Leave: at once at the second signal, or where nobody is to be told."""
        if not self.wait_s or self.is_leaving:
            super().signal_handler_interrupt()
            return
        self.is_leaving = True
        with suppress(OSError):  # A full disk keeps nobody here.
            self.flag.touch()
        later = threading.Timer(self.wait_s, super().signal_handler_interrupt)
        later.daemon = True
        later.start()

    def _stop_workers(self) -> None:
        # A worker that is still being started forgets what it was told, so it is told until it ends.
        deadline = time.monotonic() + (self.workers_kill_timeout or 0)
        while any(worker.is_alive() for worker in self.wrks) and time.monotonic() < deadline:
            for worker in self.wrks:
                if worker.is_alive():
                    worker.terminate()
                    worker.join(TELL_EVERY_S)
        self.workers_kill_timeout = 1  # What is left has had its time.
        super()._stop_workers()
        self.flag.unlink(missing_ok=True)


def main() -> None:
    """Serve until told to stop."""
    try:
        Leaving.wait_s = float(os.environ.get("TILLGATE_LEAVE_S") or 0)
    except ValueError:
        sys.exit("TILLGATE_LEAVE_S is no number. Set it to seconds, such as 3, or unset it.")
    os.environ["TILLGATE_LEAVING_FILE"] = str(Leaving.flag)
    # Granian's command line makes the server by this name.
    setattr(cli, "Server", Leaving)  # noqa: B010
    cli.entrypoint()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
