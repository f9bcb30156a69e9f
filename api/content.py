"""What a file is, told by its first bytes, as browsers want to know it before they play it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_BYTES = 4096
_BRANDS = {b"avif": "image/avif", b"avis": "image/avif", b"qt  ": "video/quicktime"}
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def content_type(path: str | Path) -> str | None:
    """Return the content type of a photo or video by what it begins with, never by its name.

    None for a file that is not there, `application/octet-stream` for what browsers cannot show.
    """
    try:
        with Path(path).open("rb") as stream:
            return sniffed(stream.read(HEAD_BYTES))
    except (OSError, ValueError):
        return None


def sniffed(head: bytes) -> str:
    """Return the content type of what begins so."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "image/heic" if brand in _HEIC else _BRANDS.get(brand, "video/mp4")
    return next((kind for fits, kind in _KINDS if fits(head)), "application/octet-stream")


def _starts(*prefixes: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(prefixes)


_KINDS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_starts(b"\xff\xd8\xff"), "image/jpeg"),
    (_starts(b"\x89PNG\r\n\x1a\n"), "image/png"),
    (_starts(b"GIF87a", b"GIF89a"), "image/gif"),
    (_starts(b"BM"), "image/bmp"),
    (_starts(b"II*\0", b"MM\0*"), "image/tiff"),
    (_starts(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), "image/jp2"),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", "image/webp"),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI ", "video/x-msvideo"),
    (lambda head: head[:4] == b"\x1aE\xdf\xa3" and b"webm" in head[:64], "video/webm"),
    (_starts(b"\x1aE\xdf\xa3"), "video/x-matroska"),
    (_starts(b"OggS"), "video/ogg"),
    (_starts(b"\0\0\x01\xba", b"\0\0\x01\xb3"), "video/mpeg"),
    (lambda head: head[:1] == b"G" and head[188:189] == b"G", "video/mp2t"),
    (lambda head: head[4:8] in (b"moov", b"mdat", b"wide", b"free"), "video/quicktime"),
    (_starts(b"FLV\x01"), "video/x-flv"),
)
