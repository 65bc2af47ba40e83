"""HTTP to the gateways: every wait and body has a limit, and each failure says what may be done next."""

import atexit
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import httpx2

from tillgate.gateways.errors import GatewayError, GatewayUnknown, Rejected, Unreachable

MAX_BODY = 1024 * 1024
SLOTS = 8  # Threads of one process that may wait for one gateway; the others serve everyone else.


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a caller may wait: for the whole call, and for a free slot before it."""

    total_s: float
    slot_s: float


IN_REQUEST = Patience(total_s=10, slot_s=0)
IN_WORKER = Patience(total_s=45, slot_s=45)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A gateway's answer that could be read as a JSON object."""

    status: int
    body: dict[str, Any]


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    patience: Patience,
    payload: Mapping[str, Any] | None = None,
) -> Answer:
    """Send one request, once, and read one JSON object.

    A GET that fails may be repeated, so it raises Unreachable; anything else that may have arrived
    raises GatewayUnknown. An answer with status 4xx is returned: only the adapter knows what it means.
    Raises Rejected for a request that cannot be sent at all.
    """
    doubt: type[GatewayError] = Unreachable if method == "GET" else GatewayUnknown
    request = _build(method, url, headers, payload)
    with _slot(request.url.netloc, patience):
        status, reply_headers, body = _exchange(request, patience, doubt)
    if status == 429:
        raise Unreachable("the gateway asks us to slow down", retry_after_s=_retry_after(reply_headers))
    if status >= 500 or status == 408:
        raise doubt(f"the gateway answered {status}")
    return Answer(status=status, body=_json_object(body, doubt))


def _build(
    method: str, url: str, headers: Mapping[str, str], payload: Mapping[str, Any] | None
) -> httpx2.Request:
    ours = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "tillgate"}
    if payload is not None:
        ours["Content-Type"] = "application/json"
    content = None if payload is None else json.dumps(payload).encode()
    try:
        return httpx2.Request(method, url, headers={**headers, **ours}, content=content)
    except (httpx2.InvalidURL, UnicodeError) as error:
        # Not chained, here and below: the library's words repeat the header, and with it the secret key.
        raise Rejected(f"the request cannot be sent: {type(error).__name__}") from None


def _exchange(
    request: httpx2.Request, patience: Patience, doubt: type[GatewayError]
) -> tuple[int, httpx2.Headers, bytes]:
    _call.ends_at = time.monotonic() + patience.total_s
    # A name may have four addresses, which are tried one after another.
    connect_s = min(5, patience.total_s / 4)
    timeout = httpx2.Timeout(connect=connect_s, read=min(30, patience.total_s), write=5, pool=connect_s)
    request.extensions["timeout"] = timeout.as_dict()
    try:
        with closing(_transport().handle_request(request)) as response:
            return response.status_code, response.headers, _read(response, doubt)
    except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol) as error:
        raise Rejected(f"the request cannot be sent: {type(error).__name__}") from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise Unreachable(f"no connection to the gateway: {type(error).__name__}") from error
    except (httpx2.HTTPError, httpx2.StreamError, TimeoutError) as error:
        raise doubt(f"the gateway's answer was lost: {type(error).__name__}") from error


def _read(response: httpx2.Response, doubt: type[GatewayError]) -> bytes:
    body = bytearray()
    # Raw, so that nothing is unpacked: an answer that is packed though we asked for none is not JSON.
    for piece in response.iter_raw():
        body += piece
        if len(body) > MAX_BODY:
            raise doubt("the gateway's answer is too large to be one")
    return bytes(body)


def _json_object(body: bytes, doubt: type[GatewayError]) -> dict[str, Any]:
    try:
        parsed = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise doubt("the gateway's answer is not JSON") from error
    if not isinstance(parsed, dict):
        raise doubt("the gateway's answer is not a JSON object")
    return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _retry_after(headers: httpx2.Headers) -> int:
    text = headers.get("retry-after") or headers.get("x-ratelimit-reset") or ""
    return min(int(text), 3600) if text.isascii() and text.isdigit() and len(text) < 20 else 30


_first = threading.Lock()  # `cache` alone lets threads that come first together make one each.


def _transport() -> httpx2.HTTPTransport:
    with _first:
        return _the_transport()


@cache
def _the_transport() -> httpx2.HTTPTransport:
    # Below the client of httpx2: no redirect is followed, no cookie kept, and no proxy variable
    # sends a secret key elsewhere.
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=5)
    transport = httpx2.HTTPTransport(trust_env=False, limits=limits)
    pool: Any = transport._pool
    pool._network_backend = _Backend(pool._network_backend)
    atexit.register(transport.close)
    return transport


_call = threading.local()  # `ends_at`: when the call that this thread is making must be over.


def _left(timeout: float | None) -> float:
    left: float = _call.ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call has used up its time")
    return left if timeout is None else min(timeout, left)


class _Backend:
    """Opens connections on which no wait outlasts the call; the library only limits each wait by itself,
    so that an answer of one byte a second could last for hours."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def connect_tcp(self, *args: Any, timeout: float | None = None, **more: Any) -> "_Stream":
        return _Stream(self._inner.connect_tcp(*args, timeout=_left(timeout), **more))


class _Stream:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        piece: bytes = self._inner.read(max_bytes, timeout=_left(timeout))
        return piece

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=_left(timeout))

    def start_tls(self, *args: Any, timeout: float | None = None, **more: Any) -> "_Stream":
        return _Stream(self._inner.start_tls(*args, timeout=_left(timeout), **more))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@cache
def _slots(_netloc: bytes) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(SLOTS)


@contextmanager
def _slot(netloc: bytes, patience: Patience) -> Iterator[None]:
    with _first:
        slots = _slots(netloc)
    if not slots.acquire(timeout=patience.slot_s or None, blocking=patience.slot_s > 0):
        raise Unreachable("too many calls to this gateway are waiting", retry_after_s=2)
    try:
        yield
    finally:
        slots.release()
