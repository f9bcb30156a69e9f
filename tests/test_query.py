"""What can be searched for: photos, videos, stored faces and people, and what cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import open_index
from indexer.errors import (
    EnvironmentFailure,
    MediaError,
    ModelMismatch,
    NoFace,
    NotFound,
    UsageError,
)
from indexer.ingest import ingest
from indexer.naming import name_faces
from indexer.query import PictureQueries, mean_vector, person_query, stored_face_query
from indexer.reindex import reindex
from indexer.searching import alike_unnamed, find
from tests.clips import GREY, WIDTH, clip, faces_of, photo, shot, still
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.query import Query


@pytest.fixture(scope="module")
def media(tmp_path_factory, portraits) -> Path:
    folder = tmp_path_factory.mktemp("media")
    clip(folder / "both.mp4", shot(portraits, "eileen", 6), shot(portraits, "grace", 6, GREY))
    photo(folder / "eileen.png", still(portraits, "eileen"))
    photo(folder / "grace.png", still(portraits, "grace"))
    return folder


@pytest.fixture(scope="module")
def index(tmp_path_factory, media, networks) -> Iterator[Index]:
    location = tmp_path_factory.mktemp("index") / "faces.sightings"
    with open_index(location, create=True) as index:
        ingest(index, [media], networks)
        yield index


@pytest.fixture
def queries(index, networks) -> PictureQueries:
    return PictureQueries(index, networks.settings, networks=networks)


@pytest.fixture
def both(tmp_path, portraits) -> Path:
    """Eileen on the left, Grace on the right, one and a half times as large."""
    left = still(portraits, "eileen")
    right = np.repeat(np.repeat(still(portraits, "grace"), 3, axis=0), 3, axis=1)[::2, ::2]
    right = np.ascontiguousarray(right)
    picture = np.full((right.shape[0], WIDTH + right.shape[1], 3), 128, np.uint8)
    picture[: left.shape[0], :WIDTH] = left
    picture[:, WIDTH:] = right
    return photo(tmp_path / "both.png", picture)


def found(index: Index, query: Query) -> list[tuple[str, int]]:
    """Return the files in which the query's person is seen, with the number of spans."""
    results = find(index, query)
    return sorted((r.media.path.rsplit("/")[-1], len(r.appearances)) for r in results)


EILEEN = [("both.mp4", 1), ("eileen.png", 0)]
GRACE = [("both.mp4", 1), ("grace.png", 0)]


def test_of_a_photo_the_largest_face_is_searched_for(index, queries, both) -> None:
    (query,) = queries.photo(both)
    assert query.number == 2
    assert query.box_xyxy[0] > WIDTH
    assert query.description == f"face 2 of 2 in {both}"
    assert query.thumbnail.startswith(b"\xff\xd8")
    assert found(index, query) == GRACE


def test_faces_are_numbered_from_left_to_right(index, queries, both) -> None:
    (first,), (second,) = queries.photo(both, 1), queries.photo(both, 2)
    assert (first.number, second.number) == (1, 2)
    assert (found(index, first), found(index, second)) == (EILEEN, GRACE)


def test_all_faces_of_a_photo_are_as_many_queries(index, queries, both) -> None:
    listed = queries.photo(both, "all")
    assert [query.number for query in listed] == [1, 2]
    assert [found(index, query) for query in listed] == [EILEEN, GRACE]


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_face_that_is_not_there_is_refused(queries, both, number: int) -> None:
    with pytest.raises(UsageError, match=f"shows 2 faces; face {number} is not one of them"):
        queries.photo(both, number)


def test_a_photo_without_a_face_says_so_and_what_was_looked_for(
    queries, tmp_path, portraits
) -> None:
    path = photo(tmp_path / "coffee.png", still(portraits, "coffee"))
    with pytest.raises(NoFace, match=r"No face was found in .*coffee\.png.* 40 px or larger"):
        queries.photo(path)


def test_several_photos_are_one_query_the_mean_of_their_unit_vectors(
    index, queries, tmp_path, portraits
) -> None:
    paths = [
        photo(tmp_path / f"{i}.png", still(portraits, "grace", shift=10 * i)) for i in range(3)
    ]
    (query,) = queries.photos(paths)
    total = sum(queries.photo(path)[0].vectors[0].astype(float) for path in paths)
    assert query.vectors.shape == (1, 192)
    assert query.vectors[0] == pytest.approx(total / np.linalg.norm(total), abs=1e-6)
    assert found(index, query) == GRACE


def test_each_of_several_photos_must_show_a_face(queries, media, tmp_path, portraits) -> None:
    coffee = photo(tmp_path / "coffee.png", still(portraits, "coffee"))
    with pytest.raises(NoFace, match=r"coffee\.png"):
        queries.photos([media / "grace.png", coffee])


def test_a_number_of_a_face_goes_with_a_single_photo(queries, media) -> None:
    with pytest.raises(UsageError, match="goes with a single photo"):
        queries.photos([media / "grace.png", media / "eileen.png"], 1)


def test_each_of_several_photos_may_say_which_face(index, queries, media, both) -> None:
    (query,) = queries.photos([media / "grace.png", both], "largest", 2)
    assert found(index, query) == GRACE
    (query,) = queries.photos([media / "eileen.png", both], "largest", 1)
    assert found(index, query) == EILEEN


def test_a_video_stands_for_everybody_who_appears_in_it(
    index, queries, tmp_path, portraits
) -> None:
    path = clip(
        tmp_path / "query.mp4", shot(portraits, "grace", 4, GREY), shot(portraits, "eileen", 4)
    )
    query = queries.video(path)
    assert query.vectors.shape == (2, 192)
    assert np.linalg.norm(query.vectors, axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert found(index, query) == [("both.mp4", 2), ("eileen.png", 0), ("grace.png", 0)]


def test_a_video_of_one_person_finds_that_person_only(index, queries, tmp_path, portraits) -> None:
    path = clip(tmp_path / "query.mp4", shot(portraits, "grace", 4, GREY))
    assert found(index, queries.video(path)) == GRACE


def test_a_video_of_nobody_says_so(queries, tmp_path, portraits) -> None:
    path = clip(tmp_path / "nobody.mp4", shot(portraits, "coffee", 2))
    with pytest.raises(NoFace, match=r"Nobody is seen in .*nobody\.mp4"):
        queries.video(path)


def test_what_a_file_is_decides_what_is_asked(queries, media) -> None:
    (photo_query,) = queries.any_media([media / "grace.png"])
    (video_query,) = queries.any_media([media / "both.mp4"])
    assert (len(photo_query.vectors), len(video_query.vectors)) == (1, 2)
    with pytest.raises(UsageError, match="photos of one person or a single video"):
        queries.any_media([media / "grace.png", media / "both.mp4"])
    with pytest.raises(UsageError, match="without --face"):
        queries.any_media([media / "both.mp4"], 1)


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(queries, tmp_path) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(MediaError, match=r"text\.jpg"):
        queries.any_media([tmp_path / "text.jpg"])
    with pytest.raises(MediaError, match=r"absent\.jpg"):
        queries.any_media([tmp_path / "absent.jpg"])


def test_a_stored_face_finds_itself_and_its_likes(index) -> None:
    grace = max(faces_of(index), key=lambda face: (face.appearance_id or "", face.timestamp_s))
    query = stored_face_query(index, grace.id)
    assert find(index, query)[0].score == pytest.approx(1.0)
    assert query.thumbnail == index.thumbnail(grace.id)
    shortened = f"{grace.media_id[:6]}-{grace.id.partition('-')[2]}"
    assert stored_face_query(index, shortened).vectors.tolist() == query.vectors.tolist()
    with pytest.raises(NotFound, match=r"No face 'ffffff-0-0\.0\.0\.0'"):
        stored_face_query(index, "ffffff-0-0.0.0.0")


def test_a_person_is_the_mean_of_the_named_faces(tmp_path, media, networks) -> None:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        ingest(index, [media], networks)
        grace = [face for face in faces_of(index) if face.appearance_start_s == 1.2]
        name_faces(index, "Grace", [grace[0].id])
        query = person_query(index, "Grace")
        expected = mean_vector(np.array([face.vector for face in grace]))
        assert query.vectors == pytest.approx(expected, abs=1e-6)
        assert found(index, query) == GRACE
        with pytest.raises(NotFound, match="No face is named 'Eileen'"):
            person_query(index, "Eileen")


def test_an_empty_index_finds_nothing_and_says_how_to_fill_it(tmp_path, networks, both) -> None:
    with open_index(tmp_path / "empty.sightings", create=True) as index:
        queries = PictureQueries(index, networks.settings, networks=networks)
        with pytest.raises(EnvironmentFailure, match=r"index is empty\. Fill it first"):
            queries.photo(both)
        index.adopt_model(networks.embedder.identity)
        assert find(index, queries.photo(both)[0]) == []


def test_networks_of_a_model_that_is_no_longer_the_indexes_are_refused(
    tmp_path, media, networks
) -> None:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        ingest(index, [media / "grace.png"], networks)
        queries = PictureQueries(index, networks.settings, networks=networks)
        assert len(find(index, queries.photo(media / "grace.png")[0])) == 1
        reindex(index, FakeEmbedder("2"), networks.settings)
        with pytest.raises(ModelMismatch, match="cannot be compared"):
            queries.photo(media / "grace.png")


@pytest.mark.parametrize("kind", ["photo", "several photos", "stored face", "person"])
def test_what_was_made_with_the_model_before_is_not_compared_with_the_one_now(
    kind, tmp_path, media, both, networks
) -> None:
    """The vectors of the two have the same length: nothing else would tell them apart."""
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        ingest(index, [media / "grace.png"], networks)
        (face,) = index.iter_faces()
        name_faces(index, "Grace", [face.id])
        queries = PictureQueries(index, networks.settings, networks=networks)
        (query,) = {
            "photo": lambda: queries.photo(media / "grace.png"),
            "several photos": lambda: queries.photos([media / "grace.png", both]),
            "stored face": lambda: [stored_face_query(index, face.id)],
            "person": lambda: [person_query(index, "Grace")],
        }[kind]()
        assert len(find(index, query, include_different=True)) == 1
        reindex(index, FakeEmbedder("2"), networks.settings)
        for search in (find, alike_unnamed):
            with pytest.raises(ModelMismatch, match="Search again"):
                search(index, query)
