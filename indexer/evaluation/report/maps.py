"""A map of embeddings: the most photographed people on a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.evaluation.report.drawing import (
    MARKERS,
    SERIES,
    inline_svg,
    new_drawing,
)
from indexer.evaluation.report.labels import label_points
from indexer.text import shown

if TYPE_CHECKING:
    from indexer.evaluation.records import Array
    from indexer.evaluation.report.runs import Curve

SEED = 0
COMPONENTS = 50
WIDTH_PX, HEIGHT_PX = 560, 460
_LEAST_POINTS = 5


def plane(vectors: Array) -> Array:
    """Return (n, 2) places of (n, dimensions) vectors: PCA to 50, then t-SNE, both seeded.

    L. van der Maaten and G. Hinton, Visualizing Data using t-SNE, JMLR 9 (2008). Distances far
    apart mean little in such a map; what counts is who lies together.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    points = np.asarray(vectors, np.float32)
    components = min(COMPONENTS, *points.shape)
    reduced = PCA(components, svd_solver="full", random_state=SEED).fit_transform(points)
    perplexity = min(30.0, (len(points) - 1) / 3)
    made = TSNE(2, perplexity=perplexity, init="pca", random_state=SEED).fit_transform(reduced)
    return np.asarray(made)


def embedding_map(curve: Curve, key: str) -> str | None:
    """Return the map of a run's most photographed people; None without vectors of them."""
    arrays = curve.outcome.arrays
    rows = np.asarray(arrays.get("map_rows", ()), int)
    if len(rows) < _LEAST_POINTS or len(arrays.get("map_vectors", ())) != len(rows):
        return None
    persons = [str(arrays["persons"][row]) for row in rows]
    points = plane(arrays["map_vectors"])
    figure, axes = new_drawing(WIDTH_PX, HEIGHT_PX)
    people = list(dict.fromkeys(persons))
    for place, person in enumerate(people):
        own = points[[each == person for each in persons]]
        axes.plot(own[:, 0], own[:, 1], linestyle="", markersize=5.5, alpha=0.8,
                  marker=MARKERS[(place // len(SERIES)) % len(MARKERS)],
                  color=SERIES[place % len(SERIES)], markeredgewidth=0)  # fmt: skip
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.margins(0.08)
    anchors = [_middle(points[[each == person for each in persons]]) for person in people]
    label_points(figure, axes, np.array(anchors), [_called(p) for p in people], points)
    said = f"Map of {len(rows)} photos of {len(people)} people, {shown(curve.name)}"
    return inline_svg(figure, key, said)


def _middle(points: Array) -> Array:
    """Return the point that is nearest to all others: in a cluster, also if some lie elsewhere."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2).sum(axis=1)
    return np.asarray(points[int(np.argmin(distances))])


def _called(person: str) -> str:
    text = shown(person).replace("_", " ")
    return text if len(text) <= 24 else f"{text[:23]}…"
