"""A logo is a picture by its own bytes, is shown for good under its address, and is nothing else."""

import struct
import zlib

import pytest
from django.test import Client

from tillgate.merchants.models import Logo, Merchant

URL = "/api/v1/merchant/logo"
MOST = 64 * 1024


def png(width: int = 1, height: int = 1, *, more: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + b"\0\0\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"") + more


def jpeg(width: int = 1, height: int = 1) -> bytes:
    app = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\0" * 9
    table = b"\xff\xc4" + struct.pack(">H", 4) + b"\0\0"
    frame = b"\xff\xc2" + struct.pack(">HBHH", 11, 8, height, width) + b"\x01\x01\x11\0"
    return b"\xff\xd8" + app + table + frame + b"\xff\xd9"


def webp(kind: bytes, width: int = 1, height: int = 1) -> bytes:
    body = b"\0" * 4 + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    if kind == b"VP8 ":
        body = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    if kind == b"VP8L":
        body = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


PICTURES = [
    ("image/png", png()),
    ("image/png", png(2_000, 2_000)),
    ("image/jpeg", jpeg()),
    ("image/jpeg", jpeg(2_000, 7)),
    *(("image/webp", webp(kind, 2_000, 3)) for kind in (b"VP8 ", b"VP8L", b"VP8X")),
]
NONE = [
    ("image/png", b"\0"),
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/png", png()[:20]),
    ("image/png", jpeg()),
    ("image/png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
    ("image/png", b"GIF89a" + b"\0" * 40),
    ("image/png", b"<html><script>alert(1)</script>" + png()),
    ("image/png", png(0, 5)),
    ("image/png", png(2_001, 1)),
    ("image/png", png(1, 2**32 - 1)),
    ("image/jpeg", png()),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/jpeg", b"\xff\xd8\xff\xe0\0\0" + b"\0" * 40),
    ("image/jpeg", b"\xff\xd8" + b"\xff\xe0\0\x02" * 10_000),
    ("image/jpeg", jpeg(65_535, 65_535)),
    ("image/webp", b"RIFF\0\0\0\0WEBPVP8 "),
    ("image/webp", b"RIFF\0\0\0\0WAVEfmt " + b"\0" * 40),
    ("image/webp", b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 40),
    ("image/webp", webp(b"VP8X", 16_777_216, 1)),
    ("image/webp", webp(b"VP8L", 16_384, 1)),
    ("image/webp", webp(b"VP8 ", 16_383, 1)),
]


def put(caller, content: bytes, content_type: str = "image/png"):
    return caller.generic("PUT", URL, content, content_type=content_type)


@pytest.fixture
def logo_url(owner) -> str:
    """Where the logo that was just set is."""
    return str(put(owner, png()).json()["merchant"]["logo_url"]).removeprefix("http://127.0.0.1:8000")


@pytest.mark.parametrize(("content_type", "content"), PICTURES)
def test_a_picture_is_kept_and_shown_as_it_came(owner, content_type, content):
    told = put(owner, content, f"{content_type}; charset=x").json()["merchant"]

    shown = Client().get(told["logo_url"].removeprefix("http://127.0.0.1:8000"))

    assert shown.status_code == 200
    assert (shown.content, shown["Content-Type"]) == (content, content_type)


@pytest.mark.parametrize(("content_type", "content"), NONE)
def test_a54_what_is_no_such_picture_is_refused(owner, content_type, content):
    answer = put(owner, content, content_type)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_picture")
    assert not Logo.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    ["image/svg+xml", "text/html", "application/json", "image/gif", "", "image/*", "multipart/form-data"],
)
def test_a54_no_other_kind_is_taken(owner, content_type):
    answer = put(owner, png(), content_type)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "image/png, image/jpeg, image/webp" in answer.json()["message"]


def test_a_picture_has_at_most_64_kilobytes(owner):
    full = png(more=b"\0" * (MOST - len(png())))

    assert put(owner, full).status_code == 200
    assert put(owner, full + b"\0").json()["code"] == "content_too_large"
    assert bytes(Logo.objects.get().content) == full


def test_it_is_kept_for_good_and_read_as_nothing_else(logo_url):
    answer = Client().get(logo_url)

    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies


def test_another_picture_has_another_address_and_the_old_one_is_gone(owner, logo_url):
    second = put(owner, png(2, 2)).json()["merchant"]["logo_url"]

    assert not second.endswith(logo_url)
    assert Client().get(logo_url).status_code == 404
    assert Logo.objects.count() == 1


def test_a_logo_that_was_taken_away_is_gone(owner, logo_url):
    assert owner.delete(URL).status_code == owner.delete(URL).status_code == 204

    assert Client().get(logo_url).status_code == 404
    assert owner.get("/api/v1/merchant").json()["merchant"]["logo_url"] is None
    assert not Logo.objects.exists()


def test_a21_a_logo_is_at_its_own_merchants_address_alone(logo_url, merchant, other_merchant):
    assert Client().get(logo_url.replace(merchant.reference, other_merchant.reference)).status_code == 404


def test_a21_setting_and_taking_away_touch_no_other_merchants(owner, stranger, logo_url):
    put(stranger, png(3, 3))
    stranger.delete(URL)

    assert Client().get(logo_url).status_code == 200


@pytest.mark.parametrize(
    "below", ["0" * 64, "../../etc/passwd", "%2e%2e%2f", "0" * 16 + ".css", "x", "", "A" * 64]
)
def test_a54_nothing_else_is_at_a_brands_address(owner, merchant, below):
    patched = Merchant.objects.filter(pk=merchant.pk)
    patched.update(color="#0a7d4f")

    answer = Client().get(f"/brand/{merchant.reference}/{below}")

    assert answer.status_code == 404
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_a_brand_is_only_looked_at(logo_url, method):
    assert getattr(Client(), method)(logo_url).status_code == 405
