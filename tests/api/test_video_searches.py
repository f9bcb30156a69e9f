"""Searches for videos that wait, are stopped, or end while somebody looks."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from api.problems import Problem
from api.routes.search import video_answer
from api.video_searches import MOST_WAITING, Outcome, VideoSearch
from indexer.query import stored_face_query
from tests.tasks.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from tests.api.conftest import Running


@contextmanager
def held_up(service: Running, folder: Path) -> Iterator[list[VideoSearch]]:
    """Fill the queue of searches; the first of them does not end before this does."""
    folder.mkdir()
    go_on = threading.Event()

    def found(_query: object) -> list[Any]:
        go_on.wait(60)
        return []

    def add(number: int) -> VideoSearch:
        path = folder / f"{number}.mp4"
        shutil.copy(service.archive.folder / "both.mp4", path)
        return searches.add(path, "both.mp4", None, found)

    searches = service.app.extensions["sightings"].video_searches
    first = add(0)
    try:
        wait_until(lambda: first.outcome.state == "working")
        yield [first, *(add(number) for number in range(1, MOST_WAITING + 1))]
    finally:
        go_on.set()


def test_one_that_is_stopped_gives_up_its_place_and_its_file_at_once(service, tmp_path) -> None:
    searches = service.app.extensions["sightings"].video_searches
    with held_up(service, tmp_path / "videos") as (first, *waiting):
        path = waiting[0].path
        with pytest.raises(Problem, match="wait to be searched for"):
            searches.add(path, "one too many", None, waiting[0].find)
        assert service.client.delete(f"/api/v1/search/{waiting[3].id}").status_code == 204
        assert not waiting[3].path.exists()
        assert waiting[4].path.exists()
        searches.add(shutil.copy(path, tmp_path / "next.mp4"), "next", None, waiting[0].find)
        assert first.outcome.state == "working"


def test_closing_does_not_wait_for_those_that_wait(service, tmp_path) -> None:
    folder = tmp_path / "videos"
    with held_up(service, folder) as (first, *_):
        closing = threading.Thread(target=service.app.extensions["sightings"].close)
        closing.start()
        wait_until(lambda: list(folder.iterdir()) == [first.path])
    closing.join(60)
    assert list(folder.iterdir()) == []


class EndsMeanwhile(VideoSearch):
    """A search that ends just after somebody has looked at what has come of it."""

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name == "outcome":
            self.outcome = self.find(None)  # type: ignore[assignment, arg-type]
        return value


def test_one_that_ends_while_it_is_looked_at_is_shown_as_it_was_or_as_it_is(service) -> None:
    query = stored_face_query(service.index, service.archive.faces["grace.png"].id)
    done = Outcome("done", query)
    search = EndsMeanwhile("id", service.archive.folder, "grace.mp4", None, lambda _: done)
    with service.app.test_request_context():
        before, after = video_answer(search), video_answer(search)
    assert (before["state"], before["lists"]) == ("queued", None)
    assert (after["state"], len(after["lists"])) == ("done", 1)
