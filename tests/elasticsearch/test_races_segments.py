"""Workers who lose a claim, and others who go on with it at the same time, lose no face."""

from __future__ import annotations

import base64
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.errors import ClaimLost
from indexer.records import SegmentSpan
from indexer.tracks import pack_tracks
from tests.elasticsearch.between import asking, between
from tests.elasticsearch.collections import SETTINGS
from tests.elasticsearch.contents import contents
from tests.elasticsearch.dying import Killed
from tests.engines.builders import (
    MODEL,
    WHOLE,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_track,
    photo,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from indexer.engines.base import Index
    from indexer.records import Face, Media, Segment
    from tests.elasticsearch.between import Ask
    from tests.elasticsearch.contents import Contents


@pytest.fixture
def index(index: Index) -> Index:
    index.adopt_model(MODEL)
    return index


def faces_of(media: Media, places: Sequence[int], by: str) -> list[Face]:
    """The faces that a worker finds at some places; their thumbnails tell who found them."""
    return [
        make_face(media, axis(place), x=60.0 * place, thumbnail=f"{by} {place}".encode())
        for place in places
    ]


def stored(found: Contents, media: Media) -> set[str]:
    """By whom each face of a media is, and where."""
    return {
        base64.b64decode(face["thumbnail"]).decode()
        for face in faces_in(found).values()
        if face["media_id"] == media.id
    }


def faces_in(found: Contents) -> dict[str, Any]:
    (name,) = (kind for kind in found if kind.startswith("faces-") and "none" not in kind)
    return found[name]


def assert_all_are_listed(found: Contents) -> None:
    """No face is beyond the reach of those that would replace or delete it."""
    listed = {i for segment in found["segments-1"].values() for i in segment["face_ids"]}
    listed |= {i for media in found["media-1"].values() for i in media["other_face_ids"]}
    assert faces_in(found).keys() <= listed


@dataclass
class Later:
    """A worker who goes on with what an earlier one claimed, and finds other faces there."""

    index: Index
    media: Media
    restarts: bool
    claimed: Segment | None = None

    def claim(self) -> None:
        if self.restarts:
            self.index.start_media(replace(self.media, options="b"), WHOLE)
        self.claimed = self.index.claim_segment(
            self.media.id, owner="later", lease_s=60.0, max_attempts=9
        )

    def finish(self) -> None:
        if self.claimed is not None:
            finish(self.index, self.claimed, faces_of(self.media, (0, 2), "later"))


@pytest.mark.parametrize(
    ("old", "restarts"),
    [((), True), ((0, 1, 2), False), ((0, 1, 2), True)],
    ids=["new media started anew", "old media", "old media started anew"],
)
def test_the_faces_of_a_segment_are_those_of_the_worker_who_holds_it(
    index: Index, other: Index, location: str, old: tuple[int, ...], restarts: bool
) -> None:
    """Whenever another takes it over, and whenever that one finishes it."""
    expected: dict[Media, set[str]] = {}
    longest = 0
    for claims_before in count(0):
        for finishes_before in count(claims_before):
            media = photo(f"{claims_before} {finishes_before}")
            if old:
                index.start_media(replace(media, options="old"), WHOLE)
                finish(index, claim(index, media), faces_of(media, old, "old"))
            index.start_media(media, WHOLE)
            segment = claim(index, media, "early", lease_s=-1.0)
            later = Later(other, media, restarts)
            steps = ((claims_before, later.claim), (finishes_before, later.finish))
            with between(*steps) as requests, suppress(ClaimLost):
                finish(index, segment, faces_of(media, (0, 1), "early"))
            longest = max(longest, len(requests))
            expected[media] = {"later 0", "later 2"} if later.claimed else {"early 0", "early 1"}
            if finishes_before >= len(requests):
                break
        if claims_before >= len(requests):
            break
    assert longest > 10
    found = contents(location)
    assert {media: stored(found, media) for media in expected} == expected
    assert_all_are_listed(found)


def test_linking_leaves_the_faces_of_who_has_started_the_media_anew(
    index: Index, other: Index, location: str
) -> None:
    def tracked(media: Media, by: str) -> tuple[list[Face], bytes]:
        """Nine faces of one appearance, of which linking keeps five."""
        faces = [
            make_face(media, axis(0), at_s=float(n), thumbnail=f"{by} {n}".encode())
            for n in range(9)
        ]
        return faces, pack_tracks([make_track(faces, start_s=0.0, end_s=9.0)], min_cosine=0.5)

    media_list = []
    for number in count(0):
        media = video(f"v{number}")
        index.start_media(media, WHOLE)
        faces, tracks = tracked(media, "early")
        finish(index, claim(index, media), faces, tracks=tracks)

        def start_anew(media: Media = media) -> None:
            other.start_media(replace(media, options="b"), WHOLE)
            finish(other, claim(other, media, "later"), tracked(media, "later")[0])
            link(other, media)

        with between((number, start_anew)) as requests:
            link(index, media)
        media_list.append(media)
        if len(requests) < number:
            break
    assert number > 5
    found = contents(location)
    for media in media_list:
        assert stored(found, media) == {f"later {n}" for n in range(9)}
    assert {face["appearance_id"] for face in faces_in(found).values()} == {None}
    assert_all_are_listed(found)


@contextmanager
def killed_within_a_bulk(carried_out: int) -> Iterator[list[int]]:
    """End the process with a bulk request of which the cluster carries out so many actions.

    Gives the number of actions that it has.
    """
    actions: list[int] = []

    def perform(ask: Ask, node: Any, method: str, target: str, body: Any, headers: Any) -> Any:
        if "_bulk" not in target:
            return ask(node, method, target, body, headers)
        lines = body.splitlines(keepends=True)
        actions.append(len(lines) // 2)
        ask(node, method, target, b"".join(lines[: 2 * carried_out]), headers)
        raise Killed

    with asking(perform):
        yield actions


THIRDS = tuple(SegmentSpan(n, 60.0 * n, 60.0 * (n + 1)) for n in range(3))
SIXTHS = tuple(SegmentSpan(n, 30.0 * n, 30.0 * (n + 1)) for n in range(6))


def test_starting_anew_with_shorter_segments_leaves_no_face_behind_if_it_is_cut_short(
    index: Index, location: str
) -> None:
    """A bulk request may be carried out in part: the process is killed after each part of it."""
    for carried_out in count(1):
        media = video(f"v{carried_out}")
        index.start_media(media, THIRDS)
        for n in range(3):
            faces = [make_face(media, axis(0), at_s=60.0 * n + 30 * m, segment=n) for m in (0, 1)]
            finish(index, claim(index, media), faces)
        link(index, media)
        again = replace(media, options="b")
        with killed_within_a_bulk(carried_out) as actions, suppress(Killed):
            index.start_media(again, SIXTHS)
        with open_index(location, settings=SETTINGS) as next_run:
            next_run.start_media(again, SIXTHS)
            for _ in SIXTHS:
                finish(next_run, claim(next_run, media))
            assert link(next_run, media).state == "done"
        if carried_out > actions[0]:
            break
    assert carried_out > len(SIXTHS)
    assert faces_in(contents(location)) == {}
