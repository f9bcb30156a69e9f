"""Where a work folder keeps indexes and outcomes: below what made them, so none is stale."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, get_args, get_type_hints

from indexer.evaluation.code import code_digest, vectors_digest
from indexer.evaluation.records import OutcomeKind
from indexer.runtime import Runtime, runtime_of
from indexer.text import counted, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.settings import Settings

PHOTO_INDEXES, VIDEO_INDEXES, OUTCOMES = "indexes", "video-indexes", "outcomes"
KINDS: tuple[OutcomeKind, ...] = get_args(OutcomeKind)
_HEX_DIGITS = 12


class WorkFolder:
    """The folder of an evaluation, for the code and the libraries as they are now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._vectors = vectors_digest()[:_HEX_DIGITS]
        self._code = {kind: code_digest(kind)[:_HEX_DIGITS] for kind in KINDS}

    def indexes(self, kind: OutcomeKind, settings: Settings) -> Path:
        """Return where indexes lie whose vectors are made as they would be now."""
        parent = PHOTO_INDEXES if kind == "photos" else VIDEO_INDEXES
        return self.folder / parent / self._made_by(runtime_of(settings).name)

    def outcomes(self, kind: OutcomeKind) -> Path:
        """Return where outcomes lie that are measured as they would be now."""
        return self.folder / OUTCOMES / self._measured_by(kind)

    def unused(self) -> str | None:
        """Say what in the folder is of other code or libraries, and how to delete it."""
        files, rest = 0, []
        for parent, used in self._used():
            there = sorted(parent.iterdir()) if parent.is_dir() else []
            folders = [path for path in there if path.is_dir() and path.name not in used]
            loose = [path for path in there if path.is_file()]
            files += len(loose) + sum(len(list(path.iterdir())) for path in folders)
            rest += [shlex.quote(shown(path)) for path in folders]
            # Sightings used to keep files right here, whose names have dots.
            rest += [f"{shlex.quote(shown(parent))}/*.*"] if loose else []
        if not files:
            return None
        return (
            f"{counted(files, 'file')} in {shown(self.folder)} were made by other code or "
            "libraries and are left unused; what is needed is made anew. They may hold vectors of "
            f"faces, which are biometric data. To delete them: rm -r {' '.join(rest)}"
        )

    def _used(self) -> Iterator[tuple[Path, set[str]]]:
        runtimes = get_args(get_type_hints(Runtime)["name"])
        for parent in (PHOTO_INDEXES, VIDEO_INDEXES):
            yield self.folder / parent, {self._made_by(name) for name in runtimes}
        yield self.folder / OUTCOMES, {self._measured_by(kind) for kind in KINDS}

    def _made_by(self, runtime: str) -> str:
        return f"{runtime}-{self._vectors}"

    def _measured_by(self, kind: OutcomeKind) -> str:
        return f"{kind}-{self._code[kind]}"
