"""Names, paths and appearances that several write to the same faces at the same moment."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from indexer.errors import NotFound
from indexer.naming import name_from_folder
from indexer.records import Filters
from indexer.tracks import pack_tracks
from tests.elasticsearch.between import asking, between
from tests.elasticsearch.dying import killed
from tests.engines.builders import (
    MODEL,
    WHOLE,
    add_photo,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    make_track,
    present,
    put_path,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Change = Callable[[], object]
    from indexer.engines.base import Index
    from indexer.records import Face, Label, Media
    from tests.elasticsearch.between import Ask


@pytest.fixture
def index(index: Index) -> Index:
    index.adopt_model(MODEL)
    return index


def unlinked(index: Index, name: str) -> tuple[Media, list[Face]]:
    """A video of one appearance of three faces, finished and not linked yet."""
    media = video(name)
    faces = [make_face(media, axis(0), at_s=float(n)) for n in range(3)]
    track = make_track(faces, start_s=0.0, end_s=3.0)
    index.start_media(media, WHOLE)
    finish(index, claim(index, media), faces, tracks=pack_tracks([track], min_cosine=0.5))
    return media, faces


def assert_complete(index: Index, media: Media, *, person: str, path: str) -> None:
    """Each face has its appearance, its name and the path of its media."""
    faces = list(index.iter_faces(Filters(media_ids=(media.id,))))
    assert len(faces) == 3
    assert len({face.appearance_id for face in faces}) == 1
    assert {(face.appearance_start_s, face.appearance_end_s) for face in faces} == {(0.0, 3.0)}
    assert {face.person for face in faces} == {person}
    index.refresh()
    assert index.count(Filters(media_ids=(media.id,), path_prefix=path, persons=(person,))) == 3


def changes(index: Index, media: Media, faces: list[Face]) -> dict[str, Change]:
    """What is done to a video until all is known of it, in any order."""
    return {
        "link": lambda: link(index, media),
        "label": lambda: index.label([make_label(faces[1], "Ann")]),
        "path": lambda: put_path(index, media, "/v/v.mp4"),
    }


def test_what_is_said_of_a_media_while_it_is_linked_is_not_lost(index: Index, other: Index) -> None:
    for number in count(0):
        media, faces = unlinked(index, f"v{number}")
        theirs = changes(other, media, faces)
        with between((number, theirs["label"]), (number, theirs["path"])) as requests:
            link(index, media)
        assert_complete(index, media, person="Ann", path="/v")
        if number > len(requests):
            break
    assert number > 8


@contextmanager
def refused_once() -> Iterator[list[str]]:
    """Refuse the first update of a face, as a shard does that gets two at the same moment.

    Gives the ids of the faces.
    """
    refused: list[str] = []

    def perform(ask: Ask, node: Any, method: str, target: str, body: Any, headers: Any) -> Any:
        lines = body.splitlines(keepends=True) if "_bulk" in target else []
        meta = orjson.loads(lines[0]).get("update") if lines and not refused else None
        if meta is None or "-faces-" not in meta["_index"]:
            return ask(node, method, target, body, headers)
        refused.append(meta["_id"])
        error = {"type": "version_conflict_engine_exception", "reason": "version conflict"}
        items = [{"update": {"_id": meta["_id"], "status": 409, "error": error}}]
        if len(lines) == 2:
            others = ask(node, "GET", "/_cluster/health", None, None)
        else:
            others = ask(node, method, target, b"".join(lines[2:]), headers)
            items += orjson.loads(others.body)["items"]
        return others._replace(body=orjson.dumps({"errors": True, "items": items}))

    with asking(perform):
        yield refused


@pytest.mark.parametrize("refused", ["link", "label", "path"])
def test_a_face_that_another_one_writes_at_the_same_moment_is_written_again(
    index: Index, refused: str
) -> None:
    media, faces = unlinked(index, "v")
    due = changes(index, media, faces)
    due.pop(refused, None)
    for change in due.values():
        change()
    with refused_once() as ids:
        changes(index, media, faces)[refused]()
    assert len(ids) == 1
    assert_complete(index, media, person="Ann", path="/v")


def renaming(index: Index, face: Face) -> Change:
    """Name a face by hand; the change renames the person, if there is still one of that name."""
    index.label([make_label(face, "Ann")])

    def rename() -> None:
        with suppress(NotFound):
            index.rename_person("Ann", "Anna")

    return rename


def naming_again(index: Index, face: Face) -> Change:
    """Name a face by hand, which is cut short; the change names the photo by its folder."""
    media = index.get_media(face.media_id)
    assert media is not None
    killed(2, lambda: index.label([make_label(face, "Ann")]))
    return lambda: name_from_folder(index, media, Path("/folder/photo.jpg"))


@pytest.mark.parametrize("prepare", [renaming, naming_again])
@pytest.mark.parametrize("theirs", ["labels", "deletes"])
def test_who_renames_or_names_again_undoes_no_label_given_or_deleted_meanwhile(
    index: Index, other: Index, prepare: Callable[[Index, Face], Change], theirs: str
) -> None:
    expected = {"Bob"} if theirs == "labels" else set()
    told = {}
    for number in count(0):
        (face,) = add_photo(index, f"p{number}", axis(0))
        mine, label = prepare(index, face), make_label(face, "Bob")

        def act(label: Label = label) -> None:
            other.label([label]) if theirs == "labels" else other.delete_labels([label.id])

        with between((number, act)) as requests:
            mine()
        labels = index.list_labels([face.media_id])
        by_hand = {one.person for one in labels if one.source == "hand"}
        names = {present(index, face).person} - {None, "folder"}
        if by_hand != expected or names != expected:
            told[number] = requests[number:]
        if number > len(requests):
            break
    assert number > 5
    assert told == {}
