"""A folder of people without pictures, pairs of them, and a file of their made-up vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.evaluation.features import write_features
from tests.evaluation.made_up import scattered

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE, PHOTOS, PAIRS, FEATURES = 8, 3, "pairs.txt", "vectors.npz"


def write_material(
    folder: Path, *, seed: int = 0, dimensions: int = 16, people: int = PEOPLE
) -> None:
    """Write people/, pairs of the first two photos of the first eight in two folds, and vectors."""
    features = scattered([PHOTOS] * people, seed=seed, spread=0.2, dimensions=dimensions)
    for name in features.names:
        path = folder / "people" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    write_features(features, folder / FEATURES)
    paired = [f"P{number:04d}" for number in range(PEOPLE)]
    lines = [f"2\t{PEOPLE // 2}"]
    for fold in (paired[: PEOPLE // 2], paired[PEOPLE // 2 :]):
        lines += [f"{person}\t1\t2" for person in fold]
        lines += [f"{a}\t1\t{b}\t2" for a, b in zip(fold, fold[1:] + fold[:1], strict=True)]
    (folder / PAIRS).write_text("\n".join(lines) + "\n")
