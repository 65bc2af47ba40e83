"""The way out: one POST to an address that a merchant has named, and nothing that it could make us do.

The name is looked up once, each of its addresses must be open to us, and the connection goes to the very
address that was looked at. No redirect is followed, no proxy asked, nothing unpacked; no wait outlasts the
call, and no answer fills the memory. The library of the gateways' calls looks names up by itself, so this
is built from sockets, and reads answers by the standard library.
"""

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from tillgate.events.addresses import Address, BadAddress, Target, may_be_shown, require_open, resolve

TOTAL_S = 15.0
CONNECT_S = 5.0
BODY_S = 2.0  # The status says it all; of what follows, only the beginning is kept, for people to read.
MAX_READ = 64 * 1024
KEPT = 1024
ADDRESSES_TRIED = 3
log = structlog.get_logger(__name__)
LOOKUPS = threading.BoundedSemaphore(16)  # Threads that may hang in a name server that does not answer.


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a try went: the receiver's status, or why there is none.

    `text` is the beginning of what it said, from public addresses only: an answer from inside the house is
    not for whoever typed its address.
    """

    status: int | None
    error: str = ""
    text: str = ""
    retry_after: str = ""

    @property
    def is_success(self) -> bool:
        """Any 2xx is; nothing else."""
        return self.status is not None and 200 <= self.status < 300


class _TooMuch(Exception):
    """More was sent than is read."""


class Connection:
    """A connection to one endpoint, kept for the next event where its receiver keeps it. For one thread."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._socket: socket.socket | None = None
        self._shows_answers = False

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request; what goes wrong is an answer, too."""
        ends_at = time.monotonic() + TOTAL_S
        request = _request(self._target, headers, body)
        try:
            return self._exchange(request, ends_at)
        except BadAddress as error:
            log.warning("event_address_refused", host=self._target.host, reason=str(error))
            return self._failed(str(error))
        except TimeoutError:
            return self._failed(f"no answer within {TOTAL_S:.0f} seconds")
        except ssl.SSLError as error:
            return self._failed(
                f"no secure connection: {getattr(error, 'verify_message', '') or error.reason}"
            )
        except (OSError, http.client.HTTPException, _TooMuch) as error:
            return self._failed(f"no answer: {type(error).__name__}")

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _failed(self, why: str) -> Answer:
        self.close()
        return Answer(status=None, error=why[:200])

    def _exchange(self, request: bytes, ends_at: float) -> Answer:
        if self._socket is not None:
            try:
                return self._ask(self._socket, request, ends_at)
            except (ConnectionError, http.client.BadStatusLine, ssl.SSLEOFError):
                self.close()  # Its receiver has ended it meanwhile; an event may come twice.
        self._socket = self._connect(ends_at)
        return self._ask(self._socket, request, ends_at)

    def _ask(self, connected: socket.socket, request: bytes, ends_at: float) -> Answer:
        connected.settimeout(_left(ends_at))
        connected.sendall(request)
        reading = _Reading(connected, ends_at)
        response = http.client.HTTPResponse(reading, method="POST")  # type: ignore[arg-type]
        response.begin()
        reading.ends_at = min(ends_at, time.monotonic() + BODY_S)
        text, is_whole = _beginning(response)
        if not is_whole or response.will_close:
            self.close()
        return Answer(
            status=response.status,
            text=text if self._shows_answers else "",
            retry_after=(response.getheader("Retry-After") or "")[:40],
        )

    def _connect(self, ends_at: float) -> socket.socket:
        target = self._target
        addresses = require_open(target, _look_up(target, ends_at))
        for place, address in enumerate(addresses[:ADDRESSES_TRIED], start=1):
            try:
                connected = _connected(address, target.port, min(CONNECT_S, _left(ends_at)))
                break
            except OSError:
                if place == min(len(addresses), ADDRESSES_TRIED):
                    raise
        self._shows_answers = may_be_shown(address)
        if target.scheme == "http":
            return connected
        connected.settimeout(_left(ends_at))
        try:
            return _context().wrap_socket(connected, server_hostname=target.host)
        except BaseException:
            connected.close()
            raise


class _Reading(io.RawIOBase):
    """What comes in: no wait outlasts the call, though each byte were in time, and no more than is kept."""

    def __init__(self, connected: socket.socket, ends_at: float) -> None:
        self.ends_at = ends_at
        self._socket, self._room = connected, MAX_READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left(self.ends_at))
        count = self._socket.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise _TooMuch
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """What the standard library's reader of answers takes a socket for."""
        return io.BufferedReader(self)


def _beginning(response: http.client.HTTPResponse) -> tuple[str, bool]:
    """Read the body; return its beginning, fit to be shown, and whether it was read to its end."""
    body, is_whole = b"", False
    try:
        while piece := response.read1(8192):
            body = (body + piece)[:KEPT]
        is_whole = True
    except (OSError, http.client.HTTPException, _TooMuch):
        pass  # The status came, and with it the receiver's word.
    return body.decode("utf-8", errors="replace"), is_whole


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.netloc}",
        "User-Agent: tillgate",
        "Content-Type: application/json",
        "Accept-Encoding: identity",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def require_reachable(target: Target, *, within_s: float) -> None:
    """Look where a URL leads, without going there. Raises BadAddress."""
    try:
        require_open(target, _look_up(target, time.monotonic() + within_s))
    except TimeoutError:
        raise BadAddress(f"{target.host} was not found in time. Try again.") from None


def _look_up(target: Target, ends_at: float) -> list[Address]:
    """Look a name up within the call's time; the system's own call knows no limit."""
    if not LOOKUPS.acquire(timeout=_left(ends_at)):
        raise TimeoutError
    found: SimpleQueue[list[Address] | OSError] = SimpleQueue()

    def look_up() -> None:
        try:
            found.put(resolve(target.host, target.port))
        except OSError as error:
            found.put(error)
        except UnicodeError as error:  # Of a label that is too long.
            found.put(OSError(str(error)))
        finally:
            LOOKUPS.release()

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        answer = found.get(timeout=_left(ends_at))
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise BadAddress(f"{target.host} cannot be found.")
    return answer


def _connected(address: Address, port: int, within_s: float) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.settimeout(within_s)
        connected.connect((str(address), port))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = ipaddress.ip_address(str(connected.getpeername()[0]).partition("%")[0])
        if peer != address:
            raise BadAddress("The connection leads to another address than the one that was looked at.")
    except BaseException:
        connected.close()
        raise
    return connected


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
