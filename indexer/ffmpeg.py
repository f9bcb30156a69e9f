"""The border to FFmpeg: what it raises becomes the package's own errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.errors import MediaError
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn what PyAV raises into MediaError."""
    import av

    try:
        yield
    except (av.FFmpegError, ValueError) as error:  # ValueError: names that are no Unicode
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{shown(path)} cannot be read as a video: {reason}.") from error
