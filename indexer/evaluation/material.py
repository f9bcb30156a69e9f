"""What all runs over photos share: the photos that there are, pairs of them, and attributes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from indexer.errors import UsageError
from indexer.evaluation.groups import read_attributes
from indexer.evaluation.pairs import read_pairs
from indexer.evaluation.photo_folder import list_photos, person_of
from indexer.text import counted, shown
from indexer.weights import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from indexer.evaluation.groups import Attributes
    from indexer.evaluation.records import Pair


@dataclass(frozen=True)
class Material:
    """Photos in LFW's layout and what is known of them.

    names: of the photos below the folder, sorted. digests: SHA-256 of the files of pairs and of
    attributes, as far as they were given.
    """

    folder: Path
    names: tuple[str, ...]
    pairs: tuple[Pair, ...] = ()
    attributes: Attributes | None = None
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def paired(self) -> set[str]:
        """The names of the photos that pairs are made of."""
        return {name for pair in self.pairs for name in (pair.first, pair.second)}


def read_material(folder: Path, pairs: Path | None, attributes: Path | None) -> Material:
    """Read what is given.

    Pairs name photos `.jpg`, and mean those of the folder whatever their suffix.
    Raises UsageError if the folder has no photo of a person, a file cannot be read, or pairs name
    photos that are not there.
    """
    files = {"pairs": pairs, "attributes": attributes}
    names = list_photos(folder)
    material = Material(
        folder,
        names,
        _with_suffixes_of(names, read_pairs(pairs)) if pairs else (),
        read_attributes(attributes) if attributes else None,
        {name: sha256_of(file) for name, file in files.items() if file is not None},
    )
    if missing := sorted(material.paired - set(material.names)):
        raise UsageError(
            f"{counted(len(missing), 'photo')} of the pairs in {pairs} "
            f"{'is' if len(missing) == 1 else 'are'} not in {folder}: "
            f"{shown(missing[0])} is the first. Are they of another edition of the photos?"
        )
    if material.attributes is not None:
        _check_attributes(material.attributes, material.names, attributes)
    return material


def _with_suffixes_of(names: tuple[str, ...], pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """Return pairs with the names that photos have in the folder; unknown ones as they are."""
    exact = set(names)
    by_stem = {_stem(name): name for name in names}

    def known(name: str) -> str:
        return name if name in exact else by_stem.get(_stem(name), name)

    return tuple(replace(p, first=known(p.first), second=known(p.second)) for p in pairs)


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _check_attributes(attributes: Attributes, names: Sequence[str], file: Path | None) -> None:
    """Refuse attributes of nobody here before anything is measured for their sake."""
    here = set(names) if attributes.of == "name" else {person_of(name) for name in names}
    if not any(here & values.keys() for values in attributes.values.values()):
        raise UsageError(
            f"{file} has attributes of none of the photos by `{attributes.of}`, which would be as "
            f"{shown(min(here))}."
        )
