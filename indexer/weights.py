"""Where a model's weights come from, and how they get here whole."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    Progress = Callable[[int, int], None]

CHUNK_BYTES = 1 << 20
SHA256_DIGITS = 64
CACHE_VARIABLE = "SIGHTINGS_CACHE"


@dataclass(frozen=True)
class WeightsSource:
    """A published file of weights.

    size_bytes: None if its publisher does not state it. sha256: in hex; or its first digits, where
    no more is published. instead: what can be done if it cannot be fetched, as a sentence.
    """

    name: str
    file_name: str
    url: str
    size_bytes: int | None
    sha256: str
    licence: str
    instead: str = ""

    @property
    def described(self) -> str:
        """What tells the file from others, in words."""
        size = "" if self.size_bytes is None else f"{self.size_bytes:,} bytes, "
        beginning = "" if len(self.sha256) == SHA256_DIGITS else "begins with "
        return f"{size}SHA-256 {beginning}{self.sha256}"


def cache_dir() -> Path:
    """Return the folder for downloaded weights: SIGHTINGS_CACHE, or the user's cache folder."""
    import platformdirs

    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else platformdirs.user_cache_path("sightings")


_digests: dict[tuple[str, int, int], str] = {}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex; remembered while its size and time stay the same.

    Raises WeightsUnavailable if the file cannot be read.
    """
    try:
        status = path.stat()
        key = (str(path.resolve()), status.st_size, status.st_mtime_ns)
        if key not in _digests:
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
            _digests[key] = digest.hexdigest()
    except OSError as error:
        raise WeightsUnavailable(f"The weights {path} cannot be read: {error}.") from error
    return _digests[key]


def find_weights(source: WeightsSource, given: str | None) -> Path | None:
    """Return where a source's weights lie: the given path, else the cache; None if not there.

    A given file is taken as it is; one in the cache counts only when it is the published file.
    Raises WeightsUnavailable if a path was given and no file lies there.
    """
    if given:
        path = Path(given).expanduser()
        if not path.is_file():
            raise WeightsUnavailable(f"{source.name}'s weights: there is no file {path}.")
        return path
    cached = cache_dir() / source.file_name
    return cached if _is_published(source, cached) else None


def download(
    source: WeightsSource, *, progress: Progress | None = None, timeout_s: float = 30.0
) -> Path:
    """Fetch a source's weights into the cache and return their path.

    A download that was cut goes on where it stopped. Two processes do not disturb each other: the
    second waits for the first. progress is told the bytes here and the bytes in all; timeout_s is
    the longest silence of the server. Raises WeightsUnavailable, which says what else can be done,
    when the file cannot be fetched or is not the published one; that one is not kept.
    """
    target = cache_dir() / source.file_name
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_name(target.name + ".lock")):
            if not _is_published(source, target):
                if not _is_published(source, part):
                    _fetch(source, part, progress, timeout_s)
                if not _is_published(source, part):
                    part.unlink()
                    raise _unavailable(source, "what came is not the published file")
                part.replace(target)
    except OSError as error:  # requests' errors are OSErrors too
        raise _unavailable(source, _said(error)) from error
    return target


def reachable(source: WeightsSource, timeout_s: float = 3.0) -> bool:
    """Return whether the source answers with the file within a time, name look-up included."""
    import threading

    import requests

    answers = []

    def ask() -> None:
        try:
            headers = {"Range": "bytes=0-0"}
            with requests.get(source.url, headers=headers, stream=True, timeout=timeout_s) as reply:
                answers.append(reply.ok)
        except requests.RequestException:
            answers.append(False)

    # Only a thread of its own can be left behind when looking up the name hangs.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return any(answers)


def _is_published(source: WeightsSource, path: Path) -> bool:
    return (
        path.is_file()
        and source.size_bytes in (None, path.stat().st_size)
        and sha256_of(path).startswith(source.sha256)
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system takes back when the process ends, however it ends."""
    import fcntl

    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(source: WeightsSource, part: Path, progress: Progress | None, timeout_s: float) -> None:
    """Append what is missing of the file to `part`."""
    with part.open("ab") as file:
        if source.size_bytes is not None and file.tell() > source.size_bytes:
            file.truncate(0)
        _append(source, file, progress, timeout_s)


def _append(
    source: WeightsSource, file: BinaryIO, progress: Progress | None, timeout_s: float
) -> None:
    import requests

    start = file.tell()
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={start}-"}
    with requests.get(source.url, headers=headers, stream=True, timeout=timeout_s) as reply:
        if reply.status_code == requests.codes.requested_range_not_satisfiable:
            # Nothing follows what is here, and it is not the file.
            file.truncate(0)
            return
        reply.raise_for_status()
        if reply.status_code != requests.codes.partial_content:
            file.truncate(0)
            start = 0
        expected = source.size_bytes or start + int(reply.headers.get("Content-Length", 0))
        for chunk in reply.iter_content(CHUNK_BYTES):
            file.write(chunk)
            if progress:
                progress(file.tell(), max(expected, file.tell()))
            if 0 < expected < file.tell():
                break


def _said(error: OSError) -> str:
    """Return what kept a download from being done, in a line."""
    import requests

    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached, or the connection to it broke"
    return str(error)


def _unavailable(source: WeightsSource, reason: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"{source.name}'s weights could not be fetched from {source.url}: {reason}.\n"
        f"Run it again to go on, or fetch {source.file_name} ({source.described}) "
        f"by other means and put it into {cache_dir()}.\n{source.instead}"
    )
