"""pymilvus and Milvus Lite, loaded without side effects, and their errors made Sightings'."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.errors import EnvironmentFailure, MissingExtra, UsageError
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_S = 10.0
_SCHEMES = ("http://", "https://", "tcp://")


def check_uri(store: str, uri: str) -> None:
    """Raise UsageError, which shows no password, unless a URI can be a server's."""
    if "@" in uri:
        raise UsageError(
            "The address of Milvus names no user and no password, as it is shown and stored; "
            "servers that want one cannot be measured."
        )
    if not uri.lower().startswith(_SCHEMES):
        raise UsageError(
            f"{shown(store)}: {shown(uri)} is no address of Milvus: write http://HOST:19530."
        )


def pymilvus() -> Any:
    """Return the package, told to be quiet. Raises MissingExtra without it."""
    before = os.environ.get("PYTHON_DOTENV_DISABLED")
    # It would put what a file .env above its own folder says into this process's environment.
    os.environ["PYTHON_DOTENV_DISABLED"] = "1"
    try:
        import pymilvus as package
    except ImportError as error:
        raise MissingExtra("The store milvus", "evaluate") from error
    finally:
        if before is None:
            del os.environ["PYTHON_DOTENV_DISABLED"]
        else:
            os.environ["PYTHON_DOTENV_DISABLED"] = before
    # They print what they raise, with tracebacks.
    for name in ("pymilvus", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return package


def connect(uri: str) -> Any:
    """Return a client with a connection of its own. Raises EnvironmentFailure if none answers.

    Newer clients report their operations to the server every few seconds; this one does not.
    """
    package = pymilvus()
    with translated_errors(uri):
        return package.MilvusClient(
            uri, timeout=CONNECT_S, dedicated=True, telemetry_config={"enabled": False}
        )


@contextmanager
def translated_errors(uri: str) -> Iterator[None]:
    """Raise pymilvus's errors as EnvironmentFailure that says where they come from."""
    package = pymilvus()
    try:
        yield
    except package.MilvusException as error:
        raise EnvironmentFailure(f"Milvus at {shown(uri)}: {shown(error.message)}") from error


class Lite:
    """Milvus Lite in threads of this process, on a port of this machine that asks no password.

    Its files lie in a folder of its own, which is deleted at the end. Raises MissingExtra without
    the package, EnvironmentFailure if it does not start.
    """

    def __init__(self, folder: Path) -> None:
        pymilvus()
        try:
            from milvus_lite.server_manager import server_manager_instance
        except ImportError as error:
            raise MissingExtra("The store milvus, without a server,", "evaluate") from error
        self._servers: Any = server_manager_instance
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix="milvus-")
        self._file = str(Path(self._folder.name) / "vectors.db")
        uri = self._servers.start_and_get_uri(self._file)
        if uri is None:
            self._folder.cleanup()
            raise EnvironmentFailure(f"Milvus Lite does not start in {shown(folder)}.")
        self.uri: str = uri

    def stop(self) -> None:
        """End the threads and delete the files."""
        self._servers.release_server(self._file)
        self._folder.cleanup()
