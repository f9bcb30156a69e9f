"""Files of vectors come into place whole, or not at all."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from indexer.errors import EnvironmentFailure
from indexer.vector_files import placed

if TYPE_CHECKING:
    from pathlib import Path


class Broken(Exception):
    """What ends the writing in its middle."""


def test_a_file_takes_the_old_ones_place_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    file.write_bytes(b"before")
    with placed(file) as stream:
        stream.write(b"after")
        stream.flush()
        assert file.read_bytes() == b"before"
    assert file.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o600


def write_and_break(file: Path) -> None:
    with placed(file) as stream:
        stream.write(b"after")
        raise Broken


def test_what_is_cut_short_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    file.write_bytes(b"before")
    with pytest.raises(Broken):
        write_and_break(file)
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]


def write_to_full_disk(file: Path) -> None:
    with placed(file):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_takes_no_more_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match=r"f\.npz cannot be written: No space"):
        write_to_full_disk(tmp_path / "f.npz")
    assert not list(tmp_path.iterdir())
