"""Files of the user's: named in messages, opened without blocking, their errors translated."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.errors import MediaError
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO


def status_of(path: str | Path) -> os.stat_result:
    """Return the status of a file or folder. Raises MediaError if it is missing or out of reach."""
    with _translated_errors(path):
        return os.stat(path)  # noqa: PTH116, Path.stat differs between versions of Python


def names_in(folder: str | Path) -> list[str]:
    """Return the sorted names in a folder. Raises MediaError if it cannot be read."""
    with _translated_errors(folder):
        return sorted(os.listdir(folder))  # noqa: PTH208, names are all that is asked for


def require_file(path: str | Path) -> os.stat_result:
    """Return the status of a file. Raises MediaError if it is none or out of reach."""
    status = status_of(path)
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
        raise MediaError(f"{shown(path)} is {kind}, not a file.")
    return status


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading. Raises MediaError if it is missing, out of reach, or no file."""
    with _translated_errors(path), opened(path) as stream:
        yield stream


def opened(path: Path) -> BinaryIO:
    """Return a file open for reading, which the caller closes. Raises MediaError as above."""
    require_file(path)
    with _translated_errors(path):
        return path.open("rb")


@contextmanager
def _translated_errors(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise MediaError(f"{shown(path)} cannot be read: {reason}.") from error
    except ValueError as error:
        raise MediaError(f"{shown(path)} is no file name: {error}.") from error
