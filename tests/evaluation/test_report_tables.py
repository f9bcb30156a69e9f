"""Tables of the report: what their cells say, and who is best of whom."""

from __future__ import annotations

from indexer.evaluation.records import Outcome
from indexer.evaluation.report import tables
from indexer.evaluation.report.measures import VIDEO, rate


def test_the_best_setting_is_one_over_the_same_clips_as_the_first() -> None:
    table = tables.videos(
        [
            Outcome(
                name, "video", "done", metrics={"documents": documents}, made_with={"videos": of}
            )
            for name, documents, of in (("a", 9, "x"), ("b", 8, "x"), ("other clips", 1, "y"))
        ],
        VIDEO,
    )
    assert table is not None
    assert [(row.cells[0].text, row.cells[0].best) for row in table.rows] == [
        ("9", False), ("8", True), ("1", False),
    ]  # fmt: skip


def test_a_rate_is_told_in_two_figures() -> None:
    told = {rate(value) for value in (0.0, 3 / 70_000, 0.00148, 0.25, 1.0)}
    assert told == {"0", "4.3e-5", "1.5e-3", "0.25", "1"}
