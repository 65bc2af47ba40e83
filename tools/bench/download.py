"""A CSV export, timed, with the memory that the server takes for it."""

import socket
import threading
import time
from dataclasses import dataclass

from tools.bench.stand import NotMeasured, Server

LOOK_EVERY_S = 0.05
PATIENCE_S = 30
MOST_S = 240


@dataclass(frozen=True, kw_only=True)
class Download:
    """What came, how long it took, and the most memory over that before it."""

    rows: int
    seconds: float
    memory_mb: float


def download(server: Server, path: str, key: str) -> Download:
    """Fetch a list as CSV. HTTP/1.0, so that the body comes as it is and ends with the connection."""
    idle = server.memory_mb
    most = [idle]
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_EVERY_S):
            most[0] = max(most[0], server.memory_mb)

    watcher = threading.Thread(target=look)
    watcher.start()
    began = time.perf_counter()
    try:
        rows = _fetch(server.port, path, key)
    finally:
        done.set()
        watcher.join()
    return Download(rows=rows, seconds=time.perf_counter() - began, memory_mb=most[0] - idle)


def _fetch(port: int, path: str, key: str) -> int:
    head = (
        f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: text/csv\r\nAuthorization: Bearer {key}\r\n\r\n"
    )
    until = time.monotonic() + MOST_S
    lines, start = 0, b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(head.encode())
        while piece := connection.recv(262_144):
            start = start or piece
            lines += piece.count(b"\n")
            if time.monotonic() > until:
                raise NotMeasured(f"the export takes longer than {MOST_S} s")
    if start.split(b" ")[1:2] != [b"200"]:
        raise NotMeasured(f"the export answered {start[:40]!r}")
    return lines - start.partition(b"\r\n\r\n")[0].count(b"\n") - 3  # Head, blank line, column names.
