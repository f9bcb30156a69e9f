"""Ingest is idempotent: done work is not done again, names are never lost, nothing stands twice."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer import open_index
from indexer.errors import ModelMismatch, UsageError
from indexer.ingest import ingest
from indexer.media import content_id, probe
from indexer.naming import name_faces
from indexer.networks import Networks
from indexer.records import MediaFile, SegmentSpan
from indexer.reports import Progress
from indexer.settings import FaceSettings, KeyframeSettings
from indexer.settings_compute import ComputeSettings
from indexer.work import LEASE_S, MAX_ATTEMPTS
from tests.clips import clip, faces_of, photo, shot, still
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        yield index


@pytest.fixture
def eileen(tmp_path: Path, portraits) -> Path:
    return photo(tmp_path / "media" / "eileen.png", still(portraits, "eileen"))


def with_faces(networks: Networks, **changes: float) -> Networks:
    """The same networks under other options of detection."""
    settings = replace(networks.settings, faces=FaceSettings(**changes))
    return Networks(type(networks.detector)(settings.faces), networks.embedder, settings)


def replaced(path: Path, content: bytes) -> None:
    """Write other bytes so that size and modification time tell nothing."""
    status = path.stat()
    path.write_bytes(content.ljust(status.st_size, b"x")[: status.st_size])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_photo_and_a_video_become_done_media_with_faces(
    index, portraits, eileen, networks
) -> None:
    video = clip(eileen.with_name("grace.mp4"), shot(portraits, "grace", 6))
    report = ingest(index, [eileen.parent], networks)
    assert report.done == [str(eileen), str(video)]
    assert (report.skipped, report.waiting, report.failed, report.warnings) == ([], [], [], [])
    first, second = index.iter_media()
    assert (first.kind, first.state, first.paths) == ("photo", "done", (str(eileen),))
    assert (second.kind, second.state, second.duration_s) == ("video", "done", 1.2)
    in_photo, in_video = faces_of(index, first.id), faces_of(index, second.id)
    assert (len(in_photo), in_photo[0].timestamp_s, in_photo[0].appearance_id) == (1, 0.0, None)
    assert {face.appearance_end_s for face in in_video} == {1.0}
    assert report.faces == len(in_photo) + len(in_video) == index.count()


def test_a_second_run_does_nothing_and_reads_no_file(index, eileen, networks) -> None:
    ingest(index, [eileen], networks)
    before = list(index.iter_media()), faces_of(index)
    replaced(eileen, b"no photo at all")
    report = ingest(index, [eileen], networks)
    assert (report.done, report.skipped, report.failed) == ([], [str(eileen)], [])
    assert (list(index.iter_media()), faces_of(index)) == before


def test_a_touched_file_is_known_by_its_bytes(index, eileen, networks) -> None:
    ingest(index, [eileen], networks)
    os.utime(eileen, (1_000_000, 1_000_000))
    assert ingest(index, [eileen], networks).skipped == [str(eileen)]
    assert index.find_file(str(eileen)).mtime_ns == 1_000_000 * 10**9


def test_a_copy_is_one_media_with_two_paths(index, eileen, networks) -> None:
    copy = eileen.with_name("copy.png")
    shutil.copyfile(eileen, copy)
    report = ingest(index, [eileen.parent], networks)
    assert (len(report.done), len(report.skipped), report.waiting) == (1, 1, [])
    assert {*report.done, *report.skipped} == {str(copy), str(eileen)}
    (media,) = index.iter_media()
    assert media.paths == (str(copy), str(eileen))
    assert index.count() == 1


def test_many_copies_are_one_media_in_a_single_run(index, eileen, networks) -> None:
    copies = [shutil.copyfile(eileen, eileen.with_name(f"{number}.png")) for number in range(5)]
    for done in (1, 0):
        report = ingest(index, [eileen.parent], networks)
        assert (len(report.done), len(report.skipped)) == (done, 6 - done)
        assert (report.waiting, report.failed) == ([], [])
    (media,) = index.iter_media()
    assert set(media.paths) == {str(eileen), *map(str, copies)}


def test_a_moved_file_is_not_worked_on_again(index, eileen, networks) -> None:
    ingest(index, [eileen], networks)
    moved = eileen.rename(eileen.with_name("moved.png"))
    assert ingest(index, [moved.parent], networks).skipped == [str(moved)]
    (media,) = index.iter_media()
    assert media.paths == (str(eileen), str(moved))


def test_a_changed_file_is_a_new_media_and_the_old_one_keeps_no_path(
    index, eileen, portraits, networks
) -> None:
    ingest(index, [eileen], networks)
    (old,) = index.iter_media()
    photo(eileen, still(portraits, "grace"))
    assert ingest(index, [eileen], networks).done == [str(eileen)]
    assert index.get_media(old.id).paths == ()
    (new,) = (media for media in index.iter_media() if media.id != old.id)
    assert new.paths == (str(eileen),)


def test_other_options_look_for_faces_again_and_the_same_options_do_not(
    index, eileen, networks
) -> None:
    ingest(index, [eileen], networks)
    strict = with_faces(networks, min_face_px=200)
    assert ingest(index, [eileen], strict).done == [str(eileen)]
    assert index.count() == 0
    assert ingest(index, [eileen], strict).skipped == [str(eileen)]
    assert ingest(index, [eileen], networks).faces == 1


def test_options_of_videos_leave_photos_as_they_are(index, eileen, networks) -> None:
    ingest(index, [eileen], networks)
    settings = replace(networks.settings, keyframes=KeyframeSettings(strategy="fps=2"))
    report = ingest(index, [eileen], replace(networks, settings=settings))
    assert report.skipped == [str(eileen)]


def test_by_force_faces_are_looked_for_again(index, eileen, networks) -> None:
    ingest(index, [eileen], networks)
    before = next(index.iter_media())
    assert ingest(index, [eileen], networks, force=True).done == [str(eileen)]
    after = next(index.iter_media())
    assert after.indexed_at > before.indexed_at
    assert replace(after, indexed_at=None) == replace(before, indexed_at=None)
    assert index.count() == 1


def test_a_name_given_by_hand_survives_new_detection(index, tmp_path, portraits, networks) -> None:
    video = clip(tmp_path / "a.mp4", shot(portraits, "eileen", 6), shot(portraits, "grace", 6))
    ingest(index, [video], networks)
    grace = max(faces_of(index), key=lambda face: face.timestamp_s)
    name_faces(index, "Grace", [grace.id])
    settings = replace(
        networks.settings, keyframes=KeyframeSettings(strategy="fps=2", segment_s=1.0)
    )
    for again, force in ((networks, True), (replace(networks, settings=settings), False)):
        report = ingest(index, [video], again, force=force)
        assert (report.done, report.lost_labels) == ([str(video)], [])
        named = {face.person for face in faces_of(index) if face.timestamp_s >= 1.2}
        unnamed = {face.person for face in faces_of(index) if face.timestamp_s < 1.2}
        assert (named, unnamed) == ({"Grace"}, {None})


def test_a_label_that_finds_no_face_any_more_is_reported_and_kept(index, eileen, networks) -> None:
    ingest(index, [eileen], networks)
    name_faces(index, "Eileen", [faces_of(index)[0].id])
    report = ingest(index, [eileen], with_faces(networks, min_face_px=200))
    assert [label.person for label in report.lost_labels] == ["Eileen"]
    report = ingest(index, [eileen], networks)
    assert (report.lost_labels, faces_of(index)[0].person) == ([], "Eileen")


def test_another_models_index_is_refused_with_advice(index, eileen, networks) -> None:
    ingest(index, [eileen], networks)
    before = list(index.iter_media()), faces_of(index)
    with pytest.raises(ModelMismatch, match="sightings reindex --model"):
        ingest(index, [eileen], replace(networks, embedder=FakeEmbedder("2")), force=True)
    assert (list(index.iter_media()), faces_of(index)) == before


def test_a_strategy_that_does_not_exist_is_refused_before_any_work(index, eileen, networks) -> None:
    settings = replace(networks.settings, keyframes=KeyframeSettings(strategy="every-other"))
    with pytest.raises(UsageError, match="every-other"):
        ingest(index, [eileen], Networks(networks.detector, networks.embedder, settings))
    assert list(index.iter_media()) == []


def test_what_failed_is_left_alone_and_said_each_time_until_it_is_forced(
    index, eileen, portraits, networks
) -> None:
    good = photo(eileen.with_name("good.png"), still(portraits, "grace"))
    media = probe(eileen, content_id(eileen), networks.settings.media)
    media = replace(media, options=networks.settings.options_for("photo"))
    index.adopt_model(networks.embedder.identity)
    index.start_media(media, [SegmentSpan(0)])
    for _ in range(MAX_ATTEMPTS):
        index.claim_segment(media.id, owner="a/1/1.0", lease_s=9, max_attempts=MAX_ATTEMPTS)
        index.release_claims("a/1/1.0")
    report = ingest(index, [eileen.parent], networks)
    assert report.done == [str(good)]
    assert [text.split(" attempts")[0] for text in report.failed] == [
        f"{eileen}: Given up after {MAX_ATTEMPTS}"
    ]
    report = ingest(index, [eileen.parent], networks)
    assert report.skipped == [str(good)]
    (text,) = report.failed
    assert text.startswith(f"{eileen} failed before: Given up")
    assert text.endswith("Use --force to try it again.")
    report = ingest(index, [eileen], networks, force=True)
    assert (report.done, report.failed) == ([str(eileen)], [])


def test_interrupting_a_run_again_and_again_costs_no_attempts(index, eileen, networks) -> None:
    class Interrupting(Progress):
        def reach(self, path: str, done_s: float) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(KeyboardInterrupt):
            ingest(index, [eileen], networks, progress=Interrupting())
        assert index.claim_owners() == ()
    assert ingest(index, [eileen], networks).done == [str(eileen)]


class TakenOver(Progress):
    """Another worker takes over the claim while the file is worked on."""

    def __init__(self, index: Index, owner: str) -> None:
        self.index, self.owner = index, owner

    def reach(self, path: str, done_s: float) -> None:  # noqa: ARG002
        (media,) = self.index.iter_media()
        (segment,) = self.index.list_segments(media.id)
        if segment.attempts == 1:
            self.index.release_claims(segment.owner)
            self.index.claim_segment(media.id, owner=self.owner, lease_s=LEASE_S, max_attempts=3)


def test_a_part_that_another_worker_took_over_is_left_to_it(index, eileen, networks) -> None:
    progress = TakenOver(index, "elsewhere/1/1.00")
    report = ingest(index, [eileen], networks, progress=progress)
    assert (report.done, report.failed, report.waiting) == ([], [], [str(eileen)])
    assert index.claim_owners() == ("elsewhere/1/1.00",)
    assert index.count() == 0


def test_a_media_that_is_removed_while_it_is_worked_on_does_not_end_the_run(
    index, eileen, portraits, networks
) -> None:
    good = photo(eileen.with_name("good.png"), still(portraits, "grace"))

    class Removing(Progress):
        def reach(self, path: str, done_s: float) -> None:  # noqa: ARG002
            if path == str(eileen) and (file := index.find_file(path)):
                index.delete_media([file.media_id])

    report = ingest(index, [eileen.parent], networks, progress=Removing())
    assert report.done == [str(good)]
    assert report.failed == [f"{eileen} was removed from the index while it was worked on."]
    assert [media.paths for media in index.iter_media()] == [(str(good),)]


def test_progress_is_told_of_every_file_and_of_the_time_reached(
    index, eileen, portraits, networks
) -> None:
    video = clip(eileen.with_name("grace.mp4"), shot(portraits, "grace", 3))
    told: list[object] = []

    class Telling(Progress):
        def start_run(self, files: int) -> None:
            told.append(files)

        def start_file(self, path: str, duration_s: float | None) -> None:
            told.append((path, duration_s))

        def reach(self, path: str, done_s: float) -> None:  # noqa: ARG002
            told.append(done_s)

        def finish_file(self, path: str) -> None:  # noqa: ARG002
            told.append("finished")

    alone = replace(networks.settings, compute=ComputeSettings(at_once=1))
    networks = replace(networks, settings=alone)
    ingest(index, [eileen.parent], networks, progress=Telling())
    in_photo = [(str(eileen), None), 0.0, "finished"]
    assert told[: len(in_photo) + 2] == [2, *in_photo, (str(video), 0.6)]
    *reached, finished = told[len(in_photo) + 2 :]
    assert (reached, reached[-1], finished) == (sorted(reached), 0.4, "finished")


def test_the_index_knows_what_lies_where(index, eileen, networks) -> None:
    ingest(index, [eileen], networks)
    status, (media,) = eileen.stat(), index.iter_media()
    assert list(index.iter_files()) == [
        MediaFile(str(eileen), status.st_size, status.st_mtime_ns, media.id)
    ]
