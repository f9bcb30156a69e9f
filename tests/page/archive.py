"""What the page's tests look at: photos and short videos of two people, indexed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer import open_index
from indexer.ingest import ingest
from indexer.naming import name_faces
from indexer.records import Filters
from tests.clips import BROWN, GREY, clip, photo, shot, still

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from indexer.networks import Networks
    from indexer.records import Face, Media

FPS = 5


@dataclass(frozen=True)
class Archive:
    """An index file, the folder of its media, and its media and first faces by file name.

    `pioneers.webm` shows nobody for 2 s, Eileen for 4, Grace for 4 and Eileen again for 2; so does
    `old.mpg`, for 2, 2, 2 and 1 s. Grace is named.
    """

    location: Path
    folder: Path
    media: Mapping[str, Media]
    faces: Mapping[str, Face]

    def copied_to(self, folder: Path) -> Archive:
        location = folder / "faces.sightings"
        shutil.copy(self.location, location)
        return replace(self, location=location)


def make_archive(folder: Path, portraits: Mapping[str, np.ndarray], networks: Networks) -> Archive:
    """Render and index the media."""
    media = folder / "media"
    photo(media / "eileen.png", still(portraits, "eileen"))
    photo(media / "grace.png", still(portraits, "grace"))
    webm = {"codec": "libvpx-vp9", "codec_options": {"cpu-used": "8", "deadline": "realtime"}}
    clip(media / "pioneers.webm", *_shots(portraits, FPS, (2, 4, 4, 2)), **webm)
    mpeg = {"codec": "mpeg1video", "fps": 25, "codec_options": {"b": "3000000"}}
    clip(media / "old.mpg", *_shots(portraits, 25, (2, 2, 2, 1), still_camera=True), **mpeg)
    location = folder / "faces.sightings"
    with open_index(location, create=True) as index:
        report = ingest(index, [media], networks)
        assert len(report.done) == 4, report
        found = {Path(each.path).name: each for each in index.iter_media()}
        faces = {
            name: next(iter(index.iter_faces(Filters(media_ids=(each.id,)))))
            for name, each in found.items()
        }
        name_faces(index, "Grace Hopper", [faces["grace.png"].id])
    return Archive(location, media, found, faces)


def _shots(
    portraits: Mapping[str, np.ndarray],
    fps: int,
    seconds: tuple[int, int, int, int],
    *,
    still_camera: bool = False,
) -> list[list[np.ndarray]]:
    who = [("", BROWN), ("eileen", (70, 110, 80)), ("grace", GREY), ("eileen", (70, 110, 80))]
    frames = [length * fps for length in seconds]
    if still_camera:
        return [
            [still(portraits, *[person] if person else [], colour=colour)] * count
            for (person, colour), count in zip(who, frames, strict=True)
        ]
    return [
        shot(portraits, person, count, colour)
        for (person, colour), count in zip(who, frames, strict=True)
    ]
