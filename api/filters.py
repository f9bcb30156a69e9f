"""Filters as requests give them -> `indexer.records.Filters`; the names are the command line's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.problems import Problem
from indexer.errors import UsageError
from indexer.moments import moment
from indexer.records import Filters

if TYPE_CHECKING:
    from indexer.engines.base import Index

Text = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(min_length=1, max_length=1000)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_MANY = 100


class MediaFilters(BaseModel):
    """Which photos and videos count; all that are given must hold."""

    model_config = ConfigDict(extra="forbid")

    named: list[Name] = Field([], max_length=_MANY, description="Faces of these names.")
    file_name: list[Text] = Field([], max_length=_MANY, description="Files of these names.")
    under: Text | None = Field(None, description="Files below this folder, an absolute path.")
    kind: Literal["photo", "video"] | None = None
    recorded_from: Text | None = Field(None, description="Recorded at this date or time or later.")
    recorded_to: Text | None = Field(None, description="Recorded at this date or time or earlier.")


class FaceFilters(MediaFilters):
    """Which faces count; all that are given must hold."""

    media: list[Name] = Field([], max_length=_MANY, description="In these media, by id.")
    unnamed: bool = Field(False, description="Faces without a name.")
    from_s: Seconds | None = Field(None, description="Seen in a video at this second or later.")
    to_s: Seconds | None = Field(None, description="Seen in a video at this second or earlier.")
    min_face_px: Seconds | None = Field(None, description="Faces this large or larger.")
    min_probability: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="Faces this sure or surer."
    )


def media_filters(given: MediaFilters) -> Filters:
    """Return filters of media. Raises UsageError for dates that are none."""
    if given.under is not None and not os.path.isabs(given.under):  # noqa: PTH117
        raise UsageError("under takes an absolute path.")
    return Filters(
        persons=tuple(given.named),
        file_names=tuple(given.file_name),
        path_prefix=os.path.normpath(given.under) if given.under else None,
        kind=given.kind,
        recorded_from=moment(given.recorded_from, "recorded_from"),
        recorded_to=moment(given.recorded_to, "recorded_to", end_of_day=True),
    )


def face_filters(given: FaceFilters, index: Index) -> Filters:
    """Return filters of faces.

    Raises UsageError for values that contradict each other, Problem for media that are not there.
    """
    from dataclasses import replace

    if given.from_s is not None and given.to_s is not None and given.from_s > given.to_s:
        raise UsageError(f"from_s {given.from_s:g} is after to_s {given.to_s:g}.")
    if given.named and given.unnamed:
        raise UsageError("named and unnamed exclude each other.")
    for media_id in given.media:
        if index.get_media(media_id) is None:
            raise Problem("media_not_found", "One of `media` is not in the index.")
    return replace(
        media_filters(given),
        media_ids=tuple(given.media),
        unnamed=given.unnamed,
        from_s=given.from_s,
        to_s=given.to_s,
        min_face_px=given.min_face_px,
        min_probability=given.min_probability,
    )
