"""How Python values are stored in documents: text, names to match exactly, dates, vectors."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_ESCAPE = "\ufffe"  # a noncharacter: no text means anything by it
_UNSTORABLE = re.compile(f"[\ud800-\udfff{_ESCAPE}]")
_ESCAPED = re.compile(f"{_ESCAPE}([0-9a-f]{{4}})")
_ORDER_CHARACTERS = 8000  # of four bytes at most; Lucene refuses terms above 32,766 bytes

MAX_ID_BYTES = 512
"""Elasticsearch refuses longer document ids."""


def to_text(text: str) -> str:
    """Return text as valid Unicode: JSON cannot hold the lone surrogates that stand for
    undecodable bytes of file names, so each becomes an escape of five characters.
    """  # noqa: D205
    return _UNSTORABLE.sub(lambda found: f"{_ESCAPE}{ord(found[0]):04x}", text)


def from_text(stored: str) -> str:
    """Return what `to_text` was given."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), stored)


def is_id(text: str) -> bool:
    """Whether a document may have this id."""
    try:
        return 0 < len(text.encode()) <= MAX_ID_BYTES
    except UnicodeEncodeError:
        return False


def exact_key(text: str) -> str:
    """Return a key that is equal for equal texts alone, of any length: 128 bits of SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def order_key(text: str) -> str:
    """Return what sorts like the text; texts that share 8,000 characters sort alike."""
    return to_text(text)[:_ORDER_CHARACTERS]


def file_name_keys(paths: Sequence[str]) -> list[str]:
    """Return the keys of the paths' last parts."""
    return sorted({exact_key(PurePath(path).name) for path in paths})


def folder_keys(paths: Sequence[str]) -> list[str]:
    """Return the keys of the paths and of all folders above them, the root as an empty text."""
    ends = ((path, end) for path in paths for end in _ends_of_folders(path))
    return sorted({exact_key(path[:end]) for path, end in ends})


def _ends_of_folders(path: str) -> list[int]:
    return [*(at for at, character in enumerate(path) if character == os.sep), len(path)]


def folder_key(prefix: str) -> str:
    """Return the key by which a folder (or file) and all that lies in it is found."""
    return exact_key(prefix.rstrip(os.sep))


def to_date(moment: datetime | None) -> str | None:
    """Return a date as text with microseconds. Raises UsageError for one without time zone."""
    if moment is None:
        return None
    return (_EPOCH + timedelta(microseconds=to_micros(moment))).isoformat()


def from_date(stored: str | None) -> datetime | None:
    """Return what `to_date` was given, in UTC."""
    return None if stored is None else datetime.fromisoformat(stored)


def to_micros(moment: datetime) -> int:
    """Return microseconds since 1970 UTC. Raises UsageError for a date without time zone."""
    if moment.tzinfo is None:
        raise UsageError(
            f"The date {moment.isoformat()} has no time zone; add one, such as +00:00."
        )
    return (moment - _EPOCH) // _MICROSECOND


def now() -> datetime:
    """Return this process's clock."""
    return datetime.now(timezone.utc)


def to_vector(vector: np.ndarray) -> str:
    """Return a float32 vector as Elasticsearch 9.3 and newer take it: base64, big-endian."""
    return base64.b64encode(np.asarray(vector, ">f4").tobytes()).decode()


def from_vector(stored: str | Sequence[float]) -> np.ndarray:
    """Return a vector as (dimensions,) float32; nodes give it as base64 or as numbers."""
    if isinstance(stored, str):
        return np.frombuffer(base64.b64decode(stored), ">f4").astype(np.float32)
    return np.asarray(stored, np.float32)


def batches(items: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    """Yield a sequence in parts of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
