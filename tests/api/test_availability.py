"""What stays answered while parts of a service are away or busy, and what a killed one leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from api.opening import OpenedIndex
from api.problems import Problem
from api.readiness import Readiness
from api.scratch import Scratch
from api.turns import Turns, Waiting
from indexer.errors import IndexFailure
from indexer.settings_api import ApiSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME = "sightings-queries"
WRITES = """
import sys
from pathlib import Path
from api.scratch import Scratch
folder = Scratch(Path(sys.argv[1]), sys.argv[2]).folder
(folder / "photo").write_bytes(b"a face")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def away() -> Iterator[tuple[Callable[[], Any], list[int], Event]]:
    """An index that nobody can open, how often that was tried, and what ends the attempts."""
    tried: list[int] = []
    ended = Event()

    def opening() -> Any:
        tried.append(1)
        assert ended.wait(30)
        raise IndexFailure("No node of the cluster answers.")

    yield opening, tried, ended
    ended.set()


def refusal(index: OpenedIndex) -> str:
    with pytest.raises(IndexFailure) as caught:
        index.get()
    return str(caught.value)


def test_while_one_request_tries_to_open_the_index_the_others_fail(away) -> None:
    opening, tried, ended = away
    index, first = OpenedIndex(opening), []
    thread = Thread(target=lambda: first.append(refusal(index)))
    thread.start()
    for _ in range(3):
        assert "still being opened" in refusal(index)
    assert len(tried) == 1
    ended.set()
    thread.join()
    assert first == ["No node of the cluster answers."]
    assert refusal(index) == first[0], "nobody waits again for as long as that took"
    assert len(tried) == 1


def test_an_index_that_failed_at_once_is_tried_again_at_once() -> None:
    answers: list[Any] = [IndexFailure("It is not there."), "the index"]

    def opening() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    index = OpenedIndex(opening)
    assert refusal(index) == "It is not there."
    deadline = time.monotonic() + 10
    while answers and time.monotonic() < deadline:
        with suppress(IndexFailure):
            index.get()
    assert index.get() == "the index"


def test_what_does_not_answer_is_not_ready_and_is_asked_once(away) -> None:
    opening, tried, _ = away
    readiness = Readiness({"index": opening, "worker": lambda: True})
    for _ in range(2):
        assert readiness.look() == {"index": False, "worker": True}
    assert len(tried) == 1


def test_some_threads_never_wait_for_a_turn() -> None:
    settings = ApiSettings(threads=11, max_searches=1, decoders=2)
    waiting, release = Waiting(settings), Event()
    searches, decoding = (
        Turns(1, waiting, queue_s=30.0, refusal="busy") for _ in ("searches", "decoding")
    )

    def wait_for(turns: Turns) -> None:
        with turns.taken():
            release.wait(30)

    with ExitStack() as held:
        held.enter_context(searches.taken())
        held.enter_context(decoding.taken())
        threads = [Thread(target=wait_for, args=(each,)) for each in (searches, decoding)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 30
        while waiting._now < 2:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        for turns in (searches, decoding):
            with pytest.raises(Problem, match="busy"), turns.taken():
                pytest.fail("the others are to be left")
    release.set()
    for thread in threads:
        thread.join()
    with searches.taken(), decoding.taken():
        assert waiting._now == 0


@pytest.fixture
def other(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that has a photo in a folder of its own, and that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES, str(tmp_path), NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    folder = tmp_path / os.path.basename(process.stdout.readline().strip())  # noqa: PTH119
    yield process, folder
    process.kill()
    process.communicate()


def test_photos_of_a_process_that_was_killed_go_when_the_next_starts(
    serve, other, tmp_path, monkeypatch
) -> None:
    process, folder = other
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    serve()
    assert (folder / "photo").read_bytes() == b"a face", "its process lives"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (folder / "photo").exists()
    serve()
    assert not folder.exists()


def test_uploads_under_way_of_a_killed_service_go_when_the_next_starts(serve, tmp_path) -> None:
    left = tmp_path / "uploads" / ".incoming" / "uploads-left"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"a face")
    serve()
    assert not left.exists()


def test_a_folder_of_ones_own_is_private_and_goes_with_what_is_in_it(tmp_path) -> None:
    first, second = Scratch(tmp_path, NAME), Scratch(tmp_path, NAME)
    (first.folder / "photo").write_bytes(b"a face")
    second.sweep()
    assert (first.folder / "photo").exists()
    assert first.folder.stat().st_mode & 0o077 == 0
    assert first.folder != second.folder
    first.remove()
    second.remove()
    assert list(tmp_path.iterdir()) == []
