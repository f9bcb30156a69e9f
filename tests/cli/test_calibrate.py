"""`sightings calibrate`: thresholds of verdicts from one's own named faces."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from indexer.embeddings.card import read_card
from indexer.engines import open_index
from indexer.evaluation.matrix import CARDS
from indexer.records import ModelIdentity, SegmentSpan
from tests.cli.running import sightings
from tests.engines.builders import claim, finish, link, make_face, make_label, photo
from tests.evaluation.made_up import scattered

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.records import Thresholds

CARD = CARDS / "mobilefacenet.json"


def model_of_card() -> ModelIdentity:
    card = read_card(CARD)
    return ModelIdentity(
        card.name, card.dimensions, card.recipe, "1" * 64, "/m.onnx", card.licence, card.thresholds
    )


def fill(location: Path, counts: list[int]) -> Path:
    """Index people with so many faces each: a group photo for the first of all, and so on."""
    people, model = scattered(counts, dimensions=128, spread=0.4), model_of_card()
    rounds: list[list[int]] = [[] for _ in range(max(counts))]
    for row, name in enumerate(people.names):
        rounds[int(name[-8:-4]) - 1].append(row)
    with open_index(str(location), create=True) as index:
        index.adopt_model(model)
        for number, rows in enumerate(rounds):
            media = photo(f"group {number}")
            index.start_media(media, [SegmentSpan(0)])
            faces = [
                make_face(media, people.vectors[row], x=100.0 * i, model=model.key)
                for i, row in enumerate(rows)
            ]
            finish(index, claim(index, media), faces)
            link(index, media)
            named = zip(faces, rows, strict=True)
            index.label([make_label(face, people.persons[row]) for face, row in named])
    return location


@pytest.fixture(scope="session")
def many_named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of 480 people with three named faces each."""
    return fill(tmp_path_factory.mktemp("calibrate") / "faces.sightings", [3] * 480)


@pytest.fixture
def named(many_named: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which commands find by SIGHTINGS_INDEX."""
    location = tmp_path / "faces.sightings"
    shutil.copy(many_named, location)
    monkeypatch.setenv("SIGHTINGS_INDEX", str(location))
    return location


def calibrated(location: Path) -> Thresholds | None:
    with open_index(str(location)) as index:
        assert index.model is not None
        return index.model.calibrated


def test_thresholds_are_told_with_the_pairs_behind_them_and_nothing_changes(named: Path) -> None:
    run = sightings("calibrate")
    assert run.code == 0
    first, second, third, *rows = run.out.splitlines()
    assert first.startswith("Measured: `possible` from a score of 0.")
    assert (
        "1,034,640 pairs of different people: 1,440 named faces of this index of 480 people, at "
        "most 10 each; 100.0 % and 100.0 % of 1,440 pairs of one person reach them" in first
    )
    assert second.startswith("In force until now, of mobilefacenet: `possible` from a score of 0.3")
    assert third.startswith("Faces of other people that a search meets on average")
    assert [row.split() for row in rows] == [
        ["faces", "possible", "same", "person"],
        ["1,000", "1", "0.01"],
        ["10,000", "10", "0.1"],
        ["100,000", "100", "1"],
        ["1,000,000", "1,000", "10"],
        ["10,000,000", "10,000", "100"],
    ]
    assert (
        run.err == "Nothing was changed; `--apply` lets the index's verdicts hold from these on.\n"
    )
    assert calibrated(named) is None


def test_applied_ones_are_in_force_until_they_are_reset(named: Path) -> None:
    document = sightings("calibrate", "--json").document
    assert sightings("calibrate", "--apply").code == 0
    kept = calibrated(named)
    assert kept is not None
    assert (kept.possible, kept.same_person) == (document["possible"], document["same_person"])
    assert kept.basis == document["basis"]
    again = sightings("calibrate").out.splitlines()[1]
    assert again.startswith(
        f"In force until now, set for this index: `possible` from a score of {kept.possible:g}"
    )
    run = sightings("calibrate", "--reset")
    assert run.out.startswith("The index is back to the thresholds of mobilefacenet. `possible` ")
    assert calibrated(named) is None


def test_json_holds_what_was_measured_and_what_is_in_force(named: Path) -> None:
    document = sightings("calibrate", "--per-person", "3", "--json").document
    assert document["model"] == model_of_card().key
    assert (document["photos"], document["people"], document["per_person"]) == (1440, 480, 3)
    assert (document["same"], document["different"]) == (1440, 1_034_640)
    assert 0 < document["possible"] < document["same_person"] < 1
    assert document["expected_false_hits"]["1e-5"]["1000000"] == pytest.approx(10)
    assert document["in_force_until_now"]["possible"] == 0.319
    assert calibrated(named) is None


def test_fewer_faces_of_each_person_count_if_asked(named: Path) -> None:
    run = sightings("calibrate", "--per-person", "1")
    assert run.code == 2
    assert "480 photos of 480 people make 114,960 pairs of different people." in run.err
    assert "(`possible`, at 1e-3, would be 0." in run.err
    assert calibrated(named) is None


def test_a_card_takes_them_and_keeps_all_else(named: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    shutil.copy(CARD, card)
    assert sightings("calibrate", "--card", card).code == 0
    before, after = (json.loads(file.read_text()) for file in (CARD, card))
    assert after.pop("thresholds") != before.pop("thresholds")
    assert list(after.items()) == list(before.items())
    written = read_card(card).thresholds
    assert written is not None
    assert "named faces of this index" in written.basis
    assert [file.name for file in tmp_path.glob("card*")] == ["card.json"]
    assert calibrated(named) is None


@pytest.mark.parametrize("changes", [{"flip": False}, {"name": "other"}, {"dimensions": 64}])
def test_the_card_of_another_model_is_left_as_it_is(
    named: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    card = tmp_path / "card.json"
    card.write_text(json.dumps(json.loads(CARD.read_text()) | changes))
    before = card.read_bytes()
    run = sightings("calibrate", "--card", card, "--apply")
    assert run.code == 2
    assert "Give the card with which the index was made" in run.err
    assert card.read_bytes() == before
    assert calibrated(named) is None


@pytest.mark.usefixtures("library")
def test_few_names_are_refused() -> None:
    run = sightings("calibrate", "--apply")
    assert run.code == 2
    assert "2 photos of 2 people make 1 pairs of different people." in run.err
    sightings("people", "forget", "Anna", "--yes")
    run = sightings("calibrate")
    assert run.code == 1
    assert "the index has hardly any: name people with" in run.err


def test_resetting_measures_nothing(named: Path) -> None:
    run = sightings("calibrate", "--reset", "--apply")
    assert run.code == 2
    assert "--reset measures nothing" in run.err
    assert sightings("calibrate", "--reset").code == 0
    assert calibrated(named) is None


def test_an_index_without_a_model_has_nothing_to_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = str(tmp_path / "empty.sightings")
    open_index(location, create=True).close()
    monkeypatch.setenv("SIGHTINGS_INDEX", location)
    run = sightings("calibrate")
    assert run.code == 1
    assert "no model and no faces yet" in run.err
