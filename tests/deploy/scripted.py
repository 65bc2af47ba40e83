"""A server that answers what a test wrote down for it, and remembers what it was asked."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HANG_UP = 0  # As a status: the connection is closed without a word.
DOCTOR = "GET /api/v1/doctor"


def examined(seen: str, verdict: str = "ok", *others: Any) -> tuple[int, Any]:
    """What the doctor answers who has `seen` that of the worker."""
    sign = {"about": "worker", "verdict": verdict, "seen": seen, "fix": "Start one: ./run worker"}
    queue = {"about": "worker", "verdict": "ok", "seen": "0 jobs are due.", "fix": None}
    return 200, {"doctor": {"findings": [sign, queue, *others]}}


class Scripted(http.server.ThreadingHTTPServer):
    """`answers` holds, for "METHOD /path", what is answered in turn; the last one is answered ever after."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, list[tuple[int, Any] | tuple[int, Any, dict[str, str]]]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Scripted

    def _answer(self) -> None:
        name = f"{self.command} {self.path}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(name)
        self.server.headers.append(dict(self.headers))
        self.server.bodies.append(json.loads(body) if body else None)
        script = self.server.answers.get(name, [(404, {"message": "Not found."})])
        status, said, *more = script.pop(0) if len(script) > 1 else script[0]
        if status == HANG_UP:
            self.close_connection = True
            return
        self.send_response(status)
        for header, value in (more[0] if more else {}).items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(said.encode() if isinstance(said, str) else json.dumps(said).encode())

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@contextmanager
def scripted() -> Iterator[Scripted]:
    """Give such a server for the time of the block."""
    with Scripted() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
