"""Folders for what people send while it is looked at: photos of faces, which must not stay behind.

Each process has its own and holds a lock on it for as long as it lives. What is left of processes
that were killed bears no lock any more, and goes when the next one starts.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

_UNLOCKED = "new-"


class Scratch:
    """A folder of this process's own below another one, made when it is first needed.

    parent: where it lies, beside those of other processes. name: what their names begin with.
    """

    def __init__(self, parent: Path, name: str) -> None:
        self._parent = parent
        self._name = f"{name}-"
        self._lock = threading.Lock()
        self._held: tuple[Path, int] | None = None

    @property
    def folder(self) -> Path:
        """The folder, which this process's user alone may read. Raises OSError."""
        with self._lock:
            if self._held is None:
                self._parent.mkdir(parents=True, exist_ok=True, mode=0o750)
                # Its name is not one that others delete until it is locked.
                made = Path(tempfile.mkdtemp(prefix=f"{_UNLOCKED}{self._name}", dir=self._parent))
                descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                folder = made.rename(made.with_name(made.name.removeprefix(_UNLOCKED)))
                self._held = folder, descriptor
            return self._held[0]

    def sweep(self) -> None:
        """Delete the folders of this user's processes that have died."""
        for path in self._parent.glob(f"{self._name}*"):
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    if os.fstat(descriptor).st_uid == os.geteuid():
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(descriptor)

    def remove(self) -> None:
        """Delete the folder with all that is in it."""
        with self._lock:
            if self._held is not None:
                folder, descriptor = self._held
                shutil.rmtree(folder, ignore_errors=True)
                os.close(descriptor)
                self._held = None
