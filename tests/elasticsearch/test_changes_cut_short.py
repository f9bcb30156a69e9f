"""A change that was cut short, before whatever request, is completed by doing it again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.errors import NotFound
from indexer.records import MediaFile, SegmentSpan
from indexer.settings import ElasticsearchSettings
from indexer.tracks import pack_tracks
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.contents import contents, differences, layout, put_back
from tests.elasticsearch.dying import killed
from tests.engines.builders import (
    MODEL,
    OTHER_MODEL,
    add_photo,
    add_video,
    at_cosine,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    make_track,
    photo,
    put_path,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer.engines.base import Index
    from indexer.records import Face, Segment
    from tests.elasticsearch.contents import Contents

    Change = Callable[[Index], object]

LOADING = ElasticsearchSettings(replicas=1, expunge_s=0, first_load=True)

HALVES = (SegmentSpan(0, 0.0, 60.0), SegmentSpan(1, 60.0, 120.0))
UNFINISHED = video("unfinished")
ANN, BOB = (make_face(photo("p"), at_cosine(0.9), x=100.0 * n) for n in range(2))


def changed(face: Face) -> Face:
    """A face as the second model of the collection has it."""
    return replace(face, model=OTHER_MODEL.key, embedding=axis(0, dimensions=4))


def faces_of_half(number: int) -> list[Face]:
    """Six faces of one appearance that goes on over both halves: one more than are kept."""
    at_s = HALVES[number].start_s
    faces = [make_face(UNFINISHED, axis(0), at_s=at_s + 10 * n, segment=number) for n in range(6)]
    return [changed(face) for face in faces]


def finish_half(index: Index, segment: Segment) -> None:
    faces, number = faces_of_half(segment.span.number), segment.span.number
    at_s = HALVES[number]
    track = make_track(faces, start_s=at_s.start_s, end_s=at_s.end_s)
    track = replace(track, still_open=number == 0)
    finish(index, segment, faces, tracks=pack_tracks([track], min_cosine=0.5))


def populate(index: Index) -> None:
    """Photos and a video with named faces, in a replaced version too."""
    add_photo(index, "p", ANN.vector, BOB.vector, path="/a/p.jpg")
    add_photo(index, "q", axis(2), path="/a/q.jpg")
    ((seen, *_), _) = add_video(index, "v", (0.0, 10.0, [axis(3)] * 3), (20.0, 30.0, [axis(4)] * 2))
    index.label([make_label(ANN, "Ann"), make_label(BOB, "Bob"), make_label(seen, "Ann")])
    index.begin_version(OTHER_MODEL)
    vector = axis(0, dimensions=4)
    index.put_vectors(
        OTHER_MODEL.key, {face.id: vector for face in index.unembedded_faces(OTHER_MODEL.key)}
    )
    index.activate_version(OTHER_MODEL.key)


@pytest.fixture(scope="module")
def location(elasticsearch_url: str) -> Iterator[str]:
    with new_collection(elasticsearch_url) as location:
        with open_index(location, create=True, settings=SETTINGS) as index:
            populate(index)
        yield location


@pytest.fixture(scope="module")
def before(location: str) -> Contents:
    """What the collection holds before each change."""
    return contents(location)


CHANGES: dict[str, Change] = {
    "label": lambda index: index.label([make_label(BOB, "Bert"), make_label(ANN, "Anna")]),
    "delete labels": lambda index: index.delete_labels([make_label(ANN, "Ann").id]),
    "rename": lambda index: index.rename_person("Ann", "Anna"),
    "forget": lambda index: index.forget_person("Ann"),
    "delete media": lambda index: index.delete_media([photo("p").id, video("v").id]),
    "delete faces": lambda index: index.delete_faces([ANN.id]),
    "move a file": lambda index: put_path(index, photo("q"), "/a/p.jpg"),
    "add a file": lambda index: index.put_file(MediaFile("/b/c.jpg", 1, 1, photo("p").id)),
    "remove a file": lambda index: index.remove_file("/a/p.jpg"),
    "start anew": lambda index: index.start_media(video("v", options="b"), HALVES),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_killed_before_any_request_and_done_again_a_change_is_complete(
    location: str, before: Contents, change: Change
) -> None:
    def do(index: Index) -> None:
        # What was complete when it was killed leaves nothing of that name.
        with suppress(NotFound):
            change(index)

    put_back(location, before)
    with open_index(location, settings=SETTINGS) as index:
        change(index)
    undisturbed = contents(location)
    assert differences(undisturbed, before) != []
    for number in count(1):
        put_back(location, before)
        with open_index(location, settings=SETTINGS) as index:
            requests = killed(number, lambda: do(index))
        if len(requests) < number:
            break
        with open_index(location, settings=SETTINGS) as index:
            do(index)
        assert differences(contents(location), undisturbed) == [], requests
    assert number > 2


def assert_nothing_is_done_too_early(location: str, undisturbed: Contents) -> None:
    """A media that counts as done has the faces that it has in the end."""
    now = contents(location)
    if now["media-1"].get(UNFINISHED.id, {}).get("state") == "done":
        assert of_media(now, UNFINISHED.id) == of_media(undisturbed, UNFINISHED.id)


def of_media(found: Contents, media_id: str) -> dict[str, object]:
    passing = {"indexed_at": None}
    return {
        doc_id: source | passing
        for kind, documents in found.items()
        if kind.startswith("faces-")
        for doc_id, source in documents.items()
        if source["media_id"] == media_id
    }


def test_a_media_killed_while_it_is_finished_and_linked_is_not_done_before(
    location: str, before: Contents
) -> None:
    put_back(location, before)

    def work(index: Index) -> None:
        index.release_claims("worker")
        while segment := index.claim_segment(
            UNFINISHED.id, owner="worker", lease_s=60.0, max_attempts=100
        ):
            finish_half(index, segment)
        link(index, UNFINISHED)

    with open_index(location, settings=SETTINGS) as index:
        index.start_media(UNFINISHED, HALVES)
        index.label([make_label(faces_of_half(0)[0], "Ann")])
        finish_half(index, claim(index, UNFINISHED))
        started = contents(location)
        work(index)
    undisturbed = contents(location)
    for number in count(1):
        put_back(location, started)
        with open_index(location, settings=SETTINGS) as index:
            requests = killed(number, lambda: work(index))
        if len(requests) < number:
            break
        assert_nothing_is_done_too_early(location, undisturbed)
        with open_index(location, settings=SETTINGS) as index:
            work(index)
        assert differences(contents(location), undisturbed) == [], requests
    assert number > 7


def test_a_load_that_was_cut_short_is_ended_by_optimize(elasticsearch_url: str) -> None:
    with new_collection(elasticsearch_url) as location:
        with open_index(location, create=True, settings=LOADING) as index:
            index.adopt_model(MODEL)
        empty, laid_out = contents(location), layout(location)

        def load(index: Index) -> None:
            with index.loading():
                put_path(index, photo("p"), "/a/p.jpg")

        with open_index(location, settings=LOADING) as index:
            load(index)
            undisturbed = contents(location)
            for number in count(1):
                put_back(location, empty)
                requests = killed(number, lambda: load(index))
                if len(requests) < number:
                    break
                # The process that loaded seems to live on, so nobody takes its load away.
                load(index)
                index.optimize()
                assert differences(contents(location), undisturbed) == [], requests
                assert layout(location) == laid_out
    assert number > 5
