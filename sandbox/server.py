"""The HTTP server and the whole sandbox as one object to start and stop."""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from sandbox.app import App
from sandbox.errors import Hangup, SettingsError
from sandbox.gateways import build_emulators, reaches, read_settings
from sandbox.sender import Sender
from sandbox.web import Request, Response, json_response
from sandbox.wire import Wire
from sandbox.world import World

LONGEST_BODY = 1_000_000
IDLE_S = 120
LOOPBACK = ("127.0.0.1", "localhost")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    app: App
    stopping: threading.Event

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self._open: set[socket.socket] = set()

    def server_bind(self) -> None:
        # HTTPServer would ask the name service for this machine's name, which takes long and helps nobody.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that vanish are the sandbox's daily business."""

    def cut_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sandbox", ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_S

    def do_GET(self) -> None:
        server = cast(_Server, self.server)
        try:
            request = self._read_request()
            wire = Wire(self.connection, server.stopping)
            self._send(server.app.answer(request, wire) if isinstance(request, Request) else request)
        except Hangup as hangup:
            self._hang_up(hangup)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet; the journal and the list of events tell what happened."""

    def _read_request(self) -> Request | Response:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            return self._refuse(411, "send the body with a Content-Length")
        if not (length.isascii() and length.isdigit()) or int(length) > LONGEST_BODY:
            return self._refuse(413, f"send a Content-Length of at most {LONGEST_BODY} bytes")
        parts = urlsplit(self.path)
        return Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )

    def _refuse(self, status: int, message: str) -> Response:
        self.close_connection = True  # The body was not read, so nothing after it can be.
        return json_response({"error": message}, status)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        length = len(response.body) if response.length is None else response.length
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(length))
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        for chunk in response.chunks or (response.body,):
            self.wfile.write(chunk)
            self.wfile.flush()

    def _hang_up(self, hangup: Hangup) -> None:
        self.close_connection = True
        if hangup.reset:
            # Lingering for zero seconds makes the kernel send RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())


class Sandbox:
    """A running sandbox; `stop` ends it within a second and leaves its data for the next start."""

    def __init__(self, server: _Server, world: World, sender: Sender) -> None:
        self._server, self._world, self._sender = server, world, sender
        self.url, self._address = world.base_url, ("127.0.0.1", int(server.server_address[1]))
        self._thread = threading.Thread(target=server.serve_forever, name="server", daemon=True)

    def run(self) -> None:
        self._sender.start()
        self._thread.start()

    def stop(self) -> None:
        self._sender.stop()
        shutdown = threading.Thread(target=self._server.shutdown, daemon=True)
        shutdown.start()
        with contextlib.suppress(
            OSError
        ):  # One last connection wakes the server, so that it need not poll often.
            socket.create_connection(self._address, timeout=1).close()
        shutdown.join()
        self._server.cut_connections()
        self._server.server_close()
        self._world.close()


def start(
    *, port: int = 0, data_dir: Path, environ: Mapping[str, str] | None = None, host: str = "127.0.0.1"
) -> Sandbox:
    """Start a sandbox in this process; port 0 takes a free one. Raises SettingsError."""
    if host not in LOOPBACK:
        raise SettingsError(f"--host must be {' or '.join(LOOPBACK)}: a sandbox is not for other machines")
    settings = read_settings(os.environ if environ is None else environ)
    server = _bind(host, port)
    try:
        world = World(data_dir, reaches=reaches(settings))
    except (SettingsError, OSError):
        server.server_close()
        raise
    world.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    emulators = build_emulators(world, settings)
    sender = Sender(world)
    server.app, server.stopping = App(world, emulators, sender), world.stopping
    sandbox = Sandbox(server, world, sender)
    sandbox.run()
    return sandbox


def _bind(host: str, port: int) -> _Server:
    try:
        return _Server((host, port))
    except (OSError, OverflowError) as error:
        raise SettingsError(f"port {port} cannot be used ({error}); choose another with --port") from None
