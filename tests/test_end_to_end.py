"""Real photos and videos through the whole of it, with two kinds of embedding models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer import index_media, open_index, search
from indexer.evaluation.matrix import CARDS
from indexer.naming import name_faces
from indexer.query import person_query
from indexer.records import Filters
from indexer.searching import find
from tests.rendered import PEOPLE, photo, render, script, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.base import Index
    from indexer.reports import Report
    from indexer.results import Result

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

OBAMA = {"obama.mp4", "obama_b.mp4", "obama_c.mp4"}
MODELS = {
    "facenet": "facenet:{models}/facenet-vggface2.pt",
    "mobilefacenet": "onnx:{models}/mobilefacenet.onnx?card={cards}/mobilefacenet.json",
}


@dataclass(frozen=True)
class Library:
    """An index of the videos, the stills, the rendered video and 300 photos of LFW."""

    index: Index
    shared: Path
    folders: list[Path]
    model: str
    first_run: Report

    def search(self, picture: str, **options: object) -> list[Result]:
        return search(self.index, self.shared / "data" / picture, **options)


@pytest.fixture(scope="module")
def rendered(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rendered") / "rendered.mp4"
    render(path, shared_data / "data" / "lfw", script())
    return path


@pytest.fixture(scope="module")
def some_lfw(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first photos of every ninth person, in LFW's layout: 300 in all."""
    folder = tmp_path_factory.mktemp("lfw")
    people = sorted((shared_data / "data" / "lfw").iterdir())[::9]
    photos = [path for person in people for path in sorted(person.iterdir())[:2]][:300]
    for path in photos:
        (folder / path.parent.name).mkdir(exist_ok=True)
        (folder / path.parent.name / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module", params=MODELS)
def library(
    request: pytest.FixtureRequest,
    shared_data: Path,
    rendered: Path,
    some_lfw: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Library]:
    model = MODELS[request.param].format(models=shared_data / "models", cards=CARDS)
    folders = [shared_data / "data" / "videos", shared_data / "data" / "stills", rendered, some_lfw]
    with open_index(tmp_path_factory.mktemp("index") / "faces.sightings", create=True) as index:
        report = index_media(index, folders, model=model)
        yield Library(index, shared_data, folders, model, report)


def name_of(result: Result) -> str:
    return Path(result.media.path).name


def videos(results: list[Result]) -> list[Result]:
    return [result for result in results if result.media.kind == "video"]


def test_every_file_is_done(library: Library) -> None:
    assert library.first_run.failed == []
    assert len(library.first_run.done) == 13 + 8 + 1 + 300
    assert {media.state for media in library.index.iter_media()} == {"done"}


def test_a_photo_of_obama_finds_his_three_videos_before_every_other(library: Library) -> None:
    found = videos(library.search("stills/obama.jpg", top=50))
    assert {name_of(result) for result in found[:3]} == OBAMA
    assert all(result.appearances for result in found[:3])
    assert {result.verdict for result in found[:3]} <= {"same person", "possible"}


def test_no_video_without_him_is_called_the_same_person(library: Library) -> None:
    with_him = OBAMA | {"short_hamilton_clip.mp4"}
    for result in videos(library.search("stills/obama.jpg", top=50)):
        assert name_of(result) in with_him or result.verdict != "same person"


def test_his_spans_cover_his_videos(library: Library) -> None:
    for result in videos(library.search("stills/obama.jpg"))[:3]:
        seen_s = sum(span.end_s - span.start_s for span in result.appearances)
        assert result.media.duration_s is not None
        assert seen_s > 0.8 * result.media.duration_s


def test_his_photos_at_other_sizes_are_found_as_well(library: Library) -> None:
    found = {name_of(r) for r in library.search("stills/obama.jpg") if r.verdict == "same person"}
    assert found >= {"obama.jpg", "obama-1080p.jpg", "obama-240p.jpg", "obama_and_biden.jpg"}


def test_a_photo_of_biden_finds_the_debate_with_one_span_over_the_cut(library: Library) -> None:
    best = videos(library.search("lfw/Joseph_Biden/Joseph_Biden_0001.jpg"))[0]
    assert name_of(best) == "trump_b.mp4"
    assert len(best.appearances) == 1
    assert best.media.duration_s is not None
    assert best.appearances[0].start_s < 0.5
    assert best.appearances[0].end_s > best.media.duration_s - 1.0


def test_the_two_clips_of_one_speaker_find_each_other(library: Library) -> None:
    found = videos(library.search("videos/pwij3p.mpg"))
    assert [name_of(result) for result in found[:2]] == ["pwij3p.mpg", "id2_vcd_swwp2s.mpg"]
    assert found[1].verdict == "same person"
    assert all(result.verdict != "same person" for result in found[2:])


@pytest.mark.parametrize("person", PEOPLE)
def test_each_persons_spans_in_the_rendered_video_are_right(library: Library, person: str) -> None:
    lfw = library.shared / "data" / "lfw"
    queries = [photo(lfw, person, number) for number in (5, 6, 7)]
    best = videos(search(library.index, queries))[0]
    assert name_of(best) == "rendered.mp4"
    found = [(span.start_s, span.end_s) for span in best.appearances]
    expected = spans_of(script())[person]
    assert len(found) == len(expected), (found, expected)
    for (start_s, end_s), (true_start_s, true_end_s) in zip(found, expected, strict=True):
        assert start_s == pytest.approx(true_start_s, abs=0.5)
        assert end_s == pytest.approx(true_end_s, abs=0.5)


def test_an_appearance_keeps_at_most_five_faces(library: Library) -> None:
    kept: dict[str, int] = {}
    for face in library.index.iter_faces(Filters(kind="video")):
        assert face.appearance_id is not None
        kept[face.appearance_id] = kept.get(face.appearance_id, 0) + 1
    assert max(kept.values()) == 5


def test_a_second_run_does_no_work(library: Library) -> None:
    before = library.index.count()
    again = index_media(library.index, library.folders)
    assert again.done == []
    assert again.faces == 0
    assert len(again.skipped) == len(library.first_run.done)
    assert library.index.count() == before


def test_naming_a_face_in_one_video_finds_the_person_in_the_others(library: Library) -> None:
    index = library.index
    (video,) = index.iter_media(Filters(file_names=("obama_b.mp4",)))
    face = next(index.iter_faces(Filters(media_ids=(video.id,))))
    assert name_faces(index, "Barack Obama", [face.id]) == 1
    named = list(index.iter_faces(Filters(persons=("Barack Obama",))))
    assert len(named) > 1
    found = videos(find(index, person_query(index, "Barack Obama"), top=50))
    assert {name_of(result) for result in found[:3]} == OBAMA
    others = find(index, person_query(index, "Barack Obama"), filters=Filters(unnamed=True))
    assert {name_of(result) for result in videos(others)[:2]} == OBAMA - {"obama_b.mp4"}
