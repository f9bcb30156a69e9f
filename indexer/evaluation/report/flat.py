"""Outcomes as JSON and as rows of a CSV file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from indexer.evaluation.wrong_pairs import missed_document
from indexer.placing import place_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from indexer.evaluation.records import Outcome

FIRST_COLUMNS = ("name", "kind", "state", "reason")
LONG_LISTS = ("wrong_pairs",)
"""Metrics that are no figures, and stand in the JSON alone."""
_NAMES_OF_ITEMS = (("attribute", "group"), ("photos",), ("name",))


def plain(value: Any) -> Any:
    """Return a value as JSON takes it: NumPy's numbers as Python's, no number as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)


def as_records(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return outcomes, without their arrays, as JSON takes them."""
    return [
        {
            "name": each.name,
            "kind": each.kind,
            "state": each.state,
            "reason": each.reason,
            "configuration": plain(each.configuration),
            "metrics": plain(each.metrics),
            "made_with": plain(each.made_with),
        }
        for each in outcomes
    ]


def flattened(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield each number or text in nested mappings and lists with its path, joined by dots.

    Items of a list are called by what tells them apart (their group, their number of photos), or
    else by their place.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flattened(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from flattened(item, f"{path}.{_name_of_item(item, place)}")
    else:
        yield path, value


def document(title: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return all that was measured, of what configuration, and why not where it was not.

    The metrics of a run that is the only one stand at the top as well; of several runs, the pairs
    that two or more networks tell wrongly.
    """
    records = as_records(outcomes)
    only = records[0]["metrics"] if len(records) == 1 else {}
    return {"title": title, "outcomes": records, **only, **missed_document(outcomes)}


def write_json(path: Path, title: str, outcomes: Sequence[Outcome]) -> None:
    """Write `document`."""
    told = document(title, outcomes)
    place_text(path, json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write a row for each outcome; columns are those of all of them, empty where one has none."""
    records = as_records(outcomes)
    for record in records:
        record["metrics"] = {k: v for k, v in record["metrics"].items() if k not in LONG_LISTS}
    rows = [dict(flattened(record, "")) for record in records]
    columns = dict.fromkeys(FIRST_COLUMNS)
    for part in ("configuration", "metrics", "made_with"):
        for row in rows:
            columns |= dict.fromkeys(name for name in row if name.startswith(f"{part}."))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    place_text(path, text.getvalue())


def _name_of_item(item: Any, place: int) -> str:
    if isinstance(item, Mapping):
        for names in _NAMES_OF_ITEMS:
            if all(name in item for name in names):
                return ".".join(str(item[name]) for name in names)
    return str(place)
