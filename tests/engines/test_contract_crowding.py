"""One long video full of a person beside many media with a few faces each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.records import SegmentSpan
from indexer.tracks import pack_tracks
from tests.engines.builders import (
    add_photo,
    add_video,
    at_cosine,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_track,
    photo,
    start,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.base import Index
    from indexer.results import Group

ME = axis(0)[None]
MINUTES = 5
OTHERS = 50
SPANS_FROM = 0.92502  # between two of the cosines

Spans = list[tuple[float, float]]


def spans(group: Group) -> list[tuple[float | None, float | None]]:
    return [(hit.face.appearance_start_s, hit.face.appearance_end_s) for hit in group.hits]


def add_long_video(index: Index, cosines: Sequence[float]) -> Spans:
    """Add a video of appearances of five faces each, the best of which have these cosines.

    Returns their spans, in order of time.
    """
    long, of_minute = video("long"), len(cosines) // MINUTES
    segment = start(index, long, [SegmentSpan(n, 60.0 * n, 60.0 * (n + 1)) for n in range(MINUTES)])
    found: Spans = []
    for minute in range(MINUTES):
        faces, tracks = [], []
        for n, cosine in enumerate(cosines[minute * of_minute : (minute + 1) * of_minute]):
            start_s = 60.0 * minute + 0.25 * n
            five = [
                make_face(long, at_cosine(cosine - 0.1 * i), at_s=start_s + i / 32, segment=minute)
                for i in (2, 0, 4, 1, 3)
            ]
            found.append((start_s, start_s + 0.1875))
            tracks.append(make_track(five, start_s=start_s, end_s=found[-1][1]))
            faces += five
        finish(index, segment, faces, tracks=pack_tracks(tracks, min_cosine=0.5))
        if minute < MINUTES - 1:
            segment = claim(index, long)
    link(index, long)
    return found


def add_others(index: Index) -> list[str]:
    """Add media with three faces each; return their ids, those that match best first."""
    ids = []
    for n in range(OTHERS):
        three = [at_cosine(0.8 - 0.01 * n - 0.05 * i, towards=2 + i) for i in (1, 0, 2)]
        if n % 5:
            add_photo(index, f"p{n}", *three)
        else:
            runs = [(4.0 * i, 4.0 * i + 2.5, [vector]) for i, vector in enumerate(three)]
            add_video(index, f"p{n}", *runs)
        ids.append(photo(f"p{n}").id)
    return ids


def test_a_video_of_5000_faces_crowds_out_none_of_50_media_of_three(index: Index) -> None:
    cosines = 0.9 + np.random.default_rng(1).permutation(1000) / 20_000
    in_time = add_long_video(index, cosines.tolist())
    best_first = [video("long").id, *add_others(index)]
    assert index.count() == 5000 + 3 * OTHERS

    in_order = np.argsort(-cosines)
    expected = [in_time[n] for n in in_order if cosines[n] > SPANS_FROM]
    for groups, found in ((20, 20), (51, 51), (1000, 51)):
        answer = index.search_groups(ME, groups, span_score=SPANS_FROM)
        assert [group.media.id for group in answer] == best_first[:found]
        assert spans(answer[0]) == expected
        assert answer[0].hits[0].score == pytest.approx(cosines.max(), abs=1e-6)

    every_span = index.search_groups(ME, 51, span_score=0.1)
    assert [len(group.hits) for group in every_span] == [1000] + [3] * OTHERS
    assert spans(every_span[0]) == [in_time[n] for n in in_order]
    for group in every_span[1:]:
        of_video = [(4.0, 6.5), (0.0, 2.5), (8.0, 10.5)]
        assert spans(group) == (of_video if group.media.kind == "video" else [(None, None)] * 3)
