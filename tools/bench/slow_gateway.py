"""A Paystack that takes every charge after 50 ms: `python -m tools.bench.slow_gateway PORT`.

Not the sandbox, which writes each movement durably under one lock: here the product alone is measured.
"""

import asyncio
import json
import sys
import time

LATENCY_S = 0.05
HEAD_END = b"\r\n\r\n"


class Books:
    """What was charged, and when the first and the last charge came."""

    def __init__(self) -> None:
        self.charged: dict[str, dict[str, object]] = {}
        self._first_at = self._last_at = 0.0
        self._count = self._refused = 0

    def charge(self, asked: dict[str, object]) -> tuple[int, bytes]:
        """Take the money, unless it was taken under this reference before."""
        reference = str(asked["reference"])
        if reference in self.charged:
            self._refused += 1
            return 400, b'{"status": false, "message": "Duplicate Transaction Reference"}'
        self._last_at = time.monotonic()
        self._first_at = self._first_at or self._last_at
        self._count += 1
        self.charged[reference] = _transaction(asked, 6_000_000_000 + len(self.charged))
        return 200, _told(self.charged[reference])

    def read(self, path: str) -> tuple[int, bytes]:
        """Tell of one charge, or at `/figures` of all since that was asked last."""
        if path == "/figures":
            return 200, self._figures()
        found = self.charged.get(path.rpartition("/")[2])
        return (200, _told(found)) if found else (404, b'{"status": false, "code": "transaction_not_found"}')

    def _figures(self) -> bytes:
        told = {"charges": self._count, "refused": self._refused, "seconds": self._last_at - self._first_at}
        self._first_at = self._last_at = 0.0
        self._count = self._refused = 0
        return json.dumps(told).encode()


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, books: Books) -> None:
        self._books, self._seen = books, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, body = self._seen.partition(HEAD_END)
        if not found or len(body) < _length(head):
            return
        self._seen = b""
        method, path, _ = head.split(b" ", 2)
        if method == b"GET":
            self._answer(*self._books.read(path.decode()))
            return
        status, answer = self._books.charge(json.loads(body))
        asyncio.get_running_loop().call_later(LATENCY_S, self._answer, status, answer)

    def _answer(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _transaction(asked: dict[str, object], number: int) -> dict[str, object]:
    return {
        "id": number,
        "domain": "test",
        "status": "success",
        "reference": asked["reference"],
        "amount": asked["amount"],
        "requested_amount": asked["amount"],
        "currency": asked["currency"],
        "fees": 75,
        "channel": "card",
        "gateway_response": "Approved",
        "paid_at": "2026-01-01T00:00:00.000Z",
        "authorization": {"authorization_code": asked["authorization_code"], "reusable": True},
    }


def _told(transaction: dict[str, object]) -> bytes:
    return json.dumps({"status": True, "message": "Charge attempted", "data": transaction}).encode()


async def main(port: int) -> None:
    """Serve until killed."""
    books = Books()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(books), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
