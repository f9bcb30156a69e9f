"""Writes the report: `report.html`, `report.json` and `report.csv`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.errors import EnvironmentFailure, MissingExtra
from indexer.evaluation.report.flat import write_csv, write_json
from indexer.interruptions import interrupted_between
from indexer.placing import make_folder, place_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from indexer.evaluation.records import Outcome


def write_report(
    outcomes: Sequence[Outcome],
    folder: Path,
    *,
    photos: Path | None,
    queries: Sequence[str] = (),
    title: str,
) -> Path:
    """Write the report of some runs into a folder, which is made; return the page's path.

    The page is one file that asks for nothing else: at most about 15 MB, with contact sheets.
    report.json holds configurations, metrics, reasons and what made them; report.csv the same, a
    row for each run, in flat columns such as `metrics.tar_at_far.1e-3`. What a run did not measure
    is a dash on the page, and missing or null elsewhere.

    photos: the folder that names of photos in outcomes are relative to, for contact sheets; without
    it there are none. queries: photos to show in contact sheets (`Name/Name_0001.jpg`, or a person,
    whose first photo is taken) beside the best and the worst. title: the page's heading.

    Raises MissingExtra without the packages that it needs, EnvironmentFailure if the files cannot
    be written; each comes into place whole or not at all.
    """
    require_packages()
    from indexer.evaluation.report.page import render

    target = folder / "report.html"
    make_folder(folder)
    try:
        # The figures first: they are whole even if a drawing should fail.
        write_json(folder / "report.json", title, outcomes)
        write_csv(folder / "report.csv", outcomes)
        # What draws is in C, where an interruption is lost, or worse.
        with interrupted_between() as pause:
            page = render(outcomes, photos=photos, queries=queries, title=title, pause=pause)
        place_text(target, page)
    except OSError as error:
        raise EnvironmentFailure(
            f"The report cannot be written into {folder}: {error}. Name another folder, or make "
            f"space there."
        ) from error
    return target


def require_packages() -> None:
    """Raise MissingExtra without the packages that a report needs."""
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtra("The report of an evaluation", "evaluate") from error
