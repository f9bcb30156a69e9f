"""A video gives the same faces and appearances however its segments are worked on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer import open_index
from indexer.ingest import ingest
from indexer.media import content_id, probe
from indexer.pipeline import process_segment
from indexer.records import MediaFile, SegmentSpan
from indexer.reports import Progress
from indexer.settings import AppearanceSettings, FaceSettings, KeyframeSettings, Settings
from indexer.settings_compute import ComputeSettings
from indexer.sources import open_source, spans_of
from indexer.work import LEASE_S, MAX_ATTEMPTS
from tests.clips import BROWN, FPS, GREY, clip, documents, faces_of, photo, shot, still
from tests.clips import spans_of as appearances_of
from tests.ingest_process import peak_bytes
from tests.media_maker import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.base import Index
    from indexer.networks import Networks

SECOND = KeyframeSettings(segment_s=1.0)
WAYS = {
    "delta-e": SECOND,
    "delta-e in two seconds": KeyframeSettings(segment_s=2.0),
    "delta-e to the previous frame": replace(SECOND, reference="previous"),
    "faces first": replace(SECOND, order="faces-first"),
    "frames a second": replace(SECOND, strategy="fps=2.5"),
    "random frames": replace(SECOND, strategy="random=12", seed=7),
    "all frames": replace(SECOND, strategy="all"),
}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        yield index


@pytest.fixture(scope="module")
def film(tmp_path_factory, portraits) -> Path:
    """Eileen until 1.4 s, Grace from 1.6 to 3.2 s, nobody, Eileen from 4.0 s to the end at 5.0."""
    return clip(
        tmp_path_factory.mktemp("film") / "film.mp4",
        shot(portraits, "eileen", 8),
        shot(portraits, "grace", 9, GREY),
        shot(portraits, "", 3, BROWN),
        shot(portraits, "eileen", 6, BROWN),
    )


def under(networks: Networks, **sections: object) -> Networks:
    return replace(networks, settings=replace(networks.settings, **sections))


def ingest_apart(index: Index, path: Path, networks: Networks) -> None:
    """Work on a video as many workers would: each segment by a reader of its own, last first."""
    settings = networks.settings
    index.adopt_model(networks.embedder.identity)
    media = probe(path, content_id(path), settings.media)
    media = replace(media, options=settings.options_for("video"))
    status = path.stat()
    index.put_file(MediaFile(str(path), status.st_size, status.st_mtime_ns, media.id))
    with open_source(path, "video", settings) as source:
        index.start_media(media, spans_of(source, "video", settings.keyframes.segment_s))
    claims = []
    while claim := index.claim_segment(
        media.id, owner=f"host{len(claims)}/1/1.0", lease_s=LEASE_S, max_attempts=MAX_ATTEMPTS
    ):
        claims.append(claim)
    for claim in reversed(claims):
        with open_source(path, "video", settings) as source:
            result = process_segment(media, claim.span, source, networks)
        index.finish_segment(claim, result.faces, tracks=result.tracks, counts=result.counts)
        index.link_appearances(media.id, settings.appearances)


@pytest.mark.parametrize("way", WAYS)
def test_segments_worked_on_apart_give_what_one_pass_gives(
    tmp_path, film, networks, way: str
) -> None:
    networks = under(networks, keyframes=WAYS[way])
    with open_index(tmp_path / "one.sightings", create=True) as index:
        assert ingest(index, [film], networks).done == [str(film)]
        one_pass = documents(index)
    with open_index(tmp_path / "apart.sightings", create=True) as index:
        ingest_apart(index, film, networks)
        assert documents(index) == one_pass
        assert index.count() > 3
        assert index.stats()["segments_done"] == (3 if "two" in way else 6)


def test_a_cut_gives_exact_spans(index, film, networks) -> None:
    ingest(index, [film], networks)
    assert appearances_of(index) == [(0.0, 1.4), (1.6, 3.2), (4.0, 5.0)]


@pytest.mark.parametrize("way", ["delta-e", "delta-e in two seconds", "faces first", "all frames"])
def test_who_is_seen_over_the_border_of_segments_is_one_appearance(
    index, film, networks, way: str
) -> None:
    ingest(index, [film], under(networks, keyframes=WAYS[way]))
    assert appearances_of(index) == [(0.0, 1.4), (1.6, 3.2), (4.0, 5.0)]
    inside = [(face.appearance_start_s, face.timestamp_s) for face in faces_of(index)]
    assert all(start_s <= timestamp_s <= start_s + 1.6 for start_s, timestamp_s in inside)


def test_faces_first_finds_whom_difference_first_finds(tmp_path, film, networks) -> None:
    seen = []
    for order in ("difference-first", "faces-first"):
        with open_index(tmp_path / order, create=True) as index:
            ingest(index, [film], under(networks, keyframes=KeyframeSettings(order=order)))
            means: dict[tuple, list] = {}
            for face in faces_of(index):
                means.setdefault((face.appearance_start_s, face.appearance_end_s), []).append(face)
            seen.append(means)
    assert seen[0].keys() == seen[1].keys()
    for span, faces in seen[0].items():
        assert max(faces[0].vector @ other.vector for other in seen[1][span]) > 0.95


@pytest.mark.parametrize("most", [1, 3])
def test_an_appearance_keeps_at_most_so_many_faces(index, film, networks, most: int) -> None:
    settings = {"appearances": AppearanceSettings(max_faces=most), "keyframes": WAYS["all frames"]}
    report = ingest(index, [film], under(networks, **settings))
    kept = [face.appearance_start_s for face in faces_of(index)]
    assert {start_s: kept.count(start_s) for start_s in kept} == {0.0: most, 1.6: most, 4.0: most}
    assert report.faces == 3 * most
    assert appearances_of(index) == [(0.0, 1.4), (1.6, 3.2), (4.0, 5.0)]


def test_batches_decide_nothing(tmp_path, film, networks) -> None:
    found = []
    for batch_size in (1, 5):
        settings = replace(networks.settings, faces=FaceSettings(batch_size=batch_size))
        with open_index(tmp_path / str(batch_size), create=True) as index:
            detector = type(networks.detector)(settings.faces)
            ingest(index, [film], replace(networks, detector=detector, settings=settings))
            found.append([(face.timestamp_s, face.appearance_start_s) for face in faces_of(index)])
    assert found[0] == found[1]


def test_a_person_gone_for_long_starts_a_new_appearance(
    index, tmp_path, portraits, networks
) -> None:
    path = clip(
        tmp_path / "gone.mp4",
        shot(portraits, "grace", FPS),
        shot(portraits, "", 3 * FPS),
        shot(portraits, "grace", FPS),
    )
    ingest(index, [path], networks)
    assert appearances_of(index) == [(0.0, 0.8), (4.0, 4.8)]


def test_two_people_at_once_are_two_appearances(index, tmp_path, portraits, networks) -> None:
    pictures = [still(portraits, "eileen", "grace", shift=2 * i) for i in range(4)]
    ingest(index, [clip(tmp_path / "both.mp4", pictures)], networks)
    assert appearances_of(index) == [(0.0, 0.6), (0.0, 0.6)]


def test_a_video_of_nobody_is_done_without_faces(index, tmp_path, portraits, networks) -> None:
    path = clip(tmp_path / "nobody.mp4", shot(portraits, "coffee", 4))
    assert ingest(index, [path], networks).done == [str(path)]
    assert index.count() == 0


def test_blurred_faces_can_be_left_out(index, tmp_path, portraits, networks) -> None:
    path = photo(tmp_path / "a.png", still(portraits, "grace"))
    ingest(index, [path], networks)
    (face,) = faces_of(index)
    strict = FaceSettings(min_sharpness=face.sharpness + 1)
    assert ingest(index, [path], under(networks, faces=strict)).faces == 0
    lenient = FaceSettings(min_sharpness=face.sharpness - 1)
    assert ingest(index, [path], under(networks, faces=lenient)).faces == 1


def test_every_frame_is_read_once_in_a_single_opening(index, tmp_path, portraits, networks) -> None:
    path = clip(tmp_path / "a.mp4", shot(portraits, "grace", 12))

    class Unlinking(Progress):
        def __init__(self) -> None:
            self.times_s: list[float] = []

        def reach(self, path: str, done_s: float) -> None:
            # What is open stays readable, but cannot be opened again.
            Path(path).unlink(missing_ok=True)
            self.times_s.append(done_s)

    progress = Unlinking()
    alone = ComputeSettings(at_once=1)
    ingest(index, [path], under(networks, keyframes=SECOND, compute=alone), progress=progress)
    assert progress.times_s == sorted(progress.times_s)
    assert progress.times_s[-1] == 11 / FPS
    (media,) = index.iter_media()
    assert (media.state, media.warnings) == ("done", ())
    assert [segment.counts.frames for segment in index.list_segments(media.id)] == [5, 5, 2]


@pytest.mark.parametrize("order", ["difference-first", "faces-first"])
def test_a_video_of_nobody_shows_its_progress_and_can_be_ended(tmp_path, networks, order) -> None:
    """Without faces no batch of them is ever full; the lease is renewed all the same."""
    path = clip(tmp_path / "nobody.mp4", plain(100, BROWN), fps=5)
    networks = under(networks, keyframes=KeyframeSettings(strategy="all", order=order))
    media = probe(path, content_id(path), networks.settings.media)
    times: list[float] = []

    def end_later(reached_s: float) -> None:
        times.append(reached_s)
        if reached_s > 10.0:
            raise TimeoutError

    with open_source(path, media.kind, networks.settings) as source, pytest.raises(TimeoutError):
        process_segment(media, SegmentSpan(0, 0.0, 60.0), source, networks, on_time=end_later)
    assert times[-1] < 19.0
    assert len(times) > 5


@pytest.mark.parametrize("order", ["difference-first", "faces-first"])
def test_memory_does_not_grow_with_the_length_of_a_video(tmp_path, order: str) -> None:
    # Faces that large cannot be there, so that looking for them costs nothing.
    settings = Settings(
        keyframes=KeyframeSettings(order=order, segment_s=600.0), faces=FaceSettings(min_face_px=99)
    )
    videos = [clip(tmp_path / f"{n}.mp4", plain(n, BROWN), fps=25) for n in (300, 1800)]
    short, long = peak_bytes(tmp_path / "faces.sightings", videos, settings)
    # 1,500 more pictures of 46 kB would be 69 MB.
    assert long - short < 20_000_000
