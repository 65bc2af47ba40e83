"""Load over loopback: wrk for as much as goes through, an open loop of our own for a fixed rate."""

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.figures import Load

CONNECTIONS = 16
MOST_CONNECTIONS = 400
PATIENCE_S = 15
SETTLING_S = 2  # Until all who call beside an open loop have come.
DONE = """
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One HTTP request to this machine."""

    port: int
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def wire(self) -> bytes:
        """The request's bytes."""
        headers = {"Host": f"127.0.0.1:{self.port}", **self.headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body.encode()))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


def closed_loop(call: Call, seconds: float) -> Load:
    """Send a call over 16 connections, each again as soon as it is answered."""
    return _wrk(call, seconds) if shutil.which("wrk") else asyncio.run(_own_closed_loop(call, seconds))


def generator() -> str:
    """Return the name of the load generator, for the report."""
    return "wrk" if shutil.which("wrk") else "its own asyncio client, which takes much of the machine"


def open_loop(
    calls: Sequence[Call], *, per_s: float, beside: Callable[[], Awaitable[None]] | None = None
) -> Load:
    """Send calls at a fixed rate, whatever becomes of the earlier ones; `beside` runs meanwhile.

    Each is timed from the moment at which it was due: waiting in our own queue counts.
    """
    return asyncio.run(_open_loop(calls, per_s, beside))


def summary(times_s: Sequence[float], seconds: float, errors: int) -> Load:
    """Return the figures of answers that took so long."""
    ordered = sorted(times_s) or [float("inf")]
    return Load(
        per_s=len(times_s) / seconds,
        p50_ms=ordered[len(ordered) // 2] * 1000,
        p99_ms=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000,
        longest_ms=ordered[-1] * 1000,
        errors=errors,
    )


class Client:
    """One connection that is kept alive, and opened again after a failure."""

    def __init__(self) -> None:
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, call: Call) -> tuple[int, dict[str, str]]:
        """Send one request; return status and headers once the whole answer is there."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", call.port)
        reader, writer = self._streams
        try:
            writer.write(call.wire)
            return await _answer(reader)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    else:
        await reader.readexactly(int(headers.get("content-length", "0")))
    return int(head[0].split(" ")[1]), headers


def _wrk(call: Call, seconds: float) -> Load:
    with tempfile.TemporaryDirectory(prefix="tillgate-bench-") as folder:
        script = Path(folder) / "call.lua"
        lines = [f'wrk.method = "{call.method}"', f"wrk.body = [==[{call.body}]==]" if call.body else ""]
        lines += [f'wrk.headers["{name}"] = [==[{value}]==]' for name, value in call.headers.items()]
        script.write_text("\n".join(lines) + DONE, encoding="utf-8")
        # wrk knows whole seconds only; a shorter round is ended by it all the same.
        words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", f"--timeout={PATIENCE_S}s"]
        words += ["-s", str(script), f"http://127.0.0.1:{call.port}{call.path}"]
        said = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    return read_wrk(said)


def read_wrk(said: str) -> Load:
    """Read the line that our script makes wrk print: counts, and microseconds."""
    line = next(line for line in said.splitlines() if line.startswith("FIGURES "))
    count, duration_us, p50, p99, longest, errors = map(int, line.split()[1:])
    return Load(
        per_s=count / (duration_us / 1e6),
        p50_ms=p50 / 1000,
        p99_ms=p99 / 1000,
        longest_ms=longest / 1000,
        errors=errors,
    )


async def _own_closed_loop(call: Call, seconds: float) -> Load:
    times: list[float] = []
    errors = 0
    until = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal errors
        client = Client()
        while (began := time.perf_counter()) < until:
            try:
                status, _ = await asyncio.wait_for(client.send(call), PATIENCE_S)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                status = 599
            errors += status >= 400
            times.append(time.perf_counter() - began)
        client.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return summary(times, seconds, errors)


class _OpenLoop:
    def __init__(self) -> None:
        self.times: list[float] = []
        self.errors = 0
        self._free: list[Client] = []
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)

    async def send(self, call: Call, due: float) -> None:
        """Send over a free connection, or a new one; time it from when it was due."""
        async with self._room:
            client = self._free.pop() if self._free else Client()
            try:
                status, _ = await asyncio.wait_for(client.send(call), PATIENCE_S)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                status = 599
            self._free.append(client)
        self.errors += status >= 400
        self.times.append(time.perf_counter() - due)

    def close(self) -> None:
        for client in self._free:
            client.close()


async def _open_loop(
    calls: Sequence[Call], per_s: float, beside: Callable[[], Awaitable[None]] | None
) -> Load:
    company = asyncio.ensure_future(beside()) if beside else None
    if company:
        await asyncio.sleep(SETTLING_S)
    loop, tasks, began = _OpenLoop(), [], time.perf_counter()
    for due, call in _timed(calls, began, per_s):
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.ensure_future(loop.send(call, due)))
    await asyncio.gather(*tasks)
    if company:
        company.cancel()
        await asyncio.gather(company, return_exceptions=True)
    loop.close()
    return summary(loop.times, len(calls) / per_s, loop.errors)


def _timed(calls: Iterable[Call], began: float, per_s: float) -> Iterator[tuple[float, Call]]:
    for number, call in enumerate(calls):
        yield began + number / per_s, call


async def keep_calling(calls: Sequence[Call], clients: int) -> None:
    """Let so many clients send these calls over and over until cancelled; they wait when told to."""

    async def one(number: int) -> None:
        # Customers do not come at the same moment; told to wait equally long, they would stay in step.
        await asyncio.sleep(number * SETTLING_S / clients)
        client, mine = Client(), calls[number::clients]
        while True:
            for call in mine:
                try:
                    _, headers = await client.send(call)
                    await asyncio.sleep(float(headers.get("retry-after", "0.05")))
                except (OSError, asyncio.IncompleteReadError):
                    await asyncio.sleep(0.5)

    await asyncio.gather(*(one(number) for number in range(clients)))
