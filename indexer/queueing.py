"""Putting media into a batch, and sending the messages that tell workers of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from indexer.errors import BrokerFailure, MediaError
from indexer.identify import identify, looking
from indexer.sources import spans_at
from indexer.text import said_of, shown
from indexer.work import present_path

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.identify import Look
    from indexer.records import Media, MediaFile
    from indexer.settings import Settings

Send = Callable[[Sequence[str]], None]
"""Tells workers that these media (by id) have work; `tasks.sending.sender` gives Celery's, a
`BackgroundWorker` has one (`wake`). Raises BrokerFailure; what is queued stays so and is found by
the sweeper."""


@dataclass(frozen=True)
class Enqueued:
    """What became of paths (or media) that were to be worked on.

    batch: its id, also when nothing is in it. queued: in this batch now. skipped: done already
    under the same options. under_way: queued or being worked on already, in `Media.batch`.
    failed: in words, each naming its path: what cannot be read, or failed before.
    """

    batch: str
    queued: tuple[Media, ...] = ()
    skipped: tuple[Media, ...] = ()
    under_way: tuple[Media, ...] = ()
    failed: tuple[str, ...] = ()


class Queue:
    """Puts media into a batch and notes what became of each. look: opens files, each once."""

    def __init__(
        self,
        index: Index,
        settings: Settings,
        batch: str,
        messages: Messages,
        look: Look | None = None,
    ) -> None:
        self._index = index
        self._settings = settings
        self._batch = batch
        self._messages = messages
        self._look = look or looking(settings)
        self.queued: list[Media] = []
        self.skipped: list[Media] = []
        self.under_way: list[Media] = []
        self.failed: list[str] = []

    def add_path(self, path: Path, *, force: bool) -> None:
        """Queue what a path holds, unless it is done, failed before, or cannot be read."""
        try:
            look = cache(self._look)
            file, media = identify(self._index, path, lambda new: look(new)[0])
            current = media.options == self._settings.options_for(media.kind)
            if media.state == "failed" and current and not force:
                self.failed.append(
                    f"{shown(path)} failed before: {said_of(str(path), media.error or '')} "
                    "Retry its job, or add it again "
                    "with force."
                )
            elif media.state == "done" and current and not force:
                self._put_file(file)
                self.skipped.append(media)
            else:
                # The file first: a media without any is what `media prune` removes.
                self._put_file(file)
                self._add(media, path, look, self._batch)
        except MediaError as error:
            self.failed.append(str(error))

    def add_failed(self, media: Media) -> None:
        """Queue a media that failed, in the batch that it is in."""
        if media.state in ("queued", "working"):
            self.under_way.append(media)
        elif media.state == "done":
            self.skipped.append(media)
        else:
            try:
                path = present_path(self._index, media)
                self._add(media, path, self._look, media.batch or self._batch)
            except MediaError as error:
                self.failed.append(str(error))

    def ended(self) -> Enqueued:
        """Send what is still to be sent, and return what became of all.

        Raises BrokerFailure, which tells the same.
        """
        enqueued = Enqueued(
            self._batch,
            tuple(self.queued),
            tuple(self.skipped),
            tuple(self.under_way),
            tuple(self.failed),
        )
        try:
            self._messages.end()
        except BrokerFailure as failure:
            failure.enqueued = enqueued
            raise
        return enqueued

    def _put_file(self, file: MediaFile) -> None:
        if self._index.find_file(file.path) != file:
            self._index.put_file(file)

    def _add(self, media: Media, path: Path, look: Look, batch: str) -> None:
        times_s = look(path)[1] if media.kind == "video" else np.zeros(1)
        spans = spans_at(times_s, media.kind, self._settings.keyframes.segment_s)
        wanted = replace(media, options=self._settings.options_for(media.kind))
        is_new = self._index.queue_media(wanted, spans, batch=batch)
        stored = self._index.get_media(media.id)
        if stored is None:  # removed by somebody in the same moment
            return
        (self.queued if is_new else self.under_way).append(stored)
        if is_new:
            self._messages.add(media.id)


class Messages:
    """Sends messages in parts; a broker that fails is not asked again, and told of at the end."""

    TOGETHER = 100

    def __init__(self, send: Send) -> None:
        self._send = send
        self._due: list[str] = []
        self._failure: BrokerFailure | None = None

    def add(self, media_id: str) -> None:
        """Send, now or later, that a media has work."""
        self._due.append(media_id)
        if len(self._due) >= self.TOGETHER:
            self._flush()

    def end(self) -> None:
        """Send the rest. Raises BrokerFailure if any could not be sent."""
        self._flush()
        if self._failure is not None:
            raise self._failure

    def _flush(self) -> None:
        if self._due and self._failure is None:
            try:
                self._send(self._due)
            except BrokerFailure as failure:
                self._failure = failure
        self._due = []
