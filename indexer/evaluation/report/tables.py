"""Tables of the report: what the template shows, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from indexer.evaluation.rates import GALLERIES, allowed_accepts, far_key
from indexer.evaluation.records import FARS
from indexer.evaluation.report.measures import (
    MISSING,
    VIDEO,
    cosine,
    count,
    decimal,
    expected,
    number,
    percent,
    rate,
    seconds,
)
from indexer.evaluation.report.plots_video import GOAL_DETECTIONS, GOAL_FOUND
from indexer.evaluation.report.runs import best_of, described

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from indexer.evaluation.records import Outcome
    from indexer.evaluation.report.measures import Measure
    from indexer.evaluation.report.runs import Curve

FAR_KEYS = {far_key(far): far for far in FARS}


@dataclass(frozen=True)
class Cell:
    """A cell. value: the number that its text tells. best: of its column. share: for a bar."""

    text: str
    value: float | None = None
    detail: str = ""
    best: bool = False
    share: float | None = None


@dataclass(frozen=True)
class Row:
    """A row: a run, or what else. reason: why there are no cells. mark: a short remark."""

    head: str
    detail: str = ""
    cells: tuple[Cell, ...] = ()
    state: str = "done"
    reason: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    columns: title and hint of each after the first, which `corner` is the title of. glossary: what
    columns mean, where that does not fit in their heads.
    """

    key: str
    caption: str
    corner: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    glossary: tuple[tuple[str, str], ...] = ()


def measured(
    key: str,
    caption: str,
    outcomes: Sequence[Outcome],
    measures: Sequence[Measure],
    *,
    bars: bool = False,
    keep_all: bool = False,
) -> Table | None:
    """Return a table of runs; those without results say why. None if nothing was measured.

    bars: draw how far each figure is from the largest of its column. keep_all: also keep columns
    that no run has measured, and the table where no run has measured anything.
    """
    done = [each for each in outcomes if each.state == "done"]
    used = [m for m in measures if keep_all or any(m.of(each) is not None for each in done)]
    if not outcomes or (not used and not keep_all and len(done) == len(outcomes)):
        return None
    known = {m: [m.of(each) for each in done] for m in used}
    compared = {m: m.comparable(done) for m in used}
    names = {m: {each.name for each in group} for m, group in compared.items()}
    best = {m: best_of([m.of(each) for each in compared[m]], m.better) for m in used}
    most = {m: max((v for v in values if v), default=0.0) for m, values in known.items()}
    rows = []
    for each in outcomes:
        cells = []
        for m in used if each.state == "done" else ():
            value = m.of(each)
            is_best = value is not None and value == best[m] and each.name in names[m]
            share = value / most[m] if bars and value is not None and most[m] > 0 else None
            cells.append(Cell(m.text(each), value, best=is_best, share=share))
        rows.append(_row(each, tuple(cells)))
    columns = tuple((m.title, "") for m in used)
    glossary = tuple((m.title, m.hint) for m in used if m.hint)
    return Table(key, caption, "Configuration", columns, tuple(rows), glossary)


def videos(outcomes: Sequence[Outcome], measures: Sequence[Measure]) -> Table | None:
    """Return the table of settings for videos; those that meet both goals are marked."""
    table = measured("video", "Settings for videos", outcomes, measures)
    if table is None:
        return None
    found, detections = VIDEO[0], VIDEO[1]
    rows = []
    for row, each in zip(table.rows, outcomes, strict=True):
        share, cost = found.of(each), detections.of(each)
        meets = (share or 0) >= GOAL_FOUND and cost is not None and cost < GOAL_DETECTIONS
        rows.append(replace(row, mark="meets both goals" if meets else ""))
    return replace(table, corner="Setting", rows=tuple(rows))


def thresholds(curves: Sequence[Curve]) -> Table | None:
    """Return the thresholds at each FAR over all pairs, with what they rest on."""
    rows = []
    for curve in curves:
        pairs = curve.outcome.metrics.get("all_pairs")
        if not pairs:
            continue
        different = number(pairs, "different")
        cells = [_cell(number(pairs, name), count) for name in ("same", "different")]
        cells += [_threshold(pairs, key, far, different) for key, far in FAR_KEYS.items()]
        rows.append(Row(curve.name, cells=tuple(cells)))
    if not rows:
        return None
    columns = [("Same pairs", ""), ("Different pairs", "")]
    columns += [(f"FAR {key}", _verdict(key)) for key in FAR_KEYS]
    caption = "Cosine thresholds at false-accept rates, over all pairs"
    return Table("thresholds", caption, "Configuration", tuple(columns), tuple(rows))


def galleries() -> Table:
    """Return how many false hits a search meets with, by FAR and by the size of the gallery."""
    rows = tuple(
        Row(count(size), cells=tuple(Cell(expected(far * size), far * size) for far in FARS))
        for size in GALLERIES
    )
    columns = tuple((f"FAR {key}", _verdict(key)) for key in FAR_KEYS)
    caption = "Expected false hits of one search: FAR × faces in the gallery"
    return Table("galleries", caption, "Faces in the gallery", columns, rows)


def people_by_photos(curves: Sequence[Curve]) -> Table | None:
    """Return mAP, and below it the top 20, of people with few and with many photos."""
    grouped = [
        (c, {str(item["photos"]): item for item in c.outcome.metrics.get("by_photos") or ()})
        for c in curves
    ]
    first: dict[str, Mapping[str, Any]] = {}
    for _, groups in grouped:
        first = {**first, **{k: v for k, v in groups.items() if k not in first}}
    if not first:
        return None
    rows = []
    for curve, groups in grouped:
        if groups:
            cells = tuple(_photo_cell(groups.get(name)) for name in first)
            rows.append(Row(curve.name, cells=cells))
    columns = tuple((f"{name} photos", _who(item)) for name, item in first.items())
    caption = "mAP, and the share found in the top 20, by how many photos a person has"
    return Table("by-photos", caption, "Configuration", columns, tuple(rows))


def by_group(curves: Sequence[Curve]) -> list[Table]:
    """Return a table for each run with attributes: a row a group, with the counts behind rates."""
    columns = (
        ("People", ""),
        ("Photos", ""),
        ("Same pairs", ""),
        ("Different pairs", ""),
        ("Accuracy", ""),
        ("TAR", "at possible"),
        ("False accepts", "at possible"),
        ("FAR", "at possible"),
    )
    writers = {
        "people": count,
        "photos": count,
        "same": count,
        "different": count,
        "accuracy": percent,
        "tar": percent,
        "false_accepts": count,
        "far": rate,
    }
    tables = []
    for place, curve in enumerate(curves):
        rows = []
        for item in curve.outcome.metrics.get("by_group") or ():
            cells = tuple(_cell(number(item, name), write) for name, write in writers.items())
            rows.append(Row(f"{item['attribute']}: {item['group']}", cells=cells))
        if rows:
            tables.append(Table(f"groups-{place}", curve.name, "Group", columns, tuple(rows)))
    return tables


def stages(outcomes: Sequence[Outcome]) -> Table | None:
    """Return the seconds of each stage of each run."""
    done = [each for each in outcomes if each.state == "done" and each.metrics.get("stage_s")]
    names = list(dict.fromkeys(name for each in done for name in each.metrics["stage_s"]))
    if not names:
        return None
    rows = []
    for each in done:
        values = [number(each.metrics, "stage_s", name) for name in names]
        cells = tuple(_cell(value, seconds) for value in values)
        rows.append(Row(each.name, cells=cells))
    columns = tuple((str(name).replace("_", " "), "") for name in names)
    return Table("stages", "Time of each stage", "Configuration", columns, tuple(rows))


def _row(outcome: Outcome, cells: tuple[Cell, ...]) -> Row:
    reason = "" if outcome.state == "done" else outcome.reason or "no reason was given"
    return Row(outcome.name, described(outcome.configuration), cells, outcome.state, reason)


def _threshold(pairs: Mapping[str, Any], key: str, far: float, different: float | None) -> Cell:
    value, accepted = number(pairs, "threshold_at_far", key), number(pairs, "tar_at_far", key)
    if value is None:
        return Cell(MISSING)
    parts = [] if accepted is None else [f"accepts {percent(accepted)}"]
    if different is not None:
        parts.append(f"rests on {count(allowed_accepts(round(different), far))} false accepts")
    return Cell(cosine(value), value, "; ".join(parts))


def _cell(value: float | None, write: Callable[[float], str]) -> Cell:
    return Cell(MISSING) if value is None else Cell(write(value), value)


def _verdict(key: str) -> str:
    return {"1e-3": "verdict “possible”", "1e-5": "verdict “same person”"}.get(key, "")


def _photo_cell(item: Mapping[str, Any] | None) -> Cell:
    precision = None if item is None else number(item, "map")
    if item is None or precision is None:
        return Cell(MISSING)
    top = number(item, "top20_of_existing")
    return Cell(decimal(precision), precision, "" if top is None else f"top 20: {percent(top)}")


def _who(item: Mapping[str, Any]) -> str:
    told = [(number(item, name), name) for name in ("people", "queries")]
    return ", ".join(f"{count(value)} {name}" for value, name in told if value is not None)
