"""What a media was before it was begun anew, as a text that engines keep beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from indexer.records import Segment, SegmentCounts, SegmentSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from indexer.records import Media

_MEDIA_FIELDS = ("state", "error", "warnings", "options", "batch")
_MEDIA_DATES = ("indexed_at", "queued_at")


@dataclass(frozen=True)
class Before:
    """A finished media's record and segments; intact: none of its faces has been replaced since."""

    media: dict[str, Any]
    segments: tuple[Segment, ...]
    intact: bool

    def restored(self, media: Media) -> Media:
        """Return the media as it was."""
        return replace(media, **self.media)


def before_of(media: Media | None, segments: Sequence[Segment], kept: str | None) -> str | None:
    """Return what to keep of a media that is about to begin anew; None if it was never finished.

    kept: what is kept already, of a media that began anew and is not finished.
    """
    if media is None:
        return None
    if media.state in ("done", "failed"):
        return _pack(media, segments)
    return None if kept is None else _worn(kept, segments)


def unpack(kept: str, segments: Iterable[Segment]) -> Before:
    """Return what was kept of a media whose segments are these now."""
    stored = json.loads(_worn(kept, segments))
    media = {name: stored["media"][name] for name in _MEDIA_FIELDS}
    media["warnings"] = tuple(media["warnings"])
    media |= {name: _from_date(stored["media"][name]) for name in _MEDIA_DATES}
    return Before(media, tuple(map(_segment, stored["segments"])), stored["intact"])


def _pack(media: Media, segments: Sequence[Segment]) -> str:
    fields = {name: getattr(media, name) for name in _MEDIA_FIELDS}
    fields |= {name: _to_date(getattr(media, name)) for name in _MEDIA_DATES}
    rows = [_row(segment) for segment in segments]
    # ASCII alone, so that undecodable bytes of file names in errors can be stored anywhere.
    return json.dumps({"media": fields, "segments": rows, "intact": True})


def _worn(kept: str, segments: Iterable[Segment]) -> str:
    """Return what is kept with its `intact` as it is after some segments were done anew."""
    if not any(segment.state == "done" for segment in segments):
        return kept
    return json.dumps(json.loads(kept) | {"intact": False})


def _row(segment: Segment) -> dict[str, Any]:
    return {
        "media_id": segment.media_id,
        "span": [segment.span.number, segment.span.start_s, segment.span.end_s],
        "state": segment.state,
        "attempts": segment.attempts,
        "error": segment.error,
        "counts": vars(segment.counts),
        "finished_at": _to_date(segment.finished_at),
    }


def _segment(row: dict[str, Any]) -> Segment:
    counts = {**row["counts"], "warnings": tuple(row["counts"]["warnings"])}
    return Segment(
        row["media_id"],
        SegmentSpan(*row["span"]),
        row["state"],
        row["attempts"],
        error=row["error"],
        counts=SegmentCounts(**counts),
        finished_at=_from_date(row["finished_at"]),
    )


def _to_date(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _from_date(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)
