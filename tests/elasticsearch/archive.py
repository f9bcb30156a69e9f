"""An archive of the classes that a starting node loads: it halves the time of a start."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.elasticsearch.installation import Installation, cache_lock
from tests.elasticsearch.node import Node

if TYPE_CHECKING:
    from pathlib import Path


def with_archive(installation: Installation) -> Installation:
    """Return an installation that starts with the archive, which is made first if there is none.

    Java ignores an archive that does not fit it, so the archive never changes what a node does.
    """
    archive = installation.home / f"classes-{_java(installation)}.jsa"
    if not archive.exists():
        with cache_lock("archive"):
            if not archive.exists():
                _make(installation, archive)
    return replace(installation, archive=archive)


def _java(installation: Installation) -> str:
    """Return a hash of the very build of Java, and of where it lies."""
    run = subprocess.run(
        [installation.jdk.java, "-version"], capture_output=True, timeout=30, check=True
    )
    identity = f"{installation.jdk.home}\n".encode() + run.stderr
    return hashlib.sha256(identity).hexdigest()[:12]


def _make(installation: Installation, archive: Path) -> None:
    """Let a node record its classes while it closes."""
    aside = archive.with_suffix(".building")
    with Node(installation, jvm_options=[f"-XX:ArchiveClassesAtExit={aside}"]) as node:
        node.stop()
        if not aside.exists():
            raise RuntimeError(f"Java made no archive of classes; its log:\n{node.log_tail()}")
    aside.rename(archive)
