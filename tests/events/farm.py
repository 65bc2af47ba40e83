"""A farm of receivers on this machine: each does with what it gets what its behaviour says."""

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

ENDLESS = 3_600.0


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Behaviour = Callable[[socket.socket, "Receiver"], bool]


@dataclass
class Receiver:
    """An address and all that came to it; its behaviour may be changed at any time."""

    port: int
    behaviour: Behaviour
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.received]


def answers(status: int, text: str = "", **headers: str) -> Behaviour:
    """Answer at once, and keep the connection."""

    def behave(client: socket.socket, receiver: Receiver) -> bool:
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} Any\r\nContent-Length: {len(text.encode())}\r\n{more}\r\n"
        client.sendall((head + text).encode())
        return True

    return behave


def hangs(client: socket.socket, receiver: Receiver) -> bool:
    """Never answer."""
    receiver.closing.wait(ENDLESS)
    return False


def resets(client: socket.socket, receiver: Receiver) -> bool:
    """End the connection with a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def is_late(seconds: float) -> Behaviour:
    """Answer 200 after a while."""

    def behave(client: socket.socket, receiver: Receiver) -> bool:
        receiver.closing.wait(seconds)
        return answers(200)(client, receiver)

    return behave


def dribbles(head: bytes, piece: bytes = b"x", every_s: float = 0.05) -> Behaviour:
    """Send the head, then a piece now and then, for ever."""

    def behave(client: socket.socket, receiver: Receiver) -> bool:
        client.sendall(head)
        while not receiver.closing.is_set():
            client.sendall(piece)
            time.sleep(every_s)
        return False

    return behave


def floods(client: socket.socket, receiver: Receiver) -> bool:
    """Answer with a gigabyte."""
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    for _ in range(16_384):
        client.sendall(b"\0" * 65_536)
    return False


def speaks(raw: bytes) -> Behaviour:
    """Send these bytes and end the connection."""

    def behave(client: socket.socket, receiver: Receiver) -> bool:
        client.sendall(raw)
        return False

    return behave


@contextmanager
def running(behaviour: Behaviour | None = None) -> Iterator[Receiver]:
    """Run a receiver until the end of the block."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            receiver.connections += 1
            stream = self.request.makefile("rb")
            try:
                while (request := _read(stream)) is not None:
                    receiver.received.append(request)
                    if not receiver.behaviour(self.request, receiver):
                        return
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(port=server.server_address[1], behaviour=behaviour or answers(200, "ok"))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()


def _read(stream: Any) -> Received | None:
    first = stream.readline().decode()
    if not first:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(at=time.monotonic(), path=first.split()[1], headers=headers, body=body)
