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
Payload = Mapping[str, Any] | bytes | None
SLOTS = 8  # Threads of one process that may wait for one gateway; the others serve everyone else.


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a caller may wait: for the whole call, and for one of so many slots before it. Callers
    with another number of slots have slots of their own."""

    total_s: float
    slot_s: float
    slots: int = SLOTS


IN_REQUEST = Patience(total_s=10, slot_s=0)
IN_WORKER = Patience(total_s=45, slot_s=45)
# Each of many renewals waits only for its gateway.
FOR_CHARGES = Patience(total_s=45, slot_s=45, slots=48)
# Anybody may make us verify an event: that must not take the slots of those who pay.
AT_THE_DOOR = Patience(total_s=5, slot_s=0, slots=2)


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
    payload: Payload = None,
) -> Answer:
    """Send one request, once, and read one JSON object; an answer 204 has none and needs none.

    A mapping is sent as JSON, a Decimal in it as the number that it is. Bytes are sent as they are,
    under the Content-Type in `headers`. A GET that fails may be repeated, so it raises Unreachable;
    anything else that may have arrived raises GatewayUnknown. An answer with status 4xx is returned:
    only the adapter knows what it means. Raises Rejected for a request that cannot be sent at all.
    """
    doubt: type[GatewayError] = Unreachable if method == "GET" else GatewayUnknown
    accepted = {"Accept": "application/json", **headers}
    status, body = _answered(_build(method, url, accepted, payload), patience, doubt, MAX_BODY)
    return Answer(status=status, body={} if status == 204 and not body else _json_object(body, doubt))


def download(url: str, *, patience: Patience, limit: int) -> tuple[int, bytes]:
    """Fetch a small public file: the answer's status and its body. Nothing secret is sent, no redirect
    followed.

    Raises Unreachable for anything but an answer of at most `limit` bytes.
    """
    return _answered(_build("GET", url, {"Accept": "*/*"}, None), patience, Unreachable, limit)


def _answered(
    request: httpx2.Request, patience: Patience, doubt: type[GatewayError], limit: int
) -> tuple[int, bytes]:
    with _slot(request.url.netloc, patience):
        status, headers, body = _exchange(request, patience, doubt, limit)
    if status == 429:
        raise Unreachable("the gateway asks us to slow down", retry_after_s=_retry_after(headers))
    if status >= 500 or status == 408:
        raise doubt(f"the gateway answered {status}")
    return status, body


def _build(method: str, url: str, headers: Mapping[str, str], payload: Payload) -> httpx2.Request:
    ours = {"Accept-Encoding": "identity", "User-Agent": "tillgate"}
    if isinstance(payload, Mapping):
        ours["Content-Type"] = "application/json"
    content = _json_text(payload).encode() if isinstance(payload, Mapping) else payload
    try:
        return httpx2.Request(method, url, headers={**headers, **ours}, content=content)
    except (httpx2.InvalidURL, UnicodeError) as error:
        # Not chained, here and below: the library's words repeat the header, and with it the secret key.
        raise Rejected(f"the request cannot be sent: {type(error).__name__}") from None


def _json_text(value: Any) -> str:
    if isinstance(value, Decimal):
        assert value.is_finite(), f"JSON has no {value}"
        return format(value, "f")  # The standard writer takes floats only, and those lose digits.
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{json.dumps(name)}: {_json_text(item)}' for name, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_json_text, value))}]"
    return json.dumps(value)


def _exchange(
    request: httpx2.Request, patience: Patience, doubt: type[GatewayError], limit: int
) -> tuple[int, httpx2.Headers, bytes]:
    _call.ends_at = time.monotonic() + patience.total_s
    # A name may have four addresses, which are tried one after another.
    connect_s = min(5, patience.total_s / 4)
    timeout = httpx2.Timeout(connect=connect_s, read=min(30, patience.total_s), write=5, pool=connect_s)
    request.extensions["timeout"] = timeout.as_dict()
    try:
        with closing(_transport().handle_request(request)) as response:
            return response.status_code, response.headers, _read(response, doubt, limit)
    except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol) as error:
        raise Rejected(f"the request cannot be sent: {type(error).__name__}") from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise Unreachable(f"no connection to the gateway: {type(error).__name__}") from error
    except (httpx2.HTTPError, httpx2.StreamError, TimeoutError) as error:
        raise doubt(f"the gateway's answer was lost: {type(error).__name__}") from error


def _read(response: httpx2.Response, doubt: type[GatewayError], limit: int) -> bytes:
    body = bytearray()
    # Raw, so that nothing is unpacked: an answer that is packed though we asked for none is not JSON.
    for piece in response.iter_raw():
        body += piece
        if len(body) > limit:
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
    limits = httpx2.Limits(max_connections=96, max_keepalive_connections=48, keepalive_expiry=5)
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
def _slots(_netloc: bytes, count: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(count)


@contextmanager
def _slot(netloc: bytes, patience: Patience) -> Iterator[None]:
    with _first:
        slots = _slots(netloc, patience.slots)
    if not slots.acquire(timeout=patience.slot_s or None, blocking=patience.slot_s > 0):
        raise Unreachable("too many calls to this gateway are waiting", retry_after_s=2)
    try:
        yield
    finally:
        slots.release()
