"""Pairs that are told wrongly: which they are, who shares them, and how the page shows them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.evaluation.records import Outcome, Pair
from indexer.evaluation.report import write_report
from indexer.evaluation.verification import verify
from indexer.evaluation.wrong_pairs import (
    missed_by_several,
    voters,
    wrong_among,
    wrong_pairs_of,
)
from tests.evaluation.made_up import at, features_of, scattered
from tests.evaluation.outcomes import make_photos, photo_outcome
from tests.evaluation.pages import read_page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.evaluation.pages import Element

NAMES = [f"Person_{letter}/Person_{letter}_0001.jpg" for letter in "ABCDEFGH"]


def told(name: str, wrong: dict[tuple[int, int], float], **rest: object) -> Outcome:
    """A run of a network of its own that is wrong in pairs of NAMES by so much."""
    pairs = [
        {"first": NAMES[a], "second": NAMES[b], "same": by < 0, "fold": 0,
         "cosine": 0.5 + by, "threshold": 0.5}
        for (a, b), by in wrong.items()
    ]  # fmt: skip
    metrics = {"accuracy": 0.99, "pairs": 3000, "wrong_pairs": pairs} | rest
    return Outcome(name, "photos", "done", metrics=metrics, made_with={"weights_sha256": name})


def test_pairs_on_the_wrong_side_of_their_folds_threshold_come_worst_first() -> None:
    pairs = [
        Pair("a1", "a2", True, 0),
        Pair("a1", "b1", False, 0),
        Pair("a1", "a3", True, 1),
        Pair("a2", "b1", False, 1),
        Pair("b1", "c1", False, 1),
    ]
    found = wrong_among(pairs, np.array([0.45, 0.5, 0.1, 0.39, 0.4]), np.array([0.5, 0.4]))
    assert [(p.first, p.second, p.same, p.cosine, p.threshold) for p in found] == [
        ("a1", "a3", True, 0.1, 0.4),
        ("a1", "a2", True, 0.45, 0.5),
        ("a1", "b1", False, 0.5, 0.5),  # the threshold itself accepts
        ("b1", "c1", False, 0.4, 0.4),
    ]


def test_what_verification_counts_as_wrong_is_what_it_lists() -> None:
    features = scattered([3] * 20, spread=1.2)
    cosine = {
        (a, b): float(features.vectors[i] @ features.vectors[j])
        for i, a in enumerate(features.names)
        for j, b in enumerate(features.names)
    }
    pairs = [
        Pair(a, b, a.split("/")[0] == b.split("/")[0], number % 3)
        for number, (a, b) in enumerate(sorted(cosine))
        if a < b
    ]
    found = verify(features, pairs)
    wrong = found.metrics()["wrong_pairs"]
    for fold, accuracy in enumerate(found.cosine.accuracies):
        of_fold = [each for each in wrong if each["fold"] == fold]
        assert len(of_fold) == round((1 - accuracy) * sum(p.fold == fold for p in pairs)) > 0
        assert {each["threshold"] for each in of_fold} == {found.cosine.thresholds[fold]}
    for each in wrong:
        assert each["cosine"] == pytest.approx(cosine[each["first"], each["second"]], abs=1e-6)
        assert (each["cosine"] >= each["threshold"]) != each["same"]


def test_a_pair_without_a_face_is_not_listed() -> None:
    features = features_of([("A", at(0)), ("A", at(10)), ("B", at(90))], missing=("C/C_0001.jpg",))
    a1, a2, b1 = features.names
    pairs = [Pair(a1, a2, True, 0), Pair(a1, "C/C_0001.jpg", False, 0), Pair(a1, b1, False, 0)]
    assert verify(features, pairs).metrics()["wrong_pairs"] == []


def test_a_run_without_verification_tells_nothing() -> None:
    assert wrong_pairs_of(Outcome("bare", "photos", "done", metrics={"map": 0.5})) is None


def test_each_network_that_seldom_errs_votes_once_with_its_best_run() -> None:
    one = told("one", {})
    better = replace(told("one, aligned", {}, accuracy=0.995), made_with=one.made_with)
    runs = [
        one,
        better,
        told("two", {}, accuracy=0.96),
        told("ImageNet", {}, accuracy=0.73),
        told("few", {}, pairs=600),
        Outcome("retrieval alone", "photos", "done"),
    ]
    assert [run.name for run in voters(runs)] == ["one, aligned", "two"]


def test_pairs_that_most_networks_miss_come_first_and_those_of_one_are_left_out() -> None:
    runs = [
        told("one", {(0, 1): -0.1, (2, 3): 0.2, (4, 5): -0.3}),
        told("two", {(0, 1): -0.1, (2, 3): 0.1}),
        told("three", {(0, 1): -0.2, (6, 7): 0.4}),
    ]
    found = missed_by_several(runs)
    assert [(each.pair.first, list(each.missed_by)) for each in found] == [
        (NAMES[0], ["one", "two", "three"]),
        (NAMES[2], ["one", "two"]),
    ]


@pytest.fixture(scope="module")
def reported(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wrong")
    drawn = photo_outcome("drawn")
    make_photos(folder / "photos", drawn)
    many = {(0, 1 + place % 7): -0.01 * (place + 1) for place in range(7)}
    runs = [told("one", {**many, (2, 3): 0.2}), told("two", {(2, 3): 0.1, (0, 1): -0.4})]
    write_report(runs, folder, photos=folder / "photos", title="Wrong")
    return folder


@pytest.fixture(scope="module")
def page(reported: Path) -> Element:
    return read_page(reported / "report.html")


def test_the_page_shows_each_runs_pairs_with_both_photos(page: Element) -> None:
    section = page.one("section", id="wrong")
    (run,) = section.all("details", data_run="one")
    assert "7 refused, 1 accepted" in run.one("summary").text
    first = run.all("li")[0]
    assert first.attributes["class"] == "pair refused"
    assert (first.attributes["data-first"], first.attributes["data-second"]) == (NAMES[0], NAMES[1])
    assert first.one("span", class_="verdict").text == "refused 0.4900 < 0.5000"
    assert first.one("span", class_="person").text == "Person A 0001, Person B 0001"
    assert len({image.attributes["src"] for image in first.all("img")}) == 2


def test_the_page_shows_what_networks_miss_alike(page: Element) -> None:
    shared = page.one("ol", id="pairs-shared").all("li")
    assert [each.attributes["data-second"] for each in shared] == [NAMES[1], NAMES[3]]
    assert shared[1].one("span", class_="verdict").text == (
        "accepted missed by 2 of 2 one 0.7000 ≥ 0.5000 two 0.6000 ≥ 0.5000"
    )


def test_all_of_them_stand_in_the_json_and_none_in_the_table(reported: Path) -> None:
    told = json.loads((reported / "report.json").read_text())
    assert [len(each["metrics"]["wrong_pairs"]) for each in told["outcomes"]] == [8, 2]
    assert told["missed_by_several"]["networks"] == ["one", "two"]
    assert told["missed_by_several"]["pairs"][1] == {
        "first": NAMES[2],
        "second": NAMES[3],
        "same": False,
        "missed_by": {
            "one": {"cosine": 0.7, "threshold": 0.5},
            "two": {"cosine": 0.6, "threshold": 0.5},
        },
    }
    with (reported / "report.csv").open(newline="") as stream:
        assert not [name for name in next(csv.reader(stream)) if "wrong" in name]
