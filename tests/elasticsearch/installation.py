"""A home folder for Elasticsearch nodes, made once from Maven's jars and kept in a cache.

The distribution's own start scripts are not published as jars, so `launcher/` has what takes their
place: a small Java class, the list of jars, and the files that a home folder needs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tests.elasticsearch.java import Jdk, Unavailable, find_jdk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LAUNCHER = Path(__file__).with_name("launcher")
DOWNLOAD_LIMIT_S = 480


@dataclass(frozen=True)
class Installation:
    """What starts a node: a JDK, and a home folder that many nodes read and none writes."""

    jdk: Jdk
    home: Path
    archive: Path | None = None

    def command(
        self, heap_mb: int, jvm_options: Sequence[str], settings: dict[str, str]
    ) -> list[str]:
        """Return the command line of a node; `settings` are Elasticsearch's, by their names."""
        return [
            str(self.jdk.java),
            f"-Xms{heap_mb}m",
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC",
            # All compilers stay: with the first alone, HNSW graphs take 25 times as long to build.
            "-XX:-UsePerfData",
            "-XX:+ExitOnOutOfMemoryError",
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            f"-Des.path.home={self.home}",
            *([f"-XX:SharedArchiveFile={self.archive}"] if self.archive else []),
            *jvm_options,
            "-classpath",
            ":".join(str(jar) for jar in sorted(self.home.glob("lib/*.jar"))),
            "Launcher",
            str(self.home),
            *(f"{name}={value}" for name, value in settings.items()),
        ]


def cache_folder() -> Path:
    """Return this user's cache folder of the tests."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "sightings-tests"


def install() -> Installation:
    """Return the installation, built first if the cache has none of these very sources.

    Raises `Unavailable` when JDK or Maven are missing, `RuntimeError` with their output when they
    fail.
    """
    jdk = find_jdk()
    cache = cache_folder()
    home = cache / f"elasticsearch-{_version()}-{_sources_hash()}"
    if not home.is_dir():
        with cache_lock("installation"):
            if not home.is_dir():
                _build(jdk, home)
    return Installation(jdk, home)


def _version() -> str:
    """Return the version of Elasticsearch that the list of jars pins."""
    name = "{http://maven.apache.org/POM/4.0.0}elasticsearch.version"
    found = ElementTree.parse(LAUNCHER / "pom.xml").find(f".//{name}")
    assert found is not None
    assert found.text
    return found.text


def _sources_hash() -> str:
    sources = [Path(__file__), *sorted(path for path in LAUNCHER.iterdir() if path.is_file())]
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@contextmanager
def cache_lock(name: str) -> Iterator[None]:
    """Hold a lock that all processes of this user share, and that ends with its holder."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(jdk: Jdk, home: Path) -> None:
    """Build aside and rename, so that a home that exists is whole; the caller holds the lock."""
    for leftover in home.parent.glob("building-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix="building-", dir=home.parent))
    try:
        _download(aside / "lib")
        _lay_out(aside)
        _compile(jdk, aside)
        aside.rename(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _download(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable("Elasticsearch's tests need Maven once, to download it: mvn is missing")
    _run(
        "Downloading Elasticsearch with Maven",
        [maven, "--batch-mode", "--quiet", "--file", LAUNCHER / "pom.xml"],
        ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"],
    )


def _compile(jdk: Jdk, home: Path) -> None:
    # A single file among the other jars: archives of classes know no folders.
    classes = home / "classes"
    _run(
        "Compiling the launcher",
        [jdk.javac, "--release=21", f"--class-path={home}/lib/*"],
        ["-d", classes, LAUNCHER / "Launcher.java"],
    )
    with zipfile.ZipFile(home / "lib" / "launcher.jar", "w") as jar:
        for path in classes.iterdir():
            jar.write(path, path.name)


def _lay_out(home: Path) -> None:
    """Give a folder with all jars in `lib` the shape that a node expects of its home."""
    transport = home / "modules" / "transport-netty4"
    for folder in [transport, home / "config", home / "plugins", home / "classes"]:
        folder.mkdir(parents=True)
    for jar in [*home.glob("lib/netty-*.jar"), *home.glob("lib/transport-netty4-*.jar")]:
        jar.rename(transport / jar.name)
    descriptor = (LAUNCHER / "plugin-descriptor.properties").read_text()
    transport.joinpath("plugin-descriptor.properties").write_text(
        descriptor.replace("@version@", _version())
    )
    shutil.copy(LAUNCHER / "log4j2.properties", home / "config")
    (home / "config" / "elasticsearch.yml").touch()


def _run(doing: str, program: Sequence[object], arguments: Sequence[object]) -> None:
    command = [str(part) for part in [*program, *arguments]]
    run = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DOWNLOAD_LIMIT_S,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"{doing} failed:\n$ {' '.join(command)}\n{run.stdout[-4000:]}")
