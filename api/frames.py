"""Frames as JPEG, decoded from the media when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from api.files import present_file
from api.service import current

if TYPE_CHECKING:
    from indexer.records import Box, Media


class FrameQuery(BaseModel):
    """How a frame is shown."""

    model_config = ConfigDict(extra="forbid")
    max_side_px: int = Field(1280, ge=16, le=4096, description="Reduced to this, if larger.")


def frame_response(
    media: Media, timestamp_s: float, query: FrameQuery, box_xyxy: Box | None = None
) -> Response:
    """Return the frame shown at a time. Raises Problem, MediaError if it cannot be decoded."""
    service = current()
    picture = service.decoders.picture(
        present_file(media),
        timestamp_s,
        name=media.path,
        max_pixels=service.settings.media.max_pixels,
        max_side_px=query.max_side_px,
        box_xyxy=box_xyxy,
    )
    response = Response(picture.jpeg, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["X-Timestamp-S"] = f"{picture.timestamp_s:.6f}"
    return response
