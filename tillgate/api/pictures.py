"""A picture in a request's body: by its own bytes, of a size that every browser shows, and no drawing with
scripts in it."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from rest_framework.request import Request

from tillgate.api.parsing import TooLarge
from tillgate.common.errors import InvalidRequest, PayError

MOST_BYTES = 64 * 1024
MOST_PIXELS = 2_000  # A side: a few bytes can ask for gigabytes.


class UnsupportedPicture(PayError):
    """Another kind of picture, or something else."""

    code = "unsupported_media_type"
    http_status = 415


class InvalidPicture(InvalidRequest):
    """Not the picture that the request says it is."""

    code = "invalid_picture"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture, and what kind it is."""

    content: bytes
    content_type: str


def read_picture(request: Request) -> Picture:
    """Read the body. Raises UnsupportedPicture, TooLarge, InvalidPicture."""
    content_type = (request.content_type or "").partition(";")[0].strip().lower()
    if content_type not in SIZES:
        raise UnsupportedPicture(f"Send the picture itself, with one of Content-Type: {', '.join(SIZES)}.")
    content = bytes(request._request.read(MOST_BYTES + 1))
    if len(content) > MOST_BYTES:
        raise TooLarge(f"A logo may have {MOST_BYTES} bytes.")
    size = _size(content, content_type)
    if size is None:
        raise InvalidPicture(f"The body is no picture of {content_type}.")
    if not 1 <= min(size) <= max(size) <= MOST_PIXELS:
        raise InvalidPicture(f"Send a picture of at most {MOST_PIXELS} pixels a side.")
    return Picture(content=content, content_type=content_type)


def _size(content: bytes, content_type: str) -> tuple[int, int] | None:
    try:
        return SIZES[content_type](content)
    except struct.error:
        return None  # It ends too early.


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg(content: bytes) -> tuple[int, int] | None:
    if content[:3] != b"\xff\xd8\xff":
        return None
    place = 2
    while True:
        mark, kind, length = struct.unpack(">BBH", content[place : place + 4])
        if mark != 0xFF or length < 2:
            return None
        # A frame says its size; these three of the range are tables.
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
        place += 2 + length


def _webp(content: bytes) -> tuple[int, int] | None:
    found = re.match(rb"RIFF....WEBP(VP8[ LX])", content, re.DOTALL)
    if found is None:
        return None
    if found[1] == b"VP8X":
        low_w, high_w, low_h, high_h = struct.unpack("<HBHB", content[24:30])
        return 1 + (high_w << 16 | low_w), 1 + (high_h << 16 | low_h)
    if found[1] == b"VP8L":
        (bits,) = struct.unpack("<I", content[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if content[23:26] != b"\x9d\x01\x2a":
        return None
    width, height = struct.unpack("<HH", content[26:30])
    return width & 0x3FFF, height & 0x3FFF


SIZES: dict[str, Callable[[bytes], tuple[int, int] | None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
}
