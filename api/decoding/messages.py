"""What the service and its decoding processes send each other: JSON with bytes behind it."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZES = struct.Struct("<II")
_MOST_HEADER_BYTES = 1 << 20


def packed(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """Return a message as bytes: both lengths, the header as JSON, the payload."""
    text = json.dumps(header).encode()
    return _SIZES.pack(len(text), len(payload)) + text + payload


def received(read: Callable[[int], bytes], *, most_bytes: int = 0) -> tuple[dict[str, Any], bytes]:
    """Read a message with at most so many bytes behind it.

    read: returns exactly as many bytes as asked for, or raises. Raises ValueError for what is no
    message.
    """
    header_bytes, payload_bytes = _SIZES.unpack(read(_SIZES.size))
    if header_bytes > _MOST_HEADER_BYTES or payload_bytes > most_bytes:
        raise ValueError(f"a message of {header_bytes} and {payload_bytes} bytes")
    try:
        header = json.loads(read(header_bytes))
    except RecursionError as error:
        raise ValueError("a header of too many levels") from error
    if not isinstance(header, dict):
        raise ValueError("a header that is no object")
    return header, read(payload_bytes) if payload_bytes else b""
