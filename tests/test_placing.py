"""Files come into place whole, or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from indexer.errors import EnvironmentFailure
from indexer.placing import make_folder, place_text, placed
from tests.disks import full_after

if TYPE_CHECKING:
    from pathlib import Path

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from indexer.model_files import write_model_file
from indexer.records import ModelIdentity

class LastOfAll:
    def __array__(self, *_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

write_model_file(Path(sys.argv[1]), ModelIdentity("m", 2, "r", "0" * 64, "l", "p"), a=LastOfAll())
"""


class Broken(Exception):
    """What ends the writing in its middle."""


@pytest.mark.parametrize("private", [True, False])
def test_a_file_takes_the_old_ones_place_when_it_is_whole(tmp_path: Path, private: bool) -> None:
    file, umask = tmp_path / "f.npz", os.umask(0o022)
    file.write_bytes(b"before")
    try:
        with placed(file, private=private) as stream:
            stream.write(b"after")
            stream.flush()
            assert file.read_bytes() == b"before"
    finally:
        os.umask(umask)
    assert file.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == (0o600 if private else 0o644)


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
    with full_after(1000), pytest.raises(EnvironmentFailure, match="cannot be written: File too"):
        place_text(tmp_path / "f.txt", "long " * 1000)
    assert not list(tmp_path.iterdir())


def test_two_that_write_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    file = tmp_path / "f.txt"
    with placed(file) as first:
        first.write(b"the first ")
        with placed(file) as second:
            second.write(b"the second")
        first.write(b"one")
        assert file.read_bytes() == b"the second"
    assert file.read_bytes() == b"the first one"
    assert list(tmp_path.iterdir()) == [file]


def place(file: Path, content: bytes) -> None:
    with placed(file, replace=False) as stream:
        stream.write(content)


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_may_not_be_replaced_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    file = tmp_path / "f.npz"

    def without_links(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if not has_links:
        monkeypatch.setattr(os, "link", without_links)
    place(file, b"first")
    with pytest.raises(FileExistsError):
        place(file, b"second")
    assert file.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [file]


def test_a_model_of_which_a_kill_left_a_part_has_no_name(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path / "m.npz")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "m.npz").exists()
    assert len(list(tmp_path.iterdir())) == 1


def test_halves_of_characters_are_written_as_what_they_are(tmp_path: Path) -> None:
    place_text(tmp_path / "f.txt", "Ü\udcff\n")
    assert (tmp_path / "f.txt").read_bytes() == "Ü\\udcff\n".encode()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFailure, match="file/work cannot be made: Not a directory"):
        make_folder(tmp_path / "file" / "work")
