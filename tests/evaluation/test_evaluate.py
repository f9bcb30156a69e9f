"""Runs of a matrix on made-up vectors: done, skipped or failed, and never done twice."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.errors import UsageError, WeightsUnavailable
from indexer.evaluation.evaluate import Request, evaluate
from indexer.evaluation.features import read_features, write_features
from indexer.evaluation.matrix import Matrix, PhotoRun
from indexer.evaluation.records import Features
from tests.evaluation.material import FEATURES, PAIRS, write_material
from tests.evaluation.watching import Seen

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.evaluation.records import Outcome


@pytest.fixture
def request_of(tmp_path: Path) -> Request:
    write_material(tmp_path)
    return Request(tmp_path / "people", tmp_path / "work", pairs=tmp_path / PAIRS, models=tmp_path)


def run(name: str, **changes: object) -> PhotoRun:
    return replace(PhotoRun(name, f"features:{{models}}/{FEATURES}"), **changes)  # type: ignore[arg-type]


def done(matrix: Matrix, request: Request) -> tuple[list[Outcome], Seen]:
    seen = Seen()
    return evaluate(matrix, request, seen), seen


def test_a_run_tells_what_it_measured_of_what_and_with_what(request_of: Request) -> None:
    (outcome,), _ = done(Matrix(photos=(run("one"),)), request_of)
    assert (outcome.name, outcome.kind, outcome.state) == ("one", "photos", "done")
    assert outcome.configuration == {"model": f"features:{FEATURES}", "metric": "cosine"}
    metrics = outcome.metrics
    assert (metrics["photos"], metrics["people"], metrics["dimensions"]) == (24, 8, 16)
    assert metrics["detection_rate"] == 1
    assert {"accuracy", "auc", "eer", "tar_at_far", "all_pairs", "top20", "map"} <= metrics.keys()
    assert {"recall_at", "by_photos", "knn_leave_one_out", "knn_stratified"} <= metrics.keys()
    assert metrics["accuracy"] == 1
    assert metrics["top20_of_existing"] == 1
    arrays = outcome.arrays
    assert arrays["neighbours"].shape == (24, 20)
    assert arrays["names"][arrays["map_rows"][0]].startswith(arrays["persons"][0])
    assert len(arrays["map_vectors"]) == len(arrays["map_rows"])
    assert {"roc_far", "fold_accuracies", "score_same", "average_precision"} <= arrays.keys()
    made = outcome.made_with
    assert {"versions", "processor", "seed", "photos_sha256", "pairs_sha256"} <= made.keys()
    for library in ("torch", "facenet-pytorch", "openvino", "scikit-learn", "pymilvus", "numkong"):
        assert f", {library} {version(library)}" in made["versions"]
    assert "server" not in made


def test_what_was_done_is_not_done_again(request_of: Request) -> None:
    matrix = Matrix(photos=(run("one"), run("two", pca=4)))
    first, seen = done(matrix, request_of)
    assert (seen.ended, seen.kept) == (["one", "two"], [])
    again, seen = done(matrix, request_of)
    assert (seen.ended, seen.kept) == (["one", "two"], ["one", "two"])
    assert [each.metrics for each in again] == [each.metrics for each in first]


def test_a_run_under_another_name_is_known(request_of: Request) -> None:
    done(Matrix(photos=(run("one"),)), request_of)
    (outcome,), seen = done(Matrix(photos=(run("other", about="why"),)), request_of)
    assert seen.kept == ["other"]
    assert (outcome.name, outcome.configuration["about"]) == ("other", "why")


@pytest.mark.parametrize("what", ["photo", "pairs", "vectors", "seed", "run", "attributes"])
def test_what_decides_an_outcome_makes_it_be_measured_anew(
    request_of: Request, tmp_path: Path, what: str
) -> None:
    matrix = Matrix(photos=(run("one"),))
    done(matrix, request_of)
    if what == "photo":
        next((tmp_path / "people").glob("*/*.jpg")).write_bytes(b"another")
    elif what == "pairs":
        pairs = tmp_path / PAIRS
        lines = pairs.read_text().splitlines()
        pairs.write_text("\n".join([lines[0], lines[2], lines[1], *lines[3:]]) + "\n")
    elif what == "vectors":
        write_material(tmp_path, seed=1)
    elif what == "seed":
        matrix = replace(matrix, seed=1)
    elif what == "run":
        matrix = Matrix(photos=(run("one", metric="euclidean"),))
    else:
        (tmp_path / "groups.csv").write_text("person,side\nP0000,left\nP0001,left\n")
        request_of = replace(request_of, attributes=tmp_path / "groups.csv")
    _, seen = done(matrix, request_of)
    assert (seen.ended, seen.kept) == (["one"], [])


def test_what_cannot_be_had_is_skipped_and_what_goes_wrong_is_failed(request_of: Request) -> None:
    matrix = Matrix(
        photos=(
            PhotoRun("no weights", ("resnet50:{models}/none.pth", "vgg16:{models}/none.pth")),
            run("no cluster", store="elasticsearch:bbq_hnsw", measures=("retrieval",)),
            run("too many dimensions", pca=900),
            run("done"),
        )
    )
    outcomes, _ = done(matrix, request_of)
    states = {each.name: each.state for each in outcomes}
    assert states == {
        "no weights": "skipped",
        "no cluster": "skipped",
        "too many dimensions": "failed",
        "done": "done",
    }
    reasons = {each.name: each.reason or "" for each in outcomes}
    assert "none.pth" in reasons["no weights"]
    assert "needs a cluster" in reasons["no cluster"]
    assert "900" in reasons["too many dimensions"]


def test_what_was_skipped_is_tried_again(request_of: Request, tmp_path: Path) -> None:
    matrix = Matrix(photos=(PhotoRun("one", "features:{models}/later.npz"),))
    (outcome,), _ = done(matrix, request_of)
    assert outcome.state == "skipped"
    (tmp_path / "later.npz").write_bytes((tmp_path / FEATURES).read_bytes())
    (outcome,), _ = done(matrix, request_of)
    assert outcome.state == "done"


def test_an_error_of_a_single_run_can_end_the_evaluation(request_of: Request) -> None:
    matrix = Matrix(photos=(PhotoRun("no weights", "resnet50:{models}/none.pth"),))
    with pytest.raises(WeightsUnavailable, match=r"none\.pth"):
        evaluate(matrix, request_of, stop_at_errors=True)


@pytest.mark.parametrize("store", ["exact", "scikit-learn", "embedded"])
def test_a_store_finds_the_neighbours_and_is_timed(request_of: Request, store: str) -> None:
    (plain, outcome), _ = done(
        Matrix(photos=(run("memory"), run("store", store=store, measures=("retrieval",)))),
        request_of,
    )
    told = outcome.metrics["store"]
    assert (told["name"], told["recall20"]) == (store, 1)
    assert told["insert_s"] > 0
    assert told["search_ms"] > 0
    assert outcome.metrics["top20"] == plain.metrics["top20"]
    assert "accuracy" not in outcome.metrics
    right = outcome.arrays["neighbours"] == plain.arrays["neighbours"]
    assert right.mean() > 0.99


def test_only_the_photos_of_the_pairs_are_taken_where_that_is_asked(request_of: Request) -> None:
    (outcome,), _ = done(Matrix(photos=(run("paired", photos="pairs"),)), request_of)
    assert outcome.metrics["photos"] == 16
    assert outcome.metrics["pairs"] == 16


def test_pairs_whose_photos_are_not_taken_are_none(request_of: Request) -> None:
    """The pairs are of first and second photos."""
    both, first = (run(f"the first {n}", most_photos=n) for n in (2, 1))
    first = replace(first, measures=("verification", "all-pairs"))
    (of_both, of_first), _ = done(Matrix(photos=(both, first)), request_of)
    assert (of_both.metrics["photos"], of_both.metrics["pairs"]) == (16, 16)
    assert of_first.metrics["all_pairs"]["photos"] == 8
    assert not {"pairs", "accuracy"} & of_first.metrics.keys()


def test_pairs_name_photos_whatever_their_suffix(request_of: Request, tmp_path: Path) -> None:
    features = read_features(tmp_path / FEATURES)
    for name in features.names:
        path = tmp_path / "people" / name
        path.rename(path.with_suffix(".png"))
    names = tuple(name.replace(".jpg", ".png") for name in features.names)
    write_features(replace(features, names=names), tmp_path / FEATURES)
    (outcome,), _ = done(Matrix(photos=(run("paired", photos="pairs"),)), request_of)
    assert (outcome.metrics["photos"], outcome.metrics["pairs"]) == (16, 16)


def test_photos_without_a_vector_are_missing_and_lower_the_rate(
    request_of: Request, tmp_path: Path
) -> None:
    features = read_features(tmp_path / FEATURES)
    kept = replace(features, names=features.names[2:], persons=features.persons[2:],
                   vectors=features.vectors[2:])  # fmt: skip
    write_features(kept, tmp_path / FEATURES)
    (outcome,), _ = done(Matrix(photos=(run("one"),)), request_of)
    assert outcome.metrics["detection_rate"] == pytest.approx(22 / 24)
    assert outcome.metrics["pairs_left_out"] > 0


def test_pairs_of_photos_that_are_not_there_are_an_error_in_words(
    request_of: Request, tmp_path: Path
) -> None:
    next((tmp_path / "people").glob("P0003/*_0001.jpg")).unlink()
    with pytest.raises(UsageError, match=r"1 photo of the pairs .*P0003_0001\.jpg"):
        evaluate(Matrix(photos=(run("one"),)), request_of)


def test_vectors_of_other_photos_are_an_error_in_words(request_of: Request, tmp_path: Path) -> None:
    other = Features(("A/A_0001.jpg",), ("A",), np.ones((1, 16), np.float32))
    write_features(other, tmp_path / FEATURES)
    (outcome,), _ = done(Matrix(photos=(run("one"),)), request_of)
    assert outcome.state == "failed"
    assert "no vector of any of the 24 photos" in (outcome.reason or "")


@pytest.mark.parametrize("people", [60, 8])
def test_groups_are_compared_where_the_photos_make_pairs_enough(
    request_of: Request, tmp_path: Path, people: int
) -> None:
    """A false-accept rate of 1e-3 needs 10,000 pairs of different people; 24 photos make 252."""
    write_material(tmp_path, people=people)
    rows = [f"P{n:04d},{'left' if n < 4 else 'right'}" for n in range(8)]
    (tmp_path / "groups.csv").write_text("\n".join(["person,side", *rows]) + "\n")
    given = replace(request_of, attributes=tmp_path / "groups.csv")
    (outcome,), seen = done(Matrix(photos=(run("one"),)), given)
    assert "attributes_sha256" in outcome.made_with
    groups = {each["group"]: each["people"] for each in outcome.metrics["by_group"]}
    if people == 8:
        assert groups == {}
        assert ["groups are not compared" in said for said in seen.warnings] == [True]
    else:
        thresholds = outcome.metrics["all_pairs"]["threshold_at_far"]
        assert outcome.metrics["by_group_threshold"] == thresholds["1e-3"]
        assert (groups, seen.warnings) == ({"left": 4, "right": 4}, [])


def test_a_store_of_one_vector_has_nothing_to_find(request_of: Request, tmp_path: Path) -> None:
    features = read_features(tmp_path / FEATURES)
    one = replace(features, names=features.names[:1], persons=features.persons[:1],
                  vectors=features.vectors[:1])  # fmt: skip
    write_features(one, tmp_path / FEATURES)
    (outcome,), _ = done(Matrix(photos=(run("one", store="exact"),)), request_of)
    assert (outcome.state, "there are 1 vectors" in (outcome.reason or "")) == ("failed", True)


def test_whom_a_photo_shows_is_said_by_its_folder_alone(
    request_of: Request, tmp_path: Path
) -> None:
    features = read_features(tmp_path / FEATURES)
    write_features(replace(features, persons=("P0000",) * len(features.names)), tmp_path / FEATURES)
    (outcome,), _ = done(Matrix(photos=(run("one"),)), request_of)
    assert outcome.state == "failed"
    assert "P0001/P0001_0001.jpg shows P0000" in (outcome.reason or "")


@pytest.mark.parametrize("text", ["person,side\nNobody,left\n", "name,side\n", "person,side\n"])
def test_attributes_of_nobody_here_are_refused_before_any_run(
    request_of: Request, tmp_path: Path, text: str
) -> None:
    (tmp_path / "groups.csv").write_text(text)
    given = replace(request_of, attributes=tmp_path / "groups.csv")
    with pytest.raises(UsageError, match="attributes of none of the photos"):
        done(Matrix(photos=(run("one"),)), given)
