"""API keys: made once, shown once, kept only as hashes in a file that their owner alone may read.

A key is `sightings_ID_SECRET`; the secret has 256 random bits, so that one SHA-256 is as good a
hash as a slow one. The file is read again whenever it changed: a removed key fails at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.errors import EnvironmentFailure, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from indexer.settings_api import ApiSettings

SCOPES = {
    "search": "look at everything: search, media, faces, people",
    "ingest": "add photos and videos, and look after their jobs",
    "admin": "all of it, and names, and deleting for good",
}
_PREFIX = "sightings"


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept; sha256: of its secret, hex."""

    id: str
    name: str
    scopes: tuple[str, ...]
    sha256: str
    created_at: str

    def allows(self, scope: str) -> bool:
        """Whether the key has the scope; `admin` has all."""
        return scope in self.scopes or "admin" in self.scopes


def keys_path(settings: ApiSettings) -> Path:
    """Return where the keys are kept."""
    if settings.keys_file:
        return Path(settings.keys_file)
    from platformdirs import user_data_path

    return user_data_path("sightings") / "api-keys.json"


class KeyStore:
    """The keys in a file; processes may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_at: tuple[int, int, int] | None = None
        self._keys: dict[str, ApiKey] = {}

    def all(self) -> tuple[ApiKey, ...]:
        """Return all keys. Raises EnvironmentFailure if the file cannot be read."""
        with self._lock:
            self._refresh()
            return tuple(self._keys.values())

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key by its id."""
        return next((key for key in self.all() if key.id == key_id), None)

    def find(self, text: str) -> ApiKey | None:
        """Return the key that a text is, or None if it is none of these."""
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self.get(key_id)
        given = _hash(secret)
        same = hmac.compare_digest(given, key.sha256 if key else _hash(""))
        return key if prefix == _PREFIX and key and same else None

    def add(self, name: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
        """Make a key; return it with the text to hand out, which is kept nowhere.

        Raises UsageError for unknown scopes or none, EnvironmentFailure.
        """
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise UsageError(
                f"A key's scopes are out of {', '.join(SCOPES)}, at least one"
                + (f"; {unknown[0]!r} is none of them." if unknown else ".")
            )
        if not name.strip() or not name.isprintable():
            raise UsageError("A key needs a name that says who uses it.")
        secret = secrets.token_urlsafe(32)
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        key = ApiKey(secrets.token_hex(4), name, tuple(sorted(set(scopes))), _hash(secret), now)
        with self._changing() as keys:
            keys[key.id] = key
        return key, f"{_PREFIX}_{key.id}_{secret}"

    def remove(self, key_id: str) -> ApiKey:
        """Remove a key by its id. Raises NotFound, EnvironmentFailure."""
        with self._changing() as keys:
            if key_id not in keys:
                raise NotFound(f"No key has the id {key_id!r}; `sightings keys list` shows them.")
            return keys.pop(key_id)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, ApiKey]]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = self._path.with_name(f"{self._path.name}.lock")
            with lock.open("a") as held, self._lock:
                fcntl.flock(held, fcntl.LOCK_EX)
                self._refresh()
                keys = dict(self._keys)
                yield keys
                write_private(self._path, json.dumps([asdict(key) for key in keys.values()]))
        except OSError as error:
            raise self._failure(error) from error

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            read_at = (status.st_mtime_ns, status.st_size, status.st_ino)
            if read_at == self._read_at:
                return
            content = json.loads(self._path.read_text(encoding="utf-8"))
            self._keys = {key.id: key for key in (_key(entry) for entry in content)}
            self._read_at = read_at
        except FileNotFoundError:
            self._keys, self._read_at = {}, None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> EnvironmentFailure:
        reason = getattr(error, "strerror", None) or "it is no list of keys"
        return EnvironmentFailure(f"The keys file {self._path} cannot be used: {reason}.")


def write_private(path: Path, content: str, *, replace: bool = True) -> None:
    """Make a file that only its owner may read, as a whole or not at all.

    replace: one that is there; otherwise that raises FileExistsError.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            fresh.replace(path)
        else:
            path.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(entry: dict[str, Any]) -> ApiKey:
    return ApiKey(**(entry | {"scopes": tuple(entry["scopes"])}))
