"""Figures as Markdown tables for people and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Report:
    """Everything that a run measured, printed and written to a JSON file as it comes."""

    def __init__(self, machine: Mapping[str, str], path: Path | None) -> None:
        self._path = path
        self._content: dict[str, Any] = {"machine": dict(machine), "tables": []}
        print("\n".join(f"- {name}: {value}" for name, value in machine.items()))

    def add(self, title: str, rows: Sequence[Any]) -> None:
        """Print rows, which are data classes of one kind; fields that are lists only go to JSON."""
        content = [asdict(row) for row in rows]
        self._content["tables"].append({"title": title, "rows": content})
        names = [name for name, value in content[0].items() if not isinstance(value, list)]
        table = [
            [name.replace("_", " ") for name in names],
            *([_text(row[name]) for name in names] for row in content),
        ]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        table.insert(1, ["-" * width for width in widths])
        print(f"\n{title}\n")
        for cells in table:
            padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            print(f"| {' | '.join(padded)} |", flush=True)
        if self._path:
            self._path.write_text(json.dumps(self._content, indent=1), encoding="utf-8")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 2 else f"{value:.4f}"
