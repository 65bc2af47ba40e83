"""The file of a backup: records of JSON, compressed and encrypted in chunks, each by the installation's keys.

After a first line that names the format, each line is one Fernet token. It holds which file it is of, its
place there and whether it is the last: so no line can be left out, changed, or taken from another backup.
Nothing of it is readable without TILLGATE_ENCRYPTION_KEYS.
"""

import secrets
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

FORMAT = b"tillgate backup 1\n"
CHUNK_BYTES = 1 << 20
MOST_BYTES = 64 << 20  # Of one line: what is longer is none of ours.
HEAD = struct.Struct(">16sQ?")
encoder = msgspec.json.Encoder(decimal_format="string")


class Unreadable(Exception):
    """The file is no whole backup that these keys open; the message says which, and what to do."""


class Writer:
    """Takes records until `close()`; what was not closed is no backup."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._box = file, _box()
        self._name, self._place = secrets.token_bytes(16), 0
        self._waiting = bytearray()
        file.write(FORMAT)

    def write(self, record: Any) -> None:
        """Add one record: what JSON knows, and times, bytes and Decimals as text."""
        self._waiting += encoder.encode(record) + b"\n"
        if len(self._waiting) >= CHUNK_BYTES:
            self._flush(last=False)

    def close(self) -> None:
        """Write what waits, and that nothing follows."""
        self._flush(last=True)

    def _flush(self, *, last: bool) -> None:
        head = HEAD.pack(self._name, self._place, last)
        self._file.write(self._box.encrypt(head + zlib.compress(self._waiting)) + b"\n")
        self._place += 1
        self._waiting.clear()


def read_records(file: BinaryIO) -> Iterator[Any]:
    """Yield the records of a backup in their order. Raises Unreadable, at the latest at its end."""
    if file.readline(len(FORMAT) + 1) != FORMAT:
        raise Unreadable("This is no backup that `./run backup` has written.")
    box, name, place, last = _box(), b"", 0, False
    while line := file.readline(MOST_BYTES):
        head, chunk = _opened(box, line)
        if last or head[1] != place or (place and head[0] != name):
            raise Unreadable("Parts of this backup are missing, or not of it. Take another one.")
        name, last, place = head[0], head[2], place + 1
        for record in chunk.splitlines():
            yield msgspec.json.decode(record)
    if not last:
        raise Unreadable("This backup ends too early: it was not copied, or not written, to its end.")


def _opened(box: MultiFernet, line: bytes) -> tuple[tuple[bytes, int, bool], bytes]:
    try:
        text = box.decrypt(line.rstrip(b"\n"))
    except InvalidToken:
        raise Unreadable(
            "No key opens this backup: set TILLGATE_ENCRYPTION_KEYS to those of the installation that wrote "
            "it. Where they are right, the file is damaged."
        ) from None
    return HEAD.unpack_from(text), zlib.decompress(text[HEAD.size :])


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.TILLGATE_ENCRYPTION_KEYS])
