"""Names given from folders, from a CSV file or by hand -> labels."""

from __future__ import annotations

import csv
import math
import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from indexer.boxes import centre_distance, iou
from indexer.errors import MediaError, UsageError
from indexer.files import require_file
from indexer.labels import SAME_PLACE_IOU, labels_naming, persons_of
from indexer.lookup import find_face
from indexer.records import Filters, Label
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.records import Box, Face, LabelSource, Media

NEAR_S = 0.5
"""A time in a names file may miss an appearance by this much."""

NamesGiven = tuple[int, list[str]]
"""How many labels were stored, and in words which names found no face."""

COLUMNS = ("path", "person", "time_s", "x1", "y1", "x2", "y2")


@dataclass(frozen=True)
class NamedRow:
    """A row of a names file: who is seen in a file; when, for a video; where, if it says so."""

    path: str
    person: str
    time_s: float | None
    box_xyxy: Box | None


def read_names(file: Path) -> dict[str, list[NamedRow]]:
    """Return the rows of a CSV of names by absolute path of the media.

    Columns: path (absolute, or from the CSV's folder), person; optional time_s and x1, y1, x2, y2
    in pixels. Raises UsageError, naming the line, for anything else.
    """
    rows: dict[str, list[NamedRow]] = defaultdict(list)
    try:
        require_file(file)
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            header = set(reader.fieldnames or ())
            if not {"path", "person"} <= header <= set(COLUMNS):
                raise UsageError(
                    f"{file}: the first line must name columns out of {', '.join(COLUMNS)}; "
                    "path and person are needed."
                )
            for row in reader:
                named = _named_row(row, f"{file}, line {reader.line_num}", file.parent)
                rows[named.path].append(named)
    except (MediaError, OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"The names file {file} cannot be read: {error}") from error
    return dict(rows)


def name_from_folder(index: Index, media: Media, path: Path) -> int:
    """Label the face nearest the centre of a photo with its folder's name (LFW's layout).

    A photo that has such a label keeps it, renamed or not; one of whose faces some were forgotten
    gets none, since the one that was meant may be gone.
    """
    if media.kind != "photo":
        return 0
    labels = index.list_labels([media.id])
    faces = _faces(index, media.id)
    _finish(index, media.id, faces, labels)
    found = sum(segment.counts.faces for segment in index.list_segments(media.id))
    if len(faces) < found or any(label.source == "folder" for label in labels):
        return 0
    face = _nearest_centre(faces)
    return _store(index, [(face, path.parent.name)], "folder") if face else 0


def name_from_rows(index: Index, media: Media, rows: Sequence[NamedRow]) -> NamesGiven:
    """Label the faces that rows of a names file speak of."""
    faces = _faces(index, media.id) if rows else []
    found = [(_face_of(row, faces), row) for row in rows]
    labelled = _store(index, [(face, row.person) for face, row in found if face], "csv")
    return labelled, [
        f"{shown(row.path)}: no face where the names file says {row.person!r} is."
        for face, row in found
        if not face
    ]


def name_from_file(index: Index, rows: Mapping[str, Sequence[NamedRow]]) -> NamesGiven:
    """Label what the rows of a names file speak of, wherever in the index it lies."""
    given, missing = 0, []
    for path, listed in rows.items():
        file = index.find_file(path)
        media = index.get_media(file.media_id) if file else None
        if media is None:
            missing.append(
                f"{shown(path)}: the names file names {shown(listed[0].person)} there, but no "
                "photo or video of that path is in the index."
            )
            continue
        labelled, faceless = name_from_rows(index, media, listed)
        given += labelled
        missing += faceless
    return given, missing


def name_faces(index: Index, person: str, face_ids: Iterable[str]) -> int:
    """Name faces, and so their appearances, by hand. Raises NotFound for an unknown face."""
    faces = [find_face(index, face_id) for face_id in dict.fromkeys(face_ids)]
    return _store(index, [(face, person) for face in faces], "hand")


def unname_face(index: Index, face_id: str) -> int:
    """Delete the labels that give a face its name; return how many."""
    face = find_face(index, face_id)
    faces = list(index.iter_faces(Filters(media_ids=(face.media_id,))))
    labels = index.list_labels([face.media_id])
    return index.delete_labels([label.id for label in labels_naming(face, faces, labels)])


def _named_row(row: dict[str, str], where: str, folder: Path) -> NamedRow:
    edges = [row.get(name) or "" for name in ("x1", "y1", "x2", "y2")]
    if None in row or None in row.values() or not row["path"] or not row["person"].strip():
        raise UsageError(
            f"{where}: a path and a person are needed, and as many fields as the first line has."
        )
    try:
        time_s = _finite(row["time_s"]) if row.get("time_s") else None
        box = tuple(_finite(edge) for edge in edges) if any(edges) else None
    except ValueError as error:
        raise UsageError(f"{where}: {error}; a box needs all of x1, y1, x2, y2.") from error
    path = os.path.abspath(folder / row["path"])  # noqa: PTH100  # resolve() follows links
    return NamedRow(path, row["person"], time_s, box)  # type: ignore[arg-type]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is no time or place")
    return value


def _face_of(row: NamedRow, faces: Sequence[Face]) -> Face | None:
    if row.time_s is not None:
        away_s = {face.id: _away_s(face, row.time_s) for face in faces}
        nearest_s = min(away_s.values(), default=0.0)
        faces = [face for face in faces if away_s[face.id] <= nearest_s <= NEAR_S]
    if row.box_xyxy is not None:
        box = row.box_xyxy
        faces = [face for face in faces if iou(face.box_xyxy, box) > SAME_PLACE_IOU]
    return _nearest_centre(faces)


def _away_s(face: Face, time_s: float) -> float:
    """Return how far a time lies outside the span for which a face stands."""
    start_s = face.timestamp_s if face.appearance_start_s is None else face.appearance_start_s
    end_s = face.timestamp_s if face.appearance_end_s is None else face.appearance_end_s
    return max(start_s - time_s, time_s - end_s, 0.0)


def _nearest_centre(faces: Sequence[Face]) -> Face | None:
    return min(
        faces,
        key=lambda face: centre_distance(face.box_xyxy, face.frame_width, face.frame_height),
        default=None,
    )


def _faces(index: Index, media_id: str) -> list[Face]:
    return list(index.iter_faces(Filters(media_ids=(media_id,))))


def _store(index: Index, named: Sequence[tuple[Face, str]], source: LabelSource) -> int:
    """Store labels that are new, so that a second run leaves the index as it is."""
    now = datetime.now(timezone.utc)
    labels = [
        Label(face.media_id, face.timestamp_s, face.box_xyxy, person, source, now)
        for face, person in named
    ]
    media_ids = sorted({label.media_id for label in labels})
    stored = index.list_labels(media_ids) if labels else []
    known = {(label.id, label.person) for label in stored}
    new = [label for label in labels if (label.id, label.person) not in known]
    index.label(new)
    for media_id in {face.media_id for face, person in named if face.person != person}:
        if all(label.media_id != media_id for label in new):
            of_media = [label for label in stored if label.media_id == media_id]
            _finish(index, media_id, _faces(index, media_id), of_media)
    return len(new)


def _finish(index: Index, media_id: str, faces: Sequence[Face], labels: Sequence[Label]) -> None:
    """Name the faces of a media by its labels, should that have been cut short before."""
    persons = persons_of(faces, labels)
    if any(face.person != persons[face.id] for face in faces):
        index.finish_naming([media_id])
