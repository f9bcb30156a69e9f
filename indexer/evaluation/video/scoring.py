"""What searches found in clips, against the truth -> an evaluation's numbers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.evaluation.video.measures import (
    Moments,
    average_precision,
    covered,
    joined,
    moments,
    seconds,
    span_errors,
)
from indexer.evaluation.video.truth import named, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from indexer.evaluation.video.finding import Found
    from indexer.evaluation.video.sets import Clip
    from indexer.evaluation.video.truth import Span
    from indexer.records import Verdict

    Array = np.ndarray[Any, Any]

LEVELS: Mapping[str, tuple[Verdict, ...]] = {
    "": ("same person",),
    "_possible": ("same person", "possible"),
}
"""The verdicts that count, by the suffix of what is measured with them."""


@dataclass(frozen=True)
class Answer:
    """What a search for a person gave. found: of each clip; None if there was no face to ask by."""

    person: str
    found: Sequence[Found] | None

    def spans(self, clip: int, verdicts: Sequence[Verdict]) -> list[Span]:
        """Return the spans found on a clip, with any of the verdicts."""
        if self.found is None:
            return []
        return [span for verdict in verdicts for span in self.found[clip].spans.get(verdict, ())]


def mean_average_precision(answers: Iterable[Answer], clips: Sequence[Clip]) -> float | None:
    """Return the mean over searches of how well clips with the person come before those without.

    A clip is relevant if the person is visible on any of its frames. Searches for people who are in
    no clip are left out; None if no other is left.
    """
    values = []
    for answer in answers:
        relevant = [_is_seen(clip, answer.person) for clip in clips]
        if not any(relevant):
            continue
        scores = [each.score for each in answer.found or ()]
        ranked = sorted(
            (i for i, score in enumerate(scores) if score is not None),
            key=lambda i: -(scores[i] or 0.0),
        )
        values.append(average_precision([relevant[i] for i in ranked], sum(relevant)))
    return float(np.mean(values)) if values else None


def moments_found(
    answers: Iterable[Answer], clips: Sequence[Clip], verdicts: Sequence[Verdict]
) -> tuple[Moments, Array]:
    """Return the frames right, missed and wrong of all searches, and the seconds found rightly.

    The latter are rows of (search, clip, second), int32; searches by their order.
    """
    total, rows = Moments(), []
    for number, answer in enumerate(answers):
        for clip_number, clip in enumerate(clips):
            found = covered(answer.spans(clip_number, verdicts), clip.times_s)
            visible, present = _masks(clip, answer.person)
            total += moments(found, visible, present)
            right_s = seconds(found & visible, clip.times_s)
            rows += [(number, clip_number, second) for second in right_s]
    return total, np.array(rows, np.int32).reshape(-1, 3)


def span_error(
    answers: Iterable[Answer], clips: Sequence[Clip], verdicts: Sequence[Verdict], gap_s: float
) -> dict[str, float | int | None]:
    """Return how far the starts and ends of true spans are missed: median and p90, in seconds.

    gap_s: spans that follow each other within this time are one, found and true ones alike. With
    `spans`, how many there are, and `missed`, how many no found span overlaps.
    """
    errors: list[float] = []
    spans = 0
    for answer in answers:
        for clip_number, clip in enumerate(clips):
            visible, _ = _masks(clip, answer.person)
            true = joined(spans_of(visible, clip.times_s), gap_s)
            found = joined(answer.spans(clip_number, verdicts), gap_s)
            errors += span_errors(found, true)
            spans += len(true)
    median, p90 = np.percentile(errors, [50, 90]).tolist() if errors else (None, None)
    return {"median": median, "p90": p90, "spans": spans, "missed": spans - len(errors) // 2}


def seconds_followed(
    followed: Sequence[Mapping[str, Sequence[Span]]], clips: Sequence[Clip]
) -> Array:
    """Return the seconds in which people were followed where they are, whatever they look like.

    followed: of each clip the spans by person. Returns rows of (person, clip, second), int32;
    people of all clips in order of name.
    """
    numbers: dict[str, int] = defaultdict(int)
    names = sorted({each.person for clip in clips for each in clip.people})
    numbers |= {name: number for number, name in enumerate(names)}
    rows = [
        (numbers[each.person], clip_number, second)
        for clip_number, clip in enumerate(clips)
        for each in clip.people
        for second in seconds(
            covered(followed[clip_number].get(each.person, ()), clip.times_s) & each.visible,
            clip.times_s,
        )
    ]
    return np.array(rows, np.int32).reshape(-1, 3)


def _is_seen(clip: Clip, person: str) -> bool:
    return bool(_masks(clip, person)[0].any())


def _masks(clip: Clip, person: str) -> tuple[Array, Array]:
    """Return on which frames somebody is visible, and present at all."""
    truth = named(clip.people, person)
    if truth is None:
        nowhere = np.zeros(len(clip.times_s), bool)
        return nowhere, nowhere
    return truth.visible, truth.present
