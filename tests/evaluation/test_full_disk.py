"""A disk that takes no more ends what an evaluation keeps in one sentence, and leaves no parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.errors import EnvironmentFailure
from indexer.evaluation.embedding import KeptTimes
from indexer.evaluation.evaluate import Request, evaluate
from indexer.evaluation.matrix import Matrix, PhotoRun
from indexer.evaluation.outcomes import KeptOutcomes
from indexer.evaluation.records import Outcome
from indexer.evaluation.report import write_report
from tests.disks import full_after
from tests.evaluation.material import FEATURES, PAIRS, write_material

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOISE = np.random.default_rng(0).normal(size=(100, 20))  # hardly becomes smaller


def keep_outcome(folder: Path, place: int) -> None:
    metrics = {"text": "long " * place}
    KeptOutcomes(folder).keep(
        "k", Outcome("one", "photos", "done", metrics=metrics, arrays={"scores": NOISE + place})
    )


def keep_times(folder: Path, place: int) -> None:
    times = KeptTimes(folder / "t.json")
    times.add(dict.fromkeys((f"stage {n}" for n in range(place)), 1.0))  # type: ignore[arg-type]
    times.save()


def write_the_report(folder: Path, place: int) -> None:
    outcome = Outcome("long " * place, "photos", "skipped", reason="nothing")
    write_report([outcome], folder, photos=None, title=f"{place}")


@pytest.mark.parametrize("write", [keep_outcome, keep_times, write_the_report])
@pytest.mark.parametrize("size", [100, 5000])
def test_what_cannot_be_written_is_told_and_leaves_no_part(
    tmp_path: Path, write: Callable[[Path, int], None], size: int
) -> None:
    """5,000 bytes are enough for some files of what is written, and not for others."""
    with full_after(size), pytest.raises(EnvironmentFailure) as caught:
        write(tmp_path, 1000)
    told = str(caught.value)
    assert "cannot be written: File too large." in told
    assert "Errno" not in told
    left = list(tmp_path.iterdir())
    assert not [path for path in left if path.name.startswith(".")]
    assert all(path.stat().st_size < size for path in left)
    write(tmp_path, 1000)


def test_a_report_that_cannot_be_written_leaves_the_last_one(tmp_path: Path) -> None:
    write_the_report(tmp_path, 1)
    before = (tmp_path / "report.html").read_text()
    with full_after(10_000), pytest.raises(EnvironmentFailure, match=r"report\.html cannot be"):
        write_the_report(tmp_path, 2)
    assert (tmp_path / "report.html").read_text() == before


def test_a_run_that_could_not_be_kept_says_so_in_words(tmp_path: Path) -> None:
    write_material(tmp_path)
    request = Request(
        tmp_path / "people", tmp_path / "work", pairs=tmp_path / PAIRS, models=tmp_path
    )
    matrix = Matrix(photos=(PhotoRun("one", f"features:{{models}}/{FEATURES}"),))
    with full_after(1000):
        (outcome,) = evaluate(matrix, request)
    assert outcome.state == "failed"
    assert (outcome.reason or "").endswith("cannot be written: File too large.")
    assert not list((tmp_path / "work" / "outcomes").glob("*/*"))
