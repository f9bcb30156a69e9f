"""What the service and its decoding processes send each other: JSON with bytes behind it."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZES = struct.Struct("<II")
MAX_HEADER_BYTES = 1 << 20


def packed(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """Return a message as bytes: both lengths, the header as JSON, the payload."""
    text = json.dumps(header).encode()
    return _SIZES.pack(len(text), len(payload)) + text + payload


def received(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """Read a message; `read` returns exactly as many bytes as asked for, or raises.

    Raises ValueError for what is no message.
    """
    header_bytes, payload_bytes = _SIZES.unpack(read(_SIZES.size))
    if header_bytes > MAX_HEADER_BYTES:
        raise ValueError(f"a header of {header_bytes} bytes")
    header = json.loads(read(header_bytes))
    return header, read(payload_bytes) if payload_bytes else b""
