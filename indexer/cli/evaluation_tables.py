"""What came of an evaluation's runs, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.cli.output import say, table
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.evaluation.records import Outcome


def show_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a table of the runs on photos, one of those on videos, and why others are in none."""
    from indexer.evaluation.report.measures import SUMMARY, VIDEO

    for kind, measures in (("photos", SUMMARY), ("video", VIDEO[:10])):
        rows = [each for each in outcomes if (each.kind, each.state) == (kind, "done")]
        known = [m for m in measures if any(m.of(each) is not None for each in rows)]
        if rows:
            table(
                ["run", *(measure.title for measure in known)],
                [[each.name, *(measure.text(each) for measure in known)] for each in rows],
            )
            say("")
    for each in outcomes:
        if each.state != "done":
            say(f"{each.state}: {shown(each.name)}: {shown(each.reason or '')}")
