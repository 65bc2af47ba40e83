"""A browser that is shown answers of ours, and tells of everything in them that ran or left."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders

from tests.e2e.conftest import CHROMIUM, WATCH_POLICY
from tests.requires import skip_without

# No dialog, since each would hold up the others; what would have opened one is told.
WATCH_DIALOGS = """
for (const name of ["alert", "confirm", "prompt"]) window[name] = (word) => console.error("RAN: " + word);
"""
EVIL_IS_US = ", ".join(f"MAP evil.example:{port} 127.0.0.1:{{port}}" for port in (80, 443))
ALONE = f"--host-resolver-rules={EVIL_IS_US}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
SETTLES_MS = 300
STATIC = "/static/"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An answer as a browser gets it."""

    body: bytes
    content_type: str
    policy: str = ""
    status: int = 200

    @classmethod
    def of(cls, answer: Any) -> "Shown":
        body = b"".join(answer) if answer.streaming else answer.content
        policy, kind = answer.headers.get("Content-Security-Policy", ""), answer.headers["Content-Type"]
        return cls(body=body, content_type=kind, policy=policy, status=answer.status_code)

    @property
    def headers(self) -> dict[str, str]:
        # One window shows many answers in frames; that no frame of another site may, is a test of its own.
        policy = self.policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
        told = {"Content-Type": self.content_type, "X-Content-Type-Options": "nosniff"}
        return {**told, "Content-Security-Policy": policy} if policy else told


class Shelf(ThreadingHTTPServer):
    """Serves what it was given, and the product's static files; hears who was called in its place."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Reader)
        self.answers: dict[str, Shown] = {}
        self.heard: list[str] = []
        self.host = f"127.0.0.1:{self.server_port}"


class Reader(BaseHTTPRequestHandler):
    server: Shelf
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if self.headers["Host"] != self.server.host:
            self.server.heard.append(f"CALLED: {self.headers['Host']}{path}")
        answer = self.server.answers.get(path) or static(path)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", f"max-age={900 * path.startswith(STATIC)}")
        self.end_headers()
        self.wfile.write(answer.body)

    def do_POST(self) -> None:
        self.do_GET()

    def send_error(self, code: int, *args: Any) -> None:
        """What cannot be read as HTTP is somebody who was called by https."""
        self.server.heard.append("CALLED: somebody by https")
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@cache
def static(path: str) -> Shown:
    file = finders.find(path.removeprefix(STATIC)) if path.startswith(STATIC) else None
    kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    if not file:
        return Shown(body=b"{}", content_type="application/json")
    return Shown(body=Path(str(file)).read_bytes(), content_type=kinds[str(file).rpartition(".")[2]])


@dataclass
class Window:
    """Shows answers side by side, and hears what they do."""

    context: Any
    shelf: Shelf

    def __post_init__(self) -> None:
        self.context.add_init_script(WATCH_POLICY + WATCH_DIALOGS)
        self.context.on("console", self._hear)

    @property
    def heard(self) -> list[str]:
        return self.shelf.heard

    def show(self, name: str, answers: Sequence[Shown]) -> list[str]:
        """Load all of them at once; return what ran, what the policy stopped, and who was called."""
        self.heard.clear()
        paths = [f"/{name}/{number}" for number in range(len(answers))]
        frames = "".join(f'<iframe src="{path}"></iframe>' for path in paths)
        self.shelf.answers = dict(zip(paths, answers, strict=True))
        self.shelf.answers[f"/{name}"] = Shown(body=frames.encode(), content_type="text/html")
        page = self.context.new_page()
        page.goto(f"http://{self.shelf.host}/{name}", wait_until="load", timeout=90_000)
        before = -1
        while before != len(self.heard):
            before = len(self.heard)
            page.wait_for_timeout(SETTLES_MS)
        page.close()
        return list(self.heard)

    def _hear(self, said: Any) -> None:
        if said.type == "error" and said.text.startswith(("CSP:", "RAN:")):
            self.heard.append(said.text)


@contextmanager
def window() -> Iterator[Window]:
    """Open one. Nothing may ask the database meanwhile: what is shown is made before."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (requirements/e2e.lock)"
    )
    if not CHROMIUM.exists():
        skip_without("browser", f"{CHROMIUM} is not there; on Debian: apt install chromium")
    with Shelf() as shelf, api.sync_playwright() as playwright:
        threading.Thread(target=shelf.serve_forever).start()
        options = ["--no-sandbox", ALONE.format(port=shelf.server_port)]
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=options)
        try:
            yield Window(running.new_context(accept_downloads=False), shelf)
        finally:
            running.close()
            shelf.shutdown()


def unescaped(typed: str, policy: str) -> Shown:
    """What a careless page would be."""
    body = f"<!doctype html><title>{typed}</title><p title='{typed}'>{typed}</p><p>{escape(typed)}</p>"
    return Shown(body=body.encode(), content_type="text/html; charset=utf-8", policy=policy)
