"""The embedded engine among processes: readers, writers, and sudden ends."""

from __future__ import annotations

import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.engines.embedded.index import open_embedded
from indexer.errors import IndexLocked
from indexer.records import Filters, SegmentSpan
from tests.engines.builders import MODEL, add_photo, axis, make_label, photo, video
from tests.engines.processes import ask, is_intact, lines_of, next_line, start_process

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 12


@pytest.fixture
def location(tmp_path: Path) -> Path:
    return tmp_path / "faces.sightings"


def test_a_reading_process_sees_each_change_of_a_writing_one(location: Path) -> None:
    with open_index(str(location), create=True) as index:
        reader = start_process("read", location)
        assert next_line(reader) == "open"
        assert ask(reader) == "0"
        for n in range(1, 30):
            add_photo(index, f"p{n}", axis(0), axis(1))
            assert ask(reader) == str(2 * n)
        for n in range(1, 30):
            index.delete_media([photo(f"p{n}").id])
            assert ask(reader) == str(2 * (29 - n))
        assert lines_of(reader) == []


def test_a_reader_that_missed_more_removals_than_are_logged_sees_them_all(location: Path) -> None:
    with open_index(str(location), create=True) as index, open_index(str(location)) as reader:
        for n in range(4):
            add_photo(index, f"p{n}", axis(0))
        index.delete_media([photo("p0").id])
        assert len(reader.search(axis(0), 10)) == 3
        index.delete_media([photo("p1").id])
        connection = sqlite3.connect(location)
        connection.execute("UPDATE sqlite_sequence SET seq = 1000000 WHERE name = 'removed'")
        connection.commit()
        index.delete_media([photo("p2").id])
        assert connection.execute("SELECT count(*) FROM removed").fetchone() == (1,)
        connection.close()
        found = [hit.face.media_id for hit in reader.search(axis(0), 10)]
        assert found == [photo("p3").id]


def test_threads_share_one_index(location: Path) -> None:
    with open_index(str(location), create=True) as index:
        index.adopt_model(MODEL)

        def add_and_search(n: int) -> bool:
            (face,) = add_photo(index, f"p{n}", axis(0))
            return face.id in {hit.face.id for hit in index.search(axis(0), 1000)}

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(add_and_search, range(100)))
        assert index.stats()["media_done"] == 100


def test_processes_share_a_videos_segments_and_lose_nothing(location: Path) -> None:
    with open_index(str(location), create=True) as index:
        index.adopt_model(MODEL)
        spans = [SegmentSpan(n, 60.0 * n, 60.0 * (n + 1)) for n in range(150)]
        index.start_media(video("shared"), spans)
    workers = [start_process("work", location, f"worker {n}") for n in range(2)]
    done = [sorted(map(int, lines_of(worker))) for worker in workers]
    assert sorted(done[0] + done[1]) == list(range(150))
    with open_index(str(location)) as index:
        assert index.stats()["segments_done"] == 150
        assert index.count() == 150 * 30
    assert is_intact(location)


def test_processes_that_make_the_same_new_index_at_once_both_write_to_it(location: Path) -> None:
    writers = [start_process("write", location, seed, 30) for seed in "ab"]
    for writer in writers:
        assert len(lines_of(writer)) == 61
    with open_index(str(location)) as index:
        assert index.stats()["media_done"] == 60
        assert index.count() == 180
    assert is_intact(location)


def test_a_process_killed_at_any_moment_loses_nothing_it_acknowledged(location: Path) -> None:
    delays = random.Random(7)
    stored, done = set(), set()
    for kill in range(KILLS):
        writer = start_process("write", location, kill, 100_000)
        assert next_line(writer) == "open"
        time.sleep(delays.uniform(0.0, 0.15))
        writer.kill()
        # The last line may be cut short: then it was not acknowledged.
        for line in writer.communicate()[0].splitlines(keepends=True):
            if line.endswith("\n"):
                state, media_id = line.split()
                (stored if state == "stored" else done).add(media_id)
        assert is_intact(location)
    assert len(stored) > KILLS
    with open_index(str(location)) as index:
        for media_id in stored:
            assert index.count(Filters(media_ids=(media_id,))) == 3
        found = {media.id: media.state for media in index.iter_media()}
        assert {found[media_id] for media_id in done} == {"done"}
        for media_id, state in found.items():
            faces = list(index.iter_faces(Filters(media_ids=(media_id,)), embeddings=True))
            segment_done = index.list_segments(media_id)[0].state == "done"
            assert len(faces) == (3 if segment_done else 0)
            assert segment_done or state == "working"
            for face in faces:
                assert index.thumbnail(face.id)
                assert index.search(face.vector, 1)[0].score > 0.9999


def test_a_process_killed_while_it_makes_an_index_leaves_one_that_can_be_used(
    tmp_path: Path,
) -> None:
    delays = random.Random(8)
    for kill in range(6):
        location = tmp_path / f"{kill}.sightings"
        writer = start_process("write", location, kill, 1)
        while not location.exists():
            time.sleep(0.001)
        time.sleep(delays.uniform(0.0, 0.01))
        writer.kill()
        writer.communicate()
        with open_index(str(location), create=True) as index:
            add_photo(index, "p", axis(0))
        assert is_intact(location)


def test_a_write_lock_kept_too_long_is_reported_and_reading_goes_on(location: Path) -> None:
    with open_embedded(str(location), create=True, busy_timeout_s=0.1) as index:
        (face,) = add_photo(index, "p", axis(0))
        other = sqlite3.connect(location, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexLocked, match="Try again"):
            index.label([make_label(face, "Ann")])
        assert len(index.search(axis(0), 5)) == 1
        with open_index(str(location)) as second:
            assert second.count() == 1
        other.execute("ROLLBACK")
        other.close()
        index.label([make_label(face, "Ann")])
        assert index.count(Filters(persons=("Ann",))) == 1


def test_a_writer_waits_for_a_lock_that_is_released(location: Path) -> None:
    with open_embedded(str(location), create=True, busy_timeout_s=30.0) as index:
        worker = start_process("write", location, "other", 20)
        for n in range(20):
            add_photo(index, f"mine {n}", axis(0))
        assert len(lines_of(worker)) == 41
        assert index.stats()["media_done"] == 40
