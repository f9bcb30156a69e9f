"""Index engines behind one contract; `open_index` picks the engine by the form of the location."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, cast

from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index

_ENGINES = {"": "indexer.engines.embedded.index:open_embedded"}
"""What opens an index, as module:function, by the scheme of its location ("" is a path)."""


def open_index(location: str, *, create: bool = False) -> Index:
    """Open the index at a path, with the engine that keeps it; its module is loaded only now.

    create: make a new index if there is none.
    Raises UsageError for a kind of location that no engine serves, and IndexFailure if the index
    cannot be opened.
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", location)
    scheme = found.group(1).lower() if found else ""
    if scheme not in _ENGINES:
        raise UsageError(
            f"This build of Sightings has no index engine for {scheme}:// yet ({location}). "
            "Give the path of an index file instead."
        )
    module, function = _ENGINES[scheme].split(":")
    opened = cast("Callable[..., Index]", getattr(import_module(module), function))
    return opened(location, create=create)
