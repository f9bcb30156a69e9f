"""Photos of people in LFW's layout: a folder for each person, `Name/Name_0001.jpg`."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.errors import MediaError, UsageError
from indexer.evaluation.features import photos_in
from indexer.media import content_id
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


@dataclass(frozen=True)
class Photos:
    """Photos of people below a folder.

    names: `Name/Name_0001.jpg`, sorted. digest: SHA-256 of the names and of all bytes of the
    photos, in hex; equal for equal photos wherever they lie.
    """

    folder: Path
    names: tuple[str, ...]
    digest: str

    @property
    def paths(self) -> list[Path]:
        """Where the photos lie."""
        return [self.folder / name for name in self.names]


def person_of(name: str) -> str:
    """Return the person whom a photo shows: its folder."""
    return name.partition("/")[0]


def list_photos(folder: Path) -> tuple[str, ...]:
    """Return the names of the photos that lie in a person's folder below this one, sorted.

    Raises UsageError if the folder cannot be read or has no photo of a person.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: give one in LFW's layout, NAME/PHOTO.jpg.")
    try:
        names = photos_in(folder)
    except MediaError as error:
        raise UsageError(f"The photos cannot be listed: {error}") from error
    if not names:
        raise UsageError(
            f"There is no photo of a person in {folder}: LFW's layout is wanted, a folder for each "
            "person with the photos in it, NAME/PHOTO.jpg."
        )
    return tuple(names)


def select(folder: Path, names: Collection[str], *, most_photos: int | None = None) -> Photos:
    """Return photos of a folder, at most so many of each person, the first by name.

    Raises UsageError if one of them cannot be read.
    """
    kept, of_person = [], Counter[str]()
    for name in sorted(names):
        of_person[person_of(name)] += 1
        if most_photos is None or of_person[person_of(name)] <= most_photos:
            kept.append(name)
    digest = hashlib.sha256()
    for name in kept:
        try:
            content = content_id(folder / name)
        except MediaError as error:
            raise UsageError(
                f"A photo to be measured cannot be read: {shown(str(error))}"
            ) from error
        digest.update(f"{name}\0{content}\n".encode(errors="surrogateescape"))
    return Photos(folder, tuple(kept), digest.hexdigest())
