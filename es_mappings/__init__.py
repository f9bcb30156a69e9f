"""What an Elasticsearch cluster needs, as files an operator can read: composable index templates.

`${placeholders}` are filled in for each collection: its name, and for faces the embedding model.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = 2
"""Kept in every index's mapping; raise it with every change of the templates, with a migration."""

KINDS = ("faces", "media", "segments", "files", "labels")
"""The kinds of index that a collection has, each with a template of that name."""


def index_template(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an index template, ready for `PUT _index_template`, with its placeholders filled in.

    A string that is one placeholder becomes the value itself, of whatever type; placeholders
    within longer strings become text. Raises KeyError for a placeholder without a value.
    """
    template = json.loads(files(__name__).joinpath(f"{kind}.json").read_text(encoding="utf-8"))
    filled = fill(template, values)
    assert isinstance(filled, dict)
    return filled


def fill(part: Any, values: Mapping[str, Any]) -> Any:
    """Return JSON with its placeholders filled in, as `index_template` says."""
    if isinstance(part, dict):
        return {name: fill(value, values) for name, value in part.items()}
    if isinstance(part, list):
        return [fill(value, values) for value in part]
    if not isinstance(part, str) or "${" not in part:
        return part
    if whole := re.fullmatch(r"\$\{(\w+)\}", part):
        return values[whole[1]]
    from string import Template

    return Template(part).substitute({name: str(value) for name, value in values.items()})
