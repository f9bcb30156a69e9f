"""What Kibana shows of a collection: data views, saved searches, charts and a dashboard.

`kibana.ndjson` has one saved object a line, as Kibana exports them, for 9.3 and newer, but with
`${name}` and `${url}` to be filled in, and without the JSON that Kibana keeps as text in JSON.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from es_mappings import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

AS_TEXT = frozenset(
    {
        "fieldAttrs",
        "fieldFormatMap",
        "fields",
        "optionsJSON",
        "panelsJSON",
        "runtimeFieldMap",
        "searchSourceJSON",
        "sourceFilters",
        "spec",
        "typeMeta",
        "uiStateJSON",
        "visState",
    }
)
"""The attributes that Kibana keeps as JSON in a text."""


def saved_objects(name: str, url: str) -> Iterator[dict[str, Any]]:
    """Yield the saved objects of a collection, ready for Kibana's import.

    name: the collection's. url: where browsers find the service, without a slash at its end:
    `thumbnail_url` and `frame_url` of the documents follow it.
    """
    lines = files("es_mappings").joinpath("kibana.ndjson").read_text(encoding="utf-8").splitlines()
    for line in lines:
        yield _as_kept(fill(json.loads(line), {"name": name, "url": url}))


def to_ndjson(name: str, url: str) -> str:
    """Return the saved objects of a collection as Kibana imports them; see `saved_objects`."""
    return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in saved_objects(name, url))


def _as_kept(part: Any) -> Any:
    if isinstance(part, list):
        return [_as_kept(value) for value in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _as_kept(value) for key, value in part.items()}
    return {
        key: json.dumps(value, ensure_ascii=False, indent=2 if key == "spec" else None)
        if key in AS_TEXT
        else value
        for key, value in kept.items()
    }
