"""Which runs a report shows, which of them tell the same, and what each is best at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.evaluation.report.measures import MAP, NEAREST, SUMMARY, TAR_1E3

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from indexer.evaluation.records import Outcome, OutcomeKind

COLOURS = 7
"""Of Okabe and Ito's palette for all kinds of colour vision, less yellow, which white swallows."""

_USUAL = (("metric", "cosine"),)


@dataclass(frozen=True)
class Curve:
    """A run as plots show it: the first of those that measured the very same.

    also: the others' names; they differ in what the vectors are stored in. place: of its colour
    and line style, from 0; None where more runs are drawn than can be told apart.
    """

    outcome: Outcome
    also: tuple[str, ...]
    place: int | None

    @property
    def name(self) -> str:
        """The run's name in the matrix."""
        return self.outcome.name


@dataclass(frozen=True)
class BestAt:
    """Who is best at something: the names of all that share the place, and the next one's."""

    title: str
    hint: str
    names: tuple[str, ...]
    value: str
    next_name: str
    next_value: str


def done(outcomes: Iterable[Outcome], kind: OutcomeKind) -> list[Outcome]:
    """Return the runs of a kind that have measured something."""
    return [each for each in outcomes if each.kind == kind and each.state == "done"]


def curves(outcomes: Sequence[Outcome]) -> list[Curve]:
    """Return the done runs on photos that tell different things, the best first.

    The first seven have a place of their own in the palette, by their share of accepted pairs at
    FAR 1e-3, and where that is not known, by mean average precision.
    """
    same: dict[str, list[Outcome]] = {}
    for each in done(outcomes, "photos"):
        same.setdefault(_key(each), []).append(each)
    drawn = [(max(group, key=_fullness), group) for group in same.values()]
    drawn.sort(key=lambda each: _standing(each[0]), reverse=True)
    drawn.sort(key=lambda each: not each[0].arrays)  # without arrays there are no lines to draw
    return [
        Curve(
            first,
            tuple(each.name for each in group if each is not first),
            place if place < COLOURS and first.arrays else None,
        )
        for place, (first, group) in enumerate(drawn)
    ]


def best_at(outcomes: Sequence[Outcome]) -> list[BestAt]:
    """Return who is best at each of the summary's measures, as far as two runs have it."""
    runs = done(outcomes, "photos")
    rows = []
    for measure in SUMMARY:
        known = {
            each.name: value
            for each in measure.comparable(runs)
            if (value := measure.of(each)) is not None
        }
        texts = {each.name: measure.text(each) for each in runs}
        rows += _ranked(measure.title, measure.hint, known, texts, measure.better)
    return rows


def best_of(values: Iterable[float | None], better: str) -> float | None:
    """Return the best of the values that are known; None if fewer than two are."""
    known = [value for value in values if value is not None]
    if len(known) < 2 or not better:
        return None
    best = max(known) if better == "high" else min(known)
    return best if len(set(known)) > 1 else None


def described(configuration: Mapping[str, Any]) -> str:
    """Return a configuration in a line: what is set, not what is off."""
    parts: list[str] = []
    for key, value in configuration.items():
        if value is None or value is False or value == "" or (key, value) in _USUAL:
            continue
        words = key.replace("_", " ")
        if key == "about":
            parts.insert(0, str(value))
        elif isinstance(value, dict):
            inner = described(value)
            parts += [f"{words} ({inner})"] if inner else []
        else:
            parts.append(words if value is True else f"{words} {value}")
    return " · ".join(parts)


def _ranked(
    title: str, hint: str, known: Mapping[str, float], texts: Mapping[str, str], better: str
) -> list[BestAt]:
    best = best_of(known.values(), better)
    if best is None:
        return []
    names = tuple(name for name, value in known.items() if value == best)
    rest = {name: value for name, value in known.items() if value != best}
    follower = (max if better == "high" else min)(rest, key=lambda name: rest[name])
    return [BestAt(title, hint, names, texts[names[0]], follower, texts[follower])]


def _standing(outcome: Outcome) -> tuple[float, ...]:
    return tuple(measure.of(outcome) or 0.0 for measure in (TAR_1E3, MAP, NEAREST))


def _key(outcome: Outcome) -> str:
    """Return a digest of what was measured on: the same vectors, compared in the same way.

    Runs that differ in the store alone share it. Without vectors a run is like no other.
    """
    if "map_vectors" not in outcome.arrays:
        return f"run {outcome.name}"
    digest = hashlib.sha256(str(outcome.configuration.get("metric", "cosine")).encode())
    for name in ("names", "map_rows", "map_vectors"):
        if name in outcome.arrays:
            digest.update(np.ascontiguousarray(outcome.arrays[name]).tobytes())
    return digest.hexdigest()


def _fullness(outcome: Outcome) -> tuple[bool, int]:
    """Return what the run to draw is chosen by: exact search, and all that plots need."""
    return not outcome.metrics.get("store"), len(outcome.arrays)
