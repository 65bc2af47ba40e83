"""A merchant's software that takes every event at once: `python -m tools.bench.receiver PORT`."""

import asyncio
import sys

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self) -> None:
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while HEAD_END in self._seen:
            head, _, rest = self._seen.partition(HEAD_END)
            length = int(head.lower().partition(LENGTH)[2].split(b"\r\n")[0])
            if len(rest) < length:
                return
            self._seen = rest[length:]
            self._transport.write(TAKEN)


async def main(port: int) -> None:
    """Listen until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
