"""Every error Sightings raises on purpose; each says what happened, where, and what to do.

SightingsError
├── UsageError          the call itself is wrong (exit code 2)
├── EnvironmentFailure  something around the program is wrong (exit code 3)
│   ├── MissingExtra        an optional package is not installed
│   ├── WeightsUnavailable  a model's weights cannot be had
│   ├── OutOfReach          what a run of an evaluation needs is not here
│   ├── IndexFailure        the index cannot be opened, read or written
│   │   ├── IndexLocked         another process has held the write lock too long
│   │   ├── IndexBlocked        the index is read-only, at least for now
│   │   ├── StorageFull         no space is left for the index
│   │   ├── PurgeUnfinished     it is deleted, but its bytes are not off the disks yet
│   │   └── ClaimLost           another worker has taken over a segment
│   ├── BrokerFailure       workers cannot be told of work
│   └── ModelMismatch       the index was made with another embedding model
├── MediaError          one photo or video cannot be used; a run reports it and goes on
├── Interrupted         a worker ends before its segment is done, and gives it back
├── NoFace              a query photo or video shows no face
└── NotFound            a media, face or person that was named is not in the index
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.queueing import Enqueued
    from indexer.records import Deleted, Media


class SightingsError(Exception):
    """Base of all errors that Sightings raises on purpose."""


class UsageError(SightingsError):
    """The call itself is wrong: an unknown option, value or combination."""


class EnvironmentFailure(SightingsError):
    """Something around the program is wrong: a package, a file, a disk, a server."""


class MissingExtra(EnvironmentFailure):
    """An optional package is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f'{feature} needs: pip install "sightings[{extra}]"')


class WeightsUnavailable(EnvironmentFailure):
    """A model's weights are missing, broken or out of reach."""


class OutOfReach(EnvironmentFailure):
    """What a run of an evaluation needs is not here: a store, its server, a folder of models."""


class IndexFailure(EnvironmentFailure):
    """The index cannot be opened, read or written."""


class IndexLocked(IndexFailure):
    """Another process has held the index's write lock for too long."""


class IndexBlocked(IndexFailure):
    """The index takes no writes: another command replaces it, or somebody made it read-only."""


class StorageFull(IndexFailure):
    """There is no space left where the index lies."""


class PurgeUnfinished(IndexFailure):
    """What was to be deleted is so, but its bytes are not off the disks yet, as far as is known.

    deleted: how much was deleted, and what holds it all the same, where the engine knows.
    removed: the media, if it was a cancellation (`jobs.cancel`). Its cause is KeyboardInterrupt if
    somebody would not wait.
    """

    def __init__(self, message: str, deleted: Deleted | None = None) -> None:
        super().__init__(message)
        self.deleted = deleted
        self.removed: tuple[Media, ...] = ()


class ClaimLost(IndexFailure):
    """Another worker has taken over the segment that this one was working on."""


class BrokerFailure(EnvironmentFailure):
    """The broker that carries messages to workers cannot be reached or used.

    enqueued: what was queued all the same, if it was told of that.
    """

    enqueued: Enqueued | None = None


class ModelMismatch(EnvironmentFailure):
    """The index was made with another embedding model than the one asked for."""


class MediaError(SightingsError):
    """One photo or video cannot be used; a run reports it and goes on."""


class Interrupted(SightingsError):
    """A worker is to end before the segment in hand is done; it is given back."""


class NoFace(SightingsError):
    """A query photo or video shows no face."""


class NotFound(SightingsError):
    """A media, face or person that was named is not in the index."""
