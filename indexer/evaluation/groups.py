"""Results by group: how often people of one group are told apart, where attributes are given."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError
from indexer.evaluation.all_pairs import compared_rows, pair_blocks
from indexer.evaluation.similarity import codes_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from indexer.evaluation.records import Features

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Attributes:
    """Attributes by photo or by person: values of each attribute, by name of what they belong to.

    of: what the keys name. values: for each attribute the group of each key; empty ones left out.
    """

    of: str
    values: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Group:
    """All pairs of photos within a group, at one threshold.

    same, different: numbers of pairs of one person, and of different people who both belong to the
    group. tar, far: shares of them that are accepted, None without any; false_accepts: how many of
    the latter. accuracy: (TAR + 1 - FAR) / 2, as for as many pairs of both kinds; None unless
    there are both.
    """

    attribute: str
    group: str
    people: int
    photos: int
    same: int
    different: int
    tar: float | None
    far: float | None
    false_accepts: int

    @property
    def accuracy(self) -> float | None:
        """Share of right decisions where both kinds of pairs weigh the same, 0 to 1."""
        return None if self.tar is None or self.far is None else (self.tar + 1 - self.far) / 2


@dataclass(frozen=True)
class Groups:
    """Results of all groups of all attributes at a threshold, in order of both names."""

    threshold: float
    groups: tuple[Group, ...]

    def metrics(self) -> dict[str, Any]:
        """Return the numbers, under the names of `Outcome`; `pairs` counts both kinds."""
        return {
            "by_group": [
                vars(group) | {"pairs": group.same + group.different, "accuracy": group.accuracy}
                for group in self.groups
            ]
        }

    def arrays(self) -> dict[str, Array]:
        """Return nothing: plots need no more than the numbers."""
        return {}


def read_attributes(file: Path) -> Attributes:
    """Read a CSV: a column `person` or `name` (of a photo, as Ann_Lee/Ann_Lee_0001.jpg), then one
    for each attribute, headed by its name.

    Raises UsageError, which names the line, for another form, and for a key with two values.
    """  # noqa: D205
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"The attributes in {file} cannot be read: {error}.") from error
    header = [cell.strip() for cell in rows[0]] if rows else []
    if len(header) < 2 or header[0] not in ("person", "name") or len(set(header)) < len(header):
        raise UsageError(
            f"{file}, line 1: the columns should be `person` (or `name`, of a photo) and then one "
            f"for each attribute, each with a name of its own, not {header}."
        )
    values: dict[str, dict[str, str]] = {attribute: {} for attribute in header[1:]}
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise UsageError(f"{file}, line {line}: {len(row)} columns, not {len(header)}.")
        key, *cells = (cell.strip() for cell in row)
        for attribute, group in zip(header[1:], cells, strict=True):
            if group and values[attribute].setdefault(key, group) != group:
                raise UsageError(
                    f"{file}, line {line}: {key!r} is {group!r} here and "
                    f"{values[attribute][key]!r} above, under {attribute}."
                )
    return Attributes(header[0], values)


def compare_groups(
    features: Features, attributes: Attributes, threshold: float, *, per_person: int | None = None
) -> Groups:
    """Compare all photos within each group; those without a value belong to none.

    threshold: cosine from which a pair is accepted, such as that of the verdict `possible`.
    per_person: take only the first so many photos of a person. Raises UsageError if the attributes
    name none of the photos.
    """
    keys = features.persons if attributes.of == "person" else features.names
    results = []
    for attribute, values in sorted(attributes.values.items()):
        groups = np.array([values.get(key, "") for key in keys], object)
        for group in sorted(set(groups) - {""}):
            rows = np.flatnonzero(groups == group)
            results.append(_compared(features, rows, threshold, per_person, attribute, group))
    if not results:
        raise UsageError(
            f"The attributes name none of the {len(keys)} photos by `{attributes.of}`; the first "
            f"would be {keys[0] if keys else '(none)'!r}."
        )
    return Groups(threshold, tuple(results))


def _compared(
    features: Features,
    rows: Array,
    threshold: float,
    per_person: int | None,
    attribute: str,
    group: str,
) -> Group:
    persons = [features.persons[row] for row in rows]
    kept = compared_rows(features.vectors[rows], persons, per_person)
    codes, counts = codes_of([persons[row] for row in kept])
    pairs, accepted = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for block in pair_blocks(features.vectors[rows[kept]], codes):
        pairs += [len(scores) for scores in block]
        accepted += [int((scores >= threshold).sum()) for scores in block]
    tar, far = (float(a / p) if p else None for a, p in zip(accepted, pairs, strict=True))
    return Group(
        attribute=attribute,
        group=group,
        people=len(counts),
        photos=len(kept),
        same=int(pairs[0]),
        different=int(pairs[1]),
        tar=tar,
        far=far,
        false_accepts=int(accepted[1]),
    )
