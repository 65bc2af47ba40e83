"""Bytes to a running product, as no well-behaved client would send them, and what comes back."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

PATIENCE_S = 20.0
QUIET_S = 0.3  # A server that has more to say says it within this.
ORDER = b'{"customer_name": "Ada", "customer_email": "ada@example.com", "amount": "50.00"}'
OUTSIDE = "203.0.113.9"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What came back on one connection: the statuses in their order, and whether it was closed."""

    raw: bytes
    closed: bool
    seconds: float

    @property
    def statuses(self) -> list[int]:
        starts = [part for part in self.raw.split(b"HTTP/1.")[1:] if part[1:2] == b" "]
        return [int(part[2:5]) for part in starts if part[2:5] != b"100"]

    @property
    def head(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").lower()


@dataclass(frozen=True, kw_only=True)
class Wire:
    """The product's port."""

    port: int

    def lines(self, *lines: str, body: bytes = b"", address: str = OUTSIDE) -> bytes:
        """A request by its first line and headers, with Host, from an address that our proxy has seen."""
        given = (lines[0], f"Host: 127.0.0.1:{self.port}", f"X-Forwarded-For: {address}", *lines[1:])
        return "".join(f"{line}\r\n" for line in given).encode("latin-1") + b"\r\n" + body

    def post(
        self, body: bytes, *headers: str, path: str = "/api/v1/payments", address: str = OUTSIDE
    ) -> bytes:
        """A whole POST of JSON."""
        size = f"Content-Length: {len(body)}"
        told = ("Content-Type: application/json", size, *headers)
        return self.lines(f"POST {path} HTTP/1.1", *told, body=body, address=address)

    def get(self, path: str, *headers: str, address: str = OUTSIDE) -> bytes:
        """A whole GET after which the connection closes."""
        return self.lines(f"GET {path} HTTP/1.1", "Connection: close", *headers, address=address)

    def say(self, data: bytes) -> Heard:
        """Send bytes; return what came until nothing more did."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
            return self._hear(connection, began)

    def _hear(self, connection: socket.socket, began: float) -> Heard:
        raw, seconds = b"", 0.0
        while True:
            try:
                piece = connection.recv(65_536)
            except TimeoutError:
                return Heard(raw=raw, closed=False, seconds=seconds)
            except ConnectionResetError:
                piece = b""
            seconds = time.monotonic() - began
            if not piece:
                return Heard(raw=raw, closed=True, seconds=seconds)
            raw += piece
            connection.settimeout(QUIET_S)

    @contextmanager
    def held(self, *beginnings: bytes) -> Iterator[list[socket.socket]]:
        """Open a connection for each, say no more than the beginning of a request, and hold all of them."""
        open_ones: list[socket.socket] = []
        try:
            for beginning in beginnings:
                connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
                open_ones.append(connection)
                connection.sendall(beginning)
            time.sleep(0.5)
            yield open_ones
        finally:
            for connection in open_ones:
                connection.close()


def p95(times: list[float]) -> float:
    """The time that one of twenty takes longer than."""
    return sorted(times)[int(len(times) * 0.95) - 1]
