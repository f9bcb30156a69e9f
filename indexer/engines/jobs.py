"""The part of the contract by which work is queued, counted and cancelled.

The records of media and segments are the job state: there is no second store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from indexer.job_records import BatchCounts, Cancelled
    from indexer.records import Media, SegmentSpan

CANCELLED = (
    "Cancelled while it was being done anew: some of its parts are new, the others as before. "
    "Retry it to finish it."
)
"""The error of a media whose cancelling came too late to undo all of it."""


class Jobs(ABC):
    """Media wait in state `queued` until a segment of theirs is claimed."""

    @abstractmethod
    def queue_media(self, media: Media, spans: Sequence[SegmentSpan], *, batch: str) -> bool:
        """Store the media in state `queued`, in a batch, with one pending segment for each span.

        A media already `queued` or `working` under the same `options` is left as it is, in the
        batch that it is in: then the answer is False. Any other state starts anew as with
        `start_media`; what it was is remembered until it is linked, for `cancel_media`.
        """

    @abstractmethod
    def cancel_media(self, media_ids: Sequence[str]) -> Cancelled:
        """Take back the work on those media that are `queued` or `working`; ignore all others.

        Whoever holds a claim on them loses it. Of the media,

        - those that were never `done` or `failed` before are removed, as `delete_media` does;
        - those of which no segment has been done anew are restored: state, options, error,
          warnings, dates, batch and segments are what they were, faces and labels never changed;
        - the others are cut short: segments that were not done become `failed` with the error
          CANCELLED, their faces stay as they were, and the media waits in state `working` for
          `link_appearances`, which makes it `failed` with that error.

        A cancelling that was cut short itself can be repeated.
        """

    @abstractmethod
    def list_batches(
        self,
        ids: Sequence[str] = (),
        *,
        limit: int = 50,
        before: str | None = None,
        recent_since: datetime,
    ) -> list[BatchCounts]:
        """Return batches with what is in them now, in descending order of id.

        ids: these alone, as far as there are any. Otherwise at most `limit`, with an id below
        `before`, if given. recent_since: segments finished from then on are counted as recent.
        """
