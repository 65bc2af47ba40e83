"""Faults of the connection and of an answer's form: the same for every gateway."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from sandbox.errors import Hangup
from sandbox.web import HTML_TYPE, Hits, Json, Response
from sandbox.wire import Wire

DEFAULT_HOLD_S = 60
DEFAULT_SLOW_S = 10
DEFAULT_RETRY_AFTER_S = 7
DEFAULT_HUGE_BYTES = 20_000_000
DEFAULT_BOMB_BYTES = 100_000_000
CHUNK = 65_536
SLOW_STEPS = 20

SERVER_ERROR = Response(
    status=500,
    body=b'{"status":false,"message":"An error occurred, please try again later","type":"api_error"}',
)
BAD_GATEWAY = Response(
    status=502, body=b"<html><body><h1>502 Bad Gateway</h1></body></html>", content_type=HTML_TYPE
)
MAINTENANCE = Response(
    body=b"<!doctype html><title>Just a moment</title><p>Please wait.</p>", content_type=HTML_TYPE
)


def before(hits: Hits, wire: Wire) -> Response | None:
    """Break a call before anything is done; None lets it through. Raises Hangup."""
    if "reset_before" in hits:
        raise Hangup(reset=True)
    if "timeout_before" in hits:
        wire.hold(hits["timeout_before"].get("seconds", DEFAULT_HOLD_S))
        raise Hangup(reset=False)
    if "429" in hits:
        return _too_many(hits["429"])
    if "500_before" in hits:
        return SERVER_ERROR
    return BAD_GATEWAY if "lookup_5xx" in hits else None


def after(hits: Hits, response: Response, wire: Wire) -> Response:
    """Break the answer of a call that was carried out. Raises Hangup."""
    if "timeout_after" in hits:
        wire.hold(hits["timeout_after"].get("seconds", DEFAULT_HOLD_S))
    for name, spoil in SPOILERS.items():
        if name in hits:
            return spoil(response, hits[name], wire)
    return response


def _too_many(args: Json) -> Response:
    retry_after = str(args.get("retry_after", DEFAULT_RETRY_AFTER_S))
    body = json.dumps({"status": False, "message": "Too many requests", "type": "api_error"}).encode()
    return Response(
        status=429, body=body, headers=(("Retry-After", retry_after), ("x-ratelimit-reset", retry_after))
    )


def _server_error(response: Response, args: Json, wire: Wire) -> Response:
    return SERVER_ERROR


def _half(response: Response, args: Json, wire: Wire) -> Response:
    kept = response.body[: args.get("n", len(response.body) // 2)]
    return replace(response, chunks=_then_reset(kept), length=len(response.body))


def _then_reset(kept: bytes) -> Iterator[bytes]:
    yield kept
    raise Hangup(reset=True)


def _slow(response: Response, args: Json, wire: Wire) -> Response:
    pause_s = args.get("seconds", DEFAULT_SLOW_S) / SLOW_STEPS
    return replace(response, chunks=_drip(response.body, pause_s, wire), length=len(response.body))


def _drip(body: bytes, pause_s: float, wire: Wire) -> Iterator[bytes]:
    step = max(1, -(-len(body) // SLOW_STEPS))
    for start in range(0, len(body), step):
        wire.hold(pause_s)
        yield body[start : start + step]


def _html(response: Response, args: Json, wire: Wire) -> Response:
    return MAINTENANCE


def _empty(response: Response, args: Json, wire: Wire) -> Response:
    return replace(response, body=b"")


def _huge(response: Response, args: Json, wire: Wire) -> Response:
    size = max(args.get("bytes", DEFAULT_HUGE_BYTES), len(response.body))
    return replace(response, chunks=_padded(response.body, size - len(response.body)), length=size)


def _padded(body: bytes, blanks: int) -> Iterator[bytes]:
    # Leading blanks keep it valid JSON, so that only a limit on size can refuse it.
    for start in range(0, blanks, CHUNK):
        yield b" " * min(CHUNK, blanks - start)
    yield body


def _bomb(response: Response, args: Json, wire: Wire) -> Response:
    packed, begun = _packed_blanks(args.get("bytes", DEFAULT_BOMB_BYTES))
    packer = begun.copy()
    body = packed + packer.compress(response.body) + packer.flush()
    return replace(response, body=body, headers=(*response.headers, ("Content-Encoding", "gzip")))


@cache  # To pack 100 MB takes most of a second.
def _packed_blanks(size: int) -> tuple[bytes, Any]:
    """So many blanks, packed, and the packer to go on with."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(chunk) for chunk in _padded(b"", size)), packer


def _bom(response: Response, args: Json, wire: Wire) -> Response:
    return replace(response, body=b"\xef\xbb\xbf" + response.body)


def _wrong_type(response: Response, args: Json, wire: Wire) -> Response:
    return replace(response, content_type="text/plain")


SPOILERS: dict[str, Callable[[Response, Json, Wire], Response]] = {
    "500_after": _server_error,
    "half_body": _half,
    "slow_body": _slow,
    "html": _html,
    "empty_body": _empty,
    "huge_body": _huge,
    "gzip_bomb": _bomb,
    "bom": _bom,
    "wrong_content_type": _wrong_type,
}
