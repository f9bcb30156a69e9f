"""What things leave in the files of a node: each in all forms that a node may write it in.

Lucene compresses stored fields by LZ4, which keeps what does not repeat as it is, so random
pictures are found as they were sent.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from indexer.records import Face

WINDOW = 24
"""Bytes of a picture that are looked for as one; random ones of this length occur only once."""

Patterns = dict[str, tuple[bytes, ...]]
"""What to look for, by a name for it."""


def of_text(text: str) -> tuple[bytes, ...]:
    """A text, or what Elasticsearch makes of an id: it packs those that look like base64."""
    packed = base64.urlsafe_b64decode(text) if re.fullmatch("[0-9a-f]{32}", text) else b""
    return tuple(filter(None, (text.encode(), packed)))


def of_blob(blob: bytes) -> tuple[bytes, ...]:
    """Parts from all over a blob, raw and as base64."""
    return tuple(
        form[at : at + WINDOW]
        for form in (blob, base64.b64encode(blob))
        for at in range(0, len(form) - WINDOW, max(WINDOW, len(form) // 12))
    )


def of_vector(vector: np.ndarray) -> tuple[bytes, ...]:
    """A vector as float32 in both orders, as base64, and its numbers as JSON."""
    little, big = vector.astype("<f4").tobytes(), vector.astype(">f4").tobytes()
    numbers = ",".join(str(number) for number in vector.astype(np.float32)[:3])
    return (
        little,
        big,
        base64.b64encode(big).rstrip(b"="),
        base64.b64encode(little).rstrip(b"="),
        numbers.encode(),
    )


def of_faces(faces: Iterable[Face], new: Mapping[str, np.ndarray]) -> Patterns:
    """All that is stored of faces; new: their vectors of the model that came later."""
    found: Patterns = {}
    for face in faces:
        found[f"id {face.id}"] = of_text(face.id)
        found[f"thumbnail {face.id}"] = of_blob(face.thumbnail or b"")
        found[f"vector {face.id}"] = of_vector(face.vector)
        if face.id in new:
            found[f"new vector {face.id}"] = of_vector(new[face.id])
    return found


def of_texts(*texts: str) -> Patterns:
    return {text: of_text(text) for text in texts}


def traces(folder: Path, patterns: Patterns, suffixes: Sequence[str] = ()) -> set[str]:
    """Which of the things have left something in the files of a folder (of some kinds)."""
    left: set[str] = set()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and (not suffixes or file.suffix in suffixes):
            content = file.read_bytes()
            left |= {
                name
                for name, forms in patterns.items()
                if name not in left and any(form in content for form in forms)
            }
    return left
