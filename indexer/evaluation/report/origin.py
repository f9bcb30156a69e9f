"""What made the results: versions, seeds, hashes, the machine; said once where all share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indexer.evaluation.report.flat import flattened, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.evaluation.records import Outcome


@dataclass(frozen=True)
class Origin:
    """shared: what holds for every run that says so. own: name of a run and what holds only there.

    Both are pairs of a path, such as `versions.numpy`, and a value.
    """

    shared: tuple[tuple[str, str], ...]
    own: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def origin(outcomes: Sequence[Outcome]) -> Origin:
    """Return what made the outcomes."""
    told = [
        (each.name, {path: _said(value) for path, value in flattened(plain(each.made_with), "")})
        for each in outcomes
        if isinstance(each.made_with, Mapping) and each.made_with
    ]
    if not told:
        return Origin((), ())
    first = told[0][1]
    shared = {
        path: value
        for path, value in first.items()
        if all(facts.get(path) == value for _, facts in told)
    }
    own = tuple(
        (name, rest)
        for name, facts in told
        if (rest := tuple(item for item in facts.items() if item[0] not in shared))
    )
    return Origin(tuple(shared.items()), own)


def _said(value: Any) -> str:
    return "–" if value is None else str(value)
