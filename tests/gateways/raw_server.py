"""A gateway that says exactly these bytes: what no well-behaved HTTP server could be made to send."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Say = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """`requests` are those that arrived whole, each as its bytes; `connections` counts the sockets."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


def answer(body: bytes = b"{}", *, status: int = 200, headers: tuple[str, ...] = ()) -> Say:
    """An ordinary answer, after which the connection stays open."""
    head = "\r\n".join((f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body)}", "", ""))
    return lambda connection: connection.sendall(head.encode() + body)


def bytes_of(raw: bytes) -> Say:
    return lambda connection: connection.sendall(raw)


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def in_turn(*says: Say) -> Say:
    """The first answer to the first request, and so on; the last one repeats."""
    left = list(says)

    def say(connection: socket.socket) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection)

    return say


@contextmanager
def raw_server(say: Say, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve on a free port of this machine until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    scheme = "https" if tls else "http"
    server = RawServer(url=f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
    opened: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                server.connections += 1
                opened.append(connection)
                threading.Thread(target=_serve, args=(connection, server, say, tls), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for connection in opened:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def _serve(connection: socket.socket, server: RawServer, say: Say, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        if tls:
            with tls.wrap_socket(connection, server_side=True) as wrapped:
                _talk(wrapped, server, say)
        else:
            _talk(connection, server, say)


def _talk(connection: socket.socket, server: RawServer, say: Say) -> None:
    while request := _read_request(connection):
        server.requests.append(request)
        say(connection)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data or len(data) < _length(data):
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    return data


def _length(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    ]
    return len(head) + 4 + int(lengths[0] if lengths else 0)
