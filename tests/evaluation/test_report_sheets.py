"""Contact sheets show the photos that were found, and whether they are right."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from indexer.evaluation.report import sheets, write_report
from indexer.evaluation.report.runs import curves
from tests.evaluation.outcomes import make_photos, photo_outcome
from tests.evaluation.pages import Element, read_page

if TYPE_CHECKING:
    from pathlib import Path

OUTCOME = photo_outcome(spread=0.9)
QUERY = "Person_C/Person_C_0004.jpg"
ARRAYS = ("names", "persons", "neighbours", "neighbour_scores", "average_precision")


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> tuple[Path, dict[str, tuple[int, int, int]]]:
    folder = tmp_path_factory.mktemp("photos")
    return folder, make_photos(folder, OUTCOME)


@pytest.fixture(scope="module")
def page(photos, tmp_path_factory) -> Element:
    queries = [QUERY, "Person_B", "Nobody/Nobody_0001.jpg"]
    folder = tmp_path_factory.mktemp("report")
    return read_page(
        write_report([OUTCOME], folder, photos=photos[0], queries=queries, title="Sheets")
    )


def sheet(page: Element, place: int) -> Element:
    return page.all("section", class_="sheet")[place]


def test_a_chosen_query_comes_first_and_its_neighbours_in_order(page) -> None:
    names = list(OUTCOME.arrays["names"])
    row = names.index(QUERY)
    found = [names[n] for n in OUTCOME.arrays["neighbours"][row]]
    tiles = sheet(page, 0).all("li")
    assert [tile.attributes["data-photo"] for tile in tiles] == [QUERY, *found]
    for tile, score in zip(tiles[1:], OUTCOME.arrays["neighbour_scores"][row], strict=True):
        right = tile.attributes["data-person"] == "Person_C"
        assert tile.attributes["data-right"] == str(right).lower()
        verdict = tile.one("span", class_="verdict").text
        assert verdict == f"{'✓ right' if right else '✗ wrong'} {score:.2f}".replace("-", "−")


def test_each_tile_shows_its_own_photo(page, photos) -> None:
    tiles = [tile for tile in page.all("li", class_="tile") if tile.all("img")]
    assert len(tiles) == (2 + 2 + 3) * 21
    for tile in tiles:
        source = tile.one("img").attributes["src"]
        kind, _, content = source.partition(",")
        assert kind == "data:image/jpeg;base64"
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            colour = np.asarray(picture.convert("RGB"))[48, 48].astype(int)
        assert np.abs(colour - photos[1][tile.attributes["data-photo"]]).max() < 12


def test_a_person_stands_for_the_first_photo_and_who_is_not_there_is_told(page) -> None:
    first = sheet(page, 1).all("li")[0].attributes["data-photo"]
    assert first == "Person_B/Person_B_0001.jpg"
    assert "Nobody_0001.jpg" in sheet(page, 2).one("h4").text
    assert "It has no vector in this run" in sheet(page, 2).text


def test_the_best_and_the_worst_are_those_of_average_precision() -> None:
    precision = np.full(len(OUTCOME.arrays["persons"]), 0.5)
    precision[[3, 30, 50]] = 1.0, 1.0, 0.9  # of A (24 photos), B (12), D (8)
    precision[[24, 25, 90]] = 0.1, 0.2, 0.0  # of B and B, and of one with two photos
    precision[-1] = np.nan
    outcome = replace(OUTCOME, arrays={**OUTCOME.arrays, "average_precision": precision})
    best, worst = sheets.extremes(outcome)
    assert best == [3, 30]
    assert worst[:2] == [90, 24]
    assert len(worst) == 3


def test_photos_that_cannot_be_read_or_lie_elsewhere_leave_a_gap(tmp_path) -> None:
    outside = tmp_path / "outside.jpg"
    Image.new("RGB", (9, 9)).save(outside)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    names = np.array(["../outside.jpg", str(outside), "broken.jpg", "missing.jpg"])
    arrays = {
        "names": names,
        "persons": np.array(["a"] * 4),
        "neighbours": np.array([[1, 2, 3, -1]] * 4),
        "average_precision": np.ones(4),
    }
    outcome = replace(OUTCOME, arrays=arrays)
    made, left_out = sheets.make_sheets(curves([outcome]), tmp_path / "photos", ["broken.jpg"])
    assert left_out == []
    for each in made[0].sheets:
        assert [tile.photo for tile in each.tiles] == list(names[1:])
        assert {tile.picture for tile in each.tiles} == {None}


def test_links_to_photos_elsewhere_are_shown_as_they_were_measured(photos, tmp_path) -> None:
    (tmp_path / "linked").mkdir()
    for person in photos[0].iterdir():
        (tmp_path / "linked" / person.name).symlink_to(person)
    made, _ = sheets.make_sheets(curves([OUTCOME]), tmp_path / "linked", [QUERY])
    assert all(tile.picture for sheet in made[0].sheets for tile in sheet.tiles)


def test_a_page_that_would_be_too_large_leaves_sheets_out_and_says_so(
    photos, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(sheets, "PICTURES_BYTES", 50_000)
    others = [photo_outcome(f"worse {n}", spread=2.0 + n / 2, seed=n) for n in range(3)]
    drawn_faster = [
        replace(each, arrays={name: each.arrays[name] for name in ARRAYS})
        for each in (*others, OUTCOME)
    ]
    page = read_page(write_report(drawn_faster, tmp_path, photos=photos[0], title="t"))
    section = page.one("section", id="sheets")
    assert section.all("details")[0].attributes["data-run"] == OUTCOME.name
    assert "Left out, so that this page stays small: worse" in section.text
