"""Made-up features: people as directions, photos scattered around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.evaluation.records import Features

if TYPE_CHECKING:
    from collections.abc import Sequence


def features_of(photos: Sequence[tuple[str, Sequence[float]]], **fields) -> Features:
    """Features of the photos of people, each with its vector, numbered as they come."""
    counts: dict[str, int] = {}
    names = []
    for person, _ in photos:
        counts[person] = counts.get(person, 0) + 1
        names.append(f"{person}/{person}_{counts[person]:04d}.jpg")
    vectors = np.array([vector for _, vector in photos], np.float32)
    return Features(tuple(names), tuple(person for person, _ in photos), vectors, **fields)


def at(degrees: float) -> tuple[float, float]:
    """A vector of length 1 in the plane: cosines are those of differences of angles."""
    return float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))


def scattered(
    counts: Sequence[int], *, seed: int = 0, spread: float = 0.8, dimensions: int = 24
) -> Features:
    """People with so many photos each; the larger the spread, the harder they are to tell apart."""
    generator = np.random.default_rng(seed)
    photos = []
    for number, count in enumerate(counts):
        own = generator.standard_normal(dimensions)
        for _ in range(count):
            vector = own + spread * generator.standard_normal(dimensions)
            photos.append((f"P{number:04d}", vector / np.linalg.norm(vector)))
    return features_of(photos)
