"""What an ingest tells while it runs, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.records import Label


class Progress:
    """Told what an ingest is doing, by one thread at a time; this one tells nobody."""

    def start_run(self, files: int) -> None:
        """Take note that so many files were found."""

    def start_file(self, path: str, duration_s: float | None) -> None:
        """Take note that a file is being worked on; photos have no duration."""

    def reach(self, path: str, done_s: float) -> None:
        """Take note that so many seconds of a file are done; several are worked on at once."""

    def finish_file(self, path: str) -> None:
        """Take note that a file is done, skipped or failed."""


@dataclass
class Report:
    """What an ingest did: paths by outcome, and in words what went wrong; each text names its path.

    waiting: media of which another process still works on a part. faces: those stored of the media
    that are done, `labelled`: names given to faces. Everything is in the order of the files.
    """

    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lost_labels: list[Label] = field(default_factory=list)
    faces: int = 0
    labelled: int = 0

    def add(self, other: Report) -> None:
        """Append what another one tells."""
        for name, told in vars(other).items():
            setattr(self, name, getattr(self, name) + told)
