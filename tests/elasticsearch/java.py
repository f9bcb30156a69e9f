"""Finding a JDK that runs Elasticsearch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OLDEST = 21
"""Elasticsearch's own classes need this version of Java."""

JVM_FOLDERS = (
    Path("/usr/lib/jvm"),
    Path("/usr/lib64/jvm"),
    Path("/usr/java"),
    Path("/opt/java"),
    Path("/opt/jdk"),
    Path("/Library/Java/JavaVirtualMachines"),
    Path.home() / ".sdkman/candidates/java",
    Path.home() / ".jdks",
)


class Unavailable(Exception):
    """What real Elasticsearch nodes need is not on this machine."""


@dataclass(frozen=True)
class Jdk:
    """A Java installation with its compiler."""

    home: Path
    version: int

    @property
    def java(self) -> Path:
        return self.home / "bin" / "java"

    @property
    def javac(self) -> Path:
        return self.home / "bin" / "javac"


def find_jdk(
    environment: Mapping[str, str] = os.environ, folders: Sequence[Path] = JVM_FOLDERS
) -> Jdk:
    """Return the first JDK that is new enough, of those a machine usually has.

    `SIGHTINGS_TEST_JAVA_HOME` is taken alone when it is set; else come `JAVA_HOME`, everything in
    `folders` and the `java` on the `PATH`. Raises `Unavailable`, which names all that were found.
    """
    seen = []
    for home in dict.fromkeys(_homes(environment, folders)):
        version = _version(home)
        if version is None:
            seen.append(f"no working Java in {home}")
        elif version < OLDEST:
            seen.append(f"Java {version} in {home}")
        elif not (home / "bin" / "javac").is_file():
            seen.append(f"Java {version} without javac in {home}")
        else:
            return Jdk(home, version)
    raise Unavailable(
        f"Elasticsearch's tests need a JDK of version {OLDEST} or newer, with javac: "
        f"install one or set SIGHTINGS_TEST_JAVA_HOME; found {', '.join(seen) or 'no Java at all'}"
    )


def _homes(environment: Mapping[str, str], folders: Sequence[Path]) -> Iterator[Path]:
    if chosen := environment.get("SIGHTINGS_TEST_JAVA_HOME"):
        yield Path(chosen).resolve()
        return
    if usual := environment.get("JAVA_HOME"):
        yield Path(usual).resolve()
    for folder in folders:
        for pattern in ["*/bin/java", "*/Contents/Home/bin/java"]:
            yield from (java.parents[1].resolve() for java in sorted(folder.glob(pattern)))
    if on_path := shutil.which("java", path=environment.get("PATH", os.defpath)):
        yield Path(on_path).resolve().parents[1]


def _version(home: Path) -> int | None:
    """Return the feature version (8, 17, 25) that Java tells, or None without answer."""
    try:
        run = subprocess.run(
            [home / "bin" / "java", "-version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    told = re.search(r'version "(?:1\.)?(\d+)', run.stderr + run.stdout)
    return int(told[1]) if told else None
