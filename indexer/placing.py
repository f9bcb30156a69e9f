"""Files that come into place whole, or not at all, however the process ends."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import EnvironmentFailure
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


@contextmanager
def placed(file: Path, *, private: bool = False, replace: bool = True) -> Iterator[BinaryIO]:
    """Give a stream whose bytes become the file in one step, unless an error ends the block.

    Until then they lie beside it, under a hidden name that no other process takes; only a kill
    leaves that. private: only the user can read the file. replace: whether it may be there already.
    Raises EnvironmentFailure if it cannot be written, FileExistsError if it is there and may not.
    """
    beside = file.with_name(f".{file.name}-{secrets.token_hex(6)}")
    try:
        descriptor = os.open(
            beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666
        )
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
            if replace:
                beside.replace(file)
            else:
                _put(beside, file)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError:
        raise
    except OSError as error:
        raise not_written(file, error) from error


def place_text(file: Path, text: str) -> None:
    """Write a text file in one step; halves of characters, of file names, are escaped.

    Raises EnvironmentFailure if it cannot be written.
    """
    with placed(file) as stream:
        stream.write(text.encode("utf-8", errors="backslashreplace"))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, as far as needed. Raises EnvironmentFailure."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentFailure(f"The folder {shown(folder)} cannot be made: {reason}.") from error


def not_written(file: Path, error: OSError) -> EnvironmentFailure:
    """Return what is raised for a file that cannot be written."""
    return EnvironmentFailure(f"{shown(file)} cannot be written: {error.strerror or error}.")


def _put(beside: Path, file: Path) -> None:
    """Give a file its name, unless that is taken."""
    try:
        # Unlike renaming, linking fails where the name is taken.
        Path(file).hardlink_to(beside)
    except FileExistsError:
        raise
    except OSError:  # not every file system has links
        if file.exists():
            raise FileExistsError(f"{shown(file)} is there already") from None
        beside.replace(file)
