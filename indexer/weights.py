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
CACHE_VARIABLE = "SIGHTINGS_CACHE"


@dataclass(frozen=True)
class WeightsSource:
    """A published file of weights."""

    name: str
    file_name: str
    url: str
    size_bytes: int
    sha256: str
    licence: str


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
                _fetch(source, part, progress, timeout_s)
                if not _is_published(source, part):
                    part.unlink()
                    raise _unavailable(source, "what came is not the published file")
                part.replace(target)
    except OSError as error:  # requests' errors are OSErrors too
        raise _unavailable(source, str(error)) from error
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
        and path.stat().st_size == source.size_bytes
        and sha256_of(path) == source.sha256
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
        if file.tell() > source.size_bytes:
            file.truncate(0)
        if file.tell() < source.size_bytes:
            _append(source, file, progress, timeout_s)


def _append(
    source: WeightsSource, file: BinaryIO, progress: Progress | None, timeout_s: float
) -> None:
    import requests

    headers = {"Accept-Encoding": "identity", "Range": f"bytes={file.tell()}-"}
    with requests.get(source.url, headers=headers, stream=True, timeout=timeout_s) as reply:
        reply.raise_for_status()
        if reply.status_code != requests.codes.partial_content:
            file.truncate(0)
        for chunk in reply.iter_content(CHUNK_BYTES):
            file.write(chunk)
            if progress:
                progress(file.tell(), source.size_bytes)
            if file.tell() > source.size_bytes:
                break


def _unavailable(source: WeightsSource, reason: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"{source.name}'s weights could not be fetched from {source.url}: {reason}.\n"
        f"Run it again to go on, or fetch {source.file_name} ({source.size_bytes:,} bytes, SHA-256 "
        f"{source.sha256}) by other means and put it into {cache_dir()}.\n"
        "Or use another model: --model facenet:PATH (the same network's weights from a file), "
        '--model dlib (needs: pip install "sightings[dlib]"; no further download), or '
        "--model onnx:PATH (any face-embedding network with its card)."
    )
