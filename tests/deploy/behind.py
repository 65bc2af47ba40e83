"""A web server for the proxy to stand before: it is always well, and writes down what arrives."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """One request as it came out of the proxy."""

    verb: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the one header of that name. Fails where there are several."""
        found = [value for known, value in self.headers if known.lower() == name.lower()]
        assert len(found) < 2, found
        return found[0] if found else None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is said to one path; without a status the connection is closed without a word."""

    status: int | None = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


class Behind(http.server.ThreadingHTTPServer):
    """`answers` by path; the rest is told 200."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.arrived: list[Arrived] = []
        self.answers: dict[str, Answer] = {}


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Behind

    def _answer(self) -> None:
        answer = Answer()
        if self.path != "/healthz":
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.server.arrived.append(
                Arrived(verb=self.command, path=self.path, headers=list(self.headers.items()), body=body)
            )
            answer = self.server.answers.get(self.path, answer)
        self.close_connection = True
        if answer.status is None:
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def behind(port: int = 0) -> Iterator[Behind]:
    """Give such a server for the time of the block."""
    with Behind(port) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
